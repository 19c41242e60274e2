"""The electrical side of gpiozero's mock pins: levels to read, buttons to press, wires to break, on a socket of knobs.

Levels are the pins' own, 1 is high, between them a duty cycle: an active-high relay on is 1, a button with a pull-up
pressed is 0. They do what the kernel and lgpio do, kind or not: a line whose function is set to output goes low first,
and a PWM that is ended leaves the line where it happens to be. A pressed button stays pressed when the process behind
the pins dies: a hand does not let go because a program restarted.
"""

import asyncio
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
from gpiozero.pins.mock import MockFactory, MockPWMPin

from drivers.sim.knobs import Knobs
from drivers.sim.wires import FOLLOWS_AFTER, Relays, Wire

KEPT = 10_000  # changes in the record; a yelp makes some 40 a minute
PULLED_UP = range(9)  # GPIOs that are high from power to software; the others are low (BCM2835 peripherals, 6.2)
BOUNCE_GAP = 0.001  # s between the contacts' bounces; those of cheap buttons last some milliseconds in all


class SimulatedPins:
    """Stands behind `factory` from before its first pin is claimed. `names`: pin numbers (BCM) by name; `wires`: what
    inputs tell of outputs, by input."""

    def __init__(
        self, factory: MockFactory, names: Mapping[str, int], knobs: Path, wires: Mapping[str, Wire] | None = None
    ) -> None:
        self._factory, self._pins = factory, dict(names)
        self._names = {pin: name for name, pin in names.items()}
        self._loop = asyncio.get_running_loop()
        self._record: deque[dict[str, Any]] = deque(maxlen=KEPT)
        self._stuck: dict[int, float] = {}
        self._first: dict[str, float] = {}
        self._relays = Relays(dict(wires or {}), self._told)
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
                "pins.levels": self.levels,
                "pins.stick": self.stick,
                "pins.weld": self.weld,
                "pins.cut": self.cut,
                "input.press": self.press,
                "input.release": self.release,
                "input.follow": self.follow,
            },
        )

    def rewire(self, names: Mapping[str, int], wires: Mapping[str, Wire]) -> None:
        """Other names and pins from now on, as when a technician has wired the board anew."""
        self._pins = dict(names)
        self._names = {pin: name for name, pin in names.items()}
        self._relays.wires = dict(wires)

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

    def read(self) -> dict[str, float]:
        """The level of each pin."""
        return {name: _level(self._pin(name).state) for name in self._pins}

    def record(self, name: str | None = None) -> list[dict[str, Any]]:
        """Every change of level, oldest first: {name, pin, value, at}; `at` is the loop's time."""
        return [change for change in self._record if name in (None, change["name"])]

    def levels(self, name: str) -> list[float]:
        """Every level that the pin ever had, the one at power-up first."""
        self._pin(name)
        return [self._first[name], *(change["value"] for change in self.record(name))]

    def stick(self, name: str, value: int | None = None) -> None:
        """Short the line: its level stays `value` whatever drives it, until stuck to None."""
        pin = self._pin(name)
        if value is None:
            self._stuck.pop(self._pins[name], None)
        else:
            self._stuck[self._pins[name]] = float(bool(value))
            pin._change_state(float(bool(value)))

    def weld(self, name: str, welded: bool = True) -> None:
        """The relay behind an output does not open again once it is closed."""
        self._pin(name)
        self._relays.weld(name, welded)

    def cut(self, name: str, cut: bool = True) -> None:
        """What hangs on an output draws no current: a fuse, a cable, a motor is gone."""
        self._pin(name)
        self._relays.cut(name, cut)

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

    def follow(self, name: str, output: str | None = None, delay_s: float = FOLLOWS_AFTER) -> None:
        """Wire a feedback contact: the input closes when the output's relay does. Without `output` it is cut."""
        self._pin(name)
        self._relays.wires.pop(name, None)
        if output is not None:
            self._pin(output)
            self._relays.wires[name] = Wire(output, False, delay_s)

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

    def _told(self, name: str, closed: bool) -> None:
        """A contact moved; nobody feels it whose input is not claimed."""
        if self._pin(name).function == "input":
            self._close(name, closed)

    def _hold(self, name: str) -> None:
        if timer := self._letting_go.pop(name, None):
            timer.cancel()

    def _keep_hands(self) -> None:
        self._hands.write_bytes(msgspec.json.encode(sorted(self._pressed)))

    def pulled(self, pin: int) -> None:
        """A pin was set up as an input: a hand may already be on its button."""
        name = self._names.get(pin)
        if name is not None and (name in self._pressed or self._relays.tells(name)):
            self._close(name, True)

    def powered(self, pin: int) -> float:
        """The pin's level at power-up."""
        level = float(pin in PULLED_UP)
        self._first[self._names.get(pin, f"gpio{pin}")] = _level(level)
        return level

    def level_at(self, pin: int, wanted: float) -> float:
        return self._stuck.get(pin, wanted)

    def changed(self, pin: int, level: float) -> None:
        name = self._names.get(pin, f"gpio{pin}")
        self._record.append({"name": name, "pin": pin, "value": _level(level), "at": self._loop.time()})
        self._relays.line(name, level > 0)


def _level(state: float) -> float:
    return int(state) if state in (0, 1) else round(state, 3)


def _watched_pin(bench: SimulatedPins) -> type[MockPWMPin]:
    class WatchedPin(MockPWMPin):  # type: ignore[misc]  # gpiozero has no types
        def __init__(self, factory: MockFactory, info: Any) -> None:
            super().__init__(factory, info)
            self._state = bench.powered(self._number)

        def _set_function(self, value: str) -> None:
            super()._set_function(value)
            if value == "output":
                self._change_state(0.0)

        def output_with_state(self, state: float) -> None:
            self._function = "output"
            self._change_state(float(state))

        def _set_frequency(self, value: float | None) -> None:
            self._frequency = value
            if value is None and 0 < self._state < 1:
                self._change_state(1.0)  # an end in the middle of a pulse

        def _set_pull(self, value: str) -> None:
            super()._set_pull(value)
            bench.pulled(self._number)

        def _change_state(self, value: float) -> bool:
            level = bench.level_at(self._number, float(value))
            moved: bool = super()._change_state(level)
            if moved:
                bench.changed(self._number, level)
            return moved

    return WatchedPin
