"""The orders that sound on one output, as a union: it is on while any has time left.

The pattern of the highest priority plays, among equals the newest, and no test's beside an actual order's; it is as
loud as the loudest wants it.
An order id sounds once. What ended, or was stopped before it came, is remembered.
"""

from dataclasses import dataclass, field

REMEMBERED = 256  # ended orders; a repeat comes within minutes, and no city gives so many in minutes
MOST_AT_ONCE = 64  # orders that overlap on one output; more is a fault in whoever gives them


@dataclass(frozen=True)
class Order:
    id: str
    pattern: str
    until: float  # loop time
    priority: int = 1  # 1 is the highest
    level: int = 100  # percent of loudness
    test: bool = False


@dataclass
class Orders:
    """`sounding` by id, the newest last; `ended`: why, by id, the latest last."""

    sounding: dict[str, Order] = field(default_factory=dict)
    ended: dict[str, str] = field(default_factory=dict)

    @property
    def leading(self) -> Order | None:
        """Whose pattern plays."""
        return min(reversed(self.sounding.values()), key=lambda order: (order.test, order.priority), default=None)

    @property
    def level(self) -> float:
        """How loud, 0 to 1: a test or a lesser order never makes another one quieter."""
        return max((order.level for order in self.sounding.values()), default=0) / 100

    @property
    def full(self) -> bool:
        return len(self.sounding) >= MOST_AT_ONCE

    @property
    def until(self) -> float:
        """When the last of them ends."""
        return max((order.until for order in self.sounding.values()), default=0.0)

    @property
    def next_end(self) -> float:
        return min((order.until for order in self.sounding.values()), default=0.0)

    def begin(self, order: Order) -> None:
        self.sounding[order.id] = order

    def end(self, order_id: str, why: str) -> bool:
        """End an order, or bar one that has not come yet; True when it was sounding."""
        was = self.sounding.pop(order_id, None) is not None
        self.ended.setdefault(order_id, why)
        while len(self.ended) > REMEMBERED:
            del self.ended[next(iter(self.ended))]
        return was

    def expire(self, now: float) -> list[str]:
        """End those whose time is over; their ids."""
        over = [order.id for order in self.sounding.values() if order.until <= now]
        for order_id in over:
            self.end(order_id, "ended")
        return over
