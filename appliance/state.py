"""State: what the journal's events add up to. `fold.apply` makes it; pages, machines and restarts all read it."""

import msgspec

from appliance.alarm_state import Alarm, AlarmRecord
from appliance.alert_state import ContactDelivery, Lockout, OwnState, Revoked, StationHealth, StationTestRecord, Told
from appliance.call_events import VoiceProven
from appliance.desk_state import DeskRecord
from appliance.model import AlertKind, CallPhase, DeliveryState, Mains, OutgoingState, Path, Purpose
from appliance.power_order_state import PlantOrders
from appliance.power_state import Genset, GensetRecord, Ups, UpsRecord
from appliance.stamp import Stamp

# A later answer never takes a delivery back: `received` that arrives behind `energised` changes nothing.
CERTAINTY = {
    DeliveryState.QUEUED: 0,
    DeliveryState.SENT: 1,
    DeliveryState.REFUSED: 2,
    DeliveryState.RECEIVED: 3,
    DeliveryState.ENERGISED: 4,
    DeliveryState.PROVEN: 5,
    DeliveryState.EXPIRED: 6,
    DeliveryState.CANCELLED: 6,
    DeliveryState.FAILED: 6,
    DeliveryState.ENDED: 7,
}
OVER = {DeliveryState.ENDED, DeliveryState.EXPIRED, DeliveryState.CANCELLED, DeliveryState.FAILED}
SETTLING = (DeliveryState.ENDED, DeliveryState.CANCELLED)
STOP_CARDS = ("stop_not_seen", "stop_not_heard", "end_not_seen")  # reasons of a card for a siren that may sound on


# Neither is in a cycle, and an order makes thousands: the collector of cycles need not look at them.
class Attempt(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    path: Path
    action: str
    sequence: int
    at: Stamp
    failed: str = ""


class Delivery(msgspec.Struct, gc=False, omit_defaults=True):
    station: str
    state: DeliveryState
    since: Stamp
    path: str = ""
    attempts: list[Attempt] = []
    energised: Stamp | None = None
    remaining_s: int | None = None  # that it would sound on, at `energised`
    acknowledged: Stamp | None = None
    silenced: Stamp | None = None
    card: Stamp | None = None
    card_reason: str = ""
    reason: str = ""
    proven: Stamp | None = None  # current or a feedback contact
    heard: Stamp | None = None  # by a microphone
    by: str = ""  # path by which a person acknowledged
    spoken: dict[str, Stamp] = {}  # by action: when somebody on the phone said that they understood
    call: tuple[str, str] = ("", "")  # line and id of the last one
    card_wait_s: int = 0
    told: dict[str, Stamp] = {}  # model.About: when its text went out
    untold: dict[str, str] = {}  # model.About: why its text did not
    handled: Stamp | None = None  # a person said what came of the card
    outcome: str = ""  # model.CardOutcome
    outcome_text: str = ""

    @property
    def unhandled(self) -> bool:
        """A card that waits for a person: neither the station's own word nor anybody's has settled it.

        The end of the order settles nothing: nobody knows whether they were phoned.
        """
        if self.card is None or self.handled is not None or self.state in SETTLING:
            return False
        if self.card_reason in STOP_CARDS:  # it sounds, or may: only its end settles that
            return True
        return not (self.acknowledged or self.energised or self.proven or self.heard)

    @property
    def over(self) -> bool:
        return self.state in OVER


class Alert(msgspec.Struct):
    id: str
    kind: AlertKind
    pattern: str
    seconds: int
    lifetime_s: int
    incident_code: int
    stations: tuple[str, ...]
    via: str
    key: str
    issued: Stamp
    stopped: Stamp | None = None
    ended: Stamp | None = None
    deliveries: dict[str, Delivery] = {}
    zones: dict[str, tuple[str, ...]] = {}
    groups: tuple[str, ...] = ()
    text: str = ""
    language: str = "id"
    priority: int = 2
    paths: tuple[str, ...] = ()
    test: str = ""
    contacts: dict[str, ContactDelivery] = {}
    told: list[Told] = []
    sequences: dict[str, tuple[str, ...]] = {}
    taken: dict[str, str] = {}  # by sequence: the contact that accepted, "" when nobody did

    @property
    def unhandled(self) -> bool:
        """A card of a real order waits for a person, though the order may have ended."""
        return self.kind is AlertKind.ACTUAL and any(d.unhandled for d in self.deliveries.values())

    @property
    def settled(self) -> bool:
        """Every delivery is over, and every contact reached or known not to be: the alert can end."""
        return all(d.over for d in self.deliveries.values()) and all(c.over for c in self.contacts.values())


class Call(msgspec.Struct):
    line: str
    id: str
    number: str | None
    phase: CallPhase
    began: Stamp
    since: Stamp  # of its phase
    reason: str = ""  # of its end
    direction: str = "in"  # "in", "out"
    why: str = ""  # of one that we dialled, as in CallDialled
    waiting: bool = False  # it rang behind another call at first
    answered: Stamp | None = None
    greeted: Stamp | None = None  # the box speaks, until `taken`
    taken: Stamp | None = None  # by a person, its actor; the last one
    place: str = ""  # where that person is: "browser", "headset"
    keys: str = ""  # that the other side pressed, the last ones
    refused: str = ""  # why it was not let in
    note: str = ""
    mark: str = ""

    @property
    def live(self) -> bool:
        return self.phase not in (CallPhase.ENDED, CallPhase.MISSED)


class Message(msgspec.Struct, frozen=True):
    line: str
    id: str
    number: str
    text: str
    at: Stamp


class SmsAttempt(msgspec.Struct):
    """One line's try at a message."""

    line: str
    at: Stamp
    parts: int
    again: bool  # the recipient may have it already, whole or in part
    ended: Stamp | None = None
    outcome: str = ""  # "" under way, "taken", "refused", "uncertain", "undelivered" by report
    reason: str = ""
    blame: str = ""
    references: tuple[int, ...] = ()
    reports: dict[int, int] = {}  # TP-ST of each part (from 0) that was reported on

    @property
    def may_have_arrived(self) -> bool:
        """Whether any part of it is or will be with the recipient, for all that is known."""
        return self.outcome == "uncertain" or any(
            self.reports.get(part, 0) < REPORTED_FAILED for part in range(len(self.references))
        )


class SpokenTry(msgspec.Struct):
    """One call that spoke a text to its recipient."""

    call: str
    line: str
    at: Stamp
    ended: Stamp | None = None
    outcome: str = ""  # "" under way, "heard", else why not


REPORTED_FAILED = 0x40  # TP-ST from here on: given up, 3GPP TS 23.040 clause 9.2.3.15


class Outgoing(msgspec.Struct):
    """A message that goes out, with its whole history."""

    id: str
    number: str
    purpose: Purpose
    text: str  # empty: data
    parts: int
    pinned: str  # the only line that may carry it, or an empty string
    lifetime_s: int
    once: bool
    queued: Stamp
    state: OutgoingState
    since: Stamp
    line: str = ""  # of the last attempt
    reason: str = ""
    attempts: list[SmsAttempt] = []
    spoken: list[SpokenTry] = []

    @property
    def over(self) -> bool:
        """Nothing is left to do: data is done when the network has it, what can be reported on when it is."""
        if self.state is OutgoingState.SENT:
            return not self.text
        return self.state in (OutgoingState.DELIVERED, OutgoingState.UNCONFIRMED, OutgoingState.UNDELIVERED)

    @property
    def again(self) -> bool:
        """It may have gone out twice."""
        return any(attempt.again for attempt in self.attempts)


class SmsReport(msgspec.Struct, frozen=True):
    """A delivery report as it came."""

    line: str
    number: str
    reference: int
    status: int
    discharged: str
    message: str
    at: Stamp


class SmsLine(msgspec.Struct):
    """What sending by a line was like lately."""

    failures: int = 0  # in a row, that were the line's own
    failed: Stamp = Stamp()
    allowance: float | None = None  # parts that the rate cap left to it at `sent`; None: it never sent
    sent: Stamp = Stamp()
    held: bool = False  # it was told that the rate cap holds messages back


class Proof(msgspec.Struct, frozen=True):
    """The last time that the network carried something for a line: `call`, `sms_received`, `sms_sent` (taken by it)."""

    kind: str
    at: Stamp


class VoiceProof(msgspec.Struct, frozen=True):
    """A line's newest drill of voice with another of our lines. `took`: it was the one that was called.

    That another of our lines could be called from it does not prove that it takes calls; that it failed there speaks
    against both, until each has been called again.
    """

    took: bool
    drill: VoiceProven
    at: Stamp


class SoundFault(msgspec.Struct, frozen=True):
    """An end of a call's sound that is lost or silent."""

    call: str
    what: str  # "lost", "silent"
    why: str
    at: Stamp


class Credit(msgspec.Struct, frozen=True):
    rupiah: int
    until: str
    at: Stamp


class LineRecord(msgspec.Struct):
    """What is remembered of a line's SIM and network."""

    credits: list[Credit] = []  # oldest first
    credit_unknown: str = ""  # why the last look told nothing, "" when it did
    credit_asked: Stamp | None = None
    credit_low: str = ""
    sim_bad: str = ""
    unregistered: bool = False  # modem and SIM are there, and no network takes them
    narrowed: bool = False
    cell: tuple[str, str] = ("", "")
    proof: Proof | None = None
    fallen: list[Stamp] = []  # the last times that it went down
    up: bool | None = None  # whether its modem was there last
    unstable: bool = False


class StationContact(msgspec.Struct):
    online: bool = False
    session: str = ""
    path: str = ""
    since: Stamp = Stamp()


class Link(msgspec.Struct):
    up: bool
    since: Stamp
    reason: str = ""


class TrunkVerdict(msgspec.Struct, frozen=True):
    """What is believed of the trunk, and whose fault it is."""

    standing: str  # "up", "degraded", "down"
    since: Stamp
    layer: str = ""  # "trunk", "route", "dns", "carrier", "loss"
    reason: str = ""


class Fallback(msgspec.Struct):
    """The declaration that stands, or the last one."""

    id: int  # the journal's row that declared it
    why: str  # "trunk", "route", "dns", "carrier"; "person": it stands until a person ends it
    declared: Stamp
    over: Stamp | None = None
    over_why: str = ""
    told: dict[str, Stamp] = {}  # agencies, by their id
    notices: dict[str, str] = {}  # "declared/NAME", "over/NAME" of people on duty: the text's id, "" for none
    unsent: dict[str, str] = {}  # people on duty to whom no text could be given: the code of why

    @property
    def stands(self) -> bool:
        return self.over is None


class Siren(msgspec.Struct):
    on: bool
    order: str
    why: str
    since: Stamp
    seconds: int = 0


class State(msgspec.Struct):
    seq: int = 0
    site: dict[str, str] = {}  # prints of the site file's tables at the last start
    mains: Mains = Mains.UNKNOWN
    mains_since: Stamp = Stamp()
    witnesses: tuple[str, ...] = ()
    gensets: dict[str, Genset] = {}
    ups: dict[str, Ups] = {}
    plant_orders: PlantOrders = msgspec.field(default_factory=PlantOrders)
    genset_records: dict[str, GensetRecord] = {}
    ups_records: dict[str, UpsRecord] = {}
    unready: dict[str, str] = {}  # "genset/g1/charger": why; lines of the readiness list that were told as not well
    alerts: dict[str, Alert] = {}
    stations: dict[str, StationContact] = {}
    health: dict[str, StationHealth] = {}
    lockouts: dict[str, Lockout] = {}  # by station, the last one
    tests: StationTestRecord = msgspec.field(default_factory=StationTestRecord)
    own: OwnState = msgspec.field(default_factory=OwnState)
    calls: dict[str, Call] = {}
    desk: DeskRecord = msgspec.field(default_factory=DeskRecord)
    messages: list[Message] = []
    parts: list[tuple[str, str]] = []  # (line, PDU hex), the last ones, whole texts' too
    filling: dict[str, Stamp] = {}  # "line/memory" of SMS memories that are nearly full, since when
    outgoing: dict[str, Outgoing] = {}
    outgoing_over: int = 0  # of them
    sms_reports: list[SmsReport] = []  # the last ones
    sms_lines: dict[str, SmsLine] = {}
    alarms: dict[str, Alarm] = {}
    alarm_record: AlarmRecord = msgspec.field(default_factory=AlarmRecord)
    links: dict[str, Link] = {}
    sirens: dict[str, Siren] = {}
    trunk: Link | None = None
    trunk_verdict: TrunkVerdict | None = None
    fallback: Fallback | None = None
    fallback_refused: bool = False  # a person ended it while the trunk was lost: this loss declares it no more
    lines: dict[str, LineRecord] = {}
    voices: dict[str, dict[str, VoiceProof]] = {}  # by line and bearer; "" holds for all: its bearer was not known
    sound_faults: dict[str, SoundFault] = {}  # by "line/end", the end "line" or "person"
    recorded: list[str] = []  # files of the last recordings
    clock_wrong: bool = False
    people: dict[str, str] = {}  # by name the mark of their password's record, as the journal was told
    keys: dict[str, dict[str, str]] = {}  # by holder and key id, as the journal was told: "current", "revoked"
    revoked: dict[str, Revoked] = {}  # by holder: none of its keys counts, by a person's word
    sequences: dict[str, int] = {}  # the highest of ours that was sent to each station

    def calls_on(self, line: str) -> list[Call]:
        """The calls that a line has now, oldest first."""
        return [call for call in self.calls.values() if call.line == line and call.live]

    def open_alerts(self) -> list[Alert]:
        return [a for a in self.alerts.values() if a.ended is None]
