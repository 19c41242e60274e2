"""From the site file's `[[bus]]` to a bus: its line, and how long its units may think."""

from appliance.bus_line import line_of
from appliance.config_power import Bus as BusConfig
from drivers.modbus.bus import Bus


def bus_of(config: BusConfig) -> Bus:
    """A closed bus, which opens itself when first used. A device's own time-out goes to its poller."""
    return Bus(line_of(config), timeout_s=config.timeout_s)
