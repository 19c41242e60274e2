"""State of alerting beyond deliveries: contacts, lockouts, stations' health, tests; at a station its own orders."""

import msgspec

from appliance.model import About, ContactState
from appliance.stamp import Stamp

Try = tuple[str, str, Stamp, str]  # path, message or call id, when, outcome or "" while it is under way
CONTACT_ENDS = (
    ContactState.ACCEPTED, ContactState.DECLINED, ContactState.SPARED, ContactState.UNREACHED, ContactState.CANCELLED,
)  # fmt: skip


class Note(msgspec.Struct):
    """What was said to one contact afterwards: all clear, false alarm, already taken."""

    tries: list[Try] = []
    reached: Stamp | None = None
    path: str = ""
    unreached: str = ""  # why, once no way is left


class ContactDelivery(msgspec.Struct):
    """One alert at one contact. `group`: the sequence that asks it, "" where it is told whoever else accepts."""

    contact: str
    state: ContactState
    since: Stamp
    group: str = ""
    tries: list[Try] = []
    path: str = ""
    by: str = ""
    reason: str = ""
    told: dict[str, Stamp] = {}  # model.About: when its text went out
    notes: dict[str, Note] = {}  # by model.About, what was said behind the announcement

    @property
    def over(self) -> bool:
        """Nothing is waited for; who need not accept is done when the text is there."""
        return self.state in CONTACT_ENDS or (self.state is ContactState.DELIVERED and not self.group)


class Told(msgspec.Struct, frozen=True):
    """What a person said to everybody afterwards."""

    about: About
    text: str
    at: Stamp
    key: str = ""


class Revoked(msgspec.Struct, frozen=True):
    """A station that has no key any more: nothing that it says is believed. `at`: when this core took it."""

    at: Stamp
    who: str
    why: str


class Lockout(msgspec.Struct):
    """`confirmed`: the station's own word. `until` in unix seconds. `ended`: a person or the time ended it."""

    station: str
    lock: str
    minutes: int
    until: float
    reason: str
    since: Stamp
    confirmed: Stamp | None = None
    ended: Stamp | None = None
    end_confirmed: Stamp | None = None


class StationHealth(msgspec.Struct, frozen=True, omit_defaults=True):
    """As its last signed word had it; unknown figures as in the event."""

    since: Stamp
    faults: tuple[str, ...] = ()
    path: str = ""
    disk_free_percent: int = 255
    battery: int = 255
    supply: str = "unknown"
    supply_mv: int = 0
    cert_days: int = 65535
    key_days: int = 65535
    skew_s: float | None = None


class StationTestLine(msgspec.Struct, frozen=True):
    station: str
    path: str
    good: bool
    reason: str
    seconds: float
    at: Stamp
    skipped: bool = False  # by a rule: neither good nor bad

    @property
    def bad(self) -> bool:
        return not self.good and not self.skipped


class StationTest(msgspec.Struct):
    id: str
    what: str
    due: str
    stations: tuple[str, ...]
    paths: tuple[str, ...]
    begun: Stamp
    lines: list[StationTestLine] = []  # of old runs only those that are not good
    ended: Stamp | None = None
    good: int = 0
    bad: int = 0
    key: str = ""
    skipped: int = 0


class StationTestFailure(msgspec.Struct, frozen=True):
    """The last test that a path did not pass, since when it has passed none."""

    reason: str
    at: Stamp


class StationTestGap(msgspec.Struct, frozen=True):
    """A test that was due and did not run."""

    what: str
    due: str
    reason: str
    at: Stamp


class StationTestRecord(msgspec.Struct):
    """`runs` by id, the last ones; `last` by what: the due time that ran or was missed last."""

    runs: dict[str, StationTest] = {}
    last: dict[str, str] = {}
    announced: dict[str, str] = {}
    noticed: dict[str, list[str]] = {}  # by due time and "notice" or "notice_over": stations that have it
    reported: str = ""
    reported_at: Stamp | None = None
    proven: dict[str, dict[str, Stamp]] = {}  # station: path: when it last answered a test
    failed: dict[str, dict[str, StationTestFailure]] = {}  # station: path: since it failed, where it does
    missed: list[StationTestGap] = []  # the last ones
    rules: dict[str, str] = {}  # by what: the calendar's rule that holds


class OwnOrder(msgspec.Struct):
    """An order that this station took."""

    alert: str
    kind: str
    pattern: str
    incident: int
    zones: tuple[str, ...]
    seconds: int
    path: str
    accepted: Stamp
    text: str = ""
    language: str = "id"
    about: str = ""  # "all_clear", "false_alarm" once told
    energised: Stamp | None = None
    current: Stamp | None = None
    heard: Stamp | None = None
    heard_dbfs: float | None = None
    acknowledged: Stamp | None = None
    turnout_s: float | None = None
    ended: Stamp | None = None
    why: str = ""


class OwnLockout(msgspec.Struct, frozen=True):
    lock: str
    until: float
    reason: str
    who: str
    since: Stamp


class OwnNotice(msgspec.Struct, frozen=True):
    """What the centre said of a test last."""

    notice: str
    over: bool
    language: str
    text: str
    at: Stamp


class OwnState(msgspec.Struct):
    """Of this box as a station."""

    orders: dict[str, OwnOrder] = {}  # the last ones
    lockout: OwnLockout | None = None
    faults: dict[str, Stamp] = {}  # "output/fault"
    centre_silent: dict[str, Stamp] = {}  # by issuer
    notice: OwnNotice | None = None
    barred: tuple[str, Stamp] | None = None  # the button whose press sounded nothing, because of a lockout
