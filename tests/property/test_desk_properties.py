"""Whatever callers, operators and crashes do: nobody is forgotten or called twice, who waited longest is first."""

import asyncio
from typing import Any

from desk_story import ANI, BUDI, CITRA, OWN, Story, play
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.call_commands import Dial
from appliance.call_events import CallBackDone, CallDialled
from appliance.events import CallAnswered, CallEnded
from appliance.fold_desk import LASTED
from drivers.jsonsocket import Refusal
from drivers.modem.numbers import telephone

STEPS = (
    "missed",
    "missed",
    "ring",
    "miss",
    "take",
    "hang_up",
    "wait",
    "next",
    "call_back",
    "reach",
    "fail",
    "crash",
    "mute",
    "unmute",
)
numbers = st.sampled_from([ANI, BUDI, CITRA, "081100000001", None])
steps = st.lists(st.tuples(st.sampled_from(STEPS), numbers, st.sampled_from(list(OWN)), st.integers(0, 7)), max_size=20)


def pick(calls: list[str], which: int) -> str:
    return calls[which % len(calls)] if calls else ""


async def step(there: Story, what: str, number: str | None, line: str, which: int) -> None:
    desk = there.state.desk
    incoming = [c for c in desk.open.values() if c.incoming]
    match what:
        case "ring":
            there.ring(number, line)
        case "missed":
            there.missed(number, line)
        case "crash":
            await there.stop()
            there.start()
        case "miss" if call := pick([c.id for c in incoming if not c.answered], which):
            there.miss(call)
        case "take" if call := pick([c.id for c in incoming if not c.taken], which):
            there.take(call)
        case "hang_up" if call := pick([c.id for c in incoming if c.answered], which):
            there.end(call)
        case "wait":
            await asyncio.sleep(which * 3)
        case "next":
            await take_next(there)
        case "call_back" if desk.callbacks:
            call = pick([b.calls[which % len(b.calls)] for b in desk.callbacks.values()], which)
            await asyncio.gather(*(quiet(there, call, who) for who in ("siti", "joko")))
        case "reach" | "fail":
            if call := pick([c.id for c in desk.open.values() if not c.incoming], which):
                end_out(there, call, 60.0 if what == "reach" else which / 2)
        case "mute" | "unmute":
            (there.speaks.discard if what == "mute" else there.speaks.add)(line)


async def take_next(there: Story) -> None:
    """Who is taken waited longest of all whom one may take."""
    free = [
        c for c in there.desk.queue() if all(o.line != c.line or o.id == c.id for o in there.state.desk.open.values())
    ]
    try:
        taken = await there.desk.take_next("", "siti")
    except Refusal:
        assert free == []
        return
    if free and taken in [c.id for c in free]:
        assert taken == min(free, key=lambda c: c.began.seq).id


async def quiet(there: Story, call: str, who: str) -> None:
    try:
        await there.desk.dial(Dial(to="", call_back=call), who)
    except Refusal as e:
        if e.code not in ("being_called", "no_call_back"):
            raise


def end_out(there: Story, call: str, seconds: float) -> None:
    there.append(CallAnswered(line=there.line_of(call), call=call))
    there.end(call, seconds)


def abandoned(there: Story) -> dict[str, list[str]]:
    """By telephone the calls that nobody took, told from the journal alone."""
    told: dict[str, list[str]] = {}
    numbers_of, taken = dict[str, str](), set[str]()
    for entry in there.entries:
        event: Any = entry.event
        match entry.kind:
            case "call.ringing":
                numbers_of[event.call] = event.number or ""
            case "call.taken":
                taken.add(event.call)
            case "call.missed" | "call.ended" if event.call in numbers_of and event.call not in taken:
                if number := numbers_of[event.call]:
                    told.setdefault(telephone(number), []).append(event.call)
            case "callback.done":
                told = {key: calls for key, calls in told.items() if event.call not in calls}
    return told


@settings(max_examples=60, deadline=None)
@given(steps)
def test_each_abandoned_call_is_on_the_list_until_it_is_done_and_nobody_is_called_twice_at_once(
    happens: list[tuple[str, str | None, str, int]],
) -> None:
    async def story(there: Story) -> None:
        for one in happens:
            await step(there, *one)
            await asyncio.sleep(0.6)
            listed = {key: back.calls for key, back in there.state.desk.callbacks.items()}
            assert listed == abandoned(there)
            calling = [telephone(c.number) for c in there.state.desk.open.values() if not c.incoming]
            assert len(calling) == len(set(calling))
            queue = there.desk.queue()
            assert [c.began.seq for c in queue] == sorted(c.began.seq for c in queue)

    there = play(story)
    reached = {d.by for d in there.all(CallBackDone) if d.why == "reached"}
    lasted = {e.call for e in there.all(CallEnded) if e.seconds >= LASTED}
    assert reached <= lasted & {d.call for d in there.all(CallDialled)}
