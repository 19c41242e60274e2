"""Events: the facts that the journal holds, past tense, one struct a kind.

Those of alarms, orders, texts, calls, falling lines, power and the trunk are in `*_events`. A new kind is one class.
"""

import functools
from typing import Any

import msgspec

from appliance import (
    alarm_events,
    alert_events,
    call_events,
    key_events,
    line_events,
    power_events,
    power_order_events,
    sms_events,
    station_events,
    trunk_events,
)
from appliance.event import Event, kind_of

# The box itself


class Started(Event, tag="system.started", frozen=True):
    role: str
    version: str
    speed: float
    # Print of each table of the site file: what another one changes is seen by it.
    site: dict[str, str] = msgspec.field(default_factory=dict)


class Stopped(Event, tag="system.stopped", frozen=True):
    reason: str


class SiteTaken(Event, tag="system.site_taken", frozen=True):
    """A changed site file is in force: by a person's command, or found changed at a start. `waiting`: is on now."""

    changed: tuple[str, ...]  # tables and keys of the top level
    waiting: tuple[str, ...] = ()
    site: dict[str, str] = msgspec.field(default_factory=dict)  # as in Started


class SiteRefused(Event, tag="system.site_refused", frozen=True):
    """A changed site file is not taken over; all is as it was."""

    SUBJECT = ("code",)
    code: str
    reason: str


class LinkLost(Event, tag="system.link_lost", frozen=True):
    SUBJECT = ("link",)
    link: str  # "broker", "annunciator", "line/l1", "genset/g1", "ups/u1"
    reason: str


class LinkRestored(Event, tag="system.link_restored", frozen=True):
    SUBJECT = ("link",)
    link: str


class DiskFailed(Event, tag="system.disk_failed", frozen=True):
    reason: str


class DiskRestored(Event, tag="system.disk_restored", frozen=True):
    kept: int  # events that were held in RAM meanwhile


class JournalReplaced(Event, tag="system.journal_replaced", frozen=True):
    reason: str
    kept_as: str  # file name of the one that could not be read


class TaskDied(Event, tag="system.task_died", frozen=True):
    SUBJECT = ("task",)
    task: str
    reason: str


class LoggedIn(Event, tag="person.logged_in", frozen=True):
    SUBJECT = ("name",)
    name: str


class LoginRefused(Event, tag="person.login_refused", frozen=True):
    SUBJECT = ("name",)
    name: str
    reason: str


class PasswordSet(Event, tag="person.password_set", frozen=True):
    """A person is new, or has another password or role. `mark` tells this password's record from the one before."""

    SUBJECT = ("name",)
    name: str
    role: str
    mark: str


class PersonGone(Event, tag="person.gone", frozen=True):
    SUBJECT = ("name",)
    name: str


# Lines


class LineUp(Event, tag="line.up", frozen=True):
    SUBJECT = ("line",)
    line: str
    modem: str


class LineUnregistered(Event, tag="line.unregistered", frozen=True):
    """Modem and SIM are there, and for a while no network takes them."""

    SUBJECT = ("line",)
    line: str
    registration: str  # "denied", "searching", "not_registered", "emergency_only"


class LineRegistered(Event, tag="line.registered", frozen=True):
    SUBJECT = ("line",)
    line: str


class LineDown(Event, tag="line.down", frozen=True):
    """`code` says why in one word: that of `drivers.modem.errors.LostCode`, or "bad_profile"."""

    SUBJECT = ("line",)
    line: str
    reason: str
    code: str = ""


class LineRecovery(Event, tag="line.recovery", frozen=True):
    SUBJECT = ("line",)
    line: str
    step: str  # "ping", "reopen", "restart", "vendor_reset"


class CallEvent(Event, frozen=True):
    SUBJECT = ("line", "call")
    line: str
    call: str  # 8 hex digits, the box's own


class CallRinging(CallEvent, tag="call.ringing", frozen=True):
    """Somebody calls. `waiting`: behind another call of the line."""

    number: str | None = None
    waiting: bool = False


class CallIdentified(CallEvent, tag="call.identified", frozen=True):
    """The number came after the ring had begun."""

    number: str


class CallAnswered(CallEvent, tag="call.answered", frozen=True): ...


class CallMissed(CallEvent, tag="call.missed", frozen=True): ...


class CallEnded(CallEvent, tag="call.ended", frozen=True):
    """`seconds` since it was answered, 0 when it never was.

    Of one that was answered: "caller" (the other side hung up), "operator", "line_lost". Of one that came in and was
    not let in: "operator", "refused". Of one that we dialled: "busy", "no_answer", "unreachable", "refused" (by our own
    modem or network), "operator", "line_lost".
    """

    seconds: float
    reason: str


class SmsPartReceived(Event, tag="sms.part_received", frozen=True):
    """One PDU, durable before it is deleted from the modem."""

    SUBJECT = ("line",)
    line: str
    pdu: str  # hex, as the modem gave it, with its SMSC address


class SmsReceived(Event, tag="sms.received", frozen=True):
    SUBJECT = ("line",)
    line: str
    message: str  # 8 hex digits
    number: str
    text: str
    parts: int


class SmsUnreadable(Event, tag="sms.unreadable", frozen=True):
    SUBJECT = ("line",)
    line: str
    pdu: str
    reason: str


class SmsMemoryEvent(Event, frozen=True):
    SUBJECT = ("line",)
    line: str
    memory: str  # "SM" the SIM's, "ME" the modem's, "SR" that of reports
    used: int
    total: int


class SmsMemoryFilling(SmsMemoryEvent, tag="sms.memory_filling", frozen=True):
    """Nearly full; full, it takes no more messages."""


class SmsMemoryFreed(SmsMemoryEvent, tag="sms.memory_freed", frozen=True): ...


class ModemAsked(Event, tag="modem.asked", frozen=True):
    """A person asked a modem something, on duty; the actor is in the row. Of a USSD code only its beginning."""

    SUBJECT = ("line",)
    line: str
    command: str


class CreditSeen(Event, tag="line.credit", frozen=True):
    """The network told the SIM's credit. `until` is its last valid day (2027-12-31), "" when it does not say."""

    SUBJECT = ("line",)
    line: str
    rupiah: int
    until: str
    text: str  # its words, shortened, without long numbers


class CreditUnknown(Event, tag="line.credit_unknown", frozen=True):
    SUBJECT = ("line",)
    line: str
    reason: str  # "no_answer", "refused", "not_understood", "network_busy", "no_plan", "bad_plans"
    text: str = ""


class CreditPostpaid(Event, tag="line.credit_postpaid", frozen=True):
    """The line was asked for its credit before, and is no more."""

    SUBJECT = ("line",)
    line: str


class CreditLow(Event, tag="line.credit_low", frozen=True):
    SUBJECT = ("line",)
    line: str
    why: str  # "credit", "forecast", "validity"
    days: int


class CreditEnough(Event, tag="line.credit_enough", frozen=True):
    SUBJECT = ("line",)
    line: str


class LineNarrowed(Event, tag="line.narrowed", frozen=True):
    """LTE was left for a while, to ask for the credit on 2G; or all networks are allowed again."""

    SUBJECT = ("line",)
    line: str
    networks: str  # "2g", "all"


class SimBad(Event, tag="line.sim_bad", frozen=True):
    """The SIM is no use; `reason` is why a wanted PIN was not given, "" else."""

    SUBJECT = ("line",)
    line: str
    state: str  # "absent", "pin", "puk", "locked", "failed"
    reason: str


class SimGood(Event, tag="line.sim_good", frozen=True):
    SUBJECT = ("line",)
    line: str


class CellChanged(Event, tag="line.cell", frozen=True):
    """Another cell carries the line; told of a few changes an hour at most. Hex as the modem writes it."""

    SUBJECT = ("line",)
    line: str
    area: str
    cell: str


class ClockWrong(Event, tag="clock.wrong", frozen=True):
    """NTP does not hold the box's clock, and it differs from the mobile networks' time. Seconds to add to ours."""

    offset_s: float
    by: tuple[str, ...]  # lines


class ClockRight(Event, tag="clock.right", frozen=True): ...


class TrunkLost(Event, tag="trunk.lost", frozen=True):
    SUBJECT = ("trunk",)
    trunk: str
    reason: str
    layer: str = "trunk"  # whose fault it is: "trunk", "route", "dns", "carrier"


class TrunkRestored(Event, tag="trunk.restored", frozen=True):
    SUBJECT = ("trunk",)
    trunk: str


def _kinds_in(namespace: dict[str, Any]) -> dict[str, type[Event]]:
    """The concrete kinds of a module: those that were given a tag of their own."""
    kinds = [v for v in namespace.values() if isinstance(v, type) and issubclass(v, Event)]
    return {str(k.__struct_config__.tag): k for k in kinds if "." in str(k.__struct_config__.tag)}


OTHERS = (
    alarm_events, alert_events, station_events, sms_events, call_events, line_events, trunk_events, power_events,
    power_order_events, key_events,
)  # fmt: skip
MODULES = tuple(map(vars, OTHERS))
KINDS = {kind: found for module in (*MODULES, globals()) for kind, found in _kinds_in(module).items()}


def encode_event(event: Event) -> bytes:
    """The event's own fields as JSON, without its kind (the journal has a column for that)."""
    return b"{" + msgspec.json.encode(event)[_kind_ends(type(event)) :].removeprefix(b",")


def decode_event(kind: str, body: bytes) -> Event:
    """Raises msgspec.ValidationError for an unknown kind or a body that does not fit it."""
    found = KINDS.get(kind)
    if found is None:
        raise msgspec.ValidationError(f"Unknown event kind {kind!r}")
    return _decoder(found).decode(body)


@functools.cache
def _kind_ends(found: type[Event]) -> int:
    """How many octets of an event's JSON are its kind."""
    return len(b'{"kind":') + len(msgspec.json.encode(kind_of(found)))


@functools.cache
def _decoder(found: type[Event]) -> msgspec.json.Decoder[Event]:
    return msgspec.json.Decoder(found)
