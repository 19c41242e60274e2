"""The view's part for alerting: stations' health and lockouts, tests, contacts, and at a station its own page."""

import msgspec

from appliance.alert_state import (
    Lockout,
    OwnLockout,
    OwnNotice,
    OwnOrder,
    StationHealth,
    StationTest,
    StationTestGap,
)
from appliance.stamp import Stamp


class PathView(msgspec.Struct, frozen=True, omit_defaults=True):
    """One way to one station. `worst_s`: at worst so long until we know that it is broken; None: never."""

    path: str  # model.Path
    usable: bool
    worst_s: float | None
    proven: Stamp | None = None  # the last test that it passed
    failed: Stamp | None = None  # the last test that it failed, when that is newer
    reason: str = ""


class StationHealthView(msgspec.Struct, frozen=True, omit_defaults=True):
    station: str
    health: StationHealth | None
    paths: tuple[PathView, ...] = ()
    lockout: Lockout | None = None


class ContactView(msgspec.Struct, frozen=True):
    """One of the site file."""

    id: str
    name: str
    sms: str
    voice: str
    agency: str = ""


class GroupView(msgspec.Struct, frozen=True):
    id: str
    name: str
    mode: str
    members: tuple[str, ...]


class DueView(msgspec.Struct, frozen=True):
    """A test of the calendar. `at` in unix seconds; `due` as the site's clock has it."""

    what: str
    due: str
    at: float


class TestsView(msgspec.Struct, frozen=True):
    runs: tuple[StationTest, ...] = ()  # newest first, of their lines only the bad ones: `test.list` has all of a run
    due: tuple[DueView, ...] = ()  # soonest first
    clock_known: bool = True
    missed: tuple[StationTestGap, ...] = ()  # newest first


class SupervisionView(msgspec.Struct, frozen=True):
    """At a centre."""

    stations: tuple[StationHealthView, ...] = ()
    tests: TestsView = TestsView()
    contacts: tuple[ContactView, ...] = ()
    groups: tuple[GroupView, ...] = ()
    lost_s: float = 9.0


class OwnView(msgspec.Struct, frozen=True):
    """At a station: what its page shows. `turnout_s`: the time within which people leave."""

    name: str
    zones: tuple[tuple[str, str], ...]  # id, name
    orders: tuple[OwnOrder, ...] = ()  # open ones first, newest first
    lockout: OwnLockout | None = None
    faults: tuple[str, ...] = ()  # "output/fault", and the box's own: "centre_silent", "tamper", ...
    turnout_s: float = 80.0
    centres: tuple[tuple[str, float | None], ...] = ()  # issuer, mono of its last signed word
    silent_s: float = 600.0
    notice: OwnNotice | None = None  # words about a test to come, or one that has just ended
