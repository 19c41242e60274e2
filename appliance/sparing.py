"""Rows about flaws that anybody can cause: each flaw again only after a while, and all of them only so many a time.

So a flood of rubbish is on record, and fills no disk and hides nothing else.
"""

SAID_AGAIN = 5.0  # s between rows about the same flaw
MOST, WITHIN = 30, 600.0  # rows about all flaws in so many s: some 2 MB a day of a flood that never ends
MOST_FLAWS = 200


class Sparing:
    """Whether a flaw should be told now."""

    def __init__(self, again_s: float = SAID_AGAIN, most: int = MOST, within_s: float = WITHIN) -> None:
        self._again_s, self._most, self._within_s = again_s, most, within_s
        self._said: dict[str, float] = {}
        self._began, self._count = 0.0, 0

    def says(self, flaw: str, now: float) -> bool:
        """True when it is to be told; it counts as told then."""
        if now - self._said.get(flaw, -self._again_s) < self._again_s:
            return False
        if now - self._began >= self._within_s:
            self._began, self._count = now, 0
        if self._count >= self._most:
            return False
        if len(self._said) >= MOST_FLAWS:
            self._said.clear()
        self._count += 1
        self._said[flaw] = now
        return True
