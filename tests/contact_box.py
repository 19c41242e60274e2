"""A centre with contacts in virtual time: the journal and the fold are real, texts and calls are played."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

from appliance import alert_events as al
from appliance.alert_state import ContactDelivery
from appliance.alerting.contacts import Contacts
from appliance.alerting.recipients import resolve
from appliance.alerting.telling import Telling
from appliance.annunciator_config import AnnunciatorConfig
from appliance.call_events import CallDialled, CallKey
from appliance.commands import IssueAlert, StopAlert, TellRecipients
from appliance.config import Site, Station
from appliance.config_alerting import Contact, Group
from appliance.entry import Entry
from appliance.event import Event
from appliance.events import CallAnswered, CallEnded, SmsReceived
from appliance.fold import apply
from appliance.journal import Journal
from appliance.model import About, Role
from appliance.sms_events import SmsDelivered, SmsQueued, SmsSending, SmsSent, SmsUndelivered
from appliance.sound.spoken import Spoken
from appliance.state import Alert, State
from drivers.clock import VirtualClock

ALERT = "00000000000000aa"
CODE = "270"  # of ALERT
NUMBERS = {"rsud": "+62811000001", "rsal": "+62811000002", "pmi": "+62811000003"}
E = TypeVar("E", bound=Event)
Story = Callable[["Box"], Awaitable[None]]


def a_site(**more: Any) -> Site:
    keys: dict[str, Any] = {
        "station": (Station(id="sta", number=1, name="A"),),
        "contact": (
            Contact(id="rsud", name="RSUD", sms=NUMBERS["rsud"], voice="+62911000001"),
            Contact(id="rsal", name="RSAL", voice="+62911000002", language="en"),
            Contact(id="pmi", name="PMI", sms=NUMBERS["pmi"]),
        ),
        "group": (
            Group(id="hospitals", name="H", members=("rsud", "rsal", "pmi"), mode="first", wait_s=60),
            Group(id="all", name="A", members=("rsud", "rsal", "pmi")),
        ),
    }
    box = AnnunciatorConfig(socket="a", factory="mock")
    return Site(role=Role.CENTRE, site="s", id="c", name="PK 112", annunciator=box, **(keys | more))


class Box:
    """`texts` says what becomes of a text to a number: "delivered", "undelivered", "silent"; `calls` what of a call."""

    def __init__(self, folder: Path, clock: VirtualClock, site: Site | None = None) -> None:
        self.folder, self.clock, self.site = folder, clock, site or a_site()
        self.texts: dict[str, str] = {}
        self.calls: dict[str, str] = {}
        self.lines = 1
        self.said: list[tuple[str, str]] = []  # number, text of calls
        self.sent: list[tuple[str, str]] = []  # number, text
        self.hung_up: list[str] = []
        self.boot = "boot"
        self._playing: set[asyncio.Task[None]] = set()
        self._live = 0
        self.start()

    # A life of the process

    def start(self) -> None:
        self.state, self.events = State(), list[Event]()
        self.contacts: Contacts | None = None
        self.journal = Journal(self.folder / "journal.db", self.clock, self.boot, lambda: "ntp", self._on_entry)
        self.journal.open()
        self.clock.busy = lambda: self.journal.writing
        self.contacts = Contacts(
            site=self.site, state=self.state, clock=self.clock, boot=self.boot, append=self.journal.append,
            give=self._give, mouth=self,
        )  # fmt: skip
        self.telling = Telling(state=self.state, append=self.journal.append, stop=self._stop)
        self._running = asyncio.create_task(self.contacts.run())
        for row in [m for m in self.state.outgoing.values() if not m.over and not m.attempts]:
            self._play(self._carry(row.id, row.number))

    async def end(self) -> None:
        for task in self._playing:
            task.cancel()
        self._running.cancel()
        await asyncio.wait({self._running, *self._playing})
        self.journal.close()

    def _on_entry(self, entry: Entry) -> None:
        apply(self.state, entry)
        self.events.append(entry.event)
        if self.contacts is not None:
            self.contacts.wake()

    def append(self, event: Event) -> None:
        self.journal.append(event)

    # Texts and calls

    async def _give(self, number: str, text: str, *, lifetime_s: int, key: str) -> str:
        message = f"{abs(hash(key)):08x}"[:8]
        if message not in self.state.outgoing:
            self.append(SmsQueued(message=message, number=number, purpose="alert", text=text, lifetime_s=lifetime_s))
            self.sent.append((number, text))
            self._play(self._carry(message, number))
        await asyncio.sleep(0.1)
        return message

    async def _carry(self, message: str, number: str) -> None:
        fate = self.texts.get(number, "delivered")
        await asyncio.sleep(4.0)
        ids: dict[str, str] = {"message": message, "number": number, "purpose": "alert"}
        if fate == "undelivered":
            self.append(SmsUndelivered(**ids, reason="refused"))
            return
        self.append(SmsSending(line="l1", **ids, parts=1, again=False))
        self.append(SmsSent(line="l1", **ids, references=(1,)))
        await asyncio.sleep(2.0)
        if fate == "delivered":
            self.append(SmsDelivered(line="l1", **ids))

    def _play(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._playing.add(task)
        task.add_done_callback(self._playing.discard)

    def free(self) -> int:
        return self.lines - self._live

    async def speak(self, number: str, texts: Any, on_dialled: Callable[[str, str], None], decline: str = "") -> Spoken:
        if self.free() < 1:
            return Spoken("no_line")
        self._live += 1
        call = f"call{len(self.said)}-{self.boot}"
        self.said.append((number, texts[0][1]))
        fate = self.calls.get(number, "heard")
        self.append(CallDialled(line="l1", call=call, number=number, why="text"))
        on_dialled("l1", call)
        try:
            await asyncio.sleep(8.0)
            if fate == "no_answer":
                await asyncio.sleep(30.0)
                return Spoken("no_answer", "l1", call)
            self.append(CallAnswered(line="l1", call=call))
            await asyncio.sleep(10.0)
            if fate in ("heard", "declined"):
                self.append(CallKey(line="l1", call=call, key="1" if fate == "heard" else "2", source="sound"))
            return Spoken(fate, "l1", call)
        finally:
            self._live -= 1
            await self.hang_up("l1", call, "box")

    async def hang_up(self, line: str, call: str, actor: str) -> object:
        if call in self.state.calls and self.state.calls[call].live:
            self.hung_up.append(call)
            self.append(CallEnded(line="l1", call=call, seconds=0.0, reason="operator"))
        return {}

    def reply(self, contact: str, text: str) -> None:
        name = f"in{len(self.events):06d}"
        self.append(SmsReceived(line="l1", message=name, number=NUMBERS[contact], text=text, parts=1))

    # Orders

    def issue(self, alert: str = ALERT, lifetime_s: int = 300, **keys: Any) -> None:
        command = IssueAlert(**keys)
        to = resolve(self.site, command)
        self.append(
            al.AlertIssued(
                alert=alert, alert_kind=command.alert_kind, pattern="wail", seconds=60, lifetime_s=lifetime_s,
                incident_code=0, stations=to.stations, via="page", zones=to.zones, groups=to.groups,
                contacts=to.contacts, sequences=to.sequences, text=command.text, language=command.language,
                priority=command.priority, paths=tuple(command.paths),
            )
        )  # fmt: skip

    async def _stop(self, command: StopAlert, actor: str) -> Any:
        for alert in command.alerts:
            self.append(al.AlertStopped(alert=alert, via="page"))
        return {}

    async def tell(self, about: About, text: str = "", alert: str = ALERT) -> Any:
        return await self.telling.tell(TellRecipients(alert=alert, about=about, text=text), "ani")

    # What came of it

    @property
    def alert(self) -> Alert:
        return self.state.alerts[ALERT]

    def contact(self, name: str) -> ContactDelivery:
        return self.alert.contacts[name]

    def states(self) -> dict[str, str]:
        return {name: str(c.state) for name, c in self.alert.contacts.items()}

    def all(self, kind: type[E]) -> list[E]:
        return [e for e in self.events if isinstance(e, kind)]


def play(folder: Path, story: Story, site: Site | None = None) -> None:
    """Let a story happen in a time of its own."""

    async def main() -> None:
        box = Box(folder, clock, site)
        try:
            await story(box)
        finally:
            await box.end()

    clock = VirtualClock()
    clock.run(main())
