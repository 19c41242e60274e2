"""Calls as the fake core shows them: three that wait on two lines, one talked with one held, a day on the wallboard."""

from collections.abc import Callable
from typing import Any

import msgspec
from scenes import SCENES, Moment, blackout, calm

from appliance.desk_state import PastCall
from appliance.desk_view import (
    AgencyView,
    BlockedView,
    BlockOffer,
    CallBackView,
    CallerView,
    CallLog,
    CallRow,
    DeskView,
    Figures,
    FiguresAnswer,
    Recording,
    WaitingView,
)
from appliance.model import CallPhase
from appliance.state import Call
from appliance.view import View
from drivers.clock import Clock

PATTY, PASSO, HALONG = "+6281255504471", "+6281311112222", "+6285244443333"
DIRECTORY = (
    AgencyView("rsud", "RSUD Dr. M. Haulussy", "hospital", ("+62911344871",), "", ("id",)),
    AgencyView("siloam", "RS Siloam Ambon", "hospital", ("+62911345555",), "", ("id", "en")),
    AgencyView("polresta", "Polresta Pulau Ambon", "police", ("+62911352222",), "", ("id",)),
    AgencyView("pln", "PLN Posko Sirimau", "power", ("+62911341234",), "", ("id",)),
    AgencyView("sar", "Basarnas Ambon", "search_rescue", ("+62911361115",), "", ("id", "en")),
)
TODAY = Figures(
    period="2026-11-22", calls=214, answered=203, abandoned=11, refused=3, greeted=9, withheld=14, in_10_s=0.874,
    in_15_s=0.935, in_20_s=0.953, mean_s=6.4, slowest_tenth_s=27.0, abandoned_share=0.051,
)  # fmt: skip


def idle(clock: Clock) -> View:
    """Nobody calls; two abandoned calls wait to be returned."""
    view, m = calm(clock), Moment(clock)
    backs = (
        CallBackView("ca000001", PASSO, "l2", 2, m.ago(700), m.ago(340)),
        CallBackView("ca000002", HALONG, "l1", 1, m.ago(200), m.ago(200), name="Pos Halong"),
    )
    view.desk = DeskView(callbacks=backs, directory=DIRECTORY, today=TODAY)
    view.seq = m.seq
    return view


def _ring(m: Moment, line: str, id: str, number: str, ago: float, **more: Any) -> tuple[Call, WaitingView]:
    began = m.ago(ago)
    phase = CallPhase.WAITING if more.get("behind") else CallPhase.RINGING
    return Call(line, id, number or None, phase, began, began), WaitingView(line, id, number, began, **more)


def queue(clock: Clock) -> View:
    """Three calls on two lines in a blackout, one of them behind another."""
    view, m = blackout(clock), Moment(clock)
    first, wait1 = _ring(m, "l1", "ca000010", PATTY, 17)
    second, wait2 = _ring(m, "l2", "ca000011", "", 9)
    third, wait3 = _ring(m, "l2", "ca000012", HALONG, 3, behind=True)
    past = (
        PastCall("ca000003", "l1", "in", m.ago(5400), "answered", "emergency", "Pohon tumbang", ("7c2f00aa00bb00cc",)),
        PastCall("ca000002", "l2", "in", m.ago(86400), "abandoned"),
    )
    callers = {
        first.id: CallerView(PATTY, calls=2, first=m.ago(86400), last=past),
        second.id: CallerView(""),
        third.id: CallerView(HALONG, calls=5, pranks=2),
    }
    view.lines[0].call, view.lines[1].call = first, second
    view.calls = [third, second, first]
    view.desk = DeskView(queue=(wait1, wait2, wait3), callers=callers, directory=DIRECTORY, today=TODAY)
    view.seq = m.seq
    return view


def talking(clock: Clock) -> View:
    """One talked with by budi, one held behind it, one waits on the other line, sari talks on the third."""
    view, m = calm(clock), Moment(clock)
    talk = Call("l1", "ca000020", PATTY, CallPhase.TALKING, m.ago(80), m.ago(71), taken=m.ago(71, "budi"),
                answered=m.ago(71), place="browser", mark="emergency", note="Kebakaran, Jl. A. Y. Patty")  # fmt: skip
    held = Call("l1", "ca000021", HALONG, CallPhase.HELD, m.ago(50), m.ago(30), taken=m.ago(40, "budi"), waiting=True,
                place="browser")  # fmt: skip
    other = Call("l3", "ca000022", "+6281150501111", CallPhase.TALKING, m.ago(300), m.ago(290),
                 taken=m.ago(290, "sari"), place="headset")  # fmt: skip
    ring, wait = _ring(m, "l2", "ca000023", PASSO, 6, greeted=m.ago(2), spoken=True)
    over = Call("l2", "ca000019", "+6281344445555", CallPhase.ENDED, m.ago(200), m.ago(20), "caller",
                taken=m.ago(190, "budi"), place="browser")  # fmt: skip
    view.lines[0].call, view.lines[1].call, view.lines[2].call = talk, ring, other
    view.calls = [ring, held, talk, over, other]
    callers = {
        talk.id: CallerView(PATTY, calls=2), held.id: CallerView(HALONG, name="Pos Halong", calls=5),
        ring.id: CallerView(PASSO), other.id: CallerView("+6281150501111", calls=1),
    }  # fmt: skip
    view.desk = DeskView(
        queue=(wait,), callers=callers, directory=DIRECTORY, today=TODAY, ghost_offers=(talk.id,),
        blocked=(BlockedView(PASSO, clock.wall() + 40000, "person", "rani", m.ago(3000), 4),),
        block_offers=(BlockOffer(HALONG, 3, m.ago(900)),),
    )  # fmt: skip
    view.seq = m.seq
    return view


def without_ghost(view: View) -> None:
    """Edits a view: nothing is offered."""
    if view.desk is not None:
        view.desk = msgspec.structs.replace(view.desk, ghost_offers=())


OUTCOMES = ("answered", "answered", "abandoned", "answered", "out", "refused")


def _recordings(n: int) -> tuple[Recording, ...]:
    """Each eighth call's sound broke off and went on."""
    parts = 2 if n % 8 == 1 else 1
    return tuple(Recording(f"recordings/cb{n:06}-{part}.flac", 30.0, 60_000, "0" * 64) for part in range(parts))


def call_log(clock: Clock, asked: dict[str, Any]) -> Any:
    """120 calls, newest first; only the filters of outcome and number work."""
    rows = []
    for n in range(120, 0, -1):
        outcome = OUTCOMES[n % len(OUTCOMES)]
        talked = outcome in ("answered", "out")
        rows.append(
            CallRow(
                call=f"cb{n:06}", line=f"l{n % 3 + 1}", number="" if n % 11 == 0 else f"+62812555{n:04}",
                direction="out" if outcome == "out" else "in", wall=clock.wall() - (121 - n) * 410.0, outcome=outcome,
                why="call_back" if outcome == "out" else "", waited_s=float(n * 7 % 23) if talked else None,
                talked_s=n * 13.0 % 400 if talked else None, person=("budi", "sari")[n % 2] if talked else "",
                mark="emergency" if n % 5 == 0 else "", note="Pohon tumbang di Jl. A. Y. Patty" if n % 5 == 0 else "",
                recordings=_recordings(n) if talked and n % 4 else (), greeted=n % 9 == 0,
                recording_removed="age" if talked and n % 4 == 0 else "",
                call_back="reached" if outcome == "abandoned" and n % 4 == 0 else "",
            )
        )  # fmt: skip
    rows = [r for r in rows if asked.get("outcome", r.outcome) == r.outcome and asked.get("number", "") in r.number]
    first = next((i + 1 for i, r in enumerate(rows) if r.call == asked.get("before")), 0)
    last = first + int(asked["last"])
    return msgspec.to_builtins(CallLog(tuple(rows[first:last]), more=last < len(rows), behind=0))


def call_figures(clock: Clock, asked: dict[str, Any]) -> Any:
    days = tuple(
        msgspec.structs.replace(TODAY, period=f"2026-11-{day:02}", calls=150 + day * 3, abandoned=day % 7,
                                in_10_s=0.80 + day % 9 / 50, in_15_s=0.86 + day % 9 / 60)
        for day in range(1, 23)
    )  # fmt: skip
    return msgspec.to_builtins(FiguresAnswer(msgspec.structs.replace(TODAY, period=asked["period"]), days))


CALL_ANSWERS: dict[str, Callable[[Clock, dict[str, Any]], Any]] = {
    "call.list": call_log,
    "call.figures": call_figures,
}
CALL_SCENES: dict[str, Callable[[Clock], View]] = {"idle": idle, "queue": queue, "talking": talking}
ALL_SCENES = SCENES | CALL_SCENES
