"""Relays that do not open: a line that reads on, or a contact that says so 2 s after its output went off.

It looks for as long as the process runs, so that a siren which somebody or something else switched on is found too.
"""

import asyncio
from collections.abc import Callable

from appliance.annunciator_config import InputConfig
from drivers.gpio.inputs import Input
from drivers.gpio.outputs import Output

Changed = Callable[[str, str | None, str], None]  # output, order (none here), why

STUCK_AFTER = 2.0  # s off; a contactor opens in 0.1 s, and its contact is debounced
LOOK = 0.5  # s between looks; some microseconds a line
SAYS = {"current": "draws current", "feedback": "is closed"}


class StuckWatch:
    """`on_change` is told "stuck" and "released", once each."""

    def __init__(self, on_change: Changed) -> None:
        self._on_change = on_change
        self._loop = asyncio.get_running_loop()
        self._outputs: dict[str, Output] = {}
        self._proofs: list[tuple[InputConfig, Input]] = []
        self._since: dict[str, float] = {}
        self._stuck: set[str] = set()
        self._next: asyncio.TimerHandle | None = None

    def start(self, outputs: dict[str, Output], proofs: list[tuple[InputConfig, Input]]) -> None:
        """Watch until `close`. `proofs`: inputs that tell of an output."""
        self._outputs, self._proofs = outputs, proofs
        self._look()

    def close(self) -> None:
        if self._next:
            self._next.cancel()

    def stuck(self, name: str) -> bool:
        return name in self._stuck

    def fault(self, name: str) -> str | None:
        """What is wrong with an output now."""
        if (output := self._outputs[name]).fault:
            return output.fault
        told = [f"{into.name} says that it {SAYS[wired.kind]}" for wired, into in self._closed(name)]
        return f"was switched off, and {' and '.join(told)}" if name in self._stuck and told else None

    def _look(self) -> None:
        self._next = self._loop.call_later(LOOK, self._look)
        now = self._loop.time()
        for name, output in self._outputs.items():
            output.look()
            if output.on and not output.stuck:  # it should be on; whether it would open shows later
                self._since.pop(name, None)
            elif not (output.stuck or self._closed(name)):
                self._since.pop(name, None)
                if name in self._stuck:
                    self._stuck.discard(name)
                    self._on_change(name, None, "released")
            elif name not in self._stuck and now - self._since.setdefault(name, now) >= STUCK_AFTER:
                self._stuck.add(name)
                self._on_change(name, None, "stuck")

    def _closed(self, name: str) -> list[tuple[InputConfig, Input]]:
        return [(wired, into) for wired, into in self._proofs if wired.of == name and into.active]
