"""What is so on a line's telephone: what the modem tells goes on record, and who waits for an effect sees it."""

import asyncio
import secrets
from collections.abc import Callable

from appliance.call_events import CallKey
from appliance.clock import boot_id
from appliance.event import Event
from appliance.events import CallEnded
from appliance.journal import Appended
from appliance.lines.call_machine import Known, LiveCall, Phase, Reason
from appliance.lines.call_words import rows, word
from appliance.lines.calls_machine import CallsMachine
from appliance.state import State
from drivers.clock import Clock
from drivers.modem import events as heard

ACTIVE = (Phase.TALKING, Phase.JOINED)


class CallWatch:
    """`on_step` is called behind each word that changed something. Calls that the state has as going on are known."""

    def __init__(
        self, line: str, state: State, clock: Clock, append: Callable[..., Appended], on_changed: Callable[[], None],
        on_step: Callable[[], None],
    ) -> None:  # fmt: skip
        self._line, self._state, self._clock = line, state, clock
        self._append, self._on_changed, self._on_step = append, on_changed, on_step
        self.machine = CallsMachine(line, lambda: secrets.token_hex(4), self._before_restart())
        self._timer: asyncio.TimerHandle | None = None
        self._stepped = asyncio.Event()
        self._actors: dict[tuple[type[Event], str], str] = {}  # who ordered what is about to be seen

    def _before_restart(self) -> list[Known]:
        now, wall, boot = self._clock.now(), self._clock.wall(), boot_id()
        return [
            Known(
                call.id, call.phase, call.number, now - (call.answered or call.began).elapsed(now, wall, boot),
                call.direction == "out", call.waiting, call.why,
            )
            for call in self._state.calls_on(self._line)
        ]  # fmt: skip

    def stop(self) -> None:
        if self._timer:
            self._timer.cancel()

    def heard(self, event: heard.ModemEvent) -> None:
        """Anything that the modem says; what is of no call changes nothing."""
        now = self._clock.now()
        if isinstance(event, heard.CallListed):
            self.step(self.machine.listed(rows(event.calls), now, event.asked))
        elif isinstance(event, heard.KeyHeard):
            self.key_heard(event.key, "modem")
        elif (said := word(event)) is not None:
            self.step(self.machine.hear(said, now))

    def key_heard(self, key: str, source: str) -> None:
        """The other side of the call that is talked on pressed a key; `source` is "modem" or "sound"."""
        if active := self.machine.in_phase(*ACTIVE):
            self._append(CallKey(line=self._line, call=active[0].id, key=key, source=source))

    def line_up(self) -> None:
        self.machine.line_up(self._clock.now())
        self.step([])

    def line_lost(self) -> None:
        self.step(self.machine.line_lost(self._clock.now()))

    def dial(self, call: str, number: str, why: str, actor: str) -> LiveCall:
        """Put on record that it is about to be dialled."""
        for event in self.machine.dial(call, number, why, self._clock.now()):
            self._append(event, actor=actor)
        self._on_changed()
        return self.machine.calls[call]

    def not_dialled(self, call: str, why: Reason) -> None:
        self.step(self.machine.not_dialled(call, self._clock.now(), why))
        self._on_changed()

    def step(self, events: list[Event]) -> None:
        """Journal what the machine made of it, and set the clock of what silence would mean."""
        for event in events:
            ordered = not isinstance(event, CallEnded) or event.reason in (Reason.OPERATOR, Reason.REFUSED)
            actor = self._actors.pop((type(event), getattr(event, "call", "")), "")
            self._append(event, actor=actor if ordered else "")
        if not self.machine.calls:
            self._actors.clear()
        self._stepped.set()
        if events:
            self._on_step()
        if self._timer:
            self._timer.cancel()
        if (deadline := self.machine.deadline) is not None:
            self._timer = asyncio.get_running_loop().call_at(deadline, self._silence)

    def _silence(self) -> None:
        self.step(self.machine.tick(self._clock.now()))
        self._on_changed()

    def expect(self, actor: str, *seen: tuple[type[Event], LiveCall]) -> None:
        """These events, once seen, are this person's doing."""
        self._actors |= {(kind, call.id): actor for kind, call in seen}

    async def until(self, done: Callable[[], bool], within: float, call: LiveCall | None = None) -> bool:
        """Wait until it is so; False when `call` ended instead. Raises TimeoutError."""
        async with asyncio.timeout(within):
            while not done() and (call is None or call.phase is not Phase.IDLE):
                self._stepped.clear()
                await self._stepped.wait()
        return done()
