"""What follows for a number: a block by the rule and its end, and a call-back that is done.

All of it is derived from the state, so that what a crash left open is done at the next look.
"""

from collections.abc import Callable, Iterator

from msgspec import Struct

from appliance.call_events import CallBackDone, CallerBlocked, CallerUnblocked
from appliance.desk_state import Caller, DeskRecord
from appliance.event import Event
from appliance.stamp import Stamp

HOUR = 3600.0


class Rule(Struct, frozen=True):
    """After so many calls marked as pranks a number is blocked for `hours`, or that is offered."""

    marks: int
    hours: int
    automatic: bool


def offers(desk: DeskRecord, rule: Rule, may: Callable[[str], bool]) -> list[tuple[str, Caller]]:
    """Numbers that the rule would block, as (telephone, caller). `may` tells which telephones ever are.

    A first call is never among them: who was only ever called has not called, and withheld numbers have no entry.
    """
    return [
        (key, caller)
        for key, caller in desk.callers.items()
        if caller.came and len(caller.pranks) >= rule.marks and key not in desk.blocks and may(key)
    ]


def due(
    desk: DeskRecord, rule: Rule, wall: float, since: Callable[[Stamp], float], may: Callable[[str], bool]
) -> Iterator[Event]:
    """What must be said now. `wall` in unix seconds; a clock that was put back keeps nobody out for longer."""
    for block in desk.blocks.values():
        if block.until <= wall or since(block.since) >= block.until - block.since.wall:
            yield CallerUnblocked(number=block.number, why="over")
    if rule.automatic:
        for _, caller in offers(desk, rule, may):
            yield CallerBlocked(number=caller.number, until=wall + rule.hours * HOUR, why="pranks")
    for back in desk.callbacks.values():
        if back.reached:
            why, by = back.reached
            yield CallBackDone(call=back.calls[-1], why=why, by=by)
