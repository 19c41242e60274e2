"""The makes of generator controller, UPS and meter that the simulated building can have, by their profiles' names."""

from collections.abc import Callable

from drivers.sim.genset_comap import InteliGenNT, InteliLite4
from drivers.sim.genset_datakom import DatakomD500
from drivers.sim.genset_deif import Agc150
from drivers.sim.genset_kohler import Apm603
from drivers.sim.genset_smartgen import Hgm4020, Hgm6120N
from drivers.sim.meter_eastron import Sdm230Registers, Sdm630Registers
from drivers.sim.modbus_slave import Bits, Registers
from drivers.sim.plant import Plant
from drivers.sim.plant_apc import ApcRegisters
from drivers.sim.plant_dse import DSE_4520, DSE_6120, DSE_7310, DSE_7320, DSE_8610, DseModel, DseRegisters
from drivers.sim.ups_eaton import EatonRegisters
from drivers.sim.ups_huawei import HuaweiRegisters
from drivers.sim.ups_riello import RielloRegisters
from drivers.sim.ups_socomec import SocomecRegisters

Clock = Callable[[], float]
Family = Callable[[Plant, Clock], Registers]
GensetFamily = Callable[[Plant, Clock, Clock], Registers | Bits]  # the second clock gives Unix seconds


def _dse(model: DseModel) -> GensetFamily:
    return lambda plant, now, wall: DseRegisters(plant, now, wall, model)


def _of(kind: Callable[[Plant, Clock], Bits]) -> GensetFamily:
    return lambda plant, now, _wall: kind(plant, now)


GENSETS: dict[str, GensetFamily] = {
    "comap_inteligen_nt": _of(InteliGenNT),
    "comap_intelilite_4": _of(InteliLite4),
    "datakom_d500": _of(DatakomD500),
    "deif_agc150": _of(Agc150),
    "dse_4520_mk2": _dse(DSE_4520),
    "dse_6120_mk2": _dse(DSE_6120),
    "dse_7310_mk2": _dse(DSE_7310),
    "dse_7320_mk2": _dse(DSE_7320),
    "dse_8610_mk2": _dse(DSE_8610),
    "kohler_apm603": _of(Apm603),
    "smartgen_hgm4020": _of(Hgm4020),
    "smartgen_hgm6100": _of(Hgm6120N),
}
UPS: dict[str, Family] = {
    "apc_smart_ups": ApcRegisters,
    "eaton_93pm": EatonRegisters,
    "huawei_ups2000": HuaweiRegisters,
    "riello_netman": RielloRegisters,
    "socomec_jbus": SocomecRegisters,
}
METERS: dict[str, Family] = {"eastron_sdm630": Sdm630Registers, "generic_mains": Sdm230Registers}
