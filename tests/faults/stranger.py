"""A stranger with the centre's place at the broker: hears everything, publishes anything.

Signing keys it holds only where a test says so.
"""

import contextlib
import secrets
import threading
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.subscribeoptions import SubscribeOptions
from running_demo import RunningDemo, until

from appliance.alerting.wire import Action, Answer, Kind, Order, Pattern, WireError, decode_answer, encode_order
from appliance.demo_site import CENTRE
from appliance.keys import key_id, load_key
from drivers.clock import Clock
from tests.key_boxes import stolen_credential

LIFETIME = 300  # s, as the demo's ladder has it
NUMBERS = {"damkar-kota": 11, "damkar-passo": 12}
MOST_HEARD = 20_000


class Heard(NamedTuple):
    topic: str
    payload: bytes
    retained: bool


class Stranger:
    """`close` it. `demo` tells where broker and keys are."""

    def __init__(self, demo: RunningDemo) -> None:
        self._demo = demo
        self._heard: list[Heard] = []
        self._spent: set[int] = set()
        self._ready = threading.Event()
        self._client = Client(CallbackAPIVersion.VERSION2, f"stranger-{secrets.token_hex(4)}", protocol=5)
        self._client.max_queued_messages_set(2000)
        self._client.on_connect = lambda client, *_: client.subscribe(
            "siaga/#", options=SubscribeOptions(qos=1, retainAsPublished=True)
        )
        self._client.on_subscribe = lambda *_: self._ready.set()
        self._client.on_message = self._on_message
        self.credential = stolen_credential(Path(demo.where["nodes"][CENTRE]["site_file"]))
        self._client.tls_set_context(self.credential.context())
        self._client.connect(demo.where["broker"]["host"], demo.where["broker"]["port"])
        self._client.loop_start()
        assert self._ready.wait(20)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _on_message(self, _client: Client, _data: Any, message: MQTTMessage) -> None:
        if len(self._heard) < MOST_HEARD:
            self._heard.append(Heard(message.topic, bytes(message.payload), message.retain))

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Send at QoS 1 and wait until the broker has it."""
        self._client.publish(topic, payload, qos=1, retain=retain).wait_for_publish(20)

    def flood(self, topic: str, payloads: list[bytes]) -> None:
        """Send all, and wait for the last."""
        self.flood_all([(topic, payload) for payload in payloads])

    def flood_all(self, messages: list[tuple[str, bytes]]) -> None:
        sent = [self._client.publish(topic, payload, qos=1) for topic, payload in messages]
        sent[-1].wait_for_publish(30)

    # What was overheard

    def orders(self, station: str, alert: str = "") -> list[bytes]:
        """Signed orders to a station, oldest first, as they passed."""
        sent = [h.payload for h in list(self._heard) if h.topic == alert_topic(station)]
        return [order for order in sent if order[6:14].hex() == alert or not alert]

    async def order(self, station: str, alert: str, action: Action = Action.START) -> bytes:
        """The first such order, waited for."""
        found: list[bytes] = await until(lambda: [o for o in self.orders(station, alert) if o[2] == action])
        return found[0]

    def signed_answers(self, station: str) -> list[tuple[bytes, Answer]]:
        """What the station itself said, and nothing that anybody made up; oldest first."""
        key = self.key(station).public_key()
        public = {NUMBERS[station]: {key_id(key): key}}
        found = []
        for heard in list(self._heard):
            if heard.topic == answer_topic(station):
                with contextlib.suppress(WireError):
                    found.append((heard.payload, decode_answer(heard.payload, public)))
        return found

    def answers(self, station: str) -> list[Answer]:
        return [answer for _, answer in self.signed_answers(station)]

    async def last_answer(self, station: str) -> bytes:
        """Its last octets, waited for."""
        return (await until(lambda: self.signed_answers(station)))[-1][0]

    async def answer(self, station: str, /, **fields: Any) -> Answer:
        """The first answer with these fields, waited for."""

        def look() -> list[Answer]:
            return [a for a in self.answers(station) if all(getattr(a, k) == v for k, v in fields.items())]

        found: list[Answer] = await until(look)
        return found[0]

    # With stolen keys

    def key(self, node: str) -> Any:
        return load_key(Path(self._demo.where["nodes"][node]["site_file"]).with_name("own.key"))

    async def fresh(self, station: str, /, **changes: Any) -> Order:
        """An order that the station would take, but for the changes."""
        key = self.key(CENTRE)
        last: list[Answer] = await until(lambda: [a for a in self.answers(station) if a.highest])
        order = Order(
            action=Action.START,
            kind=Kind.ACTUAL,
            pattern=Pattern.STEADY,
            seconds=20,
            alert=secrets.token_bytes(8),
            issuer=key_id(key.public_key()),
            station=NUMBERS[station],
            session=last[-1].session,
            sequence=self._unused(station, last[-1].highest),
            issued_at=self.centre_time(),
            lifetime_s=LIFETIME,
        )
        return msgspec.structs.replace(order, **changes)

    def _unused(self, station: str, highest: int) -> int:
        """A sequence in the station's window that the centre has passed over: it counts on over both stations."""
        used = {int.from_bytes(o[30:34]) for o in self.orders(station)} | self._spent
        # The first few behind each start of the centre's core may be hellos from before we listened.
        free = [n for n in range(highest - 1, highest - 60, -1) if n not in used and not 0 < n % 1000 <= 10]
        self._spent.add(free[0])
        return free[0]

    def sign(self, order: Order) -> bytes:
        return encode_order(order, self.key(CENTRE))

    def centre_time(self) -> int:
        """The issuer's time: the demo's wall clock."""
        return int(Clock.from_environment(self._demo.where["environment"]).wall())


def alert_topic(station: str) -> str:
    return f"siaga/ambon/alert/{station}"


def answer_topic(station: str) -> str:
    return f"siaga/ambon/station/{station}/answer"
