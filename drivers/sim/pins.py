"""The electrical side of gpiozero's mock pins: levels to read, buttons to press, wires to break, on a socket of knobs.

Levels are the pins' own, 1 is high: an active-high relay on is 1, a button with a pull-up pressed is 0. A pressed
button stays pressed when the process behind the pins dies: a hand does not let go because a program restarted.
"""

import asyncio
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
from gpiozero.pins.mock import MockFactory, MockPin

from drivers.sim.knobs import Knobs

KEPT = 10_000  # changes in the record; a yelp makes some 40 a minute
BOUNCE_GAP = 0.001  # s between the contacts' bounces; those of cheap buttons last some milliseconds in all


class SimulatedPins:
    """Stands behind `factory` from before its first pin is claimed. `names`: pin numbers (BCM) by name."""

    def __init__(self, factory: MockFactory, names: Mapping[str, int], knobs: Path) -> None:
        self._factory, self._pins = factory, dict(names)
        self._names = {pin: name for name, pin in names.items()}
        self._loop = asyncio.get_running_loop()
        self._record: deque[dict[str, Any]] = deque(maxlen=KEPT)
        self._stuck: dict[int, bool] = {}
        self._follows: dict[str, tuple[str, float]] = {}  # output: the input wired to it, its delay
        self._hands = knobs.with_name(knobs.name + ".pressed")
        self._pressed: set[str] = set(msgspec.json.decode(self._hands.read_bytes())) if self._hands.exists() else set()
        self._letting_go: dict[str, asyncio.TimerHandle] = {}
        factory.pin_class = _watched_pin(self)
        self._knobs = Knobs(
            knobs,
            {
                "status": self.status,
                "pins.read": self.read,
                "pins.record": self.record,
                "pins.stick": self.stick,
                "input.press": self.press,
                "input.release": self.release,
                "input.follow": self.follow,
            },
        )

    async def start(self) -> None:
        await self._knobs.start()

    async def stop(self) -> None:
        await self._knobs.stop()

    def status(self) -> dict[str, Any]:
        """Each pin's number, direction and level, and the names of what is pressed."""
        lines = {
            n: {"pin": p, "function": self._pin(n).function, "level": self.read()[n]} for n, p in self._pins.items()
        }
        return {"pins": lines, "pressed": sorted(self._pressed), "record": len(self._record)}

    def read(self) -> dict[str, int]:
        """The level of each pin."""
        return {name: int(self._pin(name).state) for name in self._pins}

    def record(self, name: str | None = None) -> list[dict[str, Any]]:
        """Every change of level, oldest first: {name, pin, value, at}; `at` is the loop's time."""
        return [change for change in self._record if name in (None, change["name"])]

    def stick(self, name: str, value: int | None = None) -> None:
        """Short the line: its level stays `value` whatever drives it, until stuck to None."""
        pin = self._pin(name)
        if value is None:
            self._stuck.pop(self._pins[name], None)
        else:
            self._stuck[self._pins[name]] = bool(value)
            pin._change_state(bool(value))

    async def press(self, name: str, hold_s: float | None = None, bounces: int = 0) -> None:
        """Close the contact, for `hold_s` or until released; it may bounce open some times first."""
        self._pin(name)
        self._hold(name)
        for _ in range(bounces):
            for closed in (True, False):
                self._close(name, closed)
                await asyncio.sleep(BOUNCE_GAP)
        self._pressed.add(name)
        self._keep_hands()
        self._close(name, True)
        if hold_s is not None:
            self._letting_go[name] = self._loop.call_later(hold_s, self.release, name)

    def release(self, name: str) -> None:
        """Open the contact."""
        self._pin(name)
        self._hold(name)
        self._pressed.discard(name)
        self._keep_hands()
        self._close(name, False)

    def follow(self, name: str, output: str | None = None, delay_s: float = 0.05) -> None:
        """Wire a feedback contact: the input closes when the output's pin is high. Without `output` it is cut."""
        self._pin(name)
        self._follows = {out: wired for out, wired in self._follows.items() if wired[0] != name}
        if output is not None:
            self._pin(output)
            self._follows[output] = (name, delay_s)

    def _pin(self, name: str) -> Any:
        if name not in self._pins:
            raise ValueError(f"there is no pin {name!r}; there are {', '.join(self._pins)}")
        return self._factory.pin(self._pins[name])

    def _close(self, name: str, closed: bool) -> None:
        pin = self._pin(name)
        if pin.function != "input":
            raise ValueError(f"{name} is an output; it cannot be pressed")
        if closed == (pin.pull == "up"):
            pin.drive_low()
        else:
            pin.drive_high()

    def _hold(self, name: str) -> None:
        if timer := self._letting_go.pop(name, None):
            timer.cancel()

    def _keep_hands(self) -> None:
        self._hands.write_bytes(msgspec.json.encode(sorted(self._pressed)))

    def pulled(self, pin: int) -> None:
        """A pin was set up as an input: a hand may already be on its button."""
        name = self._names.get(pin)
        if name in self._pressed:
            self._close(name, True)

    def level_at(self, pin: int, wanted: bool) -> bool:
        return self._stuck.get(pin, wanted)

    def changed(self, pin: int, level: bool) -> None:
        name = self._names.get(pin, f"gpio{pin}")
        self._record.append({"name": name, "pin": pin, "value": int(level), "at": self._loop.time()})
        if name in self._follows:
            feedback, delay_s = self._follows[name]
            self._loop.call_later(delay_s, self._close, feedback, level)


def _watched_pin(bench: SimulatedPins) -> type[MockPin]:
    class WatchedPin(MockPin):  # type: ignore[misc]  # gpiozero has no types
        def _set_pull(self, value: str) -> None:
            super()._set_pull(value)
            bench.pulled(self._number)

        def _change_state(self, value: bool) -> bool:
            level = bench.level_at(self._number, bool(value))
            moved: bool = super()._change_state(level)
            if moved:
                bench.changed(self._number, level)
            return moved

    return WatchedPin
