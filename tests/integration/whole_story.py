"""Stories of orders, faults and restarts: what can happen, as plain words, and how it is made to happen."""

import asyncio
import contextlib
from collections import Counter
from dataclasses import dataclass, field
from random import Random
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import strategies as st
from order_world import CENTRE, STATION
from whole_world import ZONES, Whole

from appliance.alerting.wire import Action, Kind, Order, Pattern, encode_order
from appliance.commands import LockSiren, UnlockSiren
from appliance.keys import key_id
from appliance.model import AlertKind
from appliance.model import Path as Way
from appliance.station_events import LockoutEnded, LockoutSet
from drivers.jsonsocket import Refusal

SETTLED = 3000  # s after the last step; by then each order has come to an end, or somebody was called
DOWN = (0.0, 0.3, 4.0, 20.0)  # s
WAITS = (0.0, 0.002, 0.02, 0.3, 2.0, 7.0, 40.0)
LEFT = ("", "", "", "welded", "cut", "away", "dark")  # what is wrong at the station when all else is well again
QUIET = 2.0  # s in which a way may be between two looks

Step = tuple[Any, ...]


@dataclass
class Given:
    """An order as a person gave it."""

    at: float
    place: str
    seconds: int
    kind: AlertKind
    paths: tuple[Way, ...]
    outputs: frozenset[str]
    durable: bool
    boot: str


@dataclass
class Stretch:
    """For so long a way was clear without a break."""

    since: float
    to: float


@dataclass
class Told:
    """What a story did, and when."""

    orders: dict[str, Given] = field(default_factory=dict)
    tests: frozenset[str] = frozenset()
    revoked: dict[str, tuple[float, int]] = field(default_factory=dict)  # by whose key: when, its id
    forgot: bool = False  # core of the centre was killed while its disk took nothing
    resets: list[float] = field(default_factory=list)  # kills of the station's core
    clear: dict[str, list[Stretch]] = field(default_factory=dict)
    left: str = ""
    left_at: float = 0.0
    last: str = ""  # the order that met what was left
    unlocked: list[float] = field(default_factory=list)  # when a station's core did not know its own journal's lockout
    done: Counter[str] = field(default_factory=Counter)


BOTH = (CENTRE, STATION)
ORDER = (
    "issue",
    (STATION, STATION, STATION, STATION, CENTRE, *(f"{STATION}/{zone}" for zone in ZONES)),
    (5, 30, 120),
    ("actual", "actual", "actual", "sounding_test", "silent_test", "drill"),
    (1, 2, 3),
    ((), (), (), (), ("mqtt",), ("sms",), ("voice",), ("gpio", "mqtt", "sms")),
)
# What can happen, with what each of its arguments can be; a row that stands here twice happens twice as often.
TABLE: tuple[tuple[Any, ...], ...] = (
    *(ORDER,) * 6,
    *(("stop", ("all", "all", "last")),) * 2,
    *(("lock", (0.1, 1.0)),) * 2,
    ("unlock",),
    ("broker", BOTH),
    ("net_loses", (True, False)),
    ("net_keeps", (True, False)),
    ("net_sms", (True, False)),
    ("net_swallows", (True, False)),
    ("net_sms_s", (2.0, 20.0, 70.0, 600.0)),
    ("net_mqtt_s", (0.05, 2.0, 9.0)),
    ("net_copies", (1, 2)),
    ("phone_speaks", (True, True, False)),
    ("phone_becomes", ("heard", "heard", "no_key", "busy", "no_answer", "no_line")),
    ("phone_lines", (1, 1, 0)),
    *(("die", BOTH, DOWN),) * 2,
    ("lose", BOTH, DOWN, (True, False)),
    ("blackout", BOTH, DOWN),
    ("hold_disk", (0.3, 4.0, 20.0)),
    *(("replay", BOTH, tuple(range(61)), ("mqtt", "sms", "retained", "topic")),) * 2,
    ("forge", ("stranger", "other_station", "other_session")),
    ("weld", ("siren", "hall", "")),
    ("cut", (True, False)),
    ("silence",),
    ("rotate",),
    ("revoke", BOTH),
)
SHORTEST, LONGEST = 6, 30  # steps


@dataclass(frozen=True)
class Plan:
    """A story: `deaf`: at first only the phone reaches the station. `tests`: who may sound one. `left`: of LEFT."""

    deaf: bool
    tests: frozenset[str]
    left: str
    story: tuple[tuple[float, Step], ...]


plans = st.builds(
    Plan,
    deaf=st.booleans(),
    tests=st.frozensets(st.sampled_from(BOTH)),
    left=st.sampled_from(LEFT),
    story=st.lists(
        st.tuples(
            st.sampled_from(WAITS),
            st.sampled_from(TABLE).flatmap(lambda row: st.tuples(st.just(row[0]), *map(st.sampled_from, row[1:]))),
        ),
        min_size=SHORTEST,
        max_size=LONGEST,
    ).map(tuple),
)


def plan_by(dice: Random) -> Plan:
    """Anything of the above; hypothesis prefers what is small and alike. Half of what can happen never does in a story:
    else each would have a bit of everything, and nothing would go on long enough to be looked at."""
    names = sorted({row[0] for row in TABLE} - {"issue"})
    left_out = set(dice.sample(names, len(names) // 2))
    table = [row for row in TABLE if row[0] not in left_out]
    rows = [dice.choice(table) for _ in range(dice.randint(SHORTEST, LONGEST))]
    return Plan(
        deaf=dice.random() < 0.2,
        tests=frozenset(who for who in BOTH if dice.random() < 0.5),
        left=dice.choice(LEFT),
        story=tuple((dice.choice(WAITS), (row[0], *map(dice.choice, row[1:]))) for row in rows),
    )


class Teller:
    """Makes a story happen."""

    def __init__(self, world: Whole, told: Told) -> None:
        self.w, self.told = world, told

    async def tell(self, deaf: bool, story: tuple[tuple[float, Step], ...]) -> None:
        """`deaf`: at first only the phone reaches the station."""
        w = self.w
        w.phone.speaks = True
        watch = asyncio.create_task(self._watch())
        if deaf:
            w.leave(CENTRE)
            w.net.sms = False
        for wait, (name, *values) in [(0.0, ("issue", STATION, 30, "actual", 2, ())), *story]:
            await asyncio.sleep(wait)
            self.told.done[name] += 1
            made = getattr(self, name)(*values)
            if made is not None:
                await made
        await asyncio.sleep(max(DOWN) + 1)
        await self._heal()
        end = w.clock.now() + SETTLED
        while w.state.open_alerts() and w.clock.now() < end:
            await asyncio.sleep(5)
        await asyncio.sleep(130)
        watch.cancel()

    async def _heal(self) -> None:
        w, left = self.w, self.told.left
        w.net.loses = w.net.swallows = False
        w.net.sms, w.net.keeps, w.net.copies = True, True, 1
        w.net.sms_s, w.net.mqtt_s = min(w.net.sms_s, 70.0), min(w.net.mqtt_s, 2.0)
        w.far.cut = False
        for box in (w.near, w.far):
            box.welded.clear()
            box.contacts()
        for who, joined in list(w.net.joined.items()):
            if not joined:
                w.join(who)
        w.journal.let_go()
        if not left:
            return
        await asyncio.sleep(95)  # what sounds now has ended, and both have found each other
        self.told.left_at = w.clock.now()
        if left == "welded":
            w.far.welded.add("siren")
        elif left == "cut":
            w.far.cut = True
        elif left == "away":
            w.far.lose_wire()
        else:
            await w.kill(STATION)
        await self.issue(STATION, 30, "actual", 2, ())
        self.told.last = next(reversed(self.told.orders))

    async def _watch(self) -> None:
        """Notes how long which way was clear; a break that is shorter than a look is what `broken` is for."""
        w, net = self.w, self.w.net
        while True:
            revoked = bool(self.told.revoked)
            calm = all(net.joined.values()) and not net.loses and net.mqtt_s <= 2 and not revoked
            ways = {
                "near": w.runs(CENTRE) and w.near.up,
                "far": w.runs(STATION) and w.far.up,
                "mqtt": w.runs(CENTRE) and w.runs(STATION) and w.far.up and calm,
                "sms": w.runs(CENTRE) and net.sms,
            }
            for name, clear in ways.items():
                rows = self.told.clear.setdefault(name, [])
                if clear and rows and rows[-1].to >= w.clock.now() - 0.6:
                    rows[-1].to = w.clock.now()
                elif clear:
                    rows.append(Stretch(w.clock.now(), w.clock.now()))
            if w.station and self._locked_by_journal() and not w.station._lockout.on:
                self.told.unlocked.append(w.clock.now())
            await asyncio.sleep(0.5)

    def _locked_by_journal(self) -> bool:
        for _, row in reversed(self.w.station_rows):
            if isinstance(row, LockoutSet | LockoutEnded):
                return isinstance(row, LockoutSet) and row.until > self.w.clock.wall() + 60
        return False

    def _broken(self, *ways: str) -> None:
        for name in ways:
            if rows := self.told.clear.get(name):
                rows.append(Stretch(self.w.clock.now(), self.w.clock.now() - 1))

    # Orders

    async def issue(self, to: str, seconds: int, kind: str, priority: int, paths: tuple[str, ...]) -> None:
        w, told = self.w, self.told
        if not w.centre:
            return
        at, place, zone = w.clock.now(), *to.partition("/")[::2]
        ways = tuple(map(Way, paths))
        command = w.order(seconds, to, alert_kind=AlertKind(kind), priority=priority, paths=ways)
        made = await w.centre.issue(command, "test")
        outputs = {ZONES[zone]} if zone else set(ZONES.values()) if place == STATION else {"siren"}
        told.orders[made["alert"]] = Given(
            at, place, seconds, AlertKind(kind), ways, frozenset(outputs), made["durable"], w.boot
        )

    async def stop(self, what: str) -> None:
        if self.w.centre:
            await self.w.stop(*([next(reversed(self.told.orders))] if what == "last" and self.told.orders else []))

    async def lock(self, hours: float) -> None:
        if self.w.centre:
            await self.w.room.lockouts.lock(LockSiren(station=STATION, hours=hours, reason="repair"), "test")

    async def unlock(self) -> None:
        if self.w.centre:
            with contextlib.suppress(Refusal):  # it is not locked
                await self.w.room.lockouts.unlock(UnlockSiren(station=STATION), "test")

    # Ways

    def broker(self, who: str) -> None:
        self._broken("mqtt")
        (self.w.leave if self.w.net.joined[who] else self.w.join)(who)

    def __getattr__(self, name: str) -> Any:
        of, _, knob = name.partition("_")
        if of not in ("net", "phone") or not knob:
            raise AttributeError(name)

        def turn(value: object) -> None:
            if of == "net":
                self._broken("mqtt", "sms")
            setattr(getattr(self.w, of), knob, value)

        return turn

    # Boxes

    async def die(self, who: str, down_s: float) -> None:
        """A kill -9 of core, and its restart while the story goes on."""
        w = self.w
        if not w.runs(who):
            return
        self._broken("mqtt", "sms", "near" if who == CENTRE else "far")
        if who == CENTRE:
            self.told.forgot |= not w.journal.free.is_set()
        else:
            self.told.resets.append(w.clock.now())
        await w.kill(who)
        w.later(down_s, w.centre_up if who == CENTRE else w.station_up)

    def lose(self, who: str, down_s: float, power: bool) -> None:
        """The annunciator restarts, or only its socket is lost."""
        box = self.w.near if who == CENTRE else self.w.far
        if box.up:
            self._broken("mqtt", "near" if who == CENTRE else "far")
            (box.lose_power if power else box.lose_wire)()
            self.w.later(down_s, box.power if power else box.wire)

    async def blackout(self, who: str, down_s: float) -> None:
        """The whole place goes dark and comes back, with another boot."""
        w = self.w
        self.lose(who, down_s, True)
        if who == CENTRE:
            w.boot += "+"
            w.phone.live.clear()
        else:
            w.station_boot += "+"
        await self.die(who, down_s)

    def hold_disk(self, seconds: float) -> None:
        w = self.w
        if w.runs(CENTRE):
            journal = w.journal
            journal.hold()
            w.later(seconds, lambda: None if journal.dead else journal.let_go())

    def weld(self, output: str) -> None:
        self.w.far.welded = {output} if output else set()
        self.w.far.contacts()

    def cut(self, cut: bool) -> None:
        self.w.far.cut = cut
        self.w.far.contacts()

    def silence(self) -> None:
        if self.w.far.powered:
            self.w.far.silence()

    # Strangers, and keys

    def replay(self, to: str, which: int, how: str) -> None:
        """Something that went by once, again."""
        w = self.w
        gone = [payload for _, whom, _, payload in w.net.sent if whom == to]
        if not gone:
            return
        payload = gone[which % len(gone)]
        if how in ("mqtt", "sms"):
            w._hand(to, payload, Way(how))
        elif to == STATION and w.station:
            w.station.on_order(payload, Way.MQTT, retained=how == "retained")
        elif to == CENTRE and w.reports:
            w.reports.on_answer(payload, Way.MQTT, named=CENTRE, retained=how == "retained")

    def forge(self, by: str) -> None:
        """A start that nobody ordered: with another key, or by an issuer that may have been meant for another."""
        w = self.w
        if not w.station:
            return
        key = Ed25519PrivateKey.from_private_bytes(b"x" * 32) if by == "stranger" else w.hands[w.hands.newest]
        order = Order(
            action=Action.START, kind=Kind.ACTUAL, pattern=Pattern.WAIL, seconds=60, alert=b"forged.1",
            issuer=key_id(key.public_key()), station=8 if by == "other_station" else 7, session=w.station.session,
            sequence=900_000, issued_at=int(w.clock.wall()), lifetime_s=300,
        )  # fmt: skip
        if by == "other_session":
            order = msgspec.structs.replace(order, session=b"another.")
        w.station.on_order(encode_order(order, key), Way.MQTT)

    def rotate(self) -> None:
        if len(self.w.hands.all) == 1 and CENTRE not in self.told.revoked:
            self.w.rotate_centre()

    def revoke(self, whose: str) -> None:
        if whose in self.told.revoked:
            return
        if whose == CENTRE:
            self.told.revoked[whose] = (self.w.clock.now(), self.w.revoke_at_station())
        else:
            self.told.revoked[whose] = (self.w.clock.now(), 0)
            self.w.revoke_at_centre()
