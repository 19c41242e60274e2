"""What persons say of calls and callers, and what they ask of the call log."""

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from appliance.call_commands import (
    BlockCaller,
    CallFigures,
    DropCallBack,
    ListCalls,
    MarkCall,
    NoteCall,
    UnblockCaller,
)
from appliance.call_events import CallBackDone, CallerBlocked, CallerUnblocked, CallMarked, CallNoted
from appliance.config import ZONES, Site
from appliance.desk.call_log import day_of, read_log, read_period
from appliance.desk.directory import Directory
from appliance.desk.figures import figures
from appliance.desk_view import CallLog, CallRow, Figures, FiguresAnswer
from appliance.journal import Appended
from appliance.state import State
from drivers.clock import Clock
from drivers.jsonsocket import Refusal
from drivers.modem.numbers import telephone

HOUR = 3600.0
COUNT_AGAIN = 20.0  # s between counts of today's figures at the most often; they are read from the disk
DISK_WITHIN = 0.5  # s until a row is on disk; the answer then says that it is not

log = logging.getLogger("siaga.desk")


class Orders:
    """`journal` is the file, `kept` how many rows are not in it yet. Questions to the file are asked one at a time."""

    def __init__(
        self, *, site: Site, state: State, clock: Clock, append: Callable[..., Appended], journal: Path,
        kept: Callable[[], int], directory: Directory, on_today: Callable[[Figures], None] = lambda _: None,
    ) -> None:  # fmt: skip
        self._site, self._state, self._clock, self._append = site, state, clock, append
        self._file, self._kept, self._directory = journal, kept, directory
        self._zone, self._on_today = ZONES[site.zone], on_today
        self._reading = asyncio.Lock()

    # What persons say

    async def note(self, command: NoteCall, actor: str) -> dict[str, Any]:
        """Raises Refusal when there is no such call."""
        await self._number_of(command.call)
        return await self._told(
            self._append(CallNoted(call=command.call, text=command.text), actor=actor), call=command.call
        )

    async def mark(self, command: MarkCall, actor: str) -> dict[str, Any]:
        """Raises Refusal when there is no such call."""
        number = await self._number_of(command.call)
        event = CallMarked(call=command.call, number=number, mark=command.mark)
        return await self._told(self._append(event, actor=actor), call=command.call)

    async def block(self, command: BlockCaller, actor: str) -> dict[str, Any]:
        """Raises Refusal for a number that never called, a withheld one, and one that the site file knows."""
        desk, key = self._state.desk, telephone(command.number)
        name, _ = self._directory.name(key)
        if not self._directory.may_block(key):
            whose = f"{command.number} is {name or 'of this box'}."
            raise Refusal("never", whose, "Numbers of the site file are never blocked.")
        caller = desk.callers.get(key)
        if caller is None or not caller.came:
            raise Refusal("no_caller", f"{command.number} has not called.", "A first call is never blocked.")
        why = "pranks" if len(caller.pranks) >= self._site.pranks.marks else "person"
        until = self._clock.wall() + command.hours * HOUR
        event = CallerBlocked(number=caller.number, until=until, why=why)
        return await self._told(self._append(event, actor=actor), number=caller.number, until=until)

    async def unblock(self, command: UnblockCaller, actor: str) -> dict[str, Any]:
        """Raises Refusal when it is not blocked."""
        block = self._state.desk.blocks.get(telephone(command.number))
        if block is None:
            raise Refusal("not_blocked", f"{command.number} is not blocked.", "Its calls come in.")
        event = CallerUnblocked(number=block.number, why="person")
        return await self._told(self._append(event, actor=actor), number=block.number)

    async def drop(self, command: DropCallBack, actor: str) -> dict[str, Any]:
        """Raises Refusal when the call is not on the list."""
        if not any(command.call in back.calls for back in self._state.desk.callbacks.values()):
            raise Refusal("no_call_back", f"{command.call} is not on the call-back list.", "Somebody was there first.")
        event = CallBackDone(call=command.call, why="dropped")
        return await self._told(self._append(event, actor=actor), call=command.call)

    async def _told(self, appended: Appended, **about: Any) -> dict[str, Any]:
        return {**about, "durable": await appended.durable(DISK_WITHIN)}

    async def _number_of(self, call: str) -> str:
        desk = self._state.desk
        if call in desk.open:
            return desk.open[call].number
        if call in desk.recent:
            return desk.recent[call]
        row = await self.row(call)
        if row is None:
            raise Refusal("no_call", f"There is no call {call!r}.", "siaga call list shows them.")
        return row.number

    # What persons ask

    async def list(self, command: ListCalls) -> Any:
        """A CallLog as JSON. Raises Refusal when the file cannot be read."""
        return msgspec.to_builtins(await self._read(command))

    async def _read(self, command: ListCalls) -> CallLog:
        async with self._reading:
            found = await asyncio.to_thread(read_log, self._file, command, self._zone, self._directory.own)
        return msgspec.structs.replace(found, behind=self._kept())

    async def row(self, call: str) -> CallRow | None:
        """One call of the log. Raises Refusal when the file cannot be read."""
        rows = (await self._read(ListCalls(call=call, last=1))).calls
        return rows[0] if rows else None

    async def figures(self, command: CallFigures) -> Any:
        """A FiguresAnswer as JSON. Raises Refusal when the file cannot be read or the period is none."""
        async with self._reading:
            answer = await asyncio.to_thread(self._count, command.period)
        return msgspec.to_builtins(msgspec.structs.replace(answer, behind=self._kept()))

    def _count(self, period: str) -> FiguresAnswer:
        """In a thread."""
        rows, cut = read_period(self._file, period, self._zone, self._directory.own)
        whole = figures(period, rows)
        days: dict[str, list[CallRow]] = {}
        for row in reversed(rows):
            days.setdefault(day_of(row.wall, self._zone), []).append(row)
        if len(period) > len("2026-11"):
            return FiguresAnswer(whole, (), cut)
        return FiguresAnswer(whole, tuple(figures(day, found) for day, found in days.items()), cut)

    async def run(self) -> None:
        """Count today's figures again and again: when calls have ended, and when the day does."""
        counted: tuple[str, int] | None = None
        while True:
            today = day_of(self._clock.wall(), self._zone)
            if (today, self._state.desk.over) != counted and not self._kept():
                counted = (today, self._state.desk.over)
                try:
                    async with self._reading:
                        answer = await asyncio.to_thread(self._count, today)
                    self._on_today(answer.whole)
                except Refusal as e:
                    log.warning("today's figures are not counted: %s", e)
            await asyncio.sleep(COUNT_AGAIN)
