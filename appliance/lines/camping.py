"""Which cell carries a line, for the journal: what stays is told; a modem between two towers fills no journal."""

from appliance.events import CellChanged

SETTLED = 600.0  # s in one cell
EVERY = 3600.0  # s between two rows


class Camping:
    """Pure; `told` is what the journal has."""

    def __init__(self, line: str) -> None:
        self._line = line
        self._now = ("", "")
        self._since = 0.0
        self._last: float | None = None

    def tick(self, area: str, cell: str, now: float, told: tuple[str, str]) -> CellChanged | None:
        """Empty words: not known now."""
        if (area, cell) != self._now:
            self._now, self._since = (area, cell), now
        if not cell or (area, cell) == told:
            return None
        first = told == ("", "")
        if not first and (now - self._since < SETTLED or (self._last is not None and now - self._last < EVERY)):
            return None
        self._last = now
        return CellChanged(line=self._line, area=area, cell=cell)
