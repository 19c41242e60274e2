"""The short message service centre of the simulated network: takes SUBMITs, stores, delivers, reports.

Messages to a phone go one after another, each only after the phone acknowledged the one before.
"""

import asyncio
import itertools
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from drivers.sim import sms_pdu
from drivers.sim.sms_text import UserData

DELIVERY_S = 1.5  # s from the centre's acceptance to the recipient; one to two on a quiet network
RADIO_S = 1.0  # s that AT+CMGS waits for the network's acceptance
TRANSFER_S = 0.3  # s that one message to a phone keeps the radio link
RETRY_S = 60.0  # s; first retry of a real centre when a phone refused or did not answer
VALIDITY_S = 72 * 3600.0  # s; usual default of operators
TRYING_S = 5.0  # s between a report that says "still trying" and the final one
MAILBOX = 500  # messages held for one phone
OUTBOX = 1000  # messages to numbers outside that are remembered


class Handset(Protocol):
    """A phone as the centre sees it."""

    @property
    def number(self) -> str: ...
    async def take_message(self, tpdu: bytes) -> bool:
        """Give it a DELIVER or STATUS-REPORT; False when it did not acknowledge."""
        ...


@dataclass(frozen=True)
class Report:
    """Whom to tell what became of a message."""

    sender: str
    reference: int
    recipient: str
    sent: float
    fate: str = ""


@dataclass(frozen=True)
class Held:
    tpdu: bytes
    due: float  # loop time
    expires: float
    report: Report | None = None


@dataclass
class Mailbox:
    handset: Handset
    held: asyncio.Queue[Held] = field(default_factory=lambda: asyncio.Queue(MAILBOX))
    wake: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(frozen=True)
class Sent:
    """A message to a number outside, part by part as it was submitted."""

    origin: str
    destination: str
    data: UserData
    pid: int
    wall: float
    wants_report: bool
    count: int  # which one it is of all

    def described(self) -> dict[str, Any]:
        return {
            "count": self.count,
            "from": self.origin,
            "to": self.destination,
            "text": self.data.text,
            "payload": self.data.payload.hex(),
            "header": {f"{kind:02x}": value.hex() for kind, value in self.data.header.items()},
            "dcs": self.data.dcs,
            "report": self.wants_report,
            "at": self.wall,
        }


LOST, FAILED, TRYING, TWICE = "lost", "failed", "trying", "twice"
FATES = (LOST, FAILED, TRYING, TWICE)  # what can be ordered to become of a status report


class Refused(Exception):
    """The network did not take the message; `code` is the +CMS ERROR."""

    def __init__(self, code: int) -> None:
        super().__init__(f"+CMS ERROR: {code}")
        self.code = code


class SmsCentre:
    """`canonical` turns what was dialled into the number that a phone is known by."""

    def __init__(self, wall: Callable[[], float], canonical: Callable[[str], str], zone_s: int) -> None:
        self._wall, self._canonical, self._zone_s = wall, canonical, zone_s
        self._mailboxes: dict[str, Mailbox] = {}
        self._references, self._taken = itertools.count(1), itertools.count(1)
        self.delivery_s, self.radio_s, self.retry_s = DELIVERY_S, RADIO_S, RETRY_S
        self.outbox: deque[Sent] = deque(maxlen=OUTBOX)
        self.lost = 0  # expired, or refused by a full mailbox
        self.heeds_validity = True
        self._held_until = 0.0  # loop time; nothing is delivered before
        self._released = asyncio.Event()
        self._fates: dict[str, list[str]] = {}

    def attach(self, handset: Handset) -> None:
        self._mailboxes[handset.number] = Mailbox(handset)

    async def run(self) -> None:
        """Deliver until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for mailbox in self._mailboxes.values():
                tasks.create_task(self._serve(mailbox))

    def awake(self, handset: Handset) -> None:
        """The phone has memory or network again: retry now."""
        self._mailboxes[handset.number].wake.set()

    def hold(self, seconds: float) -> None:
        """Deliver nothing for so long, neither messages nor reports; 0 lets go."""
        self._held_until = asyncio.get_running_loop().time() + seconds
        self._released.set()

    def order_fate(self, sender: Handset, fate: str, times: int) -> None:
        """What becomes of the reports of a phone's next messages: one of FATES. Raises ValueError."""
        if fate not in FATES:
            raise ValueError(f"fate is {fate!r}; it can be {', '.join(FATES)}")
        self._fates[sender.number] = [fate] * times

    def waiting(self, handset: Handset) -> int:
        return self._mailboxes[handset.number].held.qsize()

    def accept(self, origin: str, reference: int, submit: sms_pdu.Submit) -> None:
        """Take a SUBMIT of a phone of ours. Raises Refused."""
        destination = self._canonical(submit.destination)
        report = None
        if submit.wants_report:
            fates = self._fates.get(origin)
            report = Report(origin, reference, submit.destination, self._wall(), fates.pop() if fates else "")
        if destination in self._mailboxes:
            tpdu = sms_pdu.deliver(origin, submit.data, self._wall(), self._zone_s, submit.pid)
            if not self._hold(destination, tpdu, submit.validity_s, report):
                raise Refused(322)
            return
        sent = Sent(origin, destination, submit.data, submit.pid, self._wall(), submit.wants_report, next(self._taken))
        self.outbox.append(sent)
        if report:
            self._tell(report, sms_pdu.ST_RECEIVED, self._wall() + self.delivery_s)

    def post(self, origin: str, destination: str, parts: list[UserData]) -> None:
        """Messages of a phone outside. Raises ValueError when the destination's mailbox is full."""
        for data in parts:
            tpdu = sms_pdu.deliver(origin, data, self._wall(), self._zone_s)
            if not self._hold(destination, tpdu, None, None):
                raise ValueError(f"{destination} has {MAILBOX} messages waiting already")

    def post_raw(self, destination: str, tpdu: bytes) -> None:
        """Raises ValueError when the destination's mailbox is full."""
        if not self._hold(destination, tpdu, None, None):
            raise ValueError(f"{destination} has {MAILBOX} messages waiting already")

    def next_reference(self) -> int:
        """A concatenation reference for a phone outside."""
        return next(self._references) & 0xFF

    def _hold(
        self, destination: str, tpdu: bytes, validity_s: float | None, report: Report | None, later_s: float = 0.0
    ) -> bool:
        now = asyncio.get_running_loop().time()
        validity = VALIDITY_S if validity_s is None or not self.heeds_validity else validity_s
        try:
            self._mailboxes[destination].held.put_nowait(
                Held(tpdu, now + self.delivery_s + later_s, now + validity, report)
            )
        except asyncio.QueueFull:
            self.lost += 1
            return False
        return True

    async def _serve(self, mailbox: Mailbox) -> None:
        loop = asyncio.get_running_loop()
        while True:
            held = await mailbox.held.get()
            await asyncio.sleep(max(0.0, held.due - loop.time()))
            while (wait := self._held_until - loop.time()) > 0:
                self._released.clear()
                await _wait(self._released, wait)
            delivered = False
            while not delivered and loop.time() < held.expires:
                mailbox.wake.clear()
                delivered = await mailbox.handset.take_message(held.tpdu)
                if not delivered:
                    await _wait(mailbox.wake, min(self.retry_s, held.expires - loop.time()))
            self.lost += not delivered
            await asyncio.sleep(TRANSFER_S)
            if held.report:
                status = sms_pdu.ST_RECEIVED if delivered else sms_pdu.ST_EXPIRED
                self._tell(held.report, status, self._wall())

    def _tell(self, report: Report, status: int, done: float) -> None:
        fate = report.fate
        if fate == LOST:
            return
        if fate == TRYING:
            self._report(report, sms_pdu.ST_TRYING, done, 0.0)
        if fate == TWICE:
            self._report(report, status, done, 0.0)
        final = sms_pdu.ST_FAILED if fate == FAILED else status
        self._report(report, final, done, TRYING_S if fate == TRYING else 0.0)

    def _report(self, report: Report, status: int, done: float, later_s: float) -> None:
        tpdu = sms_pdu.status_report(report.reference, report.recipient, report.sent, done, self._zone_s, status)
        self._hold(report.sender, tpdu, None, None, later_s)


async def _wait(event: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(max(0.0, seconds)):
            await event.wait()
    except TimeoutError:
        return
