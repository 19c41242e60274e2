"""The models that can be simulated, by the name that a configuration uses."""

from collections.abc import Mapping

from drivers.sim.modem_dialect import Dialect
from drivers.sim.modem_eg25g import Eg25g
from drivers.sim.modem_huawei import Huawei
from drivers.sim.modem_sim800 import Sim800
from drivers.sim.modem_sim7600 import Sim7600

DIALECTS: Mapping[str, type[Dialect]] = {"eg25g": Eg25g, "sim7600": Sim7600, "sim800": Sim800, "huawei": Huawei}
