"""One centre and one station in virtual time, between them a broker and an SMS network that obey the test.

The real Centre, Reports, Issuer, StationNode, Siren and Journal (on a real file); the network and the pins are played.
`kill` is a kill -9: nothing is closed, only what the disk has comes back.
"""

import asyncio
import contextlib
import logging
import threading
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from order_box import Box
from order_phone import Phone, nobody

from appliance.alerting.centre import Centre
from appliance.alerting.issuer import Issuer
from appliance.alerting.reports import Reports
from appliance.alerting.sender import Publish
from appliance.commands import IssueAlert, StopAlert
from appliance.config import Site
from appliance.entry import Entry
from appliance.event import Event
from appliance.fold import apply
from appliance.journal import Appended, Journal
from appliance.keys import public_hex
from appliance.model import Path as Way
from appliance.state import Alert, Delivery, State
from appliance.station import StationNode
from drivers.clock import VirtualClock
from drivers.jsonsocket import Refusal

CENTRE, STATION = "pusat", "damkar"
PHONE = "+6200009"
SMS_TAKES = 1.5  # s until the modem has taken it
SMS_OF = {"+6200001": CENTRE, "+6200002": STATION}
KEYS = {
    CENTRE: Ed25519PrivateKey.from_private_bytes(b"c" * 32),
    STATION: Ed25519PrivateKey.from_private_bytes(b"s" * 32),
}
ANNUNCIATOR = {"socket": "a.sock", "factory": "mock", "output": {"siren": {"pin": 17, "kind": "siren", "max_s": 600}}}


def centre_site(**changes: Any) -> Site:
    far = {"id": STATION, "number": 7, "name": "Damkar", "key": public_hex(KEYS[STATION]), "sms": "+6200002"}
    far |= {"phone": PHONE, "zones": ["garasi", "barak"]}
    near = {"id": CENTRE, "number": 1, "name": "Pusat", "local": True}
    site = {
        "role": "centre", "site": "kota", "id": CENTRE, "name": "Pusat", "annunciator": ANNUNCIATOR,
        "own": {"id": CENTRE, "number": 1, "siren": "siren"}, "station": [far, near],
    }  # fmt: skip
    return msgspec.convert({**site, **changes}, Site)


def station_site(**own: Any) -> Site:
    issuer = {"name": CENTRE, "key": public_hex(KEYS[CENTRE]), "sms": ["+6200001"]}
    site = {
        "role": "station", "site": "kota", "id": STATION, "name": "Damkar", "annunciator": ANNUNCIATOR,
        "own": {"id": STATION, "number": 7, "siren": "siren", **own}, "issuer": [issuer],
    }  # fmt: skip
    return msgspec.convert(site, Site)


@dataclass
class Network:
    """What the network does to each message. `joined`: who has a connection to the broker."""

    joined: dict[str, bool] = field(default_factory=lambda: {CENTRE: True, STATION: True})
    mqtt_s: float = 0.05
    sms_s: float = 8.0
    copies: int = 1
    loses: bool = False  # MQTT messages are taken and go nowhere
    sms: bool = True
    swallows: bool = False  # SMS are taken and go nowhere
    keeps: bool = True  # the broker keeps what a client that is away subscribed to
    kept: list[tuple[str, float, bytes]] = field(default_factory=list)
    sent: list[tuple[float, str, Way, bytes]] = field(default_factory=list)  # to whom, by what


class HeldJournal(Journal):
    """Writes at once, or while `held` not at all; a killed one writes no more."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.free, self.dead, self._busy = threading.Event(), False, False
        self.free.set()

    def _write_batch(self, db: Any) -> Any:
        self.free.wait()
        if self.dead:
            return db
        self._busy = True
        try:
            return super()._write_batch(db)
        finally:
            self._busy = False  # whoever waits for these rows is told by now

    def append(self, event: Event, *, actor: str = "", cause: int | None = None) -> Appended:
        appended = super().append(event, actor=actor, cause=cause)
        self._catch_up()
        return appended

    def _catch_up(self) -> None:
        waiting = threading.Event()
        while self.free.is_set() and (self.kept or self._busy) and self.failed is None and not self.dead:
            waiting.wait(0.0002)  # real time: the virtual one stands still until the file has it

    def hold(self) -> None:
        """The disk takes nothing."""
        self.free.clear()

    def let_go(self) -> None:
        self.free.set()
        self._catch_up()

    def die(self) -> None:
        self.dead = True
        self.free.set()
        self.close()


class World:
    """Made on the loop of its clock; `centre_up` and `station_up` start the processes."""

    def __init__(self, folder: Path, clock: VirtualClock, **station: Any) -> None:
        self.clock, self.net, self.file = clock, Network(), folder / "journal.db"
        self.near, self.far = Box(clock), Box(clock)
        self.site, self._station_site = centre_site(), station_site(**station)
        self.boot, self.phone = "boot1", Phone(clock)
        self.centre: Centre | None = None
        self.reports: Reports | None = None
        self.station: StationNode | None = None
        self.station_rows: list[tuple[float, Event]] = []
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._posts: set[asyncio.Task[None]] = set()

    # Processes

    def centre_up(self) -> None:
        state = self.state = State()

        def on_entry(entry: Entry) -> None:
            apply(state, entry)
            if self.centre and self.centre._state is state:
                self.centre.wake()

        self.journal = HeldJournal(self.file, self.clock, self.boot, lambda: "ntp", on_entry)
        self.journal.open()
        issuer = Issuer(KEYS[CENTRE], self.clock, {s.number: state.sequences.get(s.id, 0) for s in self.site.station})
        self.centre = Centre(
            site=self.site, state=state, clock=self.clock, boot=self.boot, append=self.journal.append, issuer=issuer,
            annunciator=self.near, publish=self._publisher(CENTRE), broker_up=lambda: self.net.joined[CENTRE],  # type: ignore[arg-type]
            send_sms=self._sms(CENTRE), sms_up=lambda: int(self.net.sms), telephone=self.phone,
        )  # fmt: skip
        self.reports = Reports(self.site, self.centre, issuer, self.clock)
        self.phone.note, self.phone.state = self.journal.append, state
        self.near.on_standing, self.near.on_output = self.centre.on_standing, self.reports.on_local_output
        self._tasks[CENTRE] = asyncio.create_task(self.centre.run())
        self.near.core_came()

    def station_up(self) -> None:
        self.station = StationNode(
            site=self._station_site, clock=self.clock, append=self._note, key=KEYS[STATION],
            annunciator=self.far, publish=self._publisher(STATION),  # type: ignore[arg-type]
            broker_up=lambda: self.net.joined[STATION], send_sms=self._sms(STATION),
        )  # fmt: skip
        self.far.on_standing, self.far.on_output = self.station.on_standing, self.station.on_output
        self._tasks[STATION] = asyncio.create_task(self.station.run())
        if self.net.joined[STATION]:
            self.join(STATION)
        self.far.core_came()

    def _note(self, event: Event, **_: Any) -> Any:
        self.station_rows.append((self.clock.now(), event))

    def runs(self, who: str) -> bool:
        return who in self._tasks

    def later(self, seconds: float, what: Callable[[], None]) -> None:
        async def do() -> None:
            await asyncio.sleep(seconds)
            what()

        self._post(do())

    async def kill(self, who: str) -> None:
        task = self._tasks.pop(who)
        if who == CENTRE:
            self.phone.note, self.journal.dead = nobody, True
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        box = self.near if who == CENTRE else self.far
        box.on_standing, box.on_output = lambda standing: None, lambda change: None
        if who == CENTRE:
            self.journal.die()
            self.centre = self.reports = None
        else:
            self.station = None

    async def end(self) -> None:
        for who in list(self._tasks):
            await self.kill(who)
        for post in list(self._posts):
            post.cancel()
        await asyncio.gather(*self._posts, return_exceptions=True)

    # Between them

    def join(self, who: str) -> None:
        """The connection to the broker is there (again)."""
        self.net.joined[who] = True
        if who == STATION and self.station:
            self.station.on_broker_up()
        kept, self.net.kept = self.net.kept, []
        for to, until, payload in kept:
            if to != who:
                self.net.kept.append((to, until, payload))
            elif self.clock.now() < until:
                self._hand(to, payload, Way.MQTT)

    def leave(self, who: str) -> None:
        self.net.joined[who] = False

    def _publisher(self, who: str) -> Publish:
        to = STATION if who == CENTRE else CENTRE

        def publish(topic: str, payload: bytes, expiry_s: int, qos: int = 1) -> str:
            if not self.net.joined[who]:
                return "there is no connection to the broker"
            self.net.sent.append((self.clock.now(), to, Way.MQTT, payload))
            for copy in range(0 if self.net.loses else self.net.copies):
                until = self.clock.now() + expiry_s if qos else 0.0  # a broker keeps nothing of QoS 0
                self._post(self._by_broker(to, payload, until, self.net.mqtt_s * (1 + 3 * copy)))
            return ""

        return publish

    async def _by_broker(self, to: str, payload: bytes, until: float, delay: float) -> None:
        await asyncio.sleep(delay)
        if self.net.joined[to] and to in self._tasks:
            self._hand(to, payload, Way.MQTT)
        elif until and self.net.keeps and len(self.net.kept) < 500:
            self.net.kept.append((to, until, payload))

    def _sms(self, who: str) -> Callable[[str, bytes, str], Awaitable[None]]:
        async def send(number: str, payload: bytes, _purpose: str) -> None:
            await asyncio.sleep(SMS_TAKES)
            if not self.net.sms:
                raise OSError("no network service")
            to = SMS_OF[number]
            self.net.sent.append((self.clock.now(), to, Way.SMS, payload))
            for copy in range(0 if self.net.swallows else self.net.copies):
                self._post(self._by_smsc(to, payload, self.net.sms_s * (1 + copy)))

        return send

    async def _by_smsc(self, to: str, payload: bytes, delay: float) -> None:
        await asyncio.sleep(delay)
        while to not in self._tasks:  # the network keeps it until the box is back
            await asyncio.sleep(1.0)
        self._hand(to, payload, Way.SMS)

    def _post(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._posts.add(task)
        task.add_done_callback(self._posts.discard)

    def _hand(self, to: str, payload: bytes, way: Way) -> None:
        if to == STATION and self.station:
            self.station.on_order(payload, way)
        elif to == CENTRE and self.reports:
            self.reports.on_answer(payload, way, named=STATION if way is Way.MQTT else "")

    # What a test asks

    @staticmethod
    def order(seconds: int = 60, to: str = STATION, **more: Any) -> IssueAlert:
        return IssueAlert(stations=(to,), seconds=seconds, **more)

    async def issue(self, seconds: int = 60, to: str = STATION, **more: Any) -> str:
        assert self.centre
        return str((await self.centre.issue(self.order(seconds, to, **more), "test"))["alert"])

    async def stop(self, *alerts: str) -> None:
        assert self.centre
        with contextlib.suppress(Refusal):
            await self.centre.stop(StopAlert(alerts=alerts), "test")

    def alert(self, alert: str) -> Alert:
        return self.state.alerts[alert]

    def delivery(self, alert: str) -> Delivery:
        return next(iter(self.alert(alert).deliveries.values()))

    async def until(self, so: Callable[[], bool], within: float) -> None:
        end = self.clock.now() + within
        while not so():
            assert self.clock.now() < end, "it did not come to be"
            await asyncio.sleep(0.1)

    async def greeted(self) -> None:
        """Both are up, and the centre has proven the station's session."""
        self.station_up()
        self.centre_up()
        assert self.centre
        contact = self.centre.contacts[STATION]
        await self.until(lambda: contact.heard_at is not None and contact.window.session is not None, 15)
        await asyncio.sleep(1)


def play(folder: Path, story: Callable[[World], Awaitable[None]], **station: Any) -> None:
    """Tell a story in a new world; minutes of it take milliseconds."""
    logging.getLogger("siaga").setLevel(logging.CRITICAL)
    clock = VirtualClock()

    async def main() -> None:
        world = World(folder, clock, **station)
        try:
            async with asyncio.timeout(40_000):
                await story(world)
        finally:
            await world.end()

    clock.run(main())
