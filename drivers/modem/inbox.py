"""Messages and reports that lie in a modem's memory: read after each announcement, at start, and every minute anyway.

Nothing is deleted here: the owner stores durably first and then calls `delete()`.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable

from drivers.modem import answers
from drivers.modem.answers import AnswerError, Stored, StoredPdu
from drivers.modem.at import Urc
from drivers.modem.errors import CommandRefused, NotDone
from drivers.modem.events import InitRefused, ModemEvent, SmsMemory, SmsPartReceived, SmsReport, SmsUnreadable
from drivers.modem.exchange import Exchange, Priority
from drivers.modem.pdu import Deliver, PduError, decode, direction_of

SWEEP_EVERY = 60.0  # s; finds what was never announced: a full memory, a modem that forgot +CNMI
RETRY = 5.0  # s after an entry that could not be read
LIST = 20.0  # s; a full memory at 115200 baud takes six
MAX_ANNOUNCED = 256  # announcements not read yet; beyond that a sweep finds the rest
MAX_KNOWN = 1024  # entries told and not deleted yet; a memory holds 255

REPORTS = "SR"  # the memory of delivery reports
NO_SMSC = b"\x00"  # in front of a PDU whose modem left the service centre's address out

# Announce messages that were stored, and: reports stored and announced; reports handed over; no reports.
ANNOUNCE = ("AT+CNMI=2,1,0,2,0", "AT+CNMI=2,1,0,1,0", "AT+CNMI=2,1,0,0,0", "AT+CNMI=1,1")


class Inbox:
    """One session's reading of the modem's memories; a modem that came back is read anew."""

    def __init__(self, exchange: Exchange, on_event: Callable[[ModemEvent], None]) -> None:
        self._exchange, self._on_event = exchange, on_event
        self._wanted: OrderedDict[tuple[str, int], None] = OrderedDict()
        self._wake = asyncio.Event()
        self._sweep_due = False
        self._acknowledge = False
        self._known: dict[tuple[str, int], bytes] = {}
        self._memory = ""  # the one that reads and deletes are about, "" when not known
        self._received_in = ""
        self._reports_stored = False
        self._fullness: tuple[int, int] | None = None
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
        """+CMT or +CDS brought the PDU itself, against or with our wish."""
        try:
            pdu = bytes.fromhex(urc.data or "")
            length = int(urc.line.rpartition(",")[2].rpartition(":")[2])
        except ValueError:
            self._on_event(SmsUnreadable(None, urc.data or "", f"{urc.line[:60]!r} came without its PDU."))
            return
        self._tell(None, None, StoredPdu(0, length, pdu))
        self._acknowledge = True
        self._wake.set()

    async def start(self) -> None:
        """Have messages stored and announced. Raises LinkLost; what is refused is told."""
        self._memory = ""
        await self._announce()
        await self._look_at_memory()
        self._sweep_due = True
        self._wake.set()

    async def _announce(self) -> None:
        refused = ""
        for line in ANNOUNCE:
            try:
                await self._exchange.ask(line)
            except NotDone as e:
                refused = refused or str(e)
                continue
            self._reports_stored = line == ANNOUNCE[0]
            return
        self._on_event(InitRefused(ANNOUNCE[0], refused))

    async def _look_at_memory(self) -> None:
        """Which memory messages come into, and how full it is."""
        try:
            response = await self._exchange.ask("AT+CPMS?")
            memories = answers.cpms(response.lines[0] if response.lines else "")
            receiving = memories[-1]
        except (NotDone, AnswerError, IndexError):
            return
        self._received_in = receiving.name
        self._memory = memories[0].name
        if (receiving.used, receiving.total) != self._fullness:
            self._fullness = (receiving.used, receiving.total)
            self._on_event(SmsMemory(receiving.name, receiving.used, receiving.total))

    async def run(self) -> None:
        """Read whatever turns up. Raises LinkLost."""
        wait = SWEEP_EVERY
        while True:
            try:
                async with asyncio.timeout(wait):
                    await self._wake.wait()
            except TimeoutError:
                self._sweep_due = True
            self._wake.clear()
            wait = SWEEP_EVERY
            try:
                await self._read_all()
            except NotDone:
                wait = RETRY

    async def _read_all(self) -> None:
        if self._acknowledge:
            self._acknowledge = False
            await self._acknowledged()
        while self._wanted:
            (memory, index), _ = self._wanted.popitem(last=False)
            async with self._choosing:
                await self._read(memory, index)
        if self._sweep_due:
            await self._look_at_memory()
            async with self._choosing:
                await self._sweep(self._received_in)
                if self._reports_stored and self._received_in != REPORTS:
                    await self._sweep(REPORTS)
            self._sweep_due = False

    async def _acknowledged(self) -> None:
        try:
            await self._exchange.ask("AT+CNMA")
        except NotDone:
            return  # AT+CSMS=0: this modem wants none

    async def _choose(self, memory: str) -> None:
        if memory in ("", self._memory):
            return
        self._memory = ""
        await self._exchange.ask(f'AT+CPMS="{memory}"')
        self._memory = memory

    async def _read(self, memory: str, index: int) -> None:
        await self._choose(memory)
        response = await self._exchange.ask(f"AT+CMGR={index}", priority=Priority.NORMAL)
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
            if memory != REPORTS:
                raise
            self._reports_stored = False  # not a memory that can be chosen here: +CDSI tells where else they lie
            return
        response = await self._exchange.ask("AT+CMGL=4", timeout=LIST)
        for entry in answers.cmgl(response.lines):
            if isinstance(entry, StoredPdu) and entry.index is not None:
                self._found(memory, entry.index, entry)

    def _found(self, memory: str, index: int, stored: StoredPdu) -> None:
        # The same octets under another name are the same message: some memories are a view of others.
        if stored.state not in (0, 1) or stored.pdu in self._known.values():
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
        """Free the place, once for each event, if what was told still lies there. Raises ModemError.

        Places are re-used at once: without a look a repeated call would delete a message that nobody has seen.
        """
        memory = self._received_in if memory is None else memory
        async with self._choosing:
            told = self._known.get((memory, index))
            if told is None:
                return
            await self._choose(memory)
            if await self._lies_at(index) == told:
                await self._exchange.ask(f"AT+CMGD={index}", priority=Priority.NORMAL)
            self._known.pop((memory, index), None)

    async def _lies_at(self, index: int) -> bytes | None:
        try:
            response = await self._exchange.ask(f"AT+CMGR={index}", priority=Priority.NORMAL)
            stored = answers.cmgr(response.lines)
        except (CommandRefused, AnswerError):
            return None
        return stored.pdu if stored else None
