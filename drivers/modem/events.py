"""What a modem tells the box: one struct a kind of fact, its tag the name that it has on a wire."""

from datetime import datetime
from typing import Literal

from msgspec import Struct

from drivers.modem.answers import ListedCall
from drivers.modem.bearer import Bearer
from drivers.modem.errors import LostCode
from drivers.modem.ladder import Step
from drivers.modem.pdu_types import Deliver, StatusReport
from drivers.modem.sim_card import SimReason, SimState

CallState = Literal["active", "held", "dialling", "alerting", "incoming", "waiting", "ended"]
CALL_STATES: tuple[CallState, ...] = ("active", "held", "dialling", "alerting", "incoming", "waiting", "ended")  # +CLCC

HANDED_OVER = "+CMT"  # the "memory" of what lies nowhere: the modem waits for its acknowledgement

Unanswered = Literal["", "busy", "no_answer", "unreachable"]

Registered = Literal["unknown", "not_registered", "searching", "denied", "home", "roaming", "emergency_only"]
Technology = Literal["unknown", "2g", "3g", "4g", "5g"]


class Identity(Struct, frozen=True):
    """Who answers at the port. Empty where the modem does not say."""

    manufacturer: str
    model: str
    revision: str
    imei: str
    profile: str


class PortUp(Struct, frozen=True, tag="port_up"):
    """The modem answers and is initialised; each start of it, and each return of its port, is one PortUp."""

    identity: Identity


class PortLost(Struct, frozen=True, tag="port_lost"):
    """The port is missing, gone or mute. Said once; PortUp follows when it is back. Nothing is known until then."""

    reason: str
    code: LostCode


class RecoveryStep(Struct, frozen=True, tag="recovery_step"):
    """What was just done about a modem that is mute, or has not found its network for minutes."""

    step: Step


class InitRefused(Struct, frozen=True, tag="init_refused"):
    """A required command of the profile was refused: the line works in part. It is tried again."""

    command: str
    reason: str


class StatusChanged(Struct, frozen=True, tag="status_changed"):
    """What the line is, whenever that differs from before. `sim` is +CPIN's word, "" when not known.

    `sim_state` is its meaning and `sim_reason` why a wanted PIN was not given; `bearer` is what would carry a voice.
    `area` and `cell` are LAC or TAC and cell identity in hex as the modem writes them, "" when not known.
    """

    registration: Registered
    operator: str | None
    technology: Technology
    signal_dbm: int | None
    sim: str = ""
    sim_state: SimState = "unknown"
    sim_reason: SimReason = ""
    bearer: Bearer = "unknown"
    area: str = ""
    cell: str = ""


class NetworkTime(Struct, frozen=True, tag="network_time"):
    """What the network says the time is at this moment, to a second, in its own zone."""

    time: datetime


class SmsPartReceived(Struct, frozen=True, tag="sms_part_received"):
    """A message or part, the modem's until delete_sms(index, memory); with None for an index it is ours already.

    It lies at `index` of `memory`, or was HANDED_OVER and waits to be acknowledged.

    `pdu` is the same in hex, with its SMSC address in front: what is kept of a message, and known again by.
    """

    index: int | None
    deliver: Deliver
    memory: str | None = None
    pdu: str = ""


class SmsReport(Struct, frozen=True, tag="sms_report"):
    """A delivery report; where it lies as in SmsPartReceived."""

    index: int | None
    report: StatusReport
    memory: str | None = None


class SmsTextReceived(Struct, frozen=True, tag="sms_text_received"):
    """A message that a modem in text mode handed over: it lies nowhere else, and what followed its first line is lost.

    Another program left it so (AT+CMGF=1); it is told anew what we want. `stamp` is the service centre's, as written.
    """

    number: str
    text: str
    stamp: str


class SmsUnreadable(Struct, frozen=True, tag="sms_unreadable"):
    """Something in the modem's memory that is no message this codec knows. It takes up room until delete_sms()."""

    index: int | None
    pdu: str
    reason: str
    memory: str | None = None


class SmsMemory(Struct, frozen=True, tag="sms_memory"):
    """How full the modem's memory is, when that changed: full, it takes and announces no more messages."""

    memory: str
    used: int
    total: int


class Ring(Struct, frozen=True, tag="ring"):
    """RING or +CRING: somebody calls."""


class Caller(Struct, frozen=True, tag="caller"):
    """The number of who calls; None when withheld. `waiting`: behind a call under way."""

    number: str | None
    waiting: bool = False


class CallListed(Struct, frozen=True, tag="call_listed"):
    """All calls that the modem has, as +CLCC lists them: what was said before is corrected by this.

    `asked` is when, in loop time: it cannot speak of what came later, however late its answer is heard.
    """

    calls: tuple[ListedCall, ...]
    asked: float | None = None


class CallReported(Struct, frozen=True, tag="call_reported"):
    """A change that the modem told by itself; `source` is the line's name. None where it does not say."""

    state: CallState
    number: str | None
    source: str
    incoming: bool | None = None
    index: int | None = None
    conference: bool | None = None


class CallEnded(Struct, frozen=True, tag="call_ended"):
    """A call is over; `reason` in the modem's own words, `why` what it says of a call that was never answered.

    `of`: which calls can be meant: "ringing" ones that came in, ones "dialled" and not answered, "talked" ones, "any".
    """

    reason: str
    number: str | None = None
    index: int | None = None
    why: Unanswered = ""
    of: Literal["any", "ringing", "dialled", "talked"] = "any"


class KeyHeard(Struct, frozen=True, tag="key_heard"):
    """The other side pressed a telephone key: 0-9, *, #, A-D."""

    key: str


class UssdSaid(Struct, frozen=True, tag="ussd_said"):
    """The network's text, as the modem sent it: plain, UCS2 in hex or packed septets in hex."""

    state: int
    text: str | None
    dcs: int | None


ModemEvent = (
    PortUp
    | PortLost
    | RecoveryStep
    | InitRefused
    | StatusChanged
    | NetworkTime
    | SmsPartReceived
    | SmsReport
    | SmsUnreadable
    | SmsTextReceived
    | SmsMemory
    | Ring
    | Caller
    | CallListed
    | CallReported
    | CallEnded
    | KeyHeard
    | UssdSaid
)
