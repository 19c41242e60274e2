"""The makes of UPS and meter that the simulated building can have, by the names of their profiles."""

from collections.abc import Callable

from drivers.sim.meter_eastron import Sdm230Registers, Sdm630Registers
from drivers.sim.modbus_slave import Registers
from drivers.sim.plant import Plant
from drivers.sim.plant_apc import ApcRegisters
from drivers.sim.ups_eaton import EatonRegisters
from drivers.sim.ups_huawei import HuaweiRegisters
from drivers.sim.ups_riello import RielloRegisters
from drivers.sim.ups_socomec import SocomecRegisters

Family = Callable[[Plant, Callable[[], float]], Registers]

UPS: dict[str, Family] = {
    "apc_smart_ups": ApcRegisters,
    "eaton_93pm": EatonRegisters,
    "huawei_ups2000": HuaweiRegisters,
    "riello_netman": RielloRegisters,
    "socomec_jbus": SocomecRegisters,
}
METERS: dict[str, Family] = {"eastron_sdm630": Sdm630Registers, "generic_mains": Sdm230Registers}
