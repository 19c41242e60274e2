"""The world of orders, whole: zones, tests, lockouts, revoked keys, a station's journal, a centre's supervision.

Both boxes have annunciators with two sirens, of which each one can be bad in its own way.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from order_phone import nobody
from order_world import ANNUNCIATOR, CENTRE, KEYS, STATION, HeldJournal, World, centre_site, station_site
from supervised_world import NEVER, Lines
from whole_box import DRAWN, MOST, OUTPUTS, WholeBox

from appliance.alerting.centre import Centre
from appliance.alerting.issuer import Issuer
from appliance.alerting.reports import Reports
from appliance.alerting.wire_health import is_health
from appliance.core_supervision import SupervisionRoom
from appliance.entry import Entry
from appliance.event import Event
from appliance.fold import apply
from appliance.key_book import Book, Key, enrol, revoke, rotate
from appliance.keyring import Hands, IssuerRing, StationRing
from appliance.keys import key_id, public_hex
from appliance.model import Path as Way
from appliance.state import State
from appliance.station import StationNode
from appliance.station.vitals import Vitals
from drivers.clock import VirtualClock

BOUND = 60  # s that the station sounds for one order at most
NEW_KEY = Ed25519PrivateKey.from_private_bytes(b"C" * 32)
ZONES = {"garasi": "siren", "barak": "hall"}
WIRED = {
    **ANNUNCIATOR,
    "output": {name: {"pin": 17 + i, "kind": "siren", "max_s": MOST} for i, name in enumerate(OUTPUTS)},
    "input": {DRAWN: {"pin": 5, "kind": "current", "of": "siren"}},
}


class Whole(World):
    """`tests`: who may sound a test. The station's rows are of all its lives, with the time of each."""

    def __init__(self, folder: Path, clock: VirtualClock, tests: frozenset[str]) -> None:
        super().__init__(folder, clock)
        self.near, self.far = WholeBox(clock), WholeBox(clock)  # type: ignore[assignment]
        own = {"id": CENTRE, "number": 1, "siren": "siren", "sounding_test": CENTRE in tests}
        self.site = centre_site(supervision=NEVER, broker={}, own=own, annunciator=WIRED)
        zones = [{"id": id, "name": id, "output": output} for id, output in ZONES.items()]
        self._station_site = station_site(zone=zones, max_s=BOUND, sounding_test=STATION in tests)
        self._station_site = msgspec.structs.replace(self._station_site, annunciator=self.site.annunciator)
        self.station_file, self.station_boot = folder / "station.db", "station1"
        self.lines = Lines(self._sms(CENTRE), lambda: self.net.sms)
        self.issuers, self.believed = IssuerRing(self._station_site), StationRing(self.site)
        self.hands = Hands(KEYS[CENTRE])
        first = Key(public=public_hex(KEYS[CENTRE]))
        self.station_book = enrol(Book(), CENTRE, "issuer", 0, first)
        self.centre_book = enrol(Book(), STATION, "station", 7, Key(public=public_hex(KEYS[STATION])))
        self._lockouts: asyncio.Task[None] | None = None

    # Processes

    def centre_up(self) -> None:
        state = self.state = State()

        def on_entry(entry: Entry) -> None:
            apply(state, entry)
            if self.centre and self.state is state:
                self.centre.wake()
                self.room.on_entry(entry)

        self.journal = HeldJournal(self.file, self.clock, self.boot, lambda: "ntp", on_entry)
        self.journal.open()
        issuer = Issuer(self.hands, self.clock, {s.number: state.sequences.get(s.id, 0) for s in self.site.station})
        common: dict[str, Any] = {
            "site": self.site, "state": state, "clock": self.clock, "boot": self.boot, "append": self.journal.append,
            "issuer": issuer, "publish": self._publisher(CENTRE), "broker_up": lambda: self.net.joined[CENTRE],
        }  # fmt: skip
        centre = Centre(
            annunciator=self.near, send_sms=self._sms(CENTRE), sms_up=self.lines.registered, telephone=self.phone,
            **common,
        )  # fmt: skip
        self.room = SupervisionRoom(
            centre=centre, annunciator_up=lambda: self.near.up, lines=self.lines, calls=self.phone.able,  # type: ignore[arg-type]
            time_known=lambda: True, keys=self.believed, **common,
        )  # fmt: skip
        self.centre = centre
        self.reports = Reports(
            self.site, centre, issuer, self.clock, self.believed, self.room.lockouts.on_answer
        )  # fmt: skip
        self.phone.note, self.phone.state = self.journal.append, state
        self.near.on_standing, self.near.on_output = centre.on_standing, self.reports.on_local_output
        self._tasks[CENTRE] = asyncio.create_task(centre.run())
        self._lockouts = asyncio.create_task(self.room.lockouts.run())
        self.near.core_came()

    def station_up(self) -> None:
        state = State()

        def on_entry(entry: Entry) -> None:
            apply(state, entry)

        self.station_journal = HeldJournal(self.station_file, self.clock, self.station_boot, lambda: "ntp", on_entry)
        self.station_journal.open()
        append = self.station_journal.append

        def note(event: Event, **more: Any) -> Any:
            self.station_rows.append((self.clock.now(), event))
            return append(event, **more)

        vitals = Vitals(clock_quality="ntp", disk_free_percent=50)
        self.station = StationNode(
            site=self._station_site, clock=self.clock, append=note, key=KEYS[STATION], annunciator=self.far,  # type: ignore[arg-type]
            publish=self._publisher(STATION), broker_up=lambda: self.net.joined[STATION],
            send_sms=self._sms(STATION), state=state, boot=self.station_boot, vitals=lambda: vitals,
            issuers=self.issuers,
        )  # fmt: skip
        self.far.on_standing, self.far.on_output = self.station.on_standing, self.station.on_output
        self.far.on_input = self.station.on_input  # type: ignore[attr-defined]
        self._tasks[STATION] = asyncio.create_task(self.station.run())
        if self.net.joined[STATION]:
            self.join(STATION)
        self.far.core_came()

    async def kill(self, who: str) -> None:
        box = self.near if who == CENTRE else self.far
        box.deaf()  # type: ignore[attr-defined]
        task = self._tasks.pop(who)
        if who == CENTRE:
            self.phone.note, self.journal.dead = nobody, True
            assert self._lockouts
            self._lockouts.cancel()
        task.cancel()
        for done in filter(None, (task, self._lockouts if who == CENTRE else None)):
            with contextlib.suppress(asyncio.CancelledError):
                await done
        if who == CENTRE:
            self.journal.die()
            self.centre = self.reports = None
        else:
            self.station_journal.die()
            self.station = None

    def _hand(self, to: str, payload: bytes, way: Way) -> None:
        if to == CENTRE and self.centre and is_health(payload):
            self.room.intake.on_health(payload, way, named=STATION if way is Way.MQTT else "")
        else:
            super()._hand(to, payload, way)

    # Keys

    def revoke_at_station(self) -> int:
        """The centre's first key counts no more there; its id."""
        self.station_book = revoke(self.station_book, CENTRE, "lost", public=public_hex(KEYS[CENTRE]))
        self.issuers.update(self.station_book)
        return key_id(KEYS[CENTRE].public_key())

    def rotate_centre(self) -> None:
        """The centre signs with a new key, which the station knows beside the first."""
        self.station_book = rotate(self.station_book, CENTRE, Key(public=public_hex(NEW_KEY)), until=0.0)
        self.issuers.update(self.station_book)
        self.hands.take((KEYS[CENTRE], NEW_KEY))
        self.hands.reported(7, frozenset(self.issuers))

    def revoke_at_centre(self) -> None:
        """The station's only key."""
        self.centre_book = revoke(self.centre_book, STATION, "stolen")
        self.believed.update(self.centre_book)


def play_whole(folder: Path, story: Callable[[Whole], Awaitable[None]], tests: frozenset[str] = frozenset()) -> None:
    """Tell a story in a new world; minutes of it take milliseconds."""
    logging.getLogger("siaga").setLevel(logging.CRITICAL)
    clock = VirtualClock()

    async def main() -> None:
        world = Whole(folder, clock, tests)
        try:
            async with asyncio.timeout(40_000):
                await story(world)
        finally:
            await world.end()

    clock.run(main())
