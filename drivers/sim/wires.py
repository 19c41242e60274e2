"""What hangs on simulated pins: relays that may weld, currents that may be missing, contacts that tell of both.

A relay is closed while its line is high. A welded one does not open again; a cut current is a siren without power.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

FOLLOWS_AFTER = 0.05  # s; a contactor, and the contact that tells of it


@dataclass(frozen=True)
class Wire:
    """An input that tells of an output: its current (`current`), else its relay's own position."""

    output: str
    current: bool
    delay_s: float = FOLLOWS_AFTER


class Relays:
    """`close(input, closed)` moves a contact; `wires` by input."""

    def __init__(self, wires: dict[str, Wire], close: Callable[[str, bool], None]) -> None:
        self.wires, self._close = wires, close
        self._loop = asyncio.get_running_loop()
        self._lines: dict[str, bool] = {}
        self._closed: dict[str, bool] = {}
        self._welds: set[str] = set()
        self._cut: set[str] = set()

    def line(self, output: str, high: bool) -> None:
        """The output's line moved."""
        self._lines[output] = high
        self._settle(output)

    def weld(self, output: str, welded: bool) -> None:
        """From now on it does not open once it is closed; a hammer frees it."""
        (self._welds.add if welded else self._welds.discard)(output)
        self._settle(output)

    def cut(self, output: str, cut: bool) -> None:
        """No current flows, whatever the relay does."""
        (self._cut.add if cut else self._cut.discard)(output)
        self._settle(output)

    def tells(self, name: str) -> bool:
        """Whether the input's contact is closed by what it tells of."""
        wire = self.wires.get(name)
        return wire is not None and self._flows(wire)

    def _flows(self, wire: Wire) -> bool:
        return self._closed.get(wire.output, False) and not (wire.current and wire.output in self._cut)

    def _settle(self, output: str) -> None:
        stays = output in self._welds and self._closed.get(output, False)
        self._closed[output] = self._lines.get(output, False) or stays
        for name, wire in self.wires.items():
            if wire.output == output:
                self._loop.call_later(wire.delay_s, self._tell, name)

    def _tell(self, name: str) -> None:
        if name in self.wires:
            self._close(name, self.tells(name))
