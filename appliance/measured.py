"""Every figure of the box under one name, "genset/g1/fuel_level": for charts, dashboards and metrics alike."""

from collections.abc import Iterator

from appliance.figure import Figure
from appliance.power_view import PowerView
from appliance.view import LineView


def measured(power: PowerView, lines: list[LineView]) -> Iterator[tuple[str, Figure]]:
    """The devices' figures, the minutes until dark while they count down, and the lines' signal."""
    for device in power.devices:
        for point, figure in device.figures.items():
            yield f"{device.kind}/{device.id}/{point}", figure
    dark = power.dark
    if dark.minutes is not None:
        yield "power/minutes_until_dark", Figure(dark.minutes, "min", "good", dark.at, dark.fresh_s)
    for line in lines:
        yield f"line/{line.id}/signal_dbm", line.signal_dbm
