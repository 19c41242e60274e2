"""Every controller that the simulated building can have, by the name of its profile."""

from collections.abc import Callable

from drivers.sim.genset_comap import InteliGenNT, InteliLite4
from drivers.sim.genset_controller import Now
from drivers.sim.genset_datakom import DatakomD500
from drivers.sim.genset_deif import Agc150
from drivers.sim.genset_kohler import Apm603
from drivers.sim.genset_smartgen import Hgm4020, Hgm6120N
from drivers.sim.modbus_slave import Bits, Registers
from drivers.sim.plant import Plant
from drivers.sim.plant_dse import DSE_4520, DSE_6120, DSE_7310, DSE_7320, DSE_8610, DseModel, DseRegisters

Wall = Callable[[], float]
Family = Callable[[Plant, Now, Wall], Registers | Bits]


def _dse(model: DseModel) -> Family:
    return lambda plant, now, wall: DseRegisters(plant, now, wall, model)


def _of(kind: Callable[[Plant, Now], Bits]) -> Family:
    return lambda plant, now, _wall: kind(plant, now)


DEFAULT_FAMILY = "dse_7320_mk2"

FAMILIES: dict[str, Family] = {
    "dse_4520_mk2": _dse(DSE_4520),
    "dse_6120_mk2": _dse(DSE_6120),
    "dse_7310_mk2": _dse(DSE_7310),
    DEFAULT_FAMILY: _dse(DSE_7320),
    "dse_8610_mk2": _dse(DSE_8610),
    "comap_intelilite_4": _of(InteliLite4),
    "comap_inteligen_nt": _of(InteliGenNT),
    "smartgen_hgm4020": _of(Hgm4020),
    "smartgen_hgm6100": _of(Hgm6120N),
    "datakom_d500": _of(DatakomD500),
    "deif_agc150": _of(Agc150),
    "kohler_apm603": _of(Apm603),
}
