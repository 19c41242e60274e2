"""The call log and the indicators as core has them at one moment, for those who are logged in."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import urlencode

import msgspec

from appliance.config import ZONES
from appliance.desk_view import CallLog, CallRow, Figures, FiguresAnswer
from drivers.jsonsocket import Gone, Message, Refusal
from web.corelink import CoreLink
from web.phone_panel import MARKS
from web.scene import Scene
from web.words import UNKNOWN

LISTED = 50  # calls on one page
LOG_WITHIN = 8.0  # s; a search through a month's journal on a slow board
FILTERS = ("day", "month", "number", "line", "mark", "outcome")
OUTCOMES = ("answered", "abandoned", "refused", "out")
MOST_FILTER = 40  # characters
SHARES = ("in_10_s", "in_15_s", "in_20_s", "abandoned_share")
GOALS = {"in_10_s": 0.90, "in_15_s": 0.90, "in_20_s": 0.95}  # NFPA 1225; NENA-STA-020 twice
COUNTS = ("calls", "answered", "abandoned", "refused", "greeted", "withheld")
TIMES = ("mean_s", "slowest_tenth_s")


class LogRow(NamedTuple):
    """One call as the page shows it. `parts` of its recording can be asked for; `lost`: why there is none any more."""

    id: str
    began: str
    way: str
    number: str
    line: str
    outcome: str
    shape: str
    bad: bool
    waited: str
    late: bool
    talked: str
    person: str
    mark: str
    note: str
    told: str
    parts: int
    lost: str


class Share(NamedTuple):
    """`width` of a hundred; `low`: it misses its goal."""

    text: str
    width: int
    low: bool


class Bar(NamedTuple):
    """One day of a month."""

    day: str
    calls: int
    abandoned: int
    in_10: Share
    in_15: Share


def filters_of(query: Mapping[str, str]) -> dict[str, str]:
    """What a page's address asks for; a day wins over a month."""
    wanted = {name: query.get(name, "").strip()[:MOST_FILTER] for name in FILTERS}
    if wanted["day"]:
        wanted["month"] = ""
    wanted["number"] = "".join(c for c in wanted["number"] if c.isdigit() or c == "+")
    return wanted


async def call_list(core: CoreLink, scene: Scene, token: str, query: Mapping[str, str]) -> dict[str, Any]:
    """The rows and links of one page of the log, or the code of why there are none."""
    wanted = filters_of(query)
    fields: dict[str, Any] = {
        "filters": wanted, "marks": MARKS, "outcomes": OUTCOMES, "lines_listed": scene.view.lines, "rows": [],
        "older": "", "newest": "", "cut": False, "behind": 0, "fault": "",
    }  # fmt: skip
    if not scene.known:
        return fields | {"fault": "login"}
    before = query.get("before", "")[:MOST_FILTER]
    ask: Message = {"do": "call.list", "last": LISTED, "token": token} | {k: v for k, v in wanted.items() if v}
    if before:
        ask["before"] = before
    try:
        log = msgspec.convert(await core.ask(ask, LOG_WITHIN), CallLog)
    except Refusal as e:
        return fields | {"fault": {"login": "login", "bad_command": "bad"}.get(e.code, "gone")}
    except (Gone, msgspec.ValidationError):
        return fields | {"fault": "gone"}
    kept = {k: v for k, v in wanted.items() if v}
    return fields | {
        "rows": [_row(scene, call) for call in log.calls],
        "older": "?" + urlencode(kept | {"before": log.calls[-1].call}) if log.more and log.calls else "",
        "newest": "?" + urlencode(kept) if before else "",
        "cut": log.cut,
        "behind": log.behind,
    }


SHAPES = {"answered": "ok", "abandoned": "bad", "refused": "done", "out": "out", "open": "sound"}
LATE_S = 15.0  # s; NENA-STA-020


def _row(scene: Scene, call: CallRow) -> LogRow:
    words = scene.words
    told = [words.code("phone.why", call.why)] if call.direction == "out" and call.why else []
    if call.greeted:
        told.append(words("phone.greeted"))
    if call.alerts:
        told.append(words("caller.alerts", count=len(call.alerts)))
    if call.outcome == "abandoned":
        told.append(words.code("calls.back", call.call_back or "open"))
    lost = call.recording_removed
    return LogRow(
        call.call, words.clock(call.wall, scene.wall), call.direction, scene.number(call.number or None),
        scene.name(call.line), words.code("calls.outcome", call.outcome), SHAPES.get(call.outcome, "unknown"),
        call.outcome == "abandoned", _seconds(scene, call.waited_s),
        call.direction == "in" and call.waited_s is not None and call.waited_s > LATE_S, _seconds(scene, call.talked_s),
        call.person, words.code("mark", call.mark) if call.mark else "", call.note, " · ".join(told),
        len(call.recordings),
        words("calls.recording_removed", why=words.code("calls.removed", lost)) if lost else "",
    )  # fmt: skip


def _seconds(scene: Scene, seconds: float | None) -> str:
    return "" if seconds is None else scene.words.span(seconds)


def this_month(scene: Scene) -> str:
    return datetime.fromtimestamp(scene.wall, ZONES[scene.site.zone]).strftime("%Y-%m")


async def call_figures(core: CoreLink, scene: Scene, token: str, query: Mapping[str, str]) -> dict[str, Any]:
    """The indicators of a day or month and, of a month, its days; or the code of why there are none."""
    period = query.get("period", "").strip()[:10] or this_month(scene)
    fields: dict[str, Any] = {"period": period, "told": [], "bars": [], "none": False, "cut": False, "behind": 0}
    if not scene.known:
        return fields | {"fault": "login"}
    try:
        answer = await core.ask({"do": "call.figures", "period": period, "token": token}, LOG_WITHIN)
        figures = msgspec.convert(answer, FiguresAnswer)
    except Refusal as e:
        return fields | {"fault": {"login": "login", "bad_command": "bad"}.get(e.code, "gone")}
    except (Gone, msgspec.ValidationError):
        return fields | {"fault": "gone"}
    return fields | {
        "fault": "",
        "told": _told(scene, figures.whole),
        "bars": [_bar(scene, day) for day in figures.days],
        "none": figures.whole.calls == 0,
        "cut": figures.cut,
        "behind": figures.behind,
    }


def _told(scene: Scene, whole: Figures) -> list[tuple[str, str, str, bool]]:
    """What, how much, its goal, and whether it misses it."""
    words = scene.words
    told: list[tuple[str, str, str, bool]] = []
    for name in SHARES:
        value: float | None = getattr(whole, name)
        goal = GOALS.get(name)
        low = goal is not None and value is not None and value < goal
        text = UNKNOWN if value is None else words.percent(value)
        told.append((words(f"figures.{name}"), text, words("figures.goal", share=words.percent(goal)) if goal else "",
                     low))  # fmt: skip
    for name in TIMES:
        value = getattr(whole, name)
        text = UNKNOWN if value is None else words("figures.seconds", seconds=words.number(value, 1))
        told.append((words(f"figures.{name}"), text, "", False))
    told += [(words(f"figures.{name}"), str(getattr(whole, name)), "", False) for name in COUNTS]
    return told


def _bar(scene: Scene, day: Figures) -> Bar:
    def share(value: float | None, goal: float) -> Share:
        if value is None:
            return Share(UNKNOWN, 0, low=False)
        return Share(scene.words.percent(value), round(value * 100), value < goal)

    in_10, in_15 = share(day.in_10_s, GOALS["in_10_s"]), share(day.in_15_s, GOALS["in_15_s"])
    return Bar(scene.words.day(day.period), day.calls, day.abandoned, in_10, in_15)
