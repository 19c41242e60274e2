"""What goes with a siren: lights that come on, a door that opens, a stove that is cut off.

Each has its own clock. An order that begins switches it on even when the siren itself fails: the crew still wakes by
light. A stop ends it, unless it is held; silence ends a sound and no light.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable
from math import inf

from appliance.annunciator_config import DOOR_HELD, ONLY_FOLLOWS, OutputConfig
from appliance.model import AlertKind
from drivers.gpio.errors import NotDriven
from drivers.gpio.outputs import Output
from drivers.gpio.patterns import PATTERNS
from drivers.jsonsocket import Refusal

Changed = Callable[[str, str | None, str], None]  # output, order, why

REMEMBERED = 256  # orders; as many as a siren remembers

log = logging.getLogger(__name__)


class Light:
    """An output that core may switch, that may follow a siren, or both: on while any of them wants it."""

    def __init__(self, output: Output, config: OutputConfig, on_change: Changed) -> None:
        self.output, self._config, self._on_change = output, config, on_change
        self._loop = asyncio.get_running_loop()
        self._hold_s = config.hold_s or (DOOR_HELD if config.kind == "door" else None)
        self._cadence = PATTERNS[config.pattern]
        self._wanted = False  # by core
        self._orders: dict[str, float] = {}  # until when each wants it
        output.when_ended = self._ended

    def switch(self, on: bool) -> bool:
        """Core's own wish; whether it is on now. Raises Refusal."""
        was, self._wanted = self.output.on, on
        try:
            if on and not was:
                self.output.sound(self._cadence, inf)
            else:
                self._settle()
            if not on and self.output.stuck:
                raise NotDriven(f"Output {self.output.name} {self.output.fault}.")
        except NotDriven as e:
            self._wanted = False
            raise Refusal("not_driven", str(e), "Repair this line.") from e
        self._on_change(self.output.name, None, "ordered")
        return self.output.on

    def begin(self, order: str, kind: AlertKind, seconds: float) -> None:
        """An order began at the siren that it follows."""
        if kind is not AlertKind.ACTUAL and self._config.kind in ONLY_FOLLOWS:
            return
        was = self.output.on
        self._orders[order] = self._loop.time() + (self._hold_s or seconds)
        try:
            if was:
                self._settle()
            else:
                self.output.sound(self._cadence, self._until)
        except NotDriven as e:
            log.error("%s", e)
        if self.output.on != was:
            self._on_change(self.output.name, None, "follows")

    def end(self, order: str) -> None:
        """An order was stopped; what is held stays to its own end."""
        if self._hold_s is None and self._orders.pop(order, None) is not None:
            was = self.output.on
            self._settle()
            if self.output.on != was:
                self._on_change(self.output.name, None, "stopped")

    @property
    def _until(self) -> float:
        return inf if self._wanted else max(self._orders.values(), default=0.0)

    def _settle(self) -> None:
        """Nobody wants it: off. Else it stays, until the last wish is over."""
        now = self._loop.time()
        self._orders = {order: until for order, until in self._orders.items() if until > now}
        if self._wanted or self._orders:
            self.output.end_at(self._until)
        else:
            self.output.off()

    def _ended(self, cut: bool) -> None:
        self._wanted, self._orders = False, {}
        self._on_change(self.output.name, None, "limit" if cut else "ended")


class Followers:
    """Every light, door and stove by name, and which siren each follows. An order counts once on each siren."""

    def __init__(self, on_change: Changed) -> None:
        self._on_change = on_change
        self.lights: dict[str, Light] = {}
        self._of: dict[str, list[Light]] = {}
        self._seen: dict[tuple[str, str], None] = {}  # siren and order; ("", order): stopped

    def add(self, output: Output, config: OutputConfig) -> None:
        light = self.lights[output.name] = Light(output, config, self._on_change)
        if config.follows:
            self._of.setdefault(config.follows, []).append(light)

    def remove(self, name: str) -> None:
        """An output that is off, and is another one from now on."""
        light = self.lights.pop(name, None)
        for followers in self._of.values():
            if light in followers:
                followers.remove(light)

    def begin(self, siren: str, order: str, kind: AlertKind, seconds: float) -> None:
        """An order began, or should have: the siren's own failure changes nothing here."""
        if (siren, order) not in self._seen and ("", order) not in self._seen:
            self._remember(siren, order)
            for light in self._of.get(siren, ()):
                light.begin(order, kind, seconds)

    def end(self, orders: Iterable[str]) -> None:
        """Orders were stopped, perhaps before they came."""
        for order in orders:
            self._remember("", order)
            for light in self.lights.values():
                light.end(order)

    def _remember(self, siren: str, order: str) -> None:
        self._seen[siren, order] = None
        while len(self._seen) > REMEMBERED:
            del self._seen[next(iter(self._seen))]
