"""What is told of a line that has a modem and a SIM and no network: once it stays so, and once it is over. Pure."""

from appliance.events import LineRegistered, LineUnregistered

NOT_REGISTERED = frozenset({"not_registered", "searching", "denied", "emergency_only"})
REFUSED = frozenset({"denied", "emergency_only"})  # the network has answered
REFUSED_FOR = 20.0  # s; a network that passes a SIM on to another denies it for some seconds
SEARCHED_FOR = 120.0  # s; a search of all bands takes one to two minutes


class NetworkWatch:
    """`told` of `tick` is whether the journal has the line as unregistered."""

    def __init__(self, line: str) -> None:
        self._line = line
        self._now = "unknown"
        self._since = 0.0  # without a network, whatever the modem calls it

    def seen(self, registration: str, sim: str, now: float) -> None:
        """How the driver found both; `unknown` when the modem is not there. Without a SIM there is nothing to watch."""
        registration = registration if sim == "ready" else "unknown"
        if registration not in NOT_REGISTERED or self._now not in NOT_REGISTERED:
            self._since = now
        self._now = registration

    def tick(self, now: float, told: bool) -> LineUnregistered | LineRegistered | None:
        if self._now in ("home", "roaming"):
            return LineRegistered(line=self._line) if told else None
        if told or self._now not in NOT_REGISTERED:
            return None
        if now - self._since < (REFUSED_FOR if self._now in REFUSED else SEARCHED_FOR):
            return None
        return LineUnregistered(line=self._line, registration=self._now)
