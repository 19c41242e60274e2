"""Commands to one open modem, one at a time, the urgent first, each with a deadline.

After a missed answer it gets back in step with the modem before the next command; a modem that does not answer that
either is mute, and everything that waits fails at once.
"""

import asyncio
import contextlib
import heapq
import itertools
from collections.abc import AsyncIterator, Callable, Iterable
from enum import IntEnum

from drivers.modem.at import Command, Engine, Event, Prompt, Response, Resynced, Urc
from drivers.modem.command import OK
from drivers.modem.errors import CommandRefused, LinkLost, LostCode, ModemBusy, NoAnswer, Outdated, PayloadUnanswered

ORDINARY = 4.0  # s; both makes state 300 ms for what is asked here, and a SIM may keep them busy for some seconds
RESYNC = 1.5  # s for the question that gets back in step; any modem answers it from memory
RESYNC_TRIES = 2  # then the modem is mute
PROMPT = 5.0  # s until "> "
QUIET = 0.3  # s without a byte: what was asked before the port was opened has been answered by then
QUIET_MOST = 3.0  # s; a modem that talks on and on is taken as it is
DEAF = 0.15  # s behind ATD in which a modem hears no character: 125 ms, V.250 clause 5.6.1
MAX_WAITING = 64  # commands; the driver's own are a handful, a siren order to all stations is queued by its sender
TURN = 180.0  # s in the queue; four messages that each time out in the network


class Priority(IntEnum):
    """Who goes first when the line is free. What runs is never interrupted."""

    URGENT = 0  # siren orders, hang up, answer
    NORMAL = 1
    BACKGROUND = 2  # status


class Exchange:
    """`write` takes bytes to the port; `received()` gets what comes from it; `on_urc` gets what nobody asked for."""

    def __init__(
        self,
        write: Callable[[bytes], None],
        on_urc: Callable[[Urc], None],
        *,
        urcs: Iterable[str] = (),
        two_line: Iterable[str] = (),
        asked: int = 0,
    ) -> None:
        """`asked` is that of the exchange before this one on the same port (see Engine)."""
        self._write, self._on_urc = write, on_urc
        self._engine = Engine(urcs, two_line, asked)
        self._pending: asyncio.Future[Event] | None = None
        self._sets_up_since: float | None = None  # a call; while the modem is at it
        self._down: tuple[str, LostCode] | None = None
        self._gone = asyncio.Event()
        self._in_step = False
        self._payload_given = False
        self._heard = asyncio.Event()
        self._busy = False
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []
        self._order = itertools.count()

    @property
    def asked(self) -> int:
        return self._engine.asked

    @property
    def echoed(self) -> bool:
        """The modem echoed a command since `forget_echo()`: it has forgotten what it was told at start."""
        return self._engine.echoed

    def forget_echo(self) -> None:
        self._engine.echoed = False

    def received(self, data: bytes) -> None:
        """Bytes from the port."""
        self._heard.set()
        for event in self._engine.receive(data):
            if isinstance(event, Urc):
                self._on_urc(event)
            elif self._pending is not None and not self._pending.done():
                self._pending.set_result(event)

    def lose(self, reason: str, code: LostCode) -> None:
        """The port is gone, or the modem mute: everything open and waiting fails with LinkLost, as all that follows."""
        if self._down is not None:
            return
        self._down = reason, code
        self._gone.set()
        if self._pending is not None and not self._pending.done():
            self._pending.set_exception(LinkLost(reason, code))
        for _, _, turn in self._waiting:
            if not turn.done():
                turn.set_exception(LinkLost(reason, code))

    async def lost(self) -> None:
        """Returns never; raises LinkLost when the link is lost."""
        await self._gone.wait()
        self._check()

    def _check(self) -> None:
        if self._down is not None:
            raise LinkLost(*self._down)

    @contextlib.asynccontextmanager
    async def _turn(self, priority: Priority) -> AsyncIterator[None]:
        self._check()
        if self._busy:
            if len(self._waiting) >= MAX_WAITING:
                raise ModemBusy(f"{MAX_WAITING} commands wait for this modem already; use another line.")
            turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            entry = (int(priority), next(self._order), turn)
            heapq.heappush(self._waiting, entry)
            try:
                async with asyncio.timeout(TURN):
                    await turn
            except BaseException as e:
                if turn.done() and not turn.cancelled() and turn.exception() is None:
                    self._pass_on()  # the turn came in the moment of being called off
                elif entry in self._waiting:
                    self._waiting.remove(entry)
                    heapq.heapify(self._waiting)
                if isinstance(e, TimeoutError):
                    raise ModemBusy(f"No turn within {TURN:.0f} s; use another line.") from e
                raise
        self._busy = True
        try:
            yield
        finally:
            self._pass_on()

    def _pass_on(self) -> None:
        while self._waiting:
            _, _, turn = heapq.heappop(self._waiting)
            if not turn.done():
                turn.set_result(None)
                return
        self._busy = False

    async def ask(
        self,
        line: str,
        *,
        timeout: float = ORDINARY,
        priority: Priority = Priority.BACKGROUND,
        payload: bytes | None = None,
        still: Callable[[], bool] | None = None,
    ) -> Response:
        """Send a command, with its payload behind the prompt, and return its OK.

        `still` is asked when its turn has come; when it says no, nothing is sent, and Outdated is raised. Else raises
        CommandRefused, NoAnswer (in step again, its outcome unknown), LinkLost, ModemBusy. An answer that comes late,
        while getting in step, still counts when it has the line that proves it (`+CMGS: 12`).
        """
        command = Command.of(line)
        async with self._turn(priority):
            self._check()
            if not self._in_step:
                await self._get_in_step()
            if still is not None and not still():
                raise Outdated(f"{line[:60]}: what it was for has passed.")
            self._in_step = False  # until the answer is here, whatever interrupts
            self._payload_given = False
            try:
                response = await self._exchange(command, timeout, payload)
            except (TimeoutError, LinkLost) as e:
                if self._payload_given:
                    response = await self._late_proof(command)
                elif isinstance(e, LinkLost):
                    raise
                else:
                    await self._get_in_step()
                    raise NoAnswer(f"{line[:60]}: no answer in time.") from None
            # An OK without the line that was asked for may be another command's: get in step before the next.
            self._in_step = not response.ok or bool(response.lines) or not command.owes_a_line
        if not response.ok:
            raise CommandRefused(line[:60], response.final, response.code, response.detail)
        return response

    async def _exchange(self, command: Command, timeout: float, payload: bytes | None) -> Response:
        if command.calls:
            self._sets_up_since = asyncio.get_running_loop().time()
        try:
            event = await self._put(self._engine.send(command), PROMPT if command.prompts else timeout)
        finally:
            self._sets_up_since = None
        if isinstance(event, Prompt):
            data = self._engine.abort() if payload is None else self._engine.payload(payload)
            self._payload_given = payload is not None
            event = await self._put(data, timeout)
        assert isinstance(event, Response)
        return event

    def cut_short(self) -> None:
        """Break off ATD or ATA while the modem is still at it: any character does that (V.250 clause 5.6.1).

        It then answers NO CARRIER, most makes at once. An empty line changes nothing where it comes too late.
        """
        if self._sets_up_since is not None:
            loop = asyncio.get_running_loop()
            loop.call_at(max(loop.time(), self._sets_up_since + DEAF), self._break_off, self._pending)

    def _break_off(self, pending: asyncio.Future[Event] | None) -> None:
        if pending is not None and pending is self._pending and not pending.done() and self._down is None:
            self._write(b"\r")

    async def _late_proof(self, command: Command) -> Response:
        """The answer of a command whose payload was given, if it comes while getting in step."""
        try:
            late = await self._get_in_step()
        except LinkLost as e:
            raise PayloadUnanswered(f"{command.line[:60]}: the link was lost before the answer.") from e
        if not late:
            raise PayloadUnanswered(f"{command.line[:60]}: the modem took it and never answered.")
        return Response(command.line, late, OK)

    async def _put(self, data: bytes, timeout: float) -> Event:
        """Write, and wait for what the engine makes of the answer. Raises TimeoutError, LinkLost."""
        self._check()
        pending: asyncio.Future[Event] = asyncio.get_running_loop().create_future()
        self._pending = pending
        try:
            self._write(data)
            async with asyncio.timeout(timeout):
                return await pending
        except TimeoutError:
            if pending.done() and not pending.cancelled():
                return pending.result()  # it came in the moment of the deadline
            raise
        finally:
            self._pending = None

    async def wake(self, *, timeout: float = RESYNC) -> bool:
        """One attempt to get in step with a modem that was just opened or is mute. Raises LinkLost."""
        async with self._turn(Priority.URGENT):
            self._check()
            try:
                await self._put(self._engine.expire(), timeout)
            except TimeoutError:
                return False
            await self._quiet()
            self._in_step = True
            return True

    async def _get_in_step(self) -> tuple[str, ...]:
        """Returns what the expired command still answered. Raises LinkLost, for all, when the modem is mute."""
        for _ in range(RESYNC_TRIES):
            try:
                event = await self._put(self._engine.expire(), RESYNC)
            except TimeoutError:
                continue
            assert isinstance(event, Resynced)
            if not event.certain:
                await self._quiet()
            self._in_step = True
            return event.late
        self.lose("The modem is mute: it does not answer.", "mute")
        raise LinkLost("The modem is mute: it does not answer.", "mute")

    async def _quiet(self) -> None:
        """Wait until the modem has said nothing for a while."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(QUIET_MOST):
                while await self._hears_within(QUIET):
                    continue

    async def _hears_within(self, wait: float) -> bool:
        self._heard.clear()
        try:
            async with asyncio.timeout(wait):
                return await self._heard.wait()
        except TimeoutError:
            return False
