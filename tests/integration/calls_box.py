"""Calls of phones outside with line l1, brought to where a story begins."""

from collections.abc import Awaitable, Callable

from lines_box import OUTSIDE, Box, World

from appliance.events import CallRinging
from appliance.state import Call

SECOND, AGENCY = "+6285555550001", "+6289999990113"
MAKES = ("eg25g", "sim7600", "sim800", "huawei")

Story = Callable[[World], Awaitable[None]]
Tell = Callable[[Story], None]


def phases(box: Box) -> dict[str, str]:
    """Of the calls on l1 now, by the last digits of their number."""
    return {(c.number or "")[-4:]: str(c.phase) for c in box.state.calls_on("l1")}


async def until_phases(box: Box, **wanted: str) -> None:
    by_number = {number.removeprefix("n"): phase for number, phase in wanted.items()}
    await box.until(lambda: phases(box) == by_number, f"{by_number}, but {phases(box)}")


async def talking(there: World, box: Box, number: str = OUTSIDE) -> Call:
    await box.ready()
    await there.network.turn("call.from", number=number, to="l1", ring_s=600)
    rang = await box.event(CallRinging)
    await box.lines.answer("l1", rang.call, "sari")
    await until_phases(box, **{f"n{number[-4:]}": "talking"})
    return box.state.calls[rang.call]


async def second_waits(there: World, box: Box, number: str = SECOND, **more: object) -> Call:
    await there.network.turn("call.from", number=number, to="l1", ring_s=600, **more)
    await box.event(CallRinging, 2)
    return list(box.state.calls.values())[-1]


async def other_side(there: World, number: str) -> str:
    """What a phone outside knows of its call."""
    calls = await there.network.turn("call.status")
    found = [c for c in (*calls["ended"], *calls["active"]) if number in (c["from"], c["to"])]
    return str(found[-1]["phase"]) + (f" {found[-1]['cause']}" if found[-1]["cause"] else "")
