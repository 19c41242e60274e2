"""What feeds the building, and how many minutes are left until it is dark: from what is measured now, or not known."""

from collections.abc import Iterable, Sequence

import msgspec

from appliance.model import Source
from appliance.power.discharge_machine import BatterySeen
from appliance.power.fuel_machine import band
from appliance.power.genset_machine import GensetSeen
from appliance.power.mains_machine import Witness
from appliance.power.plant_machine import UpsSeen
from appliance.power.run_machine import Measures
from appliance.power_state import Burn
from appliance.power_view import Dark, DarkPart

REASONS = {Source.MAINS: "mains_feeds", Source.GENSET: "genset_feeds"}
LEAST_KW = 0.2  # below it the fuel lasts longer than anybody plans for, and the figure would jump


class Discharging(msgspec.Struct, frozen=True):
    """A UPS on battery: its figures, and what its discharge says."""

    about: str
    seen: BatterySeen
    observed: float | None  # minutes


class Tank(msgspec.Struct, frozen=True):
    """A set that feeds, and what its fuel is counted with."""

    about: str
    seen: Measures
    litres: float | None
    reserve: float  # %
    litres_per_kwh: float  # until learned
    burns: dict[str, Burn]
    rated_kw: float | None = None


def source(gensets: Iterable[GensetSeen], ups: Iterable[UpsSeen], witnesses: Iterable[Witness]) -> Source:
    """What feeds the building. The worst that is seen goes first, and what is not seen is `unknown`."""
    sets, batteries, says = list(gensets), list(ups), {w.present for w in witnesses}
    if any(b.on_battery for b in batteries):
        return Source.BATTERY
    if any(s.feeding for s in sets):
        return Source.GENSET
    if False in says:
        nothing_feeds = all(s.feeding is False for s in sets) and all(b.off for b in batteries)
        return Source.DARK if nothing_feeds else Source.UNKNOWN
    return Source.MAINS if True in says else Source.UNKNOWN


def dark(
    feeds: Source, lost: bool, on_battery: Sequence[Discharging], tanks: Sequence[Tank], now: float, fresh_s: float,
    beside: Sequence[DarkPart] = (),
) -> Dark:  # fmt: skip
    """Minutes until dark. On battery: of each UPS the smaller of its word and its discharge, of all the smallest.

    On a generator while mains is `lost`: what its fuel lasts. None without every one's figure. `fresh_s` is the age at
    which a figure counts no more; `beside` are parts that stand beside the number.
    """
    if feeds is Source.DARK:
        return Dark(0.0, "dark", now, fresh_s)
    if feeds is Source.BATTERY:
        return _on_battery(on_battery, now, fresh_s, beside)
    if feeds is Source.GENSET and lost:
        return _on_fuel(tanks, now, fresh_s)
    return Dark(None, REASONS.get(feeds, "unknown"), now, fresh_s)


def _on_battery(batteries: Sequence[Discharging], now: float, fresh_s: float, beside: Sequence[DarkPart]) -> Dark:
    parts: list[DarkPart] = []
    least: list[tuple[float, float, int]] = []  # minutes, when, and the part that counts, of each UPS
    for battery in batteries:
        said, observed = _said(battery, now, fresh_s), _observed(battery, now, fresh_s)
        known = [
            (part.minutes, at, len(parts) + place)
            for place, (part, at) in enumerate(((said, battery.seen.runtime_at), (observed, battery.seen.at)))
            if part.minutes is not None
        ]
        parts += [said, observed]
        if known:
            least.append(min(known))
    if not batteries or len(least) < len(batteries):
        return Dark(None, "unknown", now, fresh_s, (*parts, *beside))
    minutes, at, place = min(least)
    parts[place] = msgspec.structs.replace(parts[place], counts=True)
    return Dark(minutes, parts[place].what, at, fresh_s, (*parts, *beside))


def _said(battery: Discharging, now: float, fresh_s: float) -> DarkPart:
    seen = battery.seen
    if seen.runtime_s is None:
        return DarkPart("ups_runtime", battery.about, None, "no_figure")
    if now - seen.runtime_at > fresh_s:
        return DarkPart("ups_runtime", battery.about, None, "stale")
    return DarkPart("ups_runtime", battery.about, seen.runtime_s / 60)


def _observed(battery: Discharging, now: float, fresh_s: float) -> DarkPart:
    if battery.observed is None or now - battery.seen.at > fresh_s:
        return DarkPart("ups_observed", battery.about, None, "not_learned" if battery.observed is None else "stale")
    return DarkPart("ups_observed", battery.about, battery.observed)


def _on_fuel(tanks: Sequence[Tank], now: float, fresh_s: float) -> Dark:
    """Of several sets that share a load the first empty one counts: the others may not carry it alone."""
    parts = [fuel(tank) for tank in tanks]
    known = [part.minutes for part in parts if part.minutes is not None]
    if not parts or len(known) < len(parts):
        return Dark(None, "genset_feeds", now, fresh_s, tuple(parts))
    least = min(known)
    shown = tuple(msgspec.structs.replace(part, counts=part.minutes == least) for part in parts)
    return Dark(least, "fuel", min(tank.seen.at for tank in tanks), fresh_s, shown)


def fuel(tank: Tank) -> DarkPart:
    """How long the fuel lasts at the load of now, down to what the pump leaves."""
    seen = tank.seen
    if tank.litres is None:
        return DarkPart("fuel", tank.about, None, "no_tank")
    if seen.fuel is None:
        return DarkPart("fuel", tank.about, None, "no_figure")
    if seen.kw is None or seen.kw < LEAST_KW:
        return DarkPart("fuel", tank.about, None, "no_load")
    litres = max(0.0, seen.fuel - tank.reserve) / 100 * tank.litres
    return DarkPart("fuel", tank.about, litres / (rate(tank) * seen.kw) * 60)


def rate(tank: Tank) -> float:
    """Litres a kilowatt-hour at the load of now: learned of its band, else of the nearest, else from the site file."""
    learned = learned_rate(tank)
    return tank.litres_per_kwh if learned is None else learned


def learned_rate(tank: Tank) -> float | None:
    if not tank.burns:
        return None
    at = float(band(tank.seen.load)) if tank.seen.load is not None else 50.0
    nearest = min(tank.burns, key=lambda least: abs(float(least) - at))
    return tank.burns[nearest].litres_per_kwh
