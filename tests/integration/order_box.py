"""An annunciator in a test: the real Siren on a relay that is played, and wires to whatever core runs now."""

import asyncio
from collections.abc import Callable
from typing import Any

from appliance.annunciator_protocol import OutputChange, OutputState, Sounding, Standing, Stopped
from appliance.annunciator_siren import Siren
from drivers.clock import VirtualClock
from drivers.gpio.errors import NotDriven
from drivers.jsonsocket import Gone, Refusal


class Relay:
    """A line as drivers.gpio's Output, without a pin. `broken`: it cannot be switched on."""

    def __init__(self, clock: VirtualClock) -> None:
        self.name, self.on, self.broken, self._clock, self._until = "siren", False, False, clock, 0.0
        self.fault: str | None = None
        self._timer: asyncio.TimerHandle | None = None
        self.when_ended: Callable[[bool], None] = lambda cut: None

    @property
    def remaining_s(self) -> float:
        return max(0.0, self._until - self._clock.now()) if self.on else 0.0

    def sound(self, pattern: object, until: float, level: int = 100) -> None:
        if self.broken:
            raise NotDriven("Output siren reads off after it was switched the other way.")
        self.on = True
        self.end_at(until)

    def end_at(self, until: float, level: int = 100) -> None:
        if self._timer:
            self._timer.cancel()
        self._until = until
        self._timer = asyncio.get_running_loop().call_at(until, self._ended)

    def _ended(self) -> None:
        self.off()
        self.when_ended(False)

    def off(self) -> bool:
        self.on = False
        if self._timer:
            self._timer.cancel()
        return True


class Box:
    """An annunciator and the wires to whatever core runs now. `spans`: alert, from, to (None: it sounds)."""

    def __init__(self, clock: VirtualClock) -> None:
        self._clock, self.up, self.spans = clock, True, list[list[Any]]()
        self.on_standing: Callable[[Standing], None] = lambda standing: None
        self.on_output: Callable[[OutputChange], None] = lambda change: None
        self._powered()

    def _powered(self) -> None:
        self.relay = Relay(self._clock)
        self.siren = Siren(self.relay, self._changed)  # type: ignore[arg-type]
        self.locked_until = 0.0

    def _changed(self, order: str | None, why: str) -> None:
        if why == "ordered":
            self.spans.append([order, self._clock.now(), None])
        else:
            self._over(order)
        change = OutputChange("siren", self.relay.on, order, why, self._clock.now())
        if self.up:
            asyncio.get_running_loop().call_soon(lambda: self.on_output(change))

    def _over(self, order: str | None) -> None:
        for span in self.spans:
            if span[2] is None and order in (None, span[0]):
                span[2] = self._clock.now()

    def standing(self) -> Standing:
        orders = tuple(self.siren.orders.sounding)
        outputs = {"siren": OutputState(self.relay.on, orders, self.relay.remaining_s, self.relay.fault)}
        left = self.locked_until - self._clock.now()
        return Standing(outputs, {}, 0.0, False, locked={"siren": left} if left > 0 else {})

    async def sound(self, order: str, output: str, pattern: str, seconds: float, **_: object) -> Sounding:
        await self._reached()
        if self._clock.now() < self.locked_until:
            raise Refusal("locked_out", "The siren is locked out.")
        return self.siren.sound(order, pattern, seconds)

    async def stop(self, orders: list[str]) -> Stopped:
        await self._reached()
        return Stopped(tuple(self.siren.end(tuple(orders), "stopped")), self.relay.on)

    async def look(self) -> Standing:
        await self._reached()
        return self.standing()

    async def lock(self, outputs: tuple[str, ...], seconds: float) -> None:
        await self._reached()
        assert outputs == ("siren",)
        self.locked_until = self._clock.now() + seconds
        if seconds:
            self.siren.silence()

    async def _reached(self) -> None:
        await asyncio.sleep(0.002)
        if not self.up:
            raise Gone("the annunciator is away")

    def breaks(self) -> None:
        """The line does not read back."""
        self.relay.off()
        self.siren._end_all("failed")

    def lose_power(self) -> None:
        self.up = False
        self.siren.close()
        self.relay.off()
        self._over(None)

    def lose_wire(self) -> None:
        """Core is not heard; what sounds sounds on."""
        self.up = False

    def power(self) -> None:
        self._powered()
        self.wire()

    def wire(self) -> None:
        self.up = True
        self.on_standing(self.standing())

    def core_came(self) -> None:
        if self.up:
            asyncio.get_running_loop().call_later(0.01, self.wire)  # it takes a moment to connect

    def sounded(self, alert: str) -> float:
        """For how many seconds, in all."""
        now = self._clock.now()
        return float(sum((now if to is None else to) - since for name, since, to in self.spans if name == alert))

    def sounds(self, alert: str) -> bool:
        return any(name == alert and to is None for name, _, to in self.spans)
