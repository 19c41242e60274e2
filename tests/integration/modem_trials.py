"""The real driver at the ports of simulated modems that are told to misbehave, on one loop.

Time moves on only when neither has anything left to do, so that a busy machine makes no modem late.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from drivers.clock import VirtualClock
from drivers.modem.errors import LinkLost
from drivers.modem.events import HANDED_OVER, ModemEvent, SmsPartReceived, SmsReport, StatusChanged
from drivers.modem.modem import Modem
from drivers.modem.profile import Profile, load_profiles
from drivers.sim.knobs import turn
from drivers.sim.mobile import MobileConfig, ModemConfig, run

PATIENCE = 240.0  # s of the loop
SENDER = "+6281299990000"
PROFILES = load_profiles(Path(__file__).parents[2] / "firmware-config" / "modems")
MODELS = {"quectel": "eg25g", "simcom": "sim7600", "sim800": "sim800", "huawei": "huawei"}
E = TypeVar("E", bound=ModemEvent)


class Trial:
    """One driver at one simulated modem."""

    def __init__(
        self, folder: Path, name: str, number: str, *, profiles: Sequence[Profile] = PROFILES, acknowledge: bool = True,
        **options: Any,
    ) -> None:  # fmt: skip
        self.name, self.number, self._knobs = name, number, folder / "knobs"
        self.events: list[ModemEvent] = []
        self._news = asyncio.Event()
        self._acknowledge = acknowledge
        self._acknowledging: set[asyncio.Task[None]] = set()
        self.modem = Modem(folder / name, profiles, on_event=self._told, **options)

    def _told(self, event: ModemEvent) -> None:
        self.events.append(event)
        self._news.set()
        if self._acknowledge and isinstance(event, SmsPartReceived | SmsReport) and event.memory == HANDED_OVER:
            task = asyncio.ensure_future(self.let_go(event))
            self._acknowledging.add(task)
            task.add_done_callback(self._acknowledging.discard)

    async def let_go(self, event: SmsPartReceived | SmsReport) -> None:
        """As its owner does once it is on disk."""
        assert event.index is not None
        with contextlib.suppress(LinkLost):
            await self.modem.delete_sms(event.index, event.memory)

    async def turn(self, do: str, **args: Any) -> Any:
        """Turn a knob of this modem."""
        return await turn(self._knobs, do, timeout=PATIENCE, name=self.name, **args)

    async def text(self, text: str) -> None:
        """A message from outside to this modem."""
        await turn(self._knobs, "sms.from", timeout=PATIENCE, number=SENDER, text=text, to=self.name)

    async def typed(self) -> list[str]:
        lines: list[str] = await self.turn("modem.log", last=200)
        return lines

    async def pin_tries(self) -> int:
        """What the card has left, asked at the simulated modem itself."""
        state = await turn(self._knobs, "status", timeout=PATIENCE)
        tries: int = state["modems"][self.name]["pin_tries"]
        return tries

    def all(self, kind: type[E]) -> list[E]:
        return [event for event in self.events if isinstance(event, kind)]

    async def until(self, so: Callable[[], object], what: str = "") -> None:
        """Until it holds, looked at with each event. Raises AssertionError with all that was told."""
        try:
            async with asyncio.timeout(PATIENCE):
                while not so():
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            told = "\n".join(repr(event)[:200] for event in self.events)
            raise AssertionError(f"{self.name}: never {what or 'came so far'}:\n{told}") from None

    async def until_kind(self, kind: type[E], count: int = 1) -> E:
        await self.until(lambda: len(self.all(kind)) >= count, f"told {count} {kind.__name__}")
        return self.all(kind)[count - 1]

    async def until_healthy(self) -> StatusChanged:
        """Up and registered with a SIM that is ready."""
        await self.until(lambda: self.healthy, "was healthy")
        return self.modem.status

    @property
    def healthy(self) -> bool:
        return self.modem.up and self.modem.status.registration == "home" and self.modem.status.sim == "READY"

    async def until_texts(self, *texts: str) -> None:
        await self.until(lambda: set(texts) <= {p.deliver.text for p in self.all(SmsPartReceived)}, f"got {texts}")

    async def until_emptied(self) -> None:
        """Delete what was told, as its owner does once it is on disk, until none of the first filling is left."""
        for told in list(self.all(SmsPartReceived)):
            if told.index is not None:
                await self.modem.delete_sms(told.index, told.memory)


Story = Callable[[Trial], Awaitable[None]]


def tried(
    folder: Path,
    name: str,
    story: Story,
    *,
    prepare: Callable[[Trial], Awaitable[None]] | None = None,
    options: Mapping[str, Any] | None = None,
) -> None:
    """Let the story happen to one modem; `prepare` comes before the driver opens the port."""

    async def main() -> None:
        number = "+628111111111"
        config = MobileConfig([ModemConfig(name, str(folder / name), number, MODELS[name], imei="867698040000001")])  # type: ignore[arg-type]
        simulator = asyncio.ensure_future(run(config, folder / "knobs"))
        trial = Trial(folder, name, number, **(options or {}))
        try:
            async with asyncio.timeout(PATIENCE):
                while not ((folder / name).is_symlink() and (folder / "knobs").exists()):
                    await asyncio.sleep(0.1)
            if prepare:
                await prepare(trial)
            async with asyncio.TaskGroup() as tasks:  # ends the story at once when the driver dies
                driver = tasks.create_task(trial.modem.run())
                await story(trial)
                driver.cancel()
        finally:
            simulator.cancel()
            await asyncio.wait([simulator])

    VirtualClock().run(main())
