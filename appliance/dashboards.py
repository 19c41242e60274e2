"""State on MQTT, for dashboards: retained, with quality and time, and Home Assistant's device discovery. Read-only.

Nothing here is an order and nothing that arrives here is obeyed. A broker that lost its power has forgotten all of
it, so everything is published again at each connection.
"""

import asyncio
from collections.abc import Callable

import msgspec

from appliance.config import Site
from appliance.control import entry_view
from appliance.dashboard_states import same_but_for_time, states
from appliance.discovery import Discovery
from appliance.entry import Entry
from appliance.view import View
from drivers.clock import Clock

EVERY = 1.0  # s between looks for what changed
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
        self._said_all_at = 0.0

    async def run(self) -> None:
        while True:
            await asyncio.sleep(EVERY)
            if self._clock.now() - self._said_all_at >= AGAIN:
                self.publish_all()
            else:
                self._publish_changes(self._view())

    def publish_all(self) -> None:
        """At each connection, and when Home Assistant says that it has started."""
        self._said.clear()
        self._said_all_at = self._clock.now()
        view = self._view()
        self._publish(f"{self._root}/state/{self._site.id}/online", b"true")
        self._discovery.learn(view)
        self._publish(self._discovery.topic, self._discovery.payload(view))
        self._publish_changes(view)

    def on_entry(self, entry: Entry) -> None:
        """Events as they come, not retained."""
        if not entry.kind.startswith(PRIVATE):
            topic = f"{self._root}/event/{self._site.id}/{entry.kind}"
            # Later: what is being appended may be an order on its way, which goes first.
            payload = msgspec.json.encode(entry_view(entry))
            asyncio.get_running_loop().call_soon(self._publish_event, topic, payload)

    def _publish_changes(self, view: View) -> None:
        if self._discovery.learn(view):
            self._publish(self._discovery.topic, self._discovery.payload(view))
        for name, payload in states(view).items():
            same = same_but_for_time(payload)
            if self._said.get(name) != same:
                self._said[name] = same
                self._publish(f"{self._root}/state/{self._site.id}/{name}", msgspec.json.encode(payload))
