"""The calendar of station tests: what is due, what ran and how it went, and one run as a record to be signed."""

from typing import Any, NamedTuple

import msgspec

from appliance.alert_state import StationTest, StationTestLine
from drivers.jsonsocket import Gone, Refusal
from web.corelink import CoreLink
from web.scene import Mark, Scene, actor_words
from web.words import Words

RUNS = 20  # on the page
KINDS = ("silent", "sms_probe", "voice", "sounding")


class DueRow(NamedTuple):
    what: str
    when: str
    left: str
    late: bool


class RunRow(NamedTuple):
    id: str
    what: str
    mark: Mark
    begun: str
    due: str
    who: str
    took: str
    good: int
    bad: int
    skipped: int  # by a rule: neither good nor bad
    open: int
    failures: tuple[str, ...]


class ResultRow(NamedTuple):
    station: str
    path: str
    mark: Mark
    reason: str
    seconds: str
    when: str


def tests_panel(scene: Scene) -> dict[str, Any]:
    supervision = scene.view.supervision
    if supervision is None:
        return {"told": False, "due": [], "runs": [], "clock_known": True, "kinds": KINDS}
    tests = supervision.tests
    return {
        "told": True,
        "due": [_due(scene, d.what, d.due, d.at) for d in tests.due],
        "runs": [run_row(scene, run) for run in tests.runs[:RUNS]],
        "clock_known": tests.clock_known,
        "kinds": KINDS,
    }


def _due(scene: Scene, what: str, due: str, at: float) -> DueRow:
    left = at - scene.wall
    span = scene.words.span(abs(left))
    told = scene.words("tests.in", span=span) if left >= 0 else scene.words("tests.late", span=span)
    return DueRow(scene.words.code("test.what", what), due_words(scene.words, due), told, left < 0)


def due_words(words: Words, due: str) -> str:
    """ "2026-11-26 10:00" as people there write it."""
    day, _, hour = due.partition(" ")
    return f"{words.day(day)} {hour}".strip()


def run_row(scene: Scene, run: StationTest) -> RunRow:
    words = scene.words
    # By the run's own figures: of a run that has ended the view has only the lines that are not good.
    good, bad, skipped = run.good, run.bad, run.skipped
    asked = len(run.stations) * max(1, len(run.paths))
    open_ = max(0, asked - good - bad - skipped) if run.ended is None else 0
    if run.ended is None:
        mark = Mark("half", words("tests.running"), "")
    elif bad:
        mark = Mark("bad", words("tests.failed", count=bad), "p2")
    elif not good and skipped:
        mark = Mark("pause", words("tests.all_skipped"), "p3")
    elif not good:
        mark = Mark("unknown", words("tests.nothing"), "p2")
    else:
        mark = Mark("ok", words("tests.passed_rest" if skipped else "tests.passed"))
    failures = tuple(
        f"{scene.name(x.station)} · {words.code('path', x.path)}"
        + (f": {words.code('test.why', x.reason)}" if x.reason else "")
        for x in run.lines
        if x.bad
    )
    who = words("tests.by_calendar") if run.due else actor_words(scene, run.begun.actor)
    took = words.span(run.ended.wall - run.begun.wall) if run.ended else ""
    return RunRow(
        run.id, words.code("test.what", run.what), mark, scene.clock(run.begun), due_words(words, run.due), who, took,
        good, bad, skipped, open_, failures,
    )  # fmt: skip


async def run_record(core: CoreLink, scene: Scene, id: str, token: str) -> dict[str, Any] | None:
    """One run with every station and path, what is bad first; None when the page does not know it any more.

    Whole from core, for who is logged in; for others, and while core is away, what the view has: what is not good.
    """
    runs = scene.view.supervision.tests.runs if scene.view.supervision else ()
    run = next((r for r in runs if r.id == id), None)
    if run is None:
        return None
    try:
        told = await core.ask({"do": "test.list", "run": id, "token": token})
        run, whole = msgspec.convert(told["run"], StationTest), True
    except (Refusal, Gone):
        whole = not run.good
    lines = sorted(run.lines, key=lambda x: (x.good, x.skipped, scene.name(x.station).casefold(), x.path))
    asked = {(x.station, x.path) for x in run.lines}
    missing = [
        f"{scene.name(s)} · {scene.words.code('path', p)}" for s in run.stations for p in run.paths
        if (s, p) not in asked
    ] if whole else []  # fmt: skip
    return {"run": run_row(scene, run), "rows": [_result(scene, x) for x in lines], "missing": missing,
            "head": scene.view.head, "stations": len(run.stations), "whole": whole,
            "open": run.ended is None}  # fmt: skip


def _result(scene: Scene, line: StationTestLine) -> ResultRow:
    words = scene.words
    mark = Mark("ok", words("test.is.true")) if line.good else Mark("bad", words("test.is.false"), "p2")
    if line.skipped:
        mark = Mark("pause", words("test.is.skipped"), "p3")
    return ResultRow(
        scene.name(line.station), words.code("path", line.path), mark,
        words.code("test.why", line.reason) if line.reason else "",
        f"{words.number(line.seconds, 1)} {words('unit.second')}" if line.good else "", scene.clock(line.at),
    )  # fmt: skip
