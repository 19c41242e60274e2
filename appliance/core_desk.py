"""Wires the desk with lines and sound, and carries its commands: taking a call is answering it, then talking on it."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from appliance.call_commands import (
    AnswerCall,
    BlockCaller,
    CallFigures,
    Dial,
    DropCallBack,
    ListCalls,
    MarkCall,
    NoteCall,
    OpenRecording,
    Redial,
    ResumeCall,
    TakeNext,
    TransferCall,
    UnblockCaller,
)
from appliance.call_events import CallTaken
from appliance.commands import AnyCommand
from appliance.config import Site
from appliance.desk.hands import Hands
from appliance.desk.listening import Listening
from appliance.desk.orders import Orders
from appliance.desk.service import Desk
from appliance.desk_state import DeskCall
from appliance.desk_view import Figures
from appliance.entry import Entry
from appliance.journal import Appended
from appliance.keeper import Keeper
from appliance.lines.service import Lines
from appliance.model import CallPhase
from appliance.state import State
from drivers.clock import Clock
from drivers.jsonsocket import Refusal

COMMANDS = (
    AnswerCall, TakeNext, Dial, TransferCall, NoteCall, MarkCall, BlockCaller, UnblockCaller, DropCallBack, ListCalls,
    CallFigures, OpenRecording, Redial, ResumeCall,
)  # fmt: skip

log = logging.getLogger("siaga.desk")


class DeskRoom:
    """`speaks` tells of a line whether a caller on it hears what the box says; `talk` joins a call with a place.

    `talk` gets call, place and actor, and makes CallTaken; without sound the call is taken at no place. `role_of` knows
    an actor's role. `place` refuses a place that is none, before a call is answered for it.
    """

    def __init__(
        self, *, site: Site, state: State, clock: Clock, append: Callable[..., Appended], journal: Path,
        kept: Callable[[], int], lines: Lines, on_changed: Callable[[], None],
        speaks: Callable[[str], bool] = lambda line: False, talk: Callable[[str, str, str], None] | None = None,
        place: Callable[[str], object] = lambda talk: None,
        role_of: Callable[[str], str] = lambda actor: "",
        quiet_s: Callable[[str], float | None] = lambda call: None,
    ) -> None:  # fmt: skip
        self._state, self._append, self._lines, self._on_changed = state, append, lines, on_changed
        self._talk, self._place = talk or self._take_at_no_place, place
        hands = Hands(
            usable=self._usable, speaks=speaks, quiet_s=quiet_s, answer=lines.answer, reject=lines.reject,
            take=self._answer, dial=self._dial,
            notice=lambda number, text, life, key: lines.outgoing.notice(number, text, lifetime_s=int(life), key=key),
        )  # fmt: skip
        self._desk = Desk(site=site, state=state, clock=clock, append=append, hands=hands)
        self._orders = Orders(
            site=site, state=state, clock=clock, append=append, journal=journal, kept=kept,
            directory=self._desk.directory, on_today=self._today,
        )  # fmt: skip
        self._listening = Listening(
            folder=journal.parent, own_hours=site.sound.recording.own_hours, clock=clock, append=append,
            row=self._orders.row, role_of=role_of,
        )  # fmt: skip
        self.view = self._desk.view
        self.look = self._desk.look

    def keep(self, keeper: Keeper) -> None:
        keeper.keep("desk", self._desk.run)
        keeper.keep("figures of today", self._orders.run)

    def on_entry(self, entry: Entry) -> None:
        self._desk.on_entry(entry)

    async def obey(self, command: AnyCommand, actor: str) -> Any:
        """One of COMMANDS. Raises Refusal."""
        match command:
            case AnswerCall():
                return await self._answer(command, actor)
            case TakeNext(talk=talk):
                return await self._desk.take_next(talk, actor)
            case Dial():
                return await self._desk.dial(command, actor)
            case Redial(line=line, talk=talk):
                return await self._desk.dial(Dial(to=self._lines.last_dialled(line), line=line, talk=talk), actor)
            case ResumeCall(line=line):
                told = await self._lines.resume(line, actor)
                await self._hold_others(told["call"], actor)
                return told
            case TransferCall(line=line, to=to):
                return await self._lines.transfer(line, self._desk.directory.number(to), actor)
            case NoteCall():
                return await self._orders.note(command, actor)
            case MarkCall():
                return await self._orders.mark(command, actor)
            case BlockCaller():
                return await self._orders.block(command, actor)
            case UnblockCaller():
                return await self._orders.unblock(command, actor)
            case DropCallBack():
                return await self._orders.drop(command, actor)
            case ListCalls():
                return await self._orders.list(command)
            case CallFigures():
                return await self._orders.figures(command)
            case OpenRecording():
                return await self._listening.open(command, actor)
        raise Refusal("unknown", f"{command} is not known at the desk.")

    async def _answer(self, command: AnswerCall, actor: str) -> dict[str, str]:
        """A call that the box has greeted stands already: it is only joined. Another is answered first."""
        self._place(command.talk)
        waiting = [
            c for c in self._desk.queue() if c.line == command.line and (not command.call or c.id == command.call)
        ]
        call = waiting[0] if waiting else None
        if call is None or call.answered is None:
            try:
                told = await self._lines.answer(command.line, call.id if call else command.call, actor)
            except Refusal:
                if call is None or not self._stands(call):
                    raise
                told = {"line": call.line, "call": call.id}  # the box was answering it in the same moment
        else:
            told = {"line": call.line, "call": call.id}
            await self._take_up(call, actor)
        self._talk(told["call"], command.talk, actor)
        await self._hold_others(told["call"], actor)
        return told

    async def _hold_others(self, call: str, actor: str) -> None:
        """A person's headset or browser is in one call at a time: whom they talked with before is held, and told so.

        What shares the line with `call` is held by its modem.
        """
        now = self._state.calls.get(call)
        if now is None or not now.place:
            return
        for other in list(self._state.calls.values()):
            same = other.taken is not None and other.taken.actor == actor and other.place == now.place
            if same and other.phase is CallPhase.TALKING and other.line != now.line:
                try:
                    await self._lines.hold(other.line, actor)
                except Refusal as e:
                    log.warning("%s talks on %s, and %s is not held: %s", actor, now.line, other.line, e)

    async def _take_up(self, call: DeskCall, actor: str) -> None:
        """Who was greeted, and then put on hold for another, is talked on again."""
        live = self._state.calls_on(call.line)
        if any(c.id == call.id and c.phase is CallPhase.HELD for c in live):
            alone = not any(c.phase is CallPhase.TALKING for c in live)
            await (self._lines.resume(call.line, actor) if alone else self._lines.swap(call.line, actor))

    def _stands(self, call: DeskCall) -> bool:
        return call.id in self._state.desk.open and call.answered is not None and call.taken is None

    async def _dial(self, command: Dial, actor: str) -> dict[str, str]:
        self._place(command.talk)
        why = "call_back" if command.call_back else "person"
        told = await self._lines.dial(command.to, actor, command.line, why, command.key)
        if command.talk:
            self._talk(told["call"], command.talk, actor)
            await self._hold_others(told["call"], actor)
        return told

    def _take_at_no_place(self, call: str, _talk: str, actor: str) -> None:
        known = self._state.desk.open.get(call)
        if known is None:
            raise Refusal("no_call", "That call has ended.", "Nothing is left to take.")
        self._append(CallTaken(line=known.line, call=call), actor=actor)

    def _usable(self) -> set[str]:
        return {*self._lines.free_lines(), *(c.line for c in self._state.desk.open.values())}

    def _today(self, today: Figures) -> None:
        self._desk.today = today
        self._on_changed()
