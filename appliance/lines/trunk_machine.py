"""Whether the 112 trunk's gateway is there: answers and misses of its probes, folded into lost and restored.

One lost packet never counts: it takes several in a row to change what is believed, either way.
"""

from enum import Enum

from appliance.events import TrunkLost, TrunkRestored

MISSES_TO_LOSE = 3  # in a row; with a probe every 2 s the trunk is known to be lost within 8 s
GOODS_TO_RESTORE = 2  # in a row; a gateway that starts up may answer once and be gone again

ANSWERED = ""  # the miss that is none


class Phase(Enum):
    UNKNOWN = "unknown"
    UP = "up"
    LOST = "lost"


# What so many misses or goods in a row mean, by what was believed before. What is not here changes nothing.
TRANSITIONS: dict[tuple[Phase, bool], tuple[int, Phase]] = {
    (Phase.UNKNOWN, True): (GOODS_TO_RESTORE, Phase.UP),
    (Phase.UNKNOWN, False): (MISSES_TO_LOSE, Phase.LOST),
    (Phase.UP, False): (MISSES_TO_LOSE, Phase.LOST),
    (Phase.LOST, True): (GOODS_TO_RESTORE, Phase.UP),
}


class TrunkMachine:
    """`trunk` is the name that its events carry, `up` what was believed before, None for nothing."""

    def __init__(self, trunk: str, up: bool | None = None) -> None:
        self._trunk = trunk
        self.phase = Phase.UNKNOWN if up is None else Phase.UP if up else Phase.LOST
        self._good = True
        self._in_a_row = 0

    def probed(self, miss: str) -> list[TrunkLost | TrunkRestored]:
        """One probe's outcome: ANSWERED, or the code of why not. Returns the event that follows, mostly none."""
        good = miss == ANSWERED
        self._in_a_row = self._in_a_row + 1 if good is self._good else 1
        self._good = good
        needed, phase = TRANSITIONS.get((self.phase, good), (0, self.phase))
        if phase is self.phase or self._in_a_row < needed:
            return []
        self.phase = phase
        return [TrunkRestored(trunk=self._trunk)] if good else [TrunkLost(trunk=self._trunk, reason=miss)]
