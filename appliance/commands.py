"""Commands: orders from a person, a button or a rule, as they come in at the control socket (`do` names the kind)."""

from typing import Annotated, Literal

import msgspec

from appliance.alarm_commands import AlarmCommand, PutInService, ShelveAlarm, TakeOutOfService
from appliance.call_commands import BlockCaller, CallCommand
from appliance.command import Command
from appliance.model import About, AlertKind, CardOutcome, Path, Pattern
from appliance.power_commands import PowerCommand

MOST_SECONDS = 3600
MOST_PARTS = 10  # of a text; a line sends nothing else but orders meanwhile


class IssueAlert(Command, tag="alert.issue", frozen=True, kw_only=True):
    """Sound sirens; each of `stations` is "id" or "id/zone".

    `key` makes it idempotent: the same key again answers with the alert that it made.
    """

    stations: tuple[str, ...] = ()
    alert_kind: AlertKind = AlertKind.ACTUAL
    pattern: Pattern = Pattern.WAIL
    seconds: int = 60
    incident_code: int = 0
    key: str = ""
    via: str = "page"
    groups: tuple[str, ...] = ()
    contacts: tuple[str, ...] = ()
    text: str = ""  # place and words to speak
    language: str = "id"
    priority: int = 2  # 1: by every path at once; 3: never before others
    paths: tuple[Path, ...] = ()  # only these; none named: all. A test of one path


class StopAlert(Command, tag="alert.stop", frozen=True, kw_only=True):
    """End the alerts named; none named means all open ones."""

    alerts: tuple[str, ...] = ()
    via: str = "page"


class TellRecipients(Command, tag="alert.tell", frozen=True, kw_only=True):
    """All clear or false alarm, to everybody who was told of the alert. It stops the alert where it is still open."""

    alert: str
    about: About
    text: str = ""
    key: str = ""


class AnswerForContact(Command, tag="alert.contact", frozen=True, kw_only=True):
    """A person has spoken with a contact: what it answered, or that it knows."""

    alert: str
    contact: str
    answer: Literal["accepted", "declined", "told"]


class HandleCard(Command, tag="alert.card", frozen=True, kw_only=True):
    """What came of a card: somebody has phoned the stations, or need not. None named: all whose cards wait."""

    alert: str
    outcome: CardOutcome
    stations: tuple[str, ...] = ()
    text: Annotated[str, msgspec.Meta(max_length=200)] = ""


LEAST_HOURS, MOST_HOURS = 0.1, 720.0  # of a lockout
LEAST_REASON, MOST_REASON = 3, 300  # letters of its reason


class LockSiren(Command, tag="siren.lock", frozen=True, kw_only=True):
    """Take a station's siren out of service for a repair; the station itself refuses to sound it until then."""

    station: str
    hours: Annotated[float, msgspec.Meta(ge=LEAST_HOURS, le=MOST_HOURS)]
    reason: Annotated[str, msgspec.Meta(min_length=LEAST_REASON, max_length=MOST_REASON)]


class UnlockSiren(Command, tag="siren.unlock", frozen=True, kw_only=True):
    station: str


TESTS = ("silent", "sms_probe", "voice", "sounding")  # of stations


class RunTest(Command, tag="test.run", frozen=True, kw_only=True):
    """A test now; `stations` none: all. `test`: one of TESTS."""

    test: str
    stations: tuple[str, ...] = ()
    key: str = ""


class ListTests(Command, tag="test.list", frozen=True, kw_only=True):
    """The last runs, of their lines only the bad ones, and what is due; with `run`, an id, that one whole."""

    last: int = 30
    run: str = ""


class AcknowledgeOrder(Command, tag="order.acknowledge", frozen=True, kw_only=True):
    """At a station: a person there has seen the order and goes; the turnout timer stops. No alert: all that are open.

    The same order acknowledged again changes nothing.
    """

    alert: str = ""
    key: str = ""


class ModemAt(Command, tag="modem.at", frozen=True, kw_only=True):
    """One AT command that only reads."""

    line: str
    command: str


class ModemUssd(Command, tag="modem.ussd", frozen=True, kw_only=True):
    line: str
    code: str


class ModemRecording(Command, tag="modem.recording", frozen=True, kw_only=True):
    """The newest of what went over the line's port, without what is private."""

    line: str


class SendText(Command, tag="sms.send_text", frozen=True, kw_only=True):
    """One attempt at a text through one line: a technician's trial."""

    line: str
    number: str
    text: str


class QueueText(Command, tag="sms.send", frozen=True, kw_only=True):
    """A text by the best line, or by the one named; it is kept and tried for `lifetime_s`.

    `key` makes it idempotent: the same key again answers with the text that it made.
    """

    number: str
    text: str
    line: str = ""
    lifetime_s: int = 300
    key: str = ""


class ListTexts(Command, tag="sms.list", frozen=True, kw_only=True):
    """The last texts of both ways."""

    last: int = 50


class LookAtKeys(Command, tag="keys.look", frozen=True):
    """The book of keys was changed: take it now. Answers how many keys count and how many are revoked."""


class LookAtPeople(Command, tag="people.look", frozen=True):
    """Who may log in was changed: journal it now. Answers the names."""


class ReloadSite(Command, tag="site.reload", frozen=True):
    """The site file was changed: check it whole and take it over. Answers which tables changed and what waits."""


AnyCommand = (
    IssueAlert
    | StopAlert
    | TellRecipients
    | AnswerForContact
    | HandleCard
    | AcknowledgeOrder
    | ModemAt
    | ModemUssd
    | ModemRecording
    | SendText
    | QueueText
    | ListTexts
    | LockSiren
    | UnlockSiren
    | RunTest
    | ListTests
    | AlarmCommand
    | CallCommand
    | PowerCommand
    | LookAtKeys
    | LookAtPeople
    | ReloadSite
)
NAMES = frozenset(str(k.__struct_config__.tag) for k in AnyCommand.__args__)
# What a station's own screen may say without a login, as its button may: web sends an empty token for it.
UNNAMED = frozenset((str(AcknowledgeOrder.__struct_config__.tag),))
SCREEN = "screen:"  # the actor of such a command
_TECHNICAL = (
    ModemAt, ModemUssd, ModemRecording, SendText, ShelveAlarm, TakeOutOfService, PutInService, LockSiren, UnlockSiren,
    RunTest, LookAtKeys, LookAtPeople, ReloadSite,
)  # fmt: skip
TECHNICAL = frozenset(str(k.__struct_config__.tag) for k in _TECHNICAL)
TECHNICIANS = frozenset(("technician", "supervisor"))  # roles that may give these; the console may too
SUPERVISING = frozenset((str(BlockCaller.__struct_config__.tag),))
SUPERVISORS = frozenset(("supervisor",))
