"""Messages and reports that come in: read from the modem's memories after each announcement, at start, every minute.

Nothing is deleted or acknowledged before its owner has it: the owner stores durably first and then calls `delete()`.
"""

import asyncio
import contextlib
import re
from collections import OrderedDict
from collections.abc import Callable

from drivers.modem import answers
from drivers.modem.answers import AnswerError, Storage, Stored, StoredPdu
from drivers.modem.at import Urc
from drivers.modem.errors import CommandRefused, NotDone
from drivers.modem.events import (
    HANDED_OVER,
    ModemEvent,
    SmsMemory,
    SmsPartReceived,
    SmsReport,
    SmsTextReceived,
    SmsUnreadable,
)
from drivers.modem.exchange import Exchange, Priority
from drivers.modem.pdu import Deliver, PduError, decode, direction_of
from drivers.modem.routing import GIVEN_UP, Handover, Routing

SWEEP_EVERY = 60.0  # s; finds what was never announced: a full memory, a modem that forgot +CNMI
RETRY = 5.0  # s after an entry that could not be read
LIST = 20.0  # s; a full memory at 115200 baud takes six
MAX_ANNOUNCED = 256  # announcements not read yet; beyond that a sweep finds the rest
MAX_KNOWN = 1024  # entries told and not deleted yet; a memory holds 255

SIM, MODEM, REPORTS = "SM", "ME", "SR"  # memories; others are views of these
NEARLY_FULL = 0.8  # of a memory; once it was emptied from there it is looked at again
EMPTY = 321  # +CMS ERROR: no message lies there
SERVICE_CENTRE_TIME = re.compile(r"[0-9]{2}/[0-9]{2}/[0-9]{2},")  # 3GPP TS 27.005 clause 3.1, <scts>
NO_SMSC = b"\x00"  # in front of a PDU whose modem left the service centre's address out


class Inbox:
    """One session's reading of the modem's memories; a modem that came back is read anew."""

    def __init__(self, exchange: Exchange, on_event: Callable[[ModemEvent], None]) -> None:
        self._exchange, self._on_event = exchange, on_event
        self._wanted: OrderedDict[tuple[str, int], None] = OrderedDict()
        self._wake = asyncio.Event()
        self._sweep_due = False
        self._text_mode = False  # another program left the modem so
        self._sweep_at = asyncio.get_running_loop().time() + SWEEP_EVERY
        self._routing, self._handover = Routing(exchange, on_event), Handover(exchange)
        self._known: dict[tuple[str, int], bytes] = {}
        self._memory = ""  # the one that reads and deletes are about, "" when not known
        self._received_in = ""
        self._readable: tuple[str, ...] | None = None  # memories, None when not asked yet
        self._fullness: dict[str, tuple[int, int]] = {}  # used and all places
        self._choosing = asyncio.Lock()  # between choosing a memory and using it nobody else chooses

    def announced(self, stored: Stored) -> None:
        """+CMTI or +CDSI named a place to read."""
        if len(self._wanted) < MAX_ANNOUNCED:
            self._wanted[stored.memory or self._received_in, stored.index] = None
        else:
            self._sweep_due = True
        self._wake.set()

    def look(self) -> None:
        """Something came in, and it is not known where."""
        self._sweep_due = True
        self._wake.set()

    def handed_over(self, urc: Urc) -> None:
        """+CMT or +CDS brought the PDU itself, against or with our wish.

        What came damaged is told and never acknowledged: the network brings it again.
        """
        try:
            pdu = bytes.fromhex(urc.data or "")
            length = int(urc.line.rpartition(",")[2].rpartition(":")[2])
            if not pdu or len(pdu) not in (length, length + 1 + pdu[0]):
                raise ValueError(length)
        except ValueError:
            if urc.name == "+CMT" and (written := _in_text_mode(urc)) is not None:
                self._on_event(written)
                self._text_mode = True
                self._lost_its_way()
                return
            self._on_event(SmsUnreadable(None, urc.data or "", f"{urc.line[:60]!r} came without its PDU."))
            return
        number = self._handover.came()
        if not self._routing.direct and (urc.name == "+CMT" or self._routing.reports_stored):
            self._lost_its_way()
        self._tell(HANDED_OVER, number, StoredPdu(0, length, pdu))

    def _lost_its_way(self) -> None:
        """The modem does otherwise than told, or stops to hand over: tell it again, look what it stored."""
        self._sweep_by(GIVEN_UP)
        self.look()

    def _sweep_by(self, seconds: float) -> None:
        self._sweep_at = min(self._sweep_at, asyncio.get_running_loop().time() + seconds)

    async def start(self, *, direct: bool = False) -> None:
        """Have messages stored and announced, or handed over. Raises LinkLost; what is refused is told."""
        self._memory, self._readable = "", None
        if direct:
            await self._handover.refuse()  # what nobody acknowledges any more, since the process before this one ended
        await self._routing.set(direct=direct)
        await self._look_at_memories()
        if direct:
            self._sweep_by(GIVEN_UP)  # a modem that knows no refusal undoes then what it was told now
        self._sweep_due = True
        self._wake.set()

    async def _look_at_memories(self) -> None:
        """Which memory messages come into, which others there are, and how full it is."""
        try:
            response = await self._exchange.ask("AT+CPMS?")
            memories = answers.cpms(response.lines[0] if response.lines else "")
            receiving = memories[-1]
        except (NotDone, AnswerError, IndexError):
            return
        self._received_in = receiving.name
        self._memory = memories[0].name
        for storage in dict.fromkeys((memories[0], receiving)):
            self._full(storage)

    async def _swept(self) -> tuple[str, ...]:
        """Memories. Messages for the SIM (class 2) are stored there wherever others go, reports apart."""
        if self._readable is None:
            try:
                response = await self._exchange.ask("AT+CPMS=?")
                self._readable = answers.cpms_readable(response.lines[0] if response.lines else "")
            except (NotDone, AnswerError):
                self._readable = (REPORTS,)
        wanted = (SIM, MODEM) + (REPORTS,) * self._routing.reports_stored
        others = (name for name in wanted if name in self._readable and name != self._received_in)
        return (self._received_in, *others)

    def _full(self, storage: Storage) -> None:
        """Tell when that changed."""
        now = storage.used, storage.total
        if storage.total and self._fullness.get(storage.name) != now:
            self._fullness[storage.name] = now
            self._on_event(SmsMemory(storage.name, *now))

    async def run(self) -> None:
        """Read whatever turns up. Raises LinkLost."""
        now = asyncio.get_running_loop().time
        while True:
            try:
                async with asyncio.timeout_at(self._sweep_at):
                    await self._wake.wait()
            except TimeoutError:
                self._sweep_due = True
            self._wake.clear()
            if now() >= self._sweep_at:
                self._sweep_at = now() + SWEEP_EVERY
            try:
                await self._read_all()
            except NotDone:
                self._sweep_by(RETRY)

    async def _read_all(self) -> None:
        while self._wanted:
            (memory, index), _ = self._wanted.popitem(last=False)
            async with self._choosing:
                await self._read(memory, index)
        if self._sweep_due:
            self._sweep_due = False
            try:
                await self._look_around()
            except NotDone:
                self._sweep_due = True
                raise

    async def _look_around(self) -> None:
        """Read all memories; the one that messages come into is chosen again at the end."""
        if self._text_mode:
            await self._exchange.ask("AT+CMGF=0", priority=Priority.NORMAL)
            self._text_mode = False
        await self._routing.renew()
        await self._look_at_memories()
        for memory in await self._swept():
            async with self._choosing:
                await self._sweep(memory)
        async with self._choosing:
            await self._choose(self._received_in)

    async def _choose(self, memory: str) -> None:
        if memory in ("", self._memory):
            return
        self._memory = ""
        response = await self._exchange.ask(f'AT+CPMS="{memory}"', priority=Priority.NORMAL)
        self._memory = memory
        with contextlib.suppress(AnswerError, IndexError):
            chosen = answers.cpms(response.lines[0])[0]
            self._full(Storage(memory, chosen.used, chosen.total))

    async def _read(self, memory: str, index: int) -> None:
        await self._choose(memory)
        try:
            response = await self._exchange.ask(f"AT+CMGR={index}", priority=Priority.NORMAL)
        except CommandRefused as e:
            if e.code != EMPTY:
                self._sweep_by(RETRY)
            return  # a sweep was here before the announcement was read; the others must not wait for this one
        try:
            stored = answers.cmgr(response.lines)
        except AnswerError as e:
            self._on_event(SmsUnreadable(index, " ".join(response.lines[1:])[:400], str(e), memory))
            return
        if stored is not None:
            self._found(memory, index, stored)

    async def _sweep(self, memory: str) -> None:
        try:
            await self._choose(memory)
        except CommandRefused:
            if memory == self._received_in:
                raise
            return  # not a memory that can be chosen here: +CMTI and +CDSI tell where else things lie
        response = await self._exchange.ask("AT+CMGL=4", timeout=LIST)
        for entry in answers.cmgl(response.lines):
            if isinstance(entry, StoredPdu) and entry.index is not None:
                self._found(memory, entry.index, entry)

    def _found(self, memory: str, index: int, stored: StoredPdu) -> None:
        # The same octets in another memory are the same message: some memories are a view of others.
        views = (
            name
            for (name, place), pdu in self._known.items()
            if pdu == stored.pdu and (name != memory or place == index)
        )
        if stored.state not in (0, 1) or any(views):
            return
        if len(self._known) >= MAX_KNOWN:
            self._known.clear()  # telling twice is harmless, forgetting is not
        self._known[memory, index] = stored.pdu
        self._tell(memory, index, stored)

    def _tell(self, memory: str | None, index: int | None, stored: StoredPdu) -> None:
        try:
            direction = direction_of(stored.pdu, has_smsc=stored.has_smsc)
            message = decode(stored.pdu, has_smsc=stored.has_smsc, direction=direction)
        except PduError as e:
            self._on_event(SmsUnreadable(index, stored.pdu.hex().upper(), str(e), memory))
            return
        if isinstance(message, Deliver):
            pdu = stored.pdu if stored.has_smsc else NO_SMSC + stored.pdu
            self._on_event(SmsPartReceived(index, message, memory, pdu.hex().upper()))
        else:
            self._on_event(SmsReport(index, message, memory))

    async def delete(self, index: int, memory: str | None) -> None:
        """Free the place, once for each event, if what was told still lies there; or acknowledge what was handed over.

        Raises ModemError. Places are re-used at once: without a look a repeated call would delete a message that nobody
        has seen.
        """
        if memory == HANDED_OVER:
            if not await self._handover.acknowledge(index):
                if self._routing.direct:
                    await self._handover.refuse()
                self._lost_its_way()
            return
        memory = self._received_in if memory is None else memory
        async with self._choosing:
            told = self._known.get((memory, index))
            if told is None:
                return
            await self._choose(memory)
            if await self._lies_at(index) == told:
                await self._exchange.ask(f"AT+CMGD={index}", priority=Priority.NORMAL)
            self._known.pop((memory, index), None)
        used, total = self._fullness.get(memory, (0, 0))
        if not self._known and used >= NEARLY_FULL * total > 0:
            self.look()  # it has room again, and what came meanwhile was perhaps not announced

    async def _lies_at(self, index: int) -> bytes | None:
        try:
            response = await self._exchange.ask(f"AT+CMGR={index}", priority=Priority.NORMAL)
            stored = answers.cmgr(response.lines)
        except (CommandRefused, AnswerError):
            return None
        return stored.pdu if stored else None


def _in_text_mode(urc: Urc) -> SmsTextReceived | None:
    """A +CMT of text mode: `+CMT: "+62811...",,"22/11/26,10:00:00+28"` and the text; None for any other."""
    parts = answers.fields(urc.line, "+CMT")
    if len(parts) < 3 or not any(SERVICE_CENTRE_TIME.match(part) for part in parts[1:]):
        return None
    stamp = next(part for part in parts[1:] if SERVICE_CENTRE_TIME.match(part))
    return SmsTextReceived(parts[0], urc.data or "", stamp)
