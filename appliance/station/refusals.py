"""Orders and words that this station did not believe, in its journal: each sort seldom, for anybody can send them."""

from collections.abc import Callable

from appliance import alert_events as al
from appliance.journal import Appended
from appliance.model import Path
from appliance.sparing import Sparing
from drivers.clock import Clock


class Refusals:
    """`noise` is anybody's, and must not hide what an issuer's key does."""

    def __init__(self, clock: Clock, append: Callable[..., Appended]) -> None:
        self._clock, self._append = clock, append
        self._flaws, self._noise = Sparing(), Sparing()

    def note(self, alert: str, path: Path, reason: str) -> None:
        """Of an order or of words that a known key signed."""
        self._tell(alert, path, reason, self._flaws)

    def noise(self, path: Path, reason: str) -> None:
        """Of octets that nobody known signed."""
        self._tell("", path, reason, self._noise)

    def _tell(self, alert: str, path: Path, reason: str, sparing: Sparing) -> None:
        if sparing.says(f"{reason} {alert}", self._clock.now()):
            self._append(al.OrderRefused(alert=alert, path=path, reason=reason))
