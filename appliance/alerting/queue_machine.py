"""Who goes first where a path carries few at a time: pure. Two modems send about one SMS in two seconds.

Stops go before starts, then by the alert's priority, then older alerts, then by the order in which the plan names
the stations.
"""

from collections.abc import Iterable

import msgspec

SMS_S = 4.0  # s that one line takes to send one
CALL_S = 60.0  # s: it rings for some 20, and is understood when it was said twice
SMS_A_LINE = 2  # handed over at once: one that goes out, and one behind it, so that no modem waits for us


class Wish(msgspec.Struct, frozen=True):
    """A message that wants to go out. `priority`: 1 is first; `issued`: the alert's row; `place`: in its plan."""

    alert: str
    station: str
    action: str
    priority: int
    issued: int
    place: int

    @property
    def rank(self) -> tuple[bool, int, int, int]:
        return (self.action != "stop", self.priority, self.issued, self.place)


class Turn(msgspec.Struct, frozen=True):
    """`now`: it goes. `wait_s`: about so long until it will."""

    wish: Wish
    now: bool
    wait_s: float


def line_up(wishes: Iterable[Wish], *, slots: int, under_way: int, lines: int, each_s: float) -> list[Turn]:
    """Everybody's turn, the first one first. `slots` are free now, `under_way` are before all of them."""
    ranked = sorted(wishes, key=lambda wish: wish.rank)
    return [
        Turn(wish, place < slots, (under_way + place) * each_s / max(1, lines)) for place, wish in enumerate(ranked)
    ]
