"""What feeds the building, and how many minutes are left until it is dark: from what is measured now, or not known."""

from collections.abc import Iterable, Mapping

from appliance.model import Source
from appliance.power.genset_machine import GensetSeen
from appliance.power.mains_machine import Witness
from appliance.power.plant_machine import UpsSeen
from appliance.power_view import Dark
from drivers.quality import Quality
from drivers.reading import Reading

REASONS = {Source.MAINS: "mains_feeds", Source.GENSET: "genset_feeds"}
RUNTIME = "runtime_s"  # the UPS's own figure, at its present load


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


def dark(feeds: Source, on_battery: Iterable[Mapping[str, Reading]], now: float, fresh_s: float) -> Dark:
    """Minutes until dark. On battery: the least runtime of the UPSes that are; none without every one's figure.

    `on_battery` are the readings of the UPSes on battery, `fresh_s` the age at which they count no more.
    """
    if feeds is Source.DARK:
        return Dark(0.0, "dark", now, fresh_s)
    if feeds is not Source.BATTERY:
        return Dark(None, REASONS.get(feeds, "unknown"), now, fresh_s)
    runtimes = [readings.get(RUNTIME) for readings in on_battery]
    known = [(r.value, r.at) for r in runtimes if r and r.quality is Quality.GOOD and isinstance(r.value, int | float)]
    if not known or len(known) < len(runtimes) or any(now - at > fresh_s for _, at in known):
        return Dark(None, "unknown", now, fresh_s)
    seconds, at = min(known)
    return Dark(seconds / 60, "ups_runtime", at, fresh_s)
