"""What an order is judged by, taken from the view that people see: the plant in a few words, a device's good values."""

from collections.abc import Iterable

from appliance.model import GensetPhase, Mains, Source
from appliance.power.order_machine import Plant, Seen
from appliance.power_view import DeviceView, PowerView


def plant_seen(view: PowerView) -> Plant:
    """What one is not sure of is None, or unknown."""
    batteries = [ups.on_battery for ups in view.ups.values()]
    phases = [genset.phase for genset in view.gensets.values()]
    feeds = view.source is Source.GENSET or GensetPhase.ON_LOAD in phases
    rests = all(phase.at_rest for phase in phases)
    return Plant(
        Mains(view.mains),
        on_battery=True if True in batteries else None if None in batteries else False,
        feeding=True if feeds else False if rests else None,
    )


def current(device: DeviceView | None, now: float) -> dict[str, Seen]:
    """The readings that are good and fresh."""
    figures = device.figures.items() if device else ()
    return {name: Seen(f.value, f.at) for name, f in figures if f.known(now)}


def stale(device: DeviceView | None, points: Iterable[str], max_age_s: float, now: float) -> tuple[str, ...]:
    """Those of `points` that are not known, or not as freshly as an order wants it."""
    seen = current(device, now)
    return tuple(p for p in points if p not in seen or now - seen[p].at > max_age_s)
