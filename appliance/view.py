"""The view: one struct of all that a page or a status command shows, made by core, carried as JSON.

Times named `at` are the box's monotonic seconds (`Clock.now()`), the same in every process of the box, so that a
page knows each figure's age even when core has stopped sending. `Stamp` fields hold wall time too.
"""

import msgspec

from appliance.alarm_view import AlarmsSummary, AlarmView
from appliance.alert_state import Revoked
from appliance.alert_view import OwnView, SupervisionView
from appliance.desk_view import DeskView
from appliance.figure import Figure
from appliance.model import Role
from appliance.power_view import PowerView
from appliance.stamp import Stamp
from appliance.state import (
    Alert,
    Call,
    Link,
    Message,
    Proof,
    Siren,
    StationContact,
    TrunkVerdict,
    VoiceProof,
)
from appliance.trunk_view import FallbackView, WitnessView

TREND_MINUTES = 60  # of a line's signal; what a shift remembers


class LineView(msgspec.Struct):
    id: str
    name: str
    number: str
    link: Link | None
    modem: str
    operator: Figure
    technology: Figure
    registration: Figure
    signal_dbm: Figure
    can_take_call: str  # "proven" (by a drill), "registered" (voice unproven), "no", "unknown"
    why: str  # code of the reason for no or unknown
    call: Call | None
    cell: Figure | None = None  # "4CA 81DE445", area and cell in hex as the modem writes them
    credit: Figure | None = None  # rupiah; None on a line that is never asked
    credit_why: str = ""  # code of why it is not known
    credit_until: str = ""  # its last valid day, 2027-12-31; "" when not known
    credit_forecast: str = ""  # the day on which it runs out if it is used on as before; "" when not known or far away
    trend: tuple[int | None, ...] = ()  # medians of the signal in dBm, one a minute, oldest first; None: not known
    proof: Proof | None = None
    time_offset: Figure | None = None  # s to add to the box's clock, by the network's
    calls: list[Call] = []  # all that are on it, oldest first; `call` is the foremost
    bearer: Figure | None = None  # what would carry a voice: "volte", "2g", "sms_only", "none"
    voice: VoiceProof | None = None  # the last drill with another line
    sound: str = ""  # what is wrong with the sound of its calls: "lost", "silent"


class SoundView(msgspec.Struct, frozen=True):
    """Calls' sound: who is mute, and how loud the line and the person were in the last half second, in dBFS.

    `levels` by call: the line's, then the person's; None where nothing at all was heard.
    """

    headset: bool = False  # there is one at the box
    muted: tuple[str, ...] = ()  # calls whose person is not heard
    levels: dict[str, tuple[int | None, int | None]] = {}


class StationView(msgspec.Struct):
    """`sounding` None: not known. `battery_low` and `uptime_s` come with the station's heartbeat."""

    id: str
    name: str
    number: int
    local: bool
    phone: str | None
    sms: bool
    contact: StationContact | None
    heard_at: float | None  # mono of the last signed word from it
    fresh_s: float
    sounding: bool | None
    revoked: Revoked | None = None  # its keys count no more


class OutgoingView(msgspec.Struct, frozen=True):
    """A text that goes out: where it stands, by which line, and whether it may arrive twice."""

    id: str
    number: str
    text: str
    purpose: str  # model.Purpose
    state: str  # model.OutgoingState
    line: str  # of the last attempt, or empty
    parts: int
    attempts: int
    again: bool
    reason: str  # code of why it was given up, or the last refusal's words
    queued: Stamp
    since: Stamp


class EntryView(msgspec.Struct, frozen=True):
    seq: int
    wall: float
    kind: str
    subject: str
    actor: str
    body: dict[str, object]


class View(msgspec.Struct):
    seq: int
    head: str  # hash of the journal's last row
    at: float
    wall: float
    clock_quality: str
    zone: str
    speed: float
    role: Role
    site: str
    id: str
    name: str
    language: str
    version: str
    power: PowerView | None
    lines: list[LineView]
    trunk: Link | None
    trunk_watched: bool
    stations: list[StationView]
    alerts: list[Alert]  # open ones first, newest first
    sirens: dict[str, Siren]
    alarms: list[AlarmView]  # by priority, then age
    calls: list[Call]  # newest first
    messages: list[Message]  # newest first
    links: dict[str, Link]
    disk_failed: str | None
    disk_kept: int
    last: list[EntryView]  # newest first
    clock_offset: Figure | None = None  # s to add to the box's clock, by the mobile networks; None: they told nothing
    outgoing: list[OutgoingView] = []  # texts, newest first
    desk: DeskView | None = None  # at a box with lines
    sound: SoundView | None = None  # where lines have sound
    trunk_verdict: TrunkVerdict | None = None
    witnesses: list[WitnessView] = []  # of the trunk, all kinds, those that are not watched too
    fallback: FallbackView | None = None  # None at a station
    alarm_summary: AlarmsSummary = AlarmsSummary()
    supervision: SupervisionView | None = None  # at a centre
    own: OwnView | None = None  # at a station
