"""An annunciator with two sirens in a test, and what can be wrong with their relays: welded, cut, bounded, gone.

The real Siren of each output on a relay that is played. What is wrong is pushed as the annunciator pushes it.
"""

import asyncio
from dataclasses import dataclass

from order_box import Relay

from appliance.annunciator_protocol import InputChange, OutputChange, OutputState, Sounding, Standing, Stopped
from appliance.annunciator_siren import Siren
from appliance.model import AlertKind
from drivers.clock import VirtualClock
from drivers.jsonsocket import Gone

OUTPUTS = ("siren", "hall")
MOST = 90.0  # s that any output is on, whoever asks for more
STUCK_AFTER = 2.0
DRAWN = "drawn"  # the input that tells the current of the first


@dataclass
class Span:
    """An order that sounded on one output. `to` None: it sounds."""

    alert: str
    output: str
    kind: AlertKind
    since: float
    to: float | None = None
    why: str = ""

    def within(self, since: float, to: float) -> bool:
        """Whether it sounded at any moment between."""
        return self.since < to and (self.to is None or self.to > since)


class Bounded(Relay):
    """Goes off by itself behind MOST s, as a real output does."""

    def __init__(self, name: str, clock: VirtualClock) -> None:
        super().__init__(clock)
        self.name, self._latest, self._cut = name, 0.0, False

    def sound(self, pattern: object, until: float, level: int = 100) -> None:
        if not self.on:
            self._latest = self._clock.now() + MOST
        super().sound(pattern, until, level)

    def end_at(self, until: float, level: int = 100) -> None:
        self._cut = until > self._latest
        super().end_at(min(until, self._latest), level)

    def _ended(self) -> None:
        cut = self._cut
        self.off()
        self.when_ended(cut)


class WholeBox:
    """`up`: core is connected. `welded`: relays that do not open. `cut`: the siren draws no current."""

    def __init__(self, clock: VirtualClock) -> None:
        self._clock, self.up, self.powered, self.spans = clock, True, True, list[Span]()
        self.welded, self.stuck, self.cut, self._life = set[str](), set[str](), False, 0
        self._drawn = False
        self._kind = AlertKind.ACTUAL
        self.lost_power: list[float] = []
        self.away: list[float] = []
        self.deaf()
        self._start()

    def deaf(self) -> None:
        """No core listens."""
        self.on_standing = lambda standing: None
        self.on_output = lambda change: None
        self.on_input = lambda change: None

    def _start(self) -> None:
        self._life += 1
        self.relays = {name: Bounded(name, self._clock) for name in OUTPUTS}
        self.sirens: dict[str, Siren] = {}
        for name, relay in self.relays.items():
            self.sirens[name] = Siren(
                relay,  # type: ignore[arg-type]
                lambda order, why, of=name, life=self._life: self._changed(of, order, why, life),  # type: ignore[misc]
            )

    def _changed(self, output: str, order: str | None, why: str, life: int) -> None:
        if life != self._life:
            return
        if why == "ordered":
            assert order
            self.spans.append(Span(order, output, self._kind, self._clock.now()))
        else:
            self._over(output, order, why)
        self._push(OutputChange(output, self.relays[output].on, order, why, self._clock.now()))
        self.contacts()

    def contacts(self) -> None:
        """What the contacts say now, and in a moment what does not open."""
        drawn = (self.relays["siren"].on or "siren" in self.welded) and not self.cut
        if drawn != self._drawn:
            self._drawn = drawn
            if self.up:
                change = InputChange(DRAWN, drawn, self._clock.now())
                asyncio.get_running_loop().call_soon(lambda: self.on_input(change))
        for name in OUTPUTS:
            if name in self.stuck and name not in self.welded:
                self.stuck.discard(name)
                self._push(OutputChange(name, False, None, "released", self._clock.now()))
            elif name in self.welded and not self.relays[name].on and self.powered:
                asyncio.get_running_loop().call_later(STUCK_AFTER, self._does_not_open, name, self._life)

    def _does_not_open(self, name: str, life: int) -> None:
        if life == self._life and name in self.welded and name not in self.stuck and not self.relays[name].on:
            self.stuck.add(name)
            self._push(OutputChange(name, False, None, "stuck", self._clock.now()))

    def _push(self, change: OutputChange) -> None:
        if self.up:
            asyncio.get_running_loop().call_soon(lambda: self.on_output(change))

    def _over(self, output: str, order: str | None, why: str) -> None:
        for span in self.spans:
            if span.to is None and span.output == output and order in (None, span.alert):
                span.to, span.why = self._clock.now(), why

    # As core sees it

    def standing(self) -> Standing:
        outputs = {
            name: OutputState(
                self.relays[name].on, tuple(siren.orders.sounding), self.relays[name].remaining_s, None,
                name in self.stuck,
            )
            for name, siren in self.sirens.items()
        }  # fmt: skip
        return Standing(outputs, {DRAWN: self._drawn}, 0.0, False)

    async def sound(
        self, order: str, output: str, pattern: str, seconds: float, *, kind: AlertKind = AlertKind.ACTUAL, **_: object
    ) -> Sounding:
        await self._reached()
        self._kind = kind
        return self.sirens[output].sound(order, pattern, seconds, test=kind is not AlertKind.ACTUAL)

    async def stop(self, orders: list[str]) -> Stopped:
        await self._reached()
        ended = [one for siren in self.sirens.values() for one in siren.end(tuple(orders), "stopped")]
        return Stopped(tuple(ended), any(relay.on for relay in self.relays.values()))

    async def light(self, output: str, on: bool) -> bool:
        await self._reached()
        return on

    async def look(self) -> Standing:
        await self._reached()
        return self.standing()

    async def lock(self, outputs: tuple[str, ...], seconds: float) -> None:
        """Taken and not enforced: what is looked at is whether core keeps to it."""
        await self._reached()

    async def _reached(self) -> None:
        await asyncio.sleep(0.002)
        if not self.up:
            raise Gone("the annunciator is away")

    # What happens to it

    def silence(self) -> None:
        """A person at the station wants quiet."""
        for siren in self.sirens.values():
            siren.silence()

    def lose_power(self) -> None:
        self.up = self.powered = False
        self.lost_power.append(self._clock.now())
        self._life += 1
        self.stuck.clear()
        for name, siren in self.sirens.items():
            siren.close()
            self.relays[name].off()
            self._over(name, None, "dark")

    def lose_wire(self) -> None:
        """Core is not heard; what sounds sounds on."""
        self.up = False
        self.away.append(self._clock.now())

    def power(self) -> None:
        if not self.powered:
            self.powered = True
            self._start()
        self.wire()

    def wire(self) -> None:
        if self.powered:
            self.up = True
            self.contacts()
            self.on_standing(self.standing())

    def core_came(self) -> None:
        if self.up:
            asyncio.get_running_loop().call_later(0.01, self.wire)  # it takes a moment to connect

    def sounded(self, alert: str, output: str) -> float:
        """For how many seconds, in all."""
        now = self._clock.now()
        return sum(((s.to or now) - s.since for s in self.spans if (s.alert, s.output) == (alert, output)), 0.0)

    def sounds(self) -> list[Span]:
        return [span for span in self.spans if span.to is None]
