"""Events of stations: what is wrong there, lockouts, tests, and at the station itself turnouts and proofs of sound."""

from appliance.event import Event

# At the centre


class StationHealthChanged(Event, tag="station.health", frozen=True):
    """A station's faults are others than before. `faults` are names of wire.Fault in lower case, sorted."""

    SUBJECT = ("station",)
    station: str
    faults: tuple[str, ...]
    path: str
    disk_free_percent: int = 255  # 255: unknown
    battery: int = 255
    supply: str = "unknown"
    supply_mv: int = 0
    cert_days: int = 65535
    key_days: int = 65535
    skew_s: float | None = None  # its wall clock ahead of ours; None: not known


class StationFault(Event, tag="station.fault", frozen=True):
    """One fault of a station began or is over: its own word, or what the centre finds in its figures."""

    SUBJECT = ("station", "fault")
    station: str
    fault: str  # a name of wire.Fault in lower case, or "clock_skew", "locked_there"
    on: bool


class SirenLocked(Event, tag="siren.locked", frozen=True):
    """A person takes a siren out of service; the actor is who. `until` in unix seconds."""

    SUBJECT = ("station",)
    station: str
    lock: str  # id, 16 hex digits
    minutes: int
    until: float
    reason: str


class SirenUnlocked(Event, tag="siren.unlocked", frozen=True):
    SUBJECT = ("station",)
    station: str
    lock: str
    why: str  # "person", "ended", "station": its people ended it there


class LockConfirmed(Event, tag="siren.lock_confirmed", frozen=True):
    """The station says by its signature that its siren is locked out, or is not any more."""

    SUBJECT = ("station",)
    station: str
    lock: str
    locked: bool
    path: str


class StationTestPlanned(Event, tag="test.planned", frozen=True):
    """A rule of the calendar holds from now on: what was due before it is no test that was missed."""

    SUBJECT = ("what",)
    what: str
    rule: str  # "02:00", "tue 10:30", "26 10:00"; "": never
    since: str  # "2026-11-25 16:20", local


class StationTestBegun(Event, tag="test.begun", frozen=True):
    SUBJECT = ("test",)
    test: str  # id, 8 hex digits
    what: str  # "silent", "sms_probe", "voice", "sounding"
    due: str  # "2026-11-26 10:00", local; "" when a person ordered it
    stations: tuple[str, ...]
    paths: tuple[str, ...]
    key: str = ""  # the giver's idempotency key


class StationTestResult(Event, tag="test.result", frozen=True):
    """One station by one path. A sounding test is of the siren and not of a way to it: its path is "siren".

    `skipped`: a rule forbade it (site file, lockout, a real alert), so nothing was tested and nothing has failed.
    """

    SUBJECT = ("test", "station")
    test: str
    station: str
    path: str
    good: bool
    reason: str = ""  # code
    seconds: float = 0.0  # until its answer
    skipped: bool = False


class StationTestEnded(Event, tag="test.ended", frozen=True):
    SUBJECT = ("test",)
    test: str
    good: int
    bad: int
    skipped: int = 0


class StationTestMissed(Event, tag="test.missed", frozen=True):
    """It was due and did not run."""

    SUBJECT = ("what",)
    what: str
    due: str
    reason: str  # "not_running", "clock_unknown", "alert_open", "test_open", "not_announced"


class StationTestAnnounced(Event, tag="test.announced", frozen=True):
    SUBJECT = ("what",)
    what: str
    due: str
    told: int  # people and stations


class StationTestNoticed(Event, tag="test.noticed", frozen=True):
    """A station has the words about a test, ahead of it or at its end."""

    SUBJECT = ("station",)
    station: str
    what: str
    due: str
    about: str  # "notice", "notice_over"
    path: str


class StationTestReported(Event, tag="test.reported", frozen=True):
    """The morning's report."""

    SUBJECT = ("day",)
    day: str  # 2026-11-26
    failures: int
    tests: tuple[str, ...]


# At the station


class LockoutSet(Event, tag="lockout.set", frozen=True):
    """This station's siren is out of service. `who`: "centre", or the actor at the station."""

    SUBJECT = ("lock",)
    lock: str
    minutes: int
    until: float  # unix seconds
    reason: str
    who: str


class LockoutNamed(Event, tag="lockout.named", frozen=True):
    """The centre's signed words for a lockout: whose it is and why. The order has but a code."""

    SUBJECT = ("lock",)
    lock: str
    who: str
    reason: str


class LockoutEnded(Event, tag="lockout.ended", frozen=True):
    SUBJECT = ("lock",)
    lock: str
    why: str  # "person", "centre", "time"


class SirenProof(Event, tag="siren.proof", frozen=True):
    """What shows that an order sounds here. `proof`: "energised", "current", "heard", "acknowledged"."""

    SUBJECT = ("alert",)
    alert: str
    proof: str
    after_s: float  # since it was accepted
    dbfs: float | None = None


class SirenFault(Event, tag="siren.fault", frozen=True):
    """`fault`: "no_current", "not_heard", "stuck", "line"; `on` False: it is over."""

    SUBJECT = ("output",)
    output: str
    fault: str
    on: bool
    alert: str = ""


class TextTaken(Event, tag="order.text", frozen=True):
    """Words for an alert came from the centre."""

    SUBJECT = ("alert",)
    alert: str
    about: str  # model.About
    language: str
    text: str
    path: str


class NoticeTaken(Event, tag="notice.taken", frozen=True):
    """Words of the centre about a test came; they belong to no order."""

    SUBJECT = ("notice",)
    notice: str  # id, 16 hex digits
    about: str  # "notice", "notice_over"
    language: str
    text: str
    path: str


class Announced(Event, tag="order.announced", frozen=True):
    """It was spoken in the station."""

    SUBJECT = ("alert",)
    alert: str
    about: str
    zones: tuple[str, ...]
    outcome: str  # "spoken", "no_sound"


class OrderAcknowledged(Event, tag="order.acknowledged", frozen=True):
    """A person at the station pressed; the turnout took so long."""

    SUBJECT = ("alert",)
    alert: str
    turnout_s: float
    by: str  # "button", "page"


class OrderEnded(Event, tag="order.ended", frozen=True):
    SUBJECT = ("alert",)
    alert: str
    why: str  # "ended", "stopped", "silenced", "failed"


class CentreSilent(Event, tag="centre.silent", frozen=True):
    SUBJECT = ("issuer",)
    issuer: str
    silent_s: float


class CentreHeard(Event, tag="centre.heard", frozen=True):
    SUBJECT = ("issuer",)
    issuer: str
    path: str
