"""The world of orders with the centre's supervision in it: calendar, lockouts and intake of health are the real ones.

A story begins on 2026-01-01 at 09:00 WIT. What the station is to say of itself, `healthy` signs.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

from order_world import CENTRE, KEYS, STATION, HeldJournal, World, centre_site

from appliance.alerting.centre import Centre
from appliance.alerting.issuer import Issuer
from appliance.alerting.reports import Reports
from appliance.alerting.wire import Action, Order, WireError, decode_order
from appliance.alerting.wire_health import Health, encode_health, is_health
from appliance.annunciator_protocol import Standing
from appliance.core_supervision import SupervisionRoom
from appliance.entry import Entry
from appliance.event import Event
from appliance.fold import apply
from appliance.keys import key_id
from appliance.model import Path as Way
from appliance.state import State
from drivers.clock import VirtualClock

DUTY = {"name": "Budi", "number": "+6281234567890"}
NEVER = {"silent_test": "", "sms_probe": "", "voice_test": "", "report": "", "sounding_day": 0}
KEY_ID = key_id(KEYS[STATION].public_key())
E = TypeVar("E", bound=Event)


class Lines:
    """Lines that carry data of the world, and keep what people are told in `texts`."""

    def __init__(self, send: Callable[[str, bytes, str], Awaitable[None]], up: Callable[[], bool]) -> None:
        self.send_data, self._up = send, up
        self.texts: dict[str, str] = {}
        self.outgoing = self

    def registered(self) -> int:
        return int(self._up())

    async def notice(self, number: str, text: str, *, lifetime_s: int, key: str) -> str:
        assert number
        assert lifetime_s > 0
        self.texts.setdefault(key, text)
        return key


class Supervised(World):
    """`known`: the box's clock is. `rows` are those of the present life of the centre, the journal before it too."""

    def __init__(self, folder: Path, clock: VirtualClock, calendar: dict[str, Any], **station: Any) -> None:
        super().__init__(folder, clock, **station)
        self.site = centre_site(supervision={**NEVER, **calendar}, duty=[DUTY], broker={})
        self.rows: list[Entry] = []
        self.known = True
        self.lines = Lines(self._sms(CENTRE), lambda: self.net.sms)
        self.locks: list[Order] = []  # that came to the station
        self.deaf_to_locks, self._ahead = False, 0
        self._mine: list[asyncio.Task[None]] = []

    def centre_up(self) -> None:
        state, rows = State(), list[Entry]()
        self.state, self.rows = state, rows

        def on_entry(entry: Entry) -> None:
            apply(state, entry)
            rows.append(entry)
            if self.centre and self.state is state:
                self.centre.wake()
                self.room.on_entry(entry)

        self.journal = HeldJournal(self.file, self.clock, self.boot, lambda: "ntp", on_entry)
        self.journal.open()
        issuer = Issuer(KEYS[CENTRE], self.clock, {s.number: state.sequences.get(s.id, 0) for s in self.site.station})
        centre = Centre(
            site=self.site, state=state, clock=self.clock, boot=self.boot, append=self.journal.append, issuer=issuer,
            annunciator=self.near, publish=self._publisher(CENTRE), broker_up=lambda: self.net.joined[CENTRE],  # type: ignore[arg-type]
            send_sms=self._sms(CENTRE), sms_up=self.lines.registered,
            locked=lambda station: self.room.lockouts.locked(station),
        )  # fmt: skip
        self.room = SupervisionRoom(
            site=self.site, state=state, clock=self.clock, boot=self.boot, append=self.journal.append, centre=centre,
            issuer=issuer, publish=self._publisher(CENTRE), broker_up=lambda: self.net.joined[CENTRE],
            annunciator_up=lambda: self.near.up, lines=self.lines, calls=lambda: False, time_known=lambda: self.known,  # type: ignore[arg-type]
            annunciator=self.near,  # type: ignore[arg-type]
        )  # fmt: skip
        self.centre = centre
        self.reports = Reports(self.site, centre, issuer, self.clock, on_lock=self.room.lockouts.on_answer)

        def on_standing(standing: Standing) -> None:
            self.room.on_standing(standing)
            centre.on_standing(standing)

        self.near.on_standing, self.near.on_output = on_standing, self.reports.on_local_output
        self._tasks[CENTRE] = asyncio.create_task(centre.run())
        self._mine = [
            asyncio.create_task(run()) for run in (self.room.tests.run, self.room.lockouts.run, self.room._notices.run)
        ]
        self.near.core_came()

    async def kill(self, who: str) -> None:
        for task in self._mine if who == CENTRE else ():
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        await super().kill(who)

    def _hand(self, to: str, payload: bytes, way: Way) -> None:
        if to == CENTRE and self.centre and is_health(payload):
            self.room.intake.on_health(payload, way, named=STATION if way is Way.MQTT else "")
            return
        if to == STATION:
            with contextlib.suppress(WireError):
                order = decode_order(payload, {key_id(KEYS[CENTRE].public_key()): KEYS[CENTRE].public_key()})
                if order.action in (Action.LOCK, Action.UNLOCK):
                    self.locks.append(order)
                    if self.deaf_to_locks:
                        return
        super()._hand(to, payload, way)

    # The station's words

    def healthy(self, way: Way = Way.MQTT, **more: Any) -> bytes:
        """A signed health of the station's present session, behind all that it said; what was sent."""
        assert self.centre
        assert self.station
        self._ahead += 1
        counter = self.centre.contacts[STATION].window._window.highest + 20 + self._ahead
        health = Health(
            station=7, key=KEY_ID, session=self.station.session, counter=counter, uptime_s=int(self.clock.now()), **more
        )
        payload = encode_health(health, KEYS[STATION])
        self._hand(CENTRE, payload, way)
        return payload

    # What a test asks

    def all(self, kind: type[E]) -> list[E]:
        return [e.event for e in self.rows if isinstance(e.event, kind)]

    async def at(self, seconds: float) -> None:
        """Until so many seconds of the story."""
        await asyncio.sleep(max(0.0, seconds - self.clock.now()))


def play(
    folder: Path, story: Callable[[Supervised], Awaitable[None]], calendar: dict[str, Any], **station: Any
) -> None:
    """Tell a story in a new world; minutes of it take milliseconds."""
    logging.getLogger("siaga").setLevel(logging.CRITICAL)
    clock = VirtualClock()

    async def main() -> None:
        world = Supervised(folder, clock, calendar, **station)
        try:
            async with asyncio.timeout(20_000):
                await story(world)
        finally:
            await world.end()

    clock.run(main())
