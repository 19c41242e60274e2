"""A technician's hand at the annunciator while core is stopped: moves one output, waits for one input.

Whoever greets the annunciator is core to it, so presses of the red button come here and sound nothing.
"""

import asyncio
import secrets
from pathlib import Path

from appliance.annunciator_client import AnnunciatorLink
from appliance.annunciator_protocol import InputChange, Pressed, Standing
from appliance.model import AlertKind
from appliance.wiring_plan import Wire
from drivers.jsonsocket import Gone, Refusal

SOUNDED = 2.0  # s; long enough to hear a motor begin, short enough for a neighbourhood
CRANKED = 3.0  # s that a start contact is closed
PROOF_WITHIN = 1.0  # s after its start that a siren's current must have been seen (docs/technician.md)
UP_WITHIN = 3.0  # s


class NoAnnunciator(Exception):
    """It cannot be reached; the text says what to do."""


class Hand:
    """Use as `async with`. What was moved is off again when a call returns, also when it fails or is cancelled."""

    def __init__(self, socket: Path) -> None:
        self._socket = socket
        self._up = asyncio.Event()
        self._changed = asyncio.Event()
        self._inputs: dict[str, bool] = {}
        self._closed: set[str] = set()  # inputs that closed since the last `forget`
        self._takes: set[asyncio.Task[None]] = set()
        self._link = AnnunciatorLink(socket, on_up=self._came, on_input=self._moved, on_press=self._pressed)
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> "Hand":
        self._task = asyncio.create_task(self._link.run())
        try:
            async with asyncio.timeout(UP_WITHIN):
                await self._up.wait()
        except TimeoutError:
            await self._leave()
            raise NoAnnunciator(
                f"Nobody answers at {self._socket}. Next: systemctl start siaga-annunciator; run this as root."
            ) from None
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._leave()

    async def _leave(self) -> None:
        for task in (*self._takes, self._task):
            if task:
                task.cancel()
        await asyncio.gather(*self._takes, *([self._task] if self._task else []), return_exceptions=True)

    def _came(self, standing: Standing) -> None:
        self._inputs = dict(standing.inputs)
        self._up.set()

    def _moved(self, change: InputChange) -> None:
        self._inputs[change.input] = change.active
        if change.active:
            self._closed.add(change.input)
        self._changed.set()

    def _pressed(self, press: Pressed) -> None:
        task = asyncio.create_task(self._take(press.press))
        self._takes.add(task)
        task.add_done_callback(self._takes.discard)

    async def _take(self, press: int) -> None:
        try:
            await self._link.take(press)
        except (Refusal, Gone):
            return  # it sounds locally then, and the technician hears it

    def is_closed(self, name: str) -> bool:
        return self._inputs.get(name, False)

    async def until(self, name: str, closed: bool, within: float) -> bool:
        """Whether an input came to be closed, or open, in time."""
        try:
            async with asyncio.timeout(within):
                while self.is_closed(name) is not closed:
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            return False
        return True

    async def move(self, wire: Wire, witnesses: tuple[str, ...] = ()) -> list[str]:
        """Switch an output for a moment; codes of what the box saw. Raises Refusal or Gone.

        What follows a siren (a door, a stove) moves by an actual order of its siren only, so the siren sounds too.
        """
        self._closed.clear()
        if wire.kind == "start":
            return await self._crank(wire)
        if wire.kind in ("light", "lamp"):
            return ["driven"] if await self._link.light(wire.name, True) else ["not_driven"]
        siren = wire.of if wire.kind in ("door", "stove") else wire.name
        kind = AlertKind.ACTUAL if wire.kind in ("door", "stove") else AlertKind.SOUNDING_TEST
        order = secrets.token_hex(8)
        try:
            told = await self._link.sound(order, siren, "steady", SOUNDED, kind=kind)
            await asyncio.sleep(PROOF_WITHIN)
            seen = ["driven" if told.energised else "not_driven"]
            seen += [f"{'closed' if w in self._closed else 'not_closed'} {w}" for w in witnesses]
            await asyncio.sleep(SOUNDED - PROOF_WITHIN)
        finally:
            await self._link.stop([order])
        return seen

    async def dark(self, wire: Wire) -> None:
        """Switch a light or lamp off again. Raises Refusal or Gone."""
        await self._link.light(wire.name, False)

    async def _crank(self, wire: Wire) -> list[str]:
        try:
            held = await self._link.hold(wire.name, True)
            await asyncio.sleep(CRANKED)
        finally:
            await self._link.hold(wire.name, False)
        return ["driven" if held else "not_driven"]
