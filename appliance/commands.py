"""Commands: orders from a person, a button or a rule, as they come in at the control socket (`do` names the kind)."""

from appliance.call_commands import BlockCaller, CallCommand
from appliance.command import Command
from appliance.model import AlertKind, Pattern
from appliance.power_commands import PowerCommand

MOST_SECONDS = 3600
MOST_PARTS = 10  # of a text; a line sends nothing else but orders meanwhile


class IssueAlert(Command, tag="alert.issue", frozen=True, kw_only=True):
    """Sound sirens. `key` makes it idempotent: the same key again answers with the alert that it made."""

    stations: tuple[str, ...]
    alert_kind: AlertKind = AlertKind.ACTUAL
    pattern: Pattern = Pattern.WAIL
    seconds: int = 60
    incident_code: int = 0
    key: str = ""
    via: str = "page"


class StopAlert(Command, tag="alert.stop", frozen=True, kw_only=True):
    """End the alerts named; none named means all open ones."""

    alerts: tuple[str, ...] = ()
    via: str = "page"


class AcknowledgeAlarm(Command, tag="alarm.acknowledge", frozen=True, kw_only=True):
    alarm: str
    about: str
    note: str = ""


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


AnyCommand = (
    IssueAlert
    | StopAlert
    | AcknowledgeAlarm
    | ModemAt
    | ModemUssd
    | ModemRecording
    | SendText
    | QueueText
    | ListTexts
    | CallCommand
    | PowerCommand
)
NAMES = frozenset(str(k.__struct_config__.tag) for k in AnyCommand.__args__)
TECHNICAL = frozenset(str(k.__struct_config__.tag) for k in (ModemAt, ModemUssd, ModemRecording, SendText))
TECHNICIANS = frozenset(("technician", "supervisor"))  # roles that may give these; the console may too
SUPERVISING = frozenset((str(BlockCaller.__struct_config__.tag),))
SUPERVISORS = frozenset(("supervisor",))
