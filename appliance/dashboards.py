"""State on MQTT, for dashboards: retained, with quality and time, and Home Assistant's device discovery. Read-only.

Nothing here is an order and nothing that arrives here is obeyed. A broker that lost its power has forgotten all of
it, so everything is published again at each connection.
"""

import asyncio
from collections import deque
from collections.abc import Callable

import msgspec

from appliance.config import Site
from appliance.control import entry_line
from appliance.dashboard_states import same_but_for_time, states
from appliance.discovery import Discovery
from appliance.entry import Entry
from appliance.view import View
from drivers.clock import Clock

EVERY = 1.0  # s between looks for what changed
REST_LOOK = 100.0  # times as long as a look took, the least until the next: with 1,000 stations every other second
AT_ONCE, REST = 40, 0.05  # messages, and s until so many more: 800 a second, and some 2 ms of each 50
MOST_WAITING = 20_000  # messages; an order to 1,000 stations is some 5,000, the oldest give way
AGAIN = 30.0  # s; unchanged state is said again, so that a dashboard's `expire_after` of three times that holds
# Heard by everyone who may read the broker: texts and callers' numbers are not for a dashboard.
PRIVATE = ("sms.", "call.", "person.", "fallback.notified", "caller.", "callback.")


class Dashboards:
    """`publish(topic, payload)` is retained; it is skipped by its owner while no broker is there."""

    def __init__(
        self, *, site: Site, view: Callable[[], View], clock: Clock, publish: Callable[[str, bytes], None],
        publish_event: Callable[[str, bytes], None],
    ) -> None:  # fmt: skip
        self._site, self._view, self._clock = site, view, clock
        self._publish, self._publish_event = publish, publish_event
        self._root = f"siaga/{site.site}"
        self._discovery = Discovery(site)
        self._said: dict[str, bytes] = {}
        self._waiting: deque[tuple[str, bytes | Entry]] = deque(maxlen=MOST_WAITING)  # topic, and state or event
        self._waking: asyncio.Handle | None = None
        self._left, self._refilled = AT_ONCE, 0.0  # that may go before the next rest
        self._said_all_at = 0.0

    async def run(self) -> None:
        took = 0.0
        while True:
            await asyncio.sleep(max(EVERY, REST_LOOK * took))
            began = self._clock.unscaled()
            if self._clock.now() - self._said_all_at >= AGAIN:
                self.publish_all()
            else:
                self._publish_changes(self._view())
            took = self._clock.unscaled() - began

    def publish_all(self) -> None:
        """At each connection, and when Home Assistant says that it has started."""
        self._said.clear()
        self._waiting.clear()
        self._said_all_at = self._clock.now()
        view = self._view()
        self._tell(f"{self._root}/state/{self._site.id}/online", b"true")
        self._discovery.learn(view)
        self._tell(self._discovery.topic, self._discovery.payload(view))
        self._publish_changes(view)

    def on_entry(self, entry: Entry) -> None:
        """Events as they come, not retained."""
        if not entry.kind.startswith(PRIVATE):
            self._waiting.append((f"{self._root}/event/{self._site.id}/{entry.kind}", entry))
            # Later: what is being appended may be an order on its way, which goes first.
            self._waking = self._waking or asyncio.get_running_loop().call_soon(self._send)

    def _tell(self, topic: str, payload: bytes) -> None:
        self._waiting.append((topic, payload))
        if self._waking is None:
            self._send()

    def _send(self) -> None:
        """Some at once, the others a little later: an order to a thousand stations goes before what is said of it."""
        self._waking = None
        if self._clock.now() - self._refilled >= REST:
            self._refill()
        while self._waiting and self._left:
            self._left -= 1
            topic, what = self._waiting.popleft()
            if isinstance(what, Entry):
                self._publish_event(topic, entry_line(what))
            else:
                self._publish(topic, what)
        if self._waiting:
            self._waking = asyncio.get_running_loop().call_later(REST, self._rested)

    def _rested(self) -> None:
        self._refill()
        self._send()

    def _refill(self) -> None:
        self._left, self._refilled = AT_ONCE, self._clock.now()

    def _publish_changes(self, view: View) -> None:
        if self._discovery.learn(view):
            self._tell(self._discovery.topic, self._discovery.payload(view))
        for name, payload in states(view).items():
            same = same_but_for_time(payload)
            if self._said.get(name) != same:
                self._said[name] = same
                self._tell(f"{self._root}/state/{self._site.id}/{name}", msgspec.json.encode(payload))
