"""From the site file's `[[bus]]` to its line: which wire it is."""

from appliance.config_power import Bus as BusConfig
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
