"""A desk whose journal is a list, with hands that note what they are asked, in a time that only its loop moves."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from appliance import events as ev
from appliance.annunciator_config import AnnunciatorConfig
from appliance.call_commands import AnswerCall, Dial
from appliance.call_events import CallDialled, CallMarked, CallRefused, CallTaken
from appliance.config import Line, Site
from appliance.desk.hands import Hands
from appliance.desk.service import Desk
from appliance.entry import Entry
from appliance.event import Event
from appliance.events import encode_event
from appliance.fold import apply
from appliance.model import Role
from appliance.state import State
from drivers.clock import VirtualClock
from drivers.jsonsocket import Refusal

ANI, BUDI, CITRA = "+6281100000001", "+6281100000002", "+6281100000003"
OWN = {"l1": "+62000000001", "l2": "+62000000002"}
MOST_SECONDS = 4 * 24 * 3600.0

E = TypeVar("E", bound=Event)


class Appended:
    """As the journal's, safe at once."""

    def __init__(self, entry: Entry) -> None:
        self.entry = entry

    async def durable(self, _timeout: float) -> bool:
        return True


def site(**tables: Any) -> Site:
    lines = tuple(Line(id=name, name=name, port=f"/dev/{name}", number=number) for name, number in OWN.items())
    return Site(
        role=Role.CENTRE, site="s", id="c", name="Pusat", line=lines,
        annunciator=AnnunciatorConfig(socket="a.sock", factory="mock"), **tables,
    )  # fmt: skip


class Rows:
    """Journal and fold."""

    def __init__(self, clock: VirtualClock) -> None:
        self.clock, self.state, self.entries = clock, State(), list[Entry]()
        self.head = Entry.before_first()
        self.on_entry: Callable[[Entry], None] = lambda entry: None
        self._calls = 0

    def append(self, event: Event, *, actor: str = "", cause: int | None = None) -> Any:
        self.head = Entry.after(
            self.head, wall=self.clock.wall(), mono=self.clock.now(), boot="b", quality="ntp", kind=event.kind,
            subject=event.subject, actor=actor, cause=cause, body=encode_event(event),
        )  # fmt: skip
        self.entries.append(self.head)
        apply(self.state, self.head)
        self.on_entry(self.head)
        return Appended(self.head)

    def all(self, kind: type[E]) -> list[E]:
        return [e.event for e in self.entries if isinstance(e.event, kind)]

    # What lines tell

    def new_call(self) -> str:
        self._calls += 1
        return f"{self._calls:08x}"

    def ring(self, number: str | None = ANI, line: str = "l1") -> str:
        call = self.new_call()
        self.append(ev.CallRinging(line=line, call=call, number=number))
        return call

    def line_of(self, call: str) -> str:
        return self.state.desk.open[call].line

    def take(self, call: str, actor: str = "siti") -> None:
        line = self.line_of(call)
        if self.state.desk.open[call].answered is None:
            self.append(ev.CallAnswered(line=line, call=call), actor=actor)
        self.append(CallTaken(line=line, call=call), actor=actor)

    def miss(self, call: str) -> None:
        self.append(ev.CallMissed(line=self.line_of(call), call=call))

    def end(self, call: str, seconds: float = 30.0, reason: str = "caller") -> None:
        self.append(ev.CallEnded(line=self.line_of(call), call=call, seconds=seconds, reason=reason))

    def missed(self, number: str | None = ANI, line: str = "l1") -> str:
        call = self.ring(number, line)
        self.miss(call)
        return call

    def marked(self, number: str, mark: str, call: str = "") -> str:
        """A whole call that somebody took and marked."""
        made = call or self.ring(number)
        if not call:
            self.take(made)
            self.end(made)
        self.append(CallMarked(call=made, number=number, mark=mark), actor="siti")
        return made


class Story(Rows):
    """A running desk. `speaks`: the lines with sound; `refuses`: hands that say no."""

    def __init__(self, clock: VirtualClock, **tables: Any) -> None:
        super().__init__(clock)
        self.speaks, self.refuses, self.slow_s = set(OWN), set[str](), 0.0
        self.done: list[tuple[str, ...]] = []
        self.notices: list[tuple[str, str, str]] = []
        hands = Hands(
            usable=lambda: set(OWN), speaks=self.speaks.__contains__, quiet_s=self._quiet_s,
            answer=self._answer, reject=self._reject, take=self._take, dial=self._dial, notice=self._notice,
        )  # fmt: skip
        self._made = site(**tables), hands
        self.spoke: dict[str, float | None] = {}  # by call, when its caller said the last word; None: not known
        self.start()

    def _quiet_s(self, call: str) -> float | None:
        spoke = self.spoke.get(call)
        return None if spoke is None else self.clock.now() - spoke

    def start(self) -> None:
        """A life of the desk; the next one finds state and journal."""
        made, hands = self._made
        self.desk = Desk(site=made, state=self.state, clock=self.clock, append=self.append, hands=hands)
        self.on_entry = self.desk.on_entry
        self.running = asyncio.create_task(self.desk.run())

    async def stop(self) -> None:
        assert not self.running.done(), self.running
        self.running.cancel()
        await asyncio.wait([self.running])

    async def _ask(self, what: str, *about: str) -> None:
        await asyncio.sleep(self.slow_s)
        self.done.append((what, *about))
        if what in self.refuses:
            raise Refusal("no", f"{what} is refused in this story.")

    async def _answer(self, line: str, call: str, actor: str) -> None:
        await self._ask("answer", line, call)
        if call not in self.state.desk.open or self.state.desk.open[call].answered:
            raise Refusal("no_call", "No call rings.")
        self.append(ev.CallAnswered(line=line, call=call), actor=actor)

    async def _reject(self, line: str, call: str, why: str, actor: str) -> None:
        await self._ask("reject", line, call)
        self.append(CallRefused(line=line, call=call, why=why), actor=actor)
        self.append(ev.CallEnded(line=line, call=call, seconds=0.0, reason="refused"), actor=actor)

    async def _take(self, command: AnswerCall, actor: str) -> str:
        await self._ask("take", command.line, command.call)
        if command.call not in self.state.desk.open:
            raise Refusal("no_call", "It has ended.")
        self.take(command.call, actor)
        return command.call

    async def _dial(self, command: Dial, actor: str) -> str:
        call = self.new_call()
        await self._ask("dial", command.to)
        why = "call_back" if command.call_back else "person"
        self.append(CallDialled(line=command.line or "l2", call=call, number=command.to, why=why), actor=actor)
        return call

    async def _notice(self, number: str, text: str, _life: float, key: str) -> None:
        self.notices.append((number, text, key))

    def did(self, what: str) -> list[tuple[str, ...]]:
        return [told[1:] for told in self.done if told[0] == what]


def play(story: Callable[[Story], Coroutine[Any, Any, None]], **tables: Any) -> Story:
    """Let it happen around a running desk."""
    clock = VirtualClock()
    kept: list[Story] = []

    async def main() -> None:
        there = Story(clock, **tables)
        kept.append(there)
        try:
            async with asyncio.timeout(MOST_SECONDS):
                await story(there)
        finally:
            await there.stop()

    clock.run(main())
    return kept[0]


def rows() -> Rows:
    """A journal and fold without a desk."""
    return Rows(VirtualClock())
