"""From the site file's `[[bus]]` to a bus: whose wire it is, and how long its units may think."""

from appliance.config_power import Bus as BusConfig
from drivers.modbus.bus import Bus
from drivers.modbus.line import Line, RtuTcpLine, SerialLine, TcpLine


def line_of(config: BusConfig) -> Line:
    """The line that the site file describes."""
    if config.kind == "tcp":
        return TcpLine(config.host, config.tcp_port)
    if config.kind == "rtu_tcp":
        return RtuTcpLine(
            config.host, config.tcp_port, baud=config.baud, parity=config.parity, stopbits=config.stopbits
        )
    return SerialLine(config.port, baud=config.baud, parity=config.parity, stopbits=config.stopbits)


def bus_of(config: BusConfig) -> Bus:
    """A closed bus, which opens itself when first used. A device's own time-out goes to its poller."""
    return Bus(line_of(config), timeout_s=config.timeout_s)
