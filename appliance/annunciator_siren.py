"""One siren or buzzer: its orders, its pattern, its line. Each change of an order is told with its reason."""

import asyncio
from collections.abc import Callable

from appliance.annunciator_orders import Order, Orders
from appliance.annunciator_protocol import Sounding
from drivers.gpio.errors import NotDriven
from drivers.gpio.outputs import Output
from drivers.gpio.patterns import PATTERNS
from drivers.jsonsocket import Refusal

OrderChange = Callable[[str | None, str], None]  # order id, why


class Siren:
    """Sounds orders on `output`; `on_change(order, why)` is called after each change."""

    def __init__(self, output: Output, on_change: OrderChange) -> None:
        self.output, self._on_change = output, on_change
        self.orders = Orders()
        self._playing: Order | None = None
        self._review: asyncio.TimerHandle | None = None
        self._loop = asyncio.get_running_loop()
        output.when_ended = self._ran_out

    def sound(
        self, order_id: str, pattern: str, seconds: float, why: str = "ordered", *,
        priority: int = 1, level: int = 100, test: bool = False,
    ) -> Sounding:  # fmt: skip
        """Sound an order once, now; a repeat changes nothing and says how it stands. Raises Refusal."""
        if pattern not in PATTERNS:
            raise Refusal("no_pattern", f"There is no pattern {pattern!r}.", f"Patterns: {', '.join(PATTERNS)}.")
        if (ended := self.orders.ended.get(order_id)) == "stopped":
            raise Refusal("stopped", f"Order {order_id} was stopped.", "Give a new order to sound again.")
        if ended:
            return Sounding(energised=False, remaining_s=0.0, ended=ended)
        if order_id not in self.orders.sounding:
            self._begin(Order(order_id, pattern, self._loop.time() + seconds, priority, level, test), why)
        left = self.orders.sounding[order_id].until - self._loop.time()
        return Sounding(energised=self.output.on, remaining_s=max(0.0, min(left, self.output.remaining_s)))

    def _begin(self, order: Order, why: str) -> None:
        if self.orders.full:
            raise Refusal("too_many", f"{self.output.name} sounds too many orders at once.", "Stop some first.")
        self.orders.begin(order)
        try:
            self._follow(prove=self.output.fault is not None)
        except NotDriven as e:
            self._end_all("failed")
            raise Refusal("not_driven", str(e), "Sound it by another way and repair this line.") from e
        self._on_change(order.id, why)
        self._plan_review()

    def end(self, order_ids: tuple[str, ...], why: str) -> list[str]:
        """End these orders and bar those not come yet; returns those that sounded."""
        over = [order_id for order_id in order_ids if self.orders.end(order_id, why)]
        self._after(over, why)
        return over

    def silence(self) -> list[str]:
        """End all of it."""
        return self.end(tuple(self.orders.sounding), "silenced")

    def close(self) -> None:
        """Review no more; the output is closed by whoever made it."""
        if self._review:
            self._review.cancel()

    def _follow(self, *, prove: bool = False) -> None:
        """Play what the orders want together; `prove`: a pattern that plays already begins again. Raises NotDriven."""
        leading = self.orders.leading
        if leading is None:
            self.output.off()
        elif leading is self._playing and self.output.on and not prove:
            self.output.end_at(self.orders.until, self.orders.level)
        else:
            self.output.sound(PATTERNS[leading.pattern], self.orders.until, self.orders.level)
        self._playing = leading

    def _after(self, over: list[str], why: str) -> None:
        try:
            if over:
                self._follow()
        except NotDriven:  # the output has logged it
            self._end_all("failed")
        for order_id in over:
            self._on_change(order_id, why)
        self._plan_review()

    def _end_all(self, why: str) -> None:
        over: list[str | None] = [o for o in tuple(self.orders.sounding) if self.orders.end(o, why)]
        for order_id in over or [None]:  # None: a line that would not go off went off at last
            self._on_change(order_id, why)
        self._plan_review()

    def _plan_review(self) -> None:
        """The output's own clock ends the last order; ours only those that others outlast."""
        if self._review:
            self._review.cancel()
        shorter = self.orders.next_end < self.orders.until
        self._review = self._loop.call_at(self.orders.next_end, self._expire) if shorter else None

    def _expire(self) -> None:
        self._after(self.orders.expire(self._loop.time()), "ended")
        self._plan_review()

    def _ran_out(self, cut: bool) -> None:
        self._end_all("limit" if cut else "ended")
