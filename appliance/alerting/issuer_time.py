"""What a station knows of an issuer's clock: bounds of how far it is ahead of the station's own monotonic one.

Between an announcement and the hello that answers it the issuer read its clock once, so its time is known within
the round trip. Ages are always judged by the upper bound: an order may look older than it is, never fresher.
"""

from msgspec import Struct
from msgspec.structs import replace

from appliance.alerting.wire import Order

DRIFT = 0.001  # s each s; both clocks may be slewed at the kernel's most, 500 ppm, in opposite directions
ROUNDING = 1.0  # s; `issued_at` is rounded down


class IssuerTime(Struct, frozen=True):
    """When its last hello came at `at`, the issuer's clock was ahead of ours by `least` to `most` seconds."""

    counter: int  # of the announcement that was answered
    at: float
    least: float
    most: float
    contradicted: bool = False  # an order showed that the clock was set on; the next hello counts alone

    @classmethod
    def from_hello(cls, hello: Order, counter: int, asked_at: float, now: float) -> "IssuerTime":
        """The bounds from one hello that was asked for at `asked_at` and came at `now`."""
        drift = DRIFT * (now - asked_at)
        return cls(counter, now, hello.issued_at - now - drift, hello.issued_at + ROUNDING - asked_at + drift)

    def refreshed(self, newer: "IssuerTime") -> "IssuerTime":
        """What is known after a later hello: the lower of both upper bounds, unless the clock was set on since."""
        most = self._most(newer.at)
        if self.contradicted or most < newer.least:
            return newer
        return replace(newer, most=min(most, newer.most))

    def age(self, order: Order, now: float) -> float:
        """The most seconds that can have passed since `order` was signed; below zero when it is of the future."""
        return now + self._most(now) - order.issued_at

    def _most(self, now: float) -> float:
        return self.most + DRIFT * (now - self.at)
