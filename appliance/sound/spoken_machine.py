"""Which text is spoken to its recipient because nobody could deliver it in writing: pure, from the folded rows."""

from collections.abc import Callable, Iterable

from appliance.model import OutgoingState, Purpose
from appliance.stamp import Stamp
from appliance.state import Call, Outgoing

PURPOSES = (Purpose.TEXT, Purpose.NOTICE)
# Why it was given up. Not "recipient" (there is no such number), "message" (nobody can write it), "withdrawn".
REASONS = ("expired", "no_modem", "tried_enough", "refused", "uncertain", "reported", "restarted")
WITHIN = 900.0  # s behind that end in which it is spoken: later it is not news but a puzzle
MOST_CALLS = 2
AGAIN = 60.0  # s behind a call without a key; who was on another call has ended it, or not

# How a call's end is told of the text. What is not here is its own word.
ENDS = {"caller": "no_key", "operator": "no_key"}


def due(rows: Iterable[Outgoing], since: Callable[[Stamp], float]) -> Outgoing | None:
    """The text that is to be spoken now, the oldest first."""
    for m in rows:
        if not open_(m) or since(m.since) > WITHIN:
            continue
        last = m.spoken[-1] if m.spoken else None
        if last is None or (last.ended is not None and since(last.ended) >= AGAIN):
            return m
    return None


def open_(m: Outgoing) -> bool:
    """Whether it may still be spoken."""
    given_up = m.state is OutgoingState.UNDELIVERED and m.reason in REASONS and bool(m.text) and not m.once
    ended = any(t.outcome in ("heard", "no_line") for t in m.spoken)
    return given_up and m.purpose in PURPOSES and not ended and len(m.spoken) < MOST_CALLS


def missed(rows: Iterable[Outgoing], since: Callable[[Stamp], float]) -> list[Outgoing]:
    """Those for which no line was free in all that time."""
    return [m for m in rows if open_(m) and not m.spoken and WITHIN < since(m.since) < 2 * WITHIN]


def forgotten(rows: Iterable[Outgoing]) -> list[Outgoing]:
    """Those whose call a restart has cut off from what was to be said in it."""
    return [m for m in rows if m.spoken and m.spoken[-1].ended is None]


def outcome(call: Call | None, answered: bool) -> str:
    """What a call's end says of a text that brought no key."""
    if call is None:
        return "no_answer"
    if call.phase.value == "missed":
        return "no_answer"
    if not answered and call.reason in ("caller", "operator"):
        return "no_answer"
    return ENDS.get(call.reason, call.reason)
