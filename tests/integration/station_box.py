"""A station alone in virtual time: the real StationNode on played sirens, with a centre's key in the test's hand."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from order_box import Relay

from appliance.alerting.wire import Action, Answer, Kind, Order, Pattern, What, decode_answer, encode_order, hello_id
from appliance.alerting.wire_health import Health, decode_health, is_health
from appliance.alerting.wire_text import Language, Text, TextAbout, encode_text
from appliance.annunciator_protocol import InputChange, OutputChange, OutputState, Sounding, Standing, Stopped
from appliance.annunciator_siren import Siren
from appliance.config import Site
from appliance.entry import Entry
from appliance.event import Event
from appliance.fold import apply
from appliance.journal import Journal
from appliance.keys import key_id, public_hex
from appliance.model import Path as Way
from appliance.state import State
from appliance.station import StationNode
from appliance.station.vitals import Vitals
from drivers.clock import VirtualClock
from drivers.jsonsocket import Gone

CENTRE, STATION = (Ed25519PrivateKey.from_private_bytes(octet * 32) for octet in (b"c", b"s"))
ISSUER = key_id(CENTRE.public_key())
STATIONS = {7: {key_id(STATION.public_key()): STATION.public_key()}}
NUMBER = "+6200001"
E = TypeVar("E", bound=Event)
OUTPUTS = {
    "siren": {"pin": 17, "kind": "siren", "max_s": 600},
    "hall": {"pin": 18, "kind": "siren", "max_s": 600},
    "silent": {"pin": 20, "kind": "lamp"},
}
INPUTS = {
    "drawn": {"pin": 5, "kind": "current", "of": "siren"},
    "box": {"pin": 6, "kind": "tamper"},
    "mains": {"pin": 13, "kind": "supply"},
}
ZONES = (
    {"id": "yard", "name": "Halaman", "output": "siren"},
    {"id": "hall", "name": "Aula", "output": "hall", "speaks": True},
)


def site(**own: Any) -> Site:
    table = {
        "role": "station", "site": "kota", "id": "damkar", "name": "Damkar",
        "annunciator": {"socket": "a.sock", "factory": "mock", "output": OUTPUTS, "input": INPUTS},
        "own": {"id": "damkar", "number": 7, "siren": "siren", **own},
        "issuer": [{"name": "pusat", "key": public_hex(CENTRE), "sms": [NUMBER]}],
        "supervision": {"profile": {"vsat": {"heartbeat_s": 30, "lost_s": 95}}},
    }  # fmt: skip
    return msgspec.convert(table, Site)


class Sirens:
    """The annunciator: a real Siren for each output. `up`: it can be reached. `frozen`: it hears, and does it later."""

    def __init__(self, clock: VirtualClock) -> None:
        self._clock, self.up, self.node = clock, True, None
        self.frozen, self._late = False, list[Callable[[], Sounding]]()
        self.relays: dict[str, Relay] = {}
        self.sirens: dict[str, Siren] = {}
        self.asked: list[tuple[str, str, dict[str, Any]]] = []
        self.lights: dict[str, bool] = {}
        self.inputs: dict[str, bool] = {}
        self.locked: dict[str, float] = {}
        self.on_output: Callable[[OutputChange], None] = lambda change: None
        for name in ("siren", "hall"):
            relay = self.relays[name] = Relay(clock)
            self.sirens[name] = Siren(relay, lambda order, why, of=name: self._changed(of, order, why))  # type: ignore[arg-type,misc]

    def _changed(self, output: str, order: str | None, why: str) -> None:
        change = OutputChange(output, self.relays[output].on, order, why, self._clock.now())
        asyncio.get_running_loop().call_soon(lambda: self.on_output(change))

    async def sound(self, order: str, output: str, pattern: str, seconds: float, **more: Any) -> Sounding:
        await self._reached()
        self.asked.append((order, output, more))
        if self.frozen:
            self._late.append(lambda: self.sirens[output].sound(order, pattern, seconds))
            await asyncio.sleep(1.0)
            raise Gone("no answer within 1.0 s")
        return self.sirens[output].sound(order, pattern, seconds)

    def thaw(self) -> None:
        """Do what was heard, each once and in its turn."""
        for sound in self._late:
            sound()
        self.frozen, self._late = False, []

    async def stop(self, orders: list[str]) -> Stopped:
        await self._reached()
        stopped = [one for siren in self.sirens.values() for one in siren.end(tuple(orders), "stopped")]
        await asyncio.sleep(0)  # its pushes come before its answer
        return Stopped(tuple(stopped), any(relay.on for relay in self.relays.values()))

    async def lock(self, outputs: tuple[str, ...], seconds: float) -> None:
        await self._reached()
        self.locked = dict.fromkeys(outputs, seconds) if seconds else {}

    async def light(self, output: str, on: bool) -> bool:
        await self._reached()
        self.lights[output] = on
        return on

    async def _reached(self) -> None:
        await asyncio.sleep(0.002)
        if not self.up:
            raise Gone("the annunciator is away")

    def on(self) -> set[str]:
        return {name for name, relay in self.relays.items() if relay.on}

    def standing(self) -> Standing:
        outputs = {
            name: OutputState(self.relays[name].on, tuple(siren.orders.sounding), self.relays[name].remaining_s)
            for name, siren in self.sirens.items()
        }
        return Standing(outputs, dict(self.inputs), 0.0, False, locked=dict(self.locked))


class Voice:
    """Speaks at once and remembers it. `fails`: there is no sound."""

    def __init__(self) -> None:
        self.said: list[tuple[str, str, float]] = []
        self.fails = False

    async def speak(self, language: str, text: str, gain_db: float) -> bool:
        self.said.append((language, text, gain_db))
        return not self.fails


class Station:
    """Made on the loop of its clock. `start` makes a new session of its core on the journal that is there."""

    def __init__(self, folder: Path, clock: VirtualClock, **own: Any) -> None:
        self.clock, self.site, self._file = clock, site(**own), folder / "journal.db"
        self.box, self.voice = Sirens(clock), Voice()
        self.broker, self.sms = True, list[tuple[str, bytes]]()
        self.sent: list[bytes] = []
        self.vitals = Vitals(clock_quality="ntp", disk_free_percent=50)
        self.boot, self.time_known = "boot1", True
        self._sequence = 0
        self._task: asyncio.Task[None] | None = None

    async def start(self, *, greeted: bool = True) -> None:
        self.state, self.events = State(), list[Event]()

        def on_entry(entry: Entry) -> None:
            apply(self.state, entry)
            self.events.append(entry.event)

        self._journal = Journal(self._file, self.clock, self.boot, lambda: "ntp", on_entry)
        self._journal.open()
        self.clock.busy = lambda: self._journal.writing
        self.events.clear()
        self.node = StationNode(
            site=self.site, clock=self.clock, append=self._journal.append, key=STATION,
            annunciator=self.box, publish=self._publish, broker_up=lambda: self.broker, send_sms=self._send,  # type: ignore[arg-type]
            state=self.state, boot=self.boot, time_known=lambda: self.time_known, speaker=self.voice,
            audio_up=lambda: True, vitals=lambda: self.vitals,
        )  # fmt: skip
        self.box.on_output = self.node.on_output
        self._task = asyncio.create_task(self.node.run())
        await asyncio.sleep(0.1)
        self.node.on_standing(self.box.standing())
        if greeted:
            self.greet()

    async def kill(self) -> None:
        """As kill -9: only what the disk has comes back."""
        assert self._task
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        self._journal.close()
        self.box.on_output = lambda change: None

    def _publish(self, topic: str, payload: bytes, expiry_s: int, qos: int = 1) -> str:
        if not self.broker:
            return "there is no connection to the broker"
        self.sent.append(payload)
        return ""

    async def _send(self, number: str, payload: bytes, _purpose: str) -> None:
        await asyncio.sleep(1.5)
        self.sms.append((number, payload))

    # The centre

    def order(self, action: Action = Action.START, **changes: Any) -> Order:
        self._sequence += 1
        starts = action is Action.START
        order = Order(
            action=action, kind=Kind.ACTUAL, pattern=Pattern.WAIL if starts else Pattern.NONE,
            seconds=60 if starts else 0, alert=b"alert..1", issuer=ISSUER, station=7, session=self.node.session,
            sequence=self._sequence, issued_at=int(self.clock.wall()), lifetime_s=300,
        )  # fmt: skip
        return msgspec.structs.replace(order, **changes)

    def give(self, order: Order, way: Way = Way.MQTT) -> Order:
        self.node.on_order(encode_order(order, CENTRE), way, number=NUMBER if way is Way.SMS else "")
        return order

    def start_order(self, **changes: Any) -> Order:
        return self.give(self.order(**changes))

    def lock(self, minutes: int = 60, id: bytes = b"lock...1") -> Order:
        return self.give(self.order(Action.LOCK, kind=Kind.NONE, seconds=minutes, alert=id, incident=1))

    def unlock(self, id: bytes = b"lock...1") -> Order:
        return self.give(self.order(Action.UNLOCK, kind=Kind.NONE, alert=id))

    def greet(self) -> None:
        """A hello to the last answer that asked."""
        self.node.on_broker_up()
        counter = self.answers()[-1].counter
        nothing = {"kind": Kind.NONE, "pattern": Pattern.NONE, "lifetime_s": 0}
        self.give(self.order(Action.HELLO, alert=hello_id(counter, b"rand"), seconds=0, **nothing))

    def words(self, text: str, about: TextAbout = TextAbout.ANNOUNCE, **changes: Any) -> None:
        said = Text(
            about=about, language=Language.ID, alert=b"alert..1", issuer=ISSUER, station=7,
            session=self.node.session, text=text,
        )  # fmt: skip
        self.node.on_order(encode_text(msgspec.structs.replace(said, **changes), CENTRE), Way.MQTT)

    def contact(self, name: str, closed: bool) -> None:
        self.box.inputs[name] = closed
        self.node.on_input(InputChange(name, closed, self.clock.now()))

    # What a test asks

    def answers(self) -> list[Answer]:
        return [decode_answer(octets, STATIONS) for octets in self.sent if not is_health(octets)]

    def said(self) -> list[What]:
        """What it answered, heartbeats left out."""
        return [answer.what for answer in self.answers() if answer.what not in (What.ALIVE, What.SESSION)]

    def healths(self) -> list[Health]:
        return [decode_health(octets, STATIONS) for octets in self.sent if is_health(octets)]

    def told(self, kind: type[E]) -> list[E]:
        return [event for event in self.events if isinstance(event, kind)]


def play(folder: Path, story: Callable[[Station], Awaitable[None]], **own: Any) -> None:
    """Tell a story; minutes of it take milliseconds."""
    logging.getLogger("siaga").setLevel(logging.CRITICAL)
    clock = VirtualClock()

    async def main() -> None:
        station = Station(folder, clock, **own)
        await station.start()
        try:
            async with asyncio.timeout(400_000):
                await story(station)
        finally:
            await station.kill()

    clock.run(main())
