"""The power panel: what feeds the building, how long it lasts, and the one-line diagram of it."""

from typing import Any, NamedTuple

from appliance.figure import Figure
from appliance.model import GensetPhase, Mains, Source
from appliance.power_view import DeviceView, PowerView
from web.diagram import draw
from web.scene import Scene, Shown
from web.stage import staged
from web.words import UNKNOWN

LITTLE_TIME = 10  # min until dark; under this the number is red whatever the generator does
LITTLE_FUEL = 120  # min that a set which feeds can still run; somebody has to fetch fuel and bring it here
HOURS_FROM = 120  # min; a longer time is told in hours

# Which figures stand under the diagram: where, point, digits. What a device does not have is left out.
FIGURES = (
    ("genset", "fuel_level", 0),
    ("genset", "battery_v", 1),
    ("genset", "generator_load", 0),
    ("genset", "coolant_temperature", 0),
    ("ups", "charge", 0),
    ("ups", "load", 0),
    ("ups", "output_v", 0),
)
OLD_S = 15.0  # s; a device that is polled at all gives something new more often than this
WHILE_TURNING = ("generator_load", "coolant_temperature")  # of a standing engine these are noise


class Head(NamedTuple):
    """The panel's first line: a big word or number, what it is, and its tone."""

    big: str
    small: str
    tone: str = ""


class Row(NamedTuple):
    name: str
    shown: Shown
    tone: str = ""


def power_panel(scene: Scene) -> dict[str, Any]:
    power = scene.view.power
    if power is None:
        return {"power": None}
    return {
        "power": power,
        "head": head_of(scene, power),
        "note": _note(scene, power),
        "drawing": draw(scene, power),
        "rows": _rows(scene, power),
        "age": data_age(scene, power),
    }


def _note(scene: Scene, power: PowerView) -> str:
    """Where the outage stands. The witnesses stand beside it until the plant does something."""
    if not scene.live:
        return last_known(scene, power)
    if stage := staged(scene, power):
        return " · ".join(filter(None, [outage(scene, power, witnesses=False), stage.brief]))
    return outage(scene, power)


def last_known(scene: Scene, power: PowerView) -> str:
    """What fed the building when core last spoke."""
    words = scene.words
    return words("power.last", source=words.code("power.source", power.source), clock=words.clock(scene.view.wall))


def head_of(scene: Scene, power: PowerView) -> Head:
    """What feeds the building and for how long, as the largest thing on a page."""
    words = scene.words
    if not scene.live:
        return Head(UNKNOWN, words("power.minutes_until_dark"))
    match power.source:
        case Source.MAINS:
            return Head(words("power.source.mains"), words("since", span=scene.span(power.mains_since)))
        case Source.GENSET:
            running = next((g for g in power.gensets.values() if g.phase is GensetPhase.ON_LOAD), None)
            since = words("power.feeds_since", span=scene.span(running.since)) if running else words("power.feeds")
            return Head(words("power.source.genset"), _fuel(scene, power) or since, _fuel_tone(scene, power))
        case Source.BATTERY | Source.UNKNOWN:
            return _until_dark(scene, power)
        case Source.DARK:
            return Head(words("power.source.dark"), words("power.is_dark"), "p1")


def _fuel_minutes(scene: Scene, power: PowerView) -> float | None:
    """That the fuel lasts, where that is what ends the light."""
    dark = power.dark
    return dark.minutes if dark.reason == "fuel" and scene.now - dark.at <= dark.fresh_s else None


def _fuel(scene: Scene, power: PowerView) -> str:
    minutes = _fuel_minutes(scene, power)
    return "" if minutes is None else scene.words("power.fuel_lasts", span=minutes_of(scene, minutes))


def _fuel_tone(scene: Scene, power: PowerView) -> str:
    minutes = _fuel_minutes(scene, power)
    if minutes is None or minutes >= LITTLE_FUEL:
        return ""
    return "p1" if minutes < LITTLE_TIME else "p2"


def minutes_of(scene: Scene, minutes: float) -> str:
    """A length of time in the unit that fits it: people neither want 840 minutes nor 0,2 hours."""
    words = scene.words
    if minutes >= HOURS_FROM:
        return f"{words.number(minutes / 60, 1)} {words('unit.hour')}"
    return f"{words.number(int(minutes)) if minutes >= 1 else '<1'} {words('unit.minute')}"


def _until_dark(scene: Scene, power: PowerView) -> Head:
    words, dark = scene.words, power.dark
    tone = "" if power.source is Source.UNKNOWN else "p2"
    if dark.minutes is None or scene.now - dark.at > dark.fresh_s:
        why = words.ago(scene.now - dark.at) if dark.minutes is not None else words("power.dark_unknown")
        return Head(UNKNOWN, f"{words('power.minutes_until_dark')} · {why}", tone)
    failed = any(g.phase is GensetPhase.FAILED for g in power.gensets.values()) or not power.gensets
    if power.source is Source.BATTERY and (dark.minutes < LITTLE_TIME or failed):
        tone = "p1"
    if dark.minutes >= HOURS_FROM:
        return Head(words.number(dark.minutes / 60, 1), words("power.hours_until_dark"), tone)
    big = words.number(int(dark.minutes)) if dark.minutes >= 1 else "<1"
    return Head(big, words("power.minutes_until_dark"), tone)


def outage(scene: Scene, power: PowerView, *, witnesses: bool = True) -> str:
    """That the mains is away, for how long and by whose word; nothing while it is there."""
    words = scene.words
    mains = Mains(power.mains)
    if mains is Mains.PRESENT:
        return ""
    by = ", ".join(scene.kind(w) for w in power.witnesses) if witnesses else ""
    told = words.code("power.mains", mains)
    if mains is Mains.UNKNOWN or not power.mains_since.seq:
        return told
    span = scene.span(power.mains_since)
    return words("power.outage", mains=told, span=span, by=by) if by else f"{told} · {span}"


def _rows(scene: Scene, power: PowerView) -> list[Row]:
    words, rows = scene.words, []
    for device in power.genset_devices[:1]:
        mode = device.figures.get("mode")
        shown = scene.figure(mode)
        auto = shown.known and shown.text == "auto"
        text = words.code("genset.mode", shown.text) if shown.known else shown.text
        rows.append(Row(words("point.mode"), shown._replace(text=text), "" if auto or not shown.known else "p2"))
    turning = any(g.phase.runs or g.phase is GensetPhase.STARTING for g in power.gensets.values())
    for where, point, digits in FIGURES:
        devices = power.genset_devices if where == "genset" else power.ups_devices
        figure: Figure | None = devices[0].figures.get(point) if devices else None
        if figure is None or figure.quality == "unimplemented" or (point in WHILE_TURNING and not turning):
            continue
        low = point == "fuel_level" and _is_true(devices[0], "fuel_low", scene)
        low = low or (point == "battery_v" and _is_true(devices[0], "battery_low", scene))
        rows.append(Row(words(f"point.{where}.{point}"), scene.figure(figure, digits), "p2" if low else ""))
    return rows


def _is_true(device: DeviceView, point: str, scene: Scene) -> bool:
    figure = device.figures.get(point)
    return figure is not None and figure.known(scene.now) and figure.value is True


def data_age(scene: Scene, power: PowerView) -> tuple[str, str]:
    """How old the oldest device's newest figure is, and its tone: a bus that stands still shows here first."""
    newest = [
        max((f.at for f in d.figures.values() if f.quality == "good"), default=0.0)
        for d in power.genset_devices + power.ups_devices + power.meter_devices
    ]
    if not newest or not min(newest):
        return scene.words("power.no_data"), "p2" if scene.live else ""
    age = scene.now - min(newest)
    return scene.words("power.data_age", ago=scene.words.ago(age)), "p2" if scene.live and age > OLD_S else ""
