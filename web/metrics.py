"""The view as Prometheus reads it: text, one line a figure, only what is known; what is not known is not there.

Names end in their unit where Prometheus has one; the others carry it as a label. Nothing private is here.
"""

from collections.abc import Iterator, Mapping

from appliance.figure import Figure
from appliance.measured import measured
from appliance.view import View

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"

Sample = tuple[Mapping[str, str], float]


def exposition(view: View, now: float, *, live: bool) -> str:
    """`now` in the view's monotonic seconds. With `live` False core does not speak, and nothing else is known."""
    families = [_family("siaga_core_up", "Core answers.", [({}, float(live))])]
    if live:
        families += [_family(name, text, list(samples)) for name, text, samples in _families(view, now)]
    return "".join(families)


def _families(view: View, now: float) -> Iterator[tuple[str, str, Iterator[Sample]]]:
    yield "siaga_info", "What runs.", iter([({"site": view.site, "id": view.id, "version": view.version}, 1.0)])
    yield "siaga_journal_rows", "Rows of the journal.", iter([({}, float(view.seq))])
    yield "siaga_disk_failed", "The journal cannot be written.", iter([({}, float(view.disk_failed is not None))])
    yield "siaga_reading", "A measured figure, while it is known.", _readings(view, now)
    yield "siaga_reading_age_seconds", "Since it was measured.", _ages(view, now)
    yield "siaga_reading_quality", "1 for the quality that a figure has.", _qualities(view, now)
    yield from _states(view, now)


def _states(view: View, now: float) -> Iterator[tuple[str, str, Iterator[Sample]]]:
    if power := view.power:
        yield "siaga_power_source", "1 for what feeds the building.", iter([({"source": str(power.source)}, 1.0)])
        yield "siaga_power_stage", "1 for where the plant is.", iter([({"stage": str(power.stage)}, 1.0)])
        yield "siaga_mains", "1 for the mains' standing.", iter([({"mains": str(power.mains)}, 1.0)])
        ready = [({"genset": id}, float(g.ready)) for id, g in power.gensets.items() if g.ready is not None]
        yield "siaga_genset_ready", "It would start by itself.", iter(ready)
    yield (
        "siaga_line",
        "1 for whether a line can take a call.",
        iter([({"line": line.id, "can_take_call": line.can_take_call}, 1.0) for line in view.lines]),
    )
    yield (
        "siaga_station_online",
        "A station's signed word is fresh, or it is this box.",
        iter([({"station": s.id}, float(s.local or bool(s.contact and s.contact.online))) for s in view.stations]),
    )
    yield (
        "siaga_station_sounding",
        "A siren sounds.",
        iter([({"station": s.id}, float(s.sounding)) for s in view.stations if s.sounding is not None]),
    )
    yield (
        "siaga_alerts_open",
        "Orders that are not over.",
        iter([({}, float(sum(alert.ended is None for alert in view.alerts)))]),
    )
    standing = [alarm for alarm in view.alarms if alarm.cleared is None]
    yield (
        "siaga_alarms",
        "Alarms that stand.",
        iter([({"priority": str(p)}, float(sum(a.priority == p for a in standing))) for p in (1, 2, 3)]),
    )
    yield "siaga_alarm", "1 for each alarm that stands.", iter(
        [
            ({"alarm": a.alarm, "about": a.about, "priority": str(a.priority),
              "acknowledged": str(a.acknowledged is not None).lower()}, 1.0)
            for a in standing
        ]
    )  # fmt: skip
    yield (
        "siaga_link_up",
        "Whether what the box needs is reached.",
        iter([({"link": name}, float(link.up)) for name, link in view.links.items()]),
    )
    if view.trunk_verdict is not None:
        yield "siaga_trunk", "1 for the 112 trunk's standing.", iter([({"standing": view.trunk_verdict.standing}, 1.0)])
    if view.fallback is not None:
        yield "siaga_fallback", "The fallback numbers are in force.", iter([({}, float(view.fallback.stands))])


def _readings(view: View, now: float) -> Iterator[Sample]:
    for labels, figure in _labelled(view):
        if figure.known(now) and isinstance(figure.value, (int, float)):
            yield {**labels, "unit": figure.unit}, float(figure.value)
        elif figure.known(now):
            yield {**labels, "unit": "", "value": str(figure.value)}, 1.0


def _ages(view: View, now: float) -> Iterator[Sample]:
    for labels, figure in _labelled(view):
        if figure.value is not None:
            yield labels, max(0.0, round(now - figure.at, 1))


def _qualities(view: View, now: float) -> Iterator[Sample]:
    for labels, figure in _labelled(view):
        yield {**labels, "quality": figure.quality_at(now)}, 1.0


def _labelled(view: View) -> Iterator[tuple[dict[str, str], Figure]]:
    if view.power is None:
        return
    for name, figure in measured(view.power, view.lines):
        kind, _, rest = name.partition("/")
        device, _, point = rest.rpartition("/")
        yield {"kind": kind, "device": device, "point": point}, figure


def _family(name: str, text: str, samples: list[Sample]) -> str:
    """Nothing for a family without samples."""
    if not samples:
        return ""
    lines = [f"# HELP {name} {text}", f"# TYPE {name} gauge"]
    lines += [f"{name}{_labels(labels)} {value:.10g}" for labels, value in samples]
    return "\n".join(lines) + "\n"


def _labels(labels: Mapping[str, str]) -> str:
    inside = ",".join(f'{key}="{_escaped(value)}"' for key, value in labels.items())
    return f"{{{inside}}}" if inside else ""


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
