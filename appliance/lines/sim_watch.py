"""What is told of a SIM that is no use: once it stays so for some looks, and once it is good again. Pure."""

from appliance.events import SimBad, SimGood

BAD = frozenset({"absent", "pin", "puk", "locked", "failed"})
SETTLED = 15.0  # s; a modem that starts says for some seconds that it has no SIM


class SimWatch:
    """`told` of `tick` is what the journal has: "" or state and reason."""

    def __init__(self, line: str) -> None:
        self._line = line
        self._now: tuple[str, str] = ("unknown", "")
        self._since = 0.0

    def seen(self, state: str, reason: str, now: float) -> None:
        """How the driver found it; `unknown` when the modem is not there."""
        if (state, reason) != self._now:
            self._now, self._since = (state, reason), now

    def tick(self, now: float, told: str) -> SimBad | SimGood | None:
        state, reason = self._now
        if state == "ready":
            return SimGood(line=self._line) if told else None
        if state not in BAD or now - self._since < SETTLED or told == f"{state} {reason}".strip():
            return None
        return SimBad(line=self._line, state=state, reason=reason)
