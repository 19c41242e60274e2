"""The box's own journal, told to journald row by row, so that `journalctl SIAGA_ALERT=...` shows one order's whole way.

No figures of a row go there: they hold numbers and texts of people, and journald's readers are others. Rows wait here
for a moment and go out in slices: an order to a thousand stations has thousands of rows, and its answers come first.
"""

import asyncio
from collections import deque

from appliance import logs
from appliance.entry import Entry

INFO = "6"
SLICE, SLICE_EVERY = 20, 0.02  # rows, s; a thousand a second at the most, some 3 % of a processor
MOST_WAITING = 20_000  # rows; then the oldest is left out, and counted


class Teller:
    """`tell` never waits; without journald it does nothing. `left_out` counts rows that journald never got."""

    def __init__(self) -> None:
        self._waiting: deque[Entry] = deque()
        self._next: asyncio.TimerHandle | None = None
        self.left_out = 0

    def tell(self, entry: Entry) -> None:
        if logs.to_journald() is None:
            return
        if len(self._waiting) >= MOST_WAITING:
            self._waiting.popleft()
            self.left_out += 1
        self._waiting.append(entry)
        if self._next is None:
            self._next = asyncio.get_running_loop().call_later(SLICE_EVERY, self._slice)

    def close(self) -> None:
        """Give what waits, as far as journald takes it now."""
        if self._next:
            self._next.cancel()
            self._next = None
        self._give(len(self._waiting))

    def _slice(self) -> None:
        self._give(SLICE)
        self._next = asyncio.get_running_loop().call_later(SLICE_EVERY, self._slice) if self._waiting else None

    def _give(self, most: int) -> None:
        handler = logs.to_journald()
        for _ in range(min(most, len(self._waiting))):
            if handler is not None and not handler.give(fields(self._waiting[0]), kept=True):
                return  # it is behind, or gone: the row stays the first
            self._waiting.popleft()


def fields(entry: Entry) -> dict[str, str]:
    """What journald is told of a row."""
    said = {name: getattr(entry.event, name, "") for name in logs.ABOUT}
    ids = {name: text for name, text in said.items() if isinstance(text, str) and text}
    told = {
        "MESSAGE": " ".join([str(entry.seq), entry.kind, *(f"{name}={text}" for name, text in ids.items())]),
        "PRIORITY": INFO,
        "SIAGA_SEQ": str(entry.seq),
        "SIAGA_KIND": entry.kind,
        **{logs.ABOUT[name]: text for name, text in ids.items()},
    }
    if entry.actor:
        told["SIAGA_ACTOR"] = entry.actor
    if entry.cause is not None:
        told["SIAGA_CAUSE"] = str(entry.cause)
    return told
