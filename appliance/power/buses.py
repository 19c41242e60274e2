"""From the site file's `[[bus]]` to a bus."""

from appliance.config_power import Bus as BusConfig
from drivers.modbus.bus import Bus
from drivers.modbus.line import SerialLine, TcpLine


def bus_of(config: BusConfig) -> Bus:
    """A closed bus, which opens itself when first used."""
    if config.kind == "rtu":
        return Bus(SerialLine(config.port, config.baud))
    return Bus(TcpLine(config.host, config.tcp_port))
