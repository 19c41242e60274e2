"""The queue over all lines: who waits, whom the box answers, in which call nothing is heard, when it is too much.

The box never answers before `greet_after_s`, and what it has answered is still in the queue: a person takes it as
before, only sooner, since the line stands already.
"""

from collections.abc import Callable, Collection, Iterable, Sequence

from msgspec import Struct

from appliance.desk_state import DeskCall
from appliance.stamp import Stamp

Since = Callable[[Stamp], float]  # seconds that have passed
HEARD_LATE = 2.0  # s behind the taking until the line's sound is heard


class Limits(Struct, frozen=True):
    """What is too much: more than `waiting` calls, one for longer than `after_s`, every line taken."""

    waiting: int
    after_s: float
    busy: bool


def waiting(calls: Iterable[DeskCall], left_out: Callable[[DeskCall], bool]) -> list[DeskCall]:
    """Calls that came in and that no person has taken, longest waiting first: in the journal's order."""
    found = [c for c in calls if c.incoming and c.taken is None and not c.refused and not left_out(c)]
    return sorted(found, key=lambda c: c.began.seq)


def behind(call: DeskCall, calls: Iterable[DeskCall]) -> bool:
    """Whether it waits on a line that carries another call: to answer it would put that one on hold."""
    return any(
        c.id != call.id and c.line == call.line and (c.answered or not c.incoming or c.began.seq < call.began.seq)
        for c in calls
    )


def to_greet(
    queue: Sequence[DeskCall], calls: Collection[DeskCall], since: Since, after_s: float, speaks: Callable[[str], bool]
) -> list[DeskCall]:
    """Whom the box must greet now. `speaks` tells of a line whether its caller would hear anything.

    Without sound a call is left ringing: that is more than silence. One that is answered and that no person took
    (the box did, just before it died) is greeted whatever else holds: it cannot be made to ring again.
    """
    return [
        c
        for c in queue
        if c.greeted is None
        and (c.answered or (0 < after_s <= since(c.began) and not behind(c, calls) and speaks(c.line)))
    ]


def ghosts(
    calls: Iterable[DeskCall], since: Since, quiet_s: Callable[[str], float | None], after_s: float
) -> list[DeskCall]:
    """Calls whose caller has not said a word since they were taken, `after_s` ago. `quiet_s`: since the last one."""
    return [
        call
        for call in calls
        if call.incoming
        and call.taken is not None
        and not call.ghost
        and after_s <= since(call.taken) <= (quiet_s(call.id) or 0.0) + HEARD_LATE
    ]


def overflow(
    queue: Sequence[DeskCall], calls: Iterable[DeskCall], lines: Collection[str], since: Since, limits: Limits
) -> str:
    """Why it is too much now, or an empty string. `lines` are those that could carry a call."""
    if len(queue) > limits.waiting:
        return "waiting"
    if queue and since(queue[0].began) > limits.after_s:
        return "long"
    if limits.busy and lines and set(lines) <= {c.line for c in calls}:
        return "busy"
    return ""


def to_take(queue: Sequence[DeskCall], calls: Collection[DeskCall], actor: str, passed: Collection[str]) -> str:
    """The call that `actor` should take next, or an empty string. `passed` are those that others take just now.

    A call behind another is theirs only on the line on which they talk themselves: else somebody would be put on hold.
    """
    for call in queue:
        if call.id in passed:
            continue
        talked = [c for c in calls if c.line == call.line and c.id != call.id]
        own = all(c.taken is not None and c.taken.actor == actor for c in talked)
        if not behind(call, calls) or own:
            return call.id
    return ""
