"""The power page's own panels: what feeds what and until when, what is ready, and the record of runs."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

from appliance.config import ZONES
from appliance.power_state import Run
from appliance.power_view import Dark, DarkPart, Ready
from web.diagram import draw
from web.power_panel import data_age, head_of, last_known, minutes_of, outage
from web.scene import Mark, Scene
from web.stage import staged
from web.words import UNKNOWN

BOX_LINES = 2  # small texts in a box of the large diagram
DIGITS = {"V": 1, "kPa": 0, "L/kWh": 2}
VALUE_WORDS = {"auto": "genset.mode", "last_test": "run.grade", "ups_test": "ups.self_test"}
MARKS = {True: ("ok", ""), False: ("p2", "p2"), None: ("unknown", "dim")}
GRADES = {"passed": ("ok", ""), "failed": ("bad", "p2"), "light": ("p2", "p2"), "short": ("p2", "p2")}
SHORT = 24  # letters of a reason that stands beside its line, not under it
OLD_S = 15.0  # s; from here on a value of the list shows its age


class Part(NamedTuple):
    """One thing that the minutes until dark are made of. `counts`: it makes the number."""

    name: str
    text: str
    known: bool
    counts: bool


class Chart(NamedTuple):
    """`points` and `names` are divided by commas."""

    title: str
    points: str
    names: str
    unit: str


class ReadyRow(NamedTuple):
    mark: Mark
    name: str
    text: str
    told: str


class ReadyGroup(NamedTuple):
    """One device's lines."""

    name: str
    rows: tuple[ReadyRow, ...]


class RunRow(NamedTuple):
    """One run as the record shows it."""

    began: str
    genset: str
    why: str
    minutes: str
    loaded: str
    load: str
    start: str
    dip: str
    fuel: str
    kwh: str
    mark: Mark


def now_panel(scene: Scene) -> dict[str, Any]:
    power = scene.view.power
    if power is None:
        return {"power": None}
    return {
        "power": power,
        "head": head_of(scene, power),
        "outage": outage(scene, power) if scene.live else last_known(scene, power),
        "stage": staged(scene, power),
        "drawing": draw(scene, power, BOX_LINES),
        "parts": _parts(scene, power.dark) if scene.live else (),
        "age": data_age(scene, power),
    }


def _parts(scene: Scene, dark: Dark) -> list[Part]:
    old = scene.now - dark.at > dark.fresh_s
    return [_part(scene, part, old=old) for part in dark.parts]


def _part(scene: Scene, part: DarkPart, *, old: bool) -> Part:
    words = scene.words
    name = words.code("power.part", part.what)
    if part.about:
        name = f"{name} · {scene.name(part.about)}"
    if part.minutes is None or old:
        return Part(name, words.code("power.part_why", "stale" if old else part.why), known=False, counts=part.counts)
    return Part(name, minutes_of(scene, part.minutes), known=True, counts=part.counts)


def ready_panel(scene: Scene) -> dict[str, Any]:
    power = scene.view.power
    if power is None:
        return {"groups": (), "faults": 0, "unknown": 0}
    listed = power.readiness
    faults = sum(1 for r in listed if r.ok is False) if scene.live else 0
    unknown = sum(1 for r in listed if r.ok is None) if scene.live else len(listed)
    # What is wrong first, then what is not known, of each device; else as core lists them.
    rows = sorted(listed, key=lambda r: (r.ok is not False, r.ok is not None)) if scene.live else listed
    groups: dict[str, list[ReadyRow]] = {ready.about: [] for ready in rows if ready.ok is False} if scene.live else {}
    groups |= {ready.about: [] for ready in listed if ready.about not in groups}
    for ready in rows:
        groups[ready.about].append(_ready(scene, ready))
    named = [ReadyGroup(scene.name(about), tuple(found)) for about, found in groups.items()]
    return {"groups": named, "faults": faults, "unknown": unknown}


def _ready(scene: Scene, ready: Ready) -> ReadyRow:
    words = scene.words
    ok = ready.ok if scene.live else None
    shape, tone = MARKS[ok]
    told, why = [], ""
    if ready.why:
        key = f"ready.why.{ready.why}"
        why = words(key) if words.has(key) else words.code("flag", ready.why)
    if ready.wall is not None:
        told.append(words.about(scene.wall - ready.wall))
    elif ready.at is not None and scene.live and scene.now - ready.at > OLD_S:
        told.append(words.ago(scene.now - ready.at))
    word = words({True: "ready.ok", False: "ready.not_ok", None: "ready.unknown"}[ok])
    if ok and words.has(f"ready.good.{ready.item}"):
        word = words(f"ready.good.{ready.item}")
    text = _value(scene, ready) if scene.live or ready.wall is not None else UNKNOWN
    if ready.ok is None and why and scene.live and len(why) <= SHORT:
        word, why = why, ""  # more than that it is not known
        text = "" if text == UNKNOWN or isinstance(ready.value, str) else text
    told.insert(0, why)
    return ReadyRow(Mark(shape, word, tone), words.code("ready.item", ready.item), text, " · ".join(filter(None, told)))


def _value(scene: Scene, ready: Ready) -> str:
    value = ready.value
    if value is None:
        return "" if ready.ok is not None else UNKNOWN
    if isinstance(value, str):
        return scene.words.code(VALUE_WORDS.get(ready.item, "ready.value"), value)
    if ready.unit == "d":
        return ""  # how long ago it was stands beside
    if ready.unit == "s":
        return scene.words.span(value)
    return f"{scene.words.number(value, DIGITS.get(ready.unit, 0))} {ready.unit}".strip()


def runs_panel(scene: Scene) -> dict[str, Any]:
    power = scene.view.power
    rules = scene.site.power.exercise
    return {
        "runs": [_run(scene, run) for run in power.runs] if power else [],
        "rule": scene.words(
            "run.rule", days=rules.every_days, minutes=scene.words.number(rules.minutes),
            load=scene.words.number(rules.load_percent),
        ),
        "printed": day_and_clock(scene, scene.wall),
    }  # fmt: skip


def _run(scene: Scene, run: Run) -> RunRow:
    words = scene.words

    def number(value: float | None, unit: str, digits: int = 0) -> str:
        return "" if value is None else f"{words.number(value, digits)} {unit}"

    def both(first: float | None, second: float | None, unit: str, join: str) -> str:
        known = [words.number(v) for v in (first, second) if v is not None]
        return f"{join.join(known)} {unit}" if known else ""

    start = " · ".join(
        words(f"run.{what}", seconds=words.number(s, 1))
        for what, s in (("crank", run.crank_s), ("up", run.up_s))
        if s is not None
    )
    shape, tone = GRADES.get(run.grade, ("done", "dim")) if run.grade else ("none", "dim")
    grade = words.code("run.grade", run.grade) if run.grade else words("run.not_graded")
    if run.ended is None:
        shape, tone, grade = "sound", "", words("run.goes_on")
    return RunRow(
        day_and_clock(scene, run.began.wall), scene.name(run.genset), words.code("run.why", run.why),
        number(run.minutes, words("unit.minute")), number(run.minutes_loaded, words("unit.minute")),
        both(run.load_mean, run.load_most, "%", " / "), start, number(run.dip_v, "V", 1),
        both(run.fuel_from, run.fuel_to, "%", " → "), number(run.kwh, "kWh"), Mark(shape, grade, tone),
    )  # fmt: skip


def _names(names: Iterable[str]) -> str:
    return ",".join(name.replace(",", " ") for name in names)


def charts_of(scene: Scene) -> list[Chart]:
    """The charts of the page: what is drawn together has one unit."""
    site, words = scene.site, scene.words
    wanted = (
        ("load", "%", [(f"genset/{d.id}/generator_load", d.name) for d in site.genset]
                      + [(f"ups/{d.id}/load", d.name) for d in site.ups]),
        ("fuel", "%", [(f"genset/{d.id}/fuel_level", d.name) for d in site.genset]),
        ("charge", "%", [(f"ups/{d.id}/charge", d.name) for d in site.ups]),
        ("starter", "V", [(f"genset/{d.id}/battery_v", d.name) for d in site.genset]),
    )  # fmt: skip
    return [
        Chart(words.code("chart", what), ",".join(p for p, _ in points), _names(n for _, n in points), unit)
        for what, unit, points in wanted
        if points
    ]  # fmt: skip


def day_and_clock(scene: Scene, wall: float) -> str:
    """A day with its year: a record is read years later."""
    return datetime.fromtimestamp(wall, ZONES[scene.site.zone]).strftime("%d/%m/%Y %H:%M")
