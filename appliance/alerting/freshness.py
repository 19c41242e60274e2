"""A station's judgement of orders whose signature has been verified: which one it may act on, and only once.

It needs neither a clock that is right nor a disk: all of it lives in RAM for one session, drawn at random at start.
"""

from collections.abc import Callable, Collection, Iterable

from msgspec import Struct
from msgspec.structs import replace

from appliance.alerting.issuer_time import IssuerTime
from appliance.alerting.window import Window, drop_oldest
from appliance.alerting.wire import ID_SIZE, NO_ID, Action, Kind, Order, Reason, asked_counter

HELLO_BY_MQTT = 10.0  # s that a hello may take by MQTT, which answers in well under 1 s
HELLO_BY_SMS = 120.0  # s by SMS, which takes 5 to 30 s each way and longer in a busy cell
FUTURE_SLACK = 5.0  # s; a centre's clock may be set on by this much without a new handshake
MAX_ANNOUNCEMENTS = 64  # remembered; a station makes a few each minute, and a hello comes within two
MAX_ALERTS = 1024  # remembered; the order that began an older one has long left the window and its lifetime

OPENING = frozenset({Action.START, Action.LOCK})  # what a stop or an unlock ends
SOUNDING = frozenset({Kind.ACTUAL, Kind.SOUNDING_TEST})
ASKING = frozenset({Reason.WRONG_SESSION, Reason.NO_TIME, Reason.EXPIRED, Reason.FUTURE})


class Accept(Struct, frozen=True):
    """Act on this order. A start's `seconds` are cut to the station's own bound."""

    order: Order
    may_sound: bool
    seconds: int


class Learned(Struct, frozen=True):
    """A hello was taken; answer `alive` with its alert id, which proves to the centre that this session lives."""

    order: Order


class Duplicate(Struct, frozen=True):
    """These very fields were accepted before: answer with the current state, do nothing."""

    order: Order


class Refuse(Struct, frozen=True):
    """Do nothing. Answer with the reason, except `UNKNOWN_ISSUER`, which is never answered."""

    order: Order
    reason: Reason

    @property
    def asks(self) -> bool:
        """Whether the refusal is also a request for a hello: pass its counter to `Freshness.announced`."""
        return self.reason in ASKING


Verdict = Accept | Learned | Duplicate | Refuse


class Freshness:
    """One session of one station. `session` is 8 random octets; `now` is the station's monotonic time in s."""

    def __init__(
        self, session: bytes, station: int, issuers: Collection[int], max_seconds: int,
        kin: Callable[[int], Iterable[int]] = lambda issuer: (),
    ) -> None:  # fmt: skip
        """`issuers` are key ids, looked at with each order; `max_seconds` is the longest that one order sounds here.

        `kin` gives the other keys of a key's holder: they speak of the same clock.
        """
        if len(session) != ID_SIZE or session == NO_ID:
            raise ValueError(f"A session is {ID_SIZE} random octets, not {session!r}.")
        self.session, self.station = session, station
        self._max_seconds = max_seconds
        self._issuers, self._kin = issuers, kin
        self._windows: dict[int, Window[Order]] = {}
        self._times: dict[int, IssuerTime] = {}
        self._announcements: dict[int, tuple[float, float]] = {}  # counter -> asked at, last moment of a hello
        self._stopped: dict[bytes, bool] = {}  # alert accepted in this session -> whether a stop has named it

    def announced(self, counter: int, now: float, within: float = HELLO_BY_MQTT) -> None:
        """An answer with this counter leaves now and asks for a hello, which counts if it comes `within` s."""
        # An answer that is sent again keeps its first time: the hello may be the reply to the first copy.
        self._announcements.setdefault(counter, (now, now + within))
        drop_oldest(self._announcements, MAX_ANNOUNCEMENTS)

    def highest(self, issuer: int) -> int:
        """The highest sequence accepted from an issuer, 0 for none."""
        window = self._windows.get(issuer)
        return window.highest if window else 0

    def judge(self, order: Order, now: float) -> Verdict:
        """The verdict on an order that came at `now`. Its sequence is used up only by Accept and Learned."""
        if order.issuer not in self._issuers:
            return Refuse(order, Reason.UNKNOWN_ISSUER)
        window = self._windows.setdefault(order.issuer, Window())
        if order.station != self.station:
            return Refuse(order, Reason.WRONG_STATION)
        if order.session != self.session:
            return Refuse(order, Reason.WRONG_SESSION)
        before = window.taken(order.sequence)
        if before == order:
            return Duplicate(order)
        # Another order under a used sequence is an issuer that forgot its count: `highest` in the answer tells it.
        if before is not None or window.too_old(order.sequence):
            return Refuse(order, Reason.REPLAYED)
        verdict = self._learn(order, now) if order.action is Action.HELLO else self._start_or_stop(order, now)
        if not isinstance(verdict, Refuse):
            window.take(order.sequence, order)
        return verdict

    def _learn(self, hello: Order, now: float) -> Learned | Refuse:
        counter = asked_counter(hello)
        asked_at, until = self._announcements.get(counter, (now, now - 1.0))
        if now > until:
            return Refuse(hello, Reason.EXPIRED)
        known = self._times.get(hello.issuer)
        learned = IssuerTime.from_hello(hello, counter, asked_at, now)
        if known is None:
            self._times[hello.issuer] = learned
        elif counter > known.counter:  # an overtaken hello must not bring back a clock that was set since
            self._times[hello.issuer] = known.refreshed(learned)
        return Learned(hello)

    def _start_or_stop(self, order: Order, now: float) -> Accept | Refuse:
        opens, starts = order.action in OPENING, order.action is Action.START
        stopped = self._stopped.get(order.alert)
        if opens and stopped:
            return Refuse(order, Reason.LATE_START_STOPPED)
        # A stop of an alert that began here is never too late: it cannot do harm twice.
        if opens or stopped is None:
            reason = self._time_flaw(order, now)
            if reason is not None:
                return Refuse(order, reason)
        self._stopped[order.alert] = not opens
        drop_oldest(self._stopped, MAX_ALERTS)
        return Accept(
            order,
            may_sound=starts and order.kind in SOUNDING,
            seconds=min(order.seconds, self._max_seconds) if starts else order.seconds,
        )

    def _time_flaw(self, order: Order, now: float) -> Reason | None:
        keys = order.issuer, *self._kin(order.issuer)
        time = next((self._times[key] for key in keys if key in self._times), None)
        if time is None:
            return Reason.NO_TIME
        age = time.age(order, now)
        if age < -FUTURE_SLACK:
            self._times[order.issuer] = replace(time, contradicted=True)
            return Reason.FUTURE
        return Reason.EXPIRED if age > order.lifetime_s else None
