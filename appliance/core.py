"""The process that decides: it wires the rooms together and is the only file that knows them all.

At a centre it carries orders to stations; at a station it judges them. Everything here runs on without the disk,
the broker, the annunciator and every modem; each that is missing is a link that is lost, and comes back by itself.
"""

import asyncio
import gc
import logging
import signal
from collections import deque
from collections.abc import Callable
from pathlib import Path as FilePath

from appliance import events as ev
from appliance.annunciator_client import AnnunciatorLink
from appliance.annunciator_protocol import InputChange, OutputChange, Standing
from appliance.clock import boot_id
from appliance.config import Site, load_site, places
from appliance.control import Control
from appliance.core_alarms import AlarmRoom
from appliance.core_alerting import AlertRoom
from appliance.core_commands import Obey
from appliance.core_desk import DeskRoom
from appliance.core_keys import KeyRoom
from appliance.core_log import Teller
from appliance.core_power import PlantRoom
from appliance.core_site import SiteChange
from appliance.core_sound import SoundRoom
from appliance.dashboards import Dashboards
from appliance.entry import Entry
from appliance.event import Event
from appliance.fold import apply
from appliance.journal import Appended, Journal
from appliance.keeper import Keeper
from appliance.lines.service import Lines
from appliance.local import Local
from appliance.logins import Logins
from appliance.make_view import VERSION, ViewMaker
from appliance.measured import measured
from appliance.model import Role
from appliance.people import People
from appliance.people_watch import PeopleWatch
from appliance.site_print import changed, prints
from appliance.state import State
from appliance.telemetry import Telemetry
from appliance.trunk.fallback import FallbackKeeper
from appliance.trunk.watch import TrunkWatch
from appliance.wall_clock import WallClock
from drivers.clock import Clock
from drivers.mqtt import Incoming, Mqtt, Sent, Will
from drivers.notify import ready, stopping, watchdog

SESSION_EXPIRY = 300  # s that the broker keeps our messages while core restarts; as long as an order lives
GATHER = 0.02  # s that a centre without an open order gathers heartbeats: a thousand stations send 333 a second
REST_WITHIN = 20.0  # s that a changed site file waits for a text that is with a modem; one goes out in some 4 s
FIRST_LOOK = 2.0  # s after the start, then what has not connected is a lost link

log = logging.getLogger("siaga.core")


class Core:
    """One node. `run` returns after SIGTERM or SIGINT, or with a changed site file: then a new one takes its place."""

    def __init__(
        self, site: Site, file: FilePath, clock: Clock, read: Callable[[FilePath], Site] = load_site,
        hung_up: asyncio.Event | None = None,
    ) -> None:  # fmt: skip
        self._site, self._clock = site, clock
        self._mqtt: Mqtt | None = None
        self._places = places(site, file)
        self._boot = boot_id()
        self._state = State()
        self._wall_clock = WallClock(clock, self._state, self._append, site.clock.chrony)
        self._rooms_started = False
        self._teller = Teller()
        self._logins = Logins(self._places.run / "logins.json")
        self._unheard: deque[Entry] = deque(maxlen=4)
        self._journal = Journal(self._places.journal, clock, self._boot, self._wall_clock.quality, self._on_entry)
        self._local = Local(site, self._state, clock, self._append)
        self._annunciator = AnnunciatorLink(
            file.resolve().parent / site.annunciator.socket,
            on_up=self._annunciator_up,
            on_down=self._annunciator_down,
            on_output=self._on_output,
            on_input=self._on_input,
            on_press=lambda press: self._alerting.on_press(press),
            on_barred=self._local.on_barred,
        )
        self._next: Site | None = None
        self._stop = asyncio.Event()
        self._change = SiteChange(
            site, file, self._annunciator, self._append, self._become, read, hung_up or asyncio.Event(),
            rest=lambda: self._lines.outgoing.rest(REST_WITHIN),
        )  # fmt: skip
        self._keeper = Keeper(lambda task, reason: self._note(ev.TaskDied(task=task, reason=reason[:300])))

    def _wire(self, history: list[Entry]) -> None:
        """Make the rooms. After the journal was read: they start from what it says."""
        site, clock, state = self._site, self._clock, self._state
        self._people = People(self._places.people, self._logins)
        self._people_watch = PeopleWatch(self._people, state.people, self._append)
        self._keys = KeyRoom(
            site=site, places=self._places, clock=clock, append=self._append, wall=self._wall_clock.known,
            publish=self._publish_about_keys, reconnect=lambda why: self._mqtt.reconnect(why) if self._mqtt else None,
            on_new_key=lambda station: self._alerting.on_new_key(station), known=state.keys,
        )  # fmt: skip
        if site.broker:
            self._mqtt = Mqtt(
                site.broker.host,
                site.broker.port,
                f"siaga-{site.site}-{site.id}",
                on_message=self._on_message,
                on_up=self._broker_up,
                on_down=lambda why: self._note(ev.LinkLost(link="broker", reason=why)),
                will=Will(f"siaga/{site.site}/state/{site.id}/online", b"false"),
                session_expiry_s=SESSION_EXPIRY,
                credential=self._keys.credential,
                gather_s=lambda: 0.0 if site.issuer or self._urgent() else GATHER,
                look_ahead=lambda messages: self._alerting.look_ahead(messages),
            )
        self._lines = Lines(
            site=site, profiles=self._places.profiles, state=state, clock=clock, append=self._append,
            on_changed=self._changed, recordings=self._places.recordings, on_time=self._wall_clock.told,
            on_data=lambda number, payload: self._alerting.on_sms_data(number, payload),
        )  # fmt: skip
        self._sound = SoundRoom(
            site=site, places=self._places, state=state, clock=clock, append=self._append, on_changed=self._changed,
            lines=self._lines, urgent=self._urgent,
            time_known=lambda: self._wall_clock.quality() != "unknown",
        )  # fmt: skip
        self._desk = DeskRoom(
            site=site, state=state, clock=clock, append=self._append, journal=self._places.journal,
            kept=lambda: self._journal.kept, lines=self._lines, on_changed=self._changed,
            speaks=self._sound.speaks, talk=self._sound.talk, quiet_s=self._sound.quiet_s,
            place=self._sound.place, role_of=self._people.role,
        )  # fmt: skip
        self._plant = PlantRoom(
            site=site, places=self._places, state=state, clock=clock, append=self._append,
            annunciator=self._annunciator, role_of=self._people.role, on_changed=self._changed, boot=self._boot,
        )  # fmt: skip
        self._alarms = AlarmRoom(
            site=site, places=self._places, state=state, clock=clock, append=self._append,
            annunciator=self._annunciator, give=self._lines.outgoing.notice,
            power=self._plant.measured if self._plant.view else None,
            time_known=lambda: self._wall_clock.quality() != "unknown", history=history,
        )  # fmt: skip
        self._local.lamp = self._alarms.lamp
        self._trunk = TrunkWatch(site, self._append, self._changed)
        self._fallback = FallbackKeeper(site, state, clock, self._append, self._lines.outgoing.notice)
        self._alerting = AlertRoom(
            site=site, state=state, clock=clock, boot=self._boot, append=self._append,
            annunciator=self._annunciator, publish=self._publish, broker_up=self._is_broker_up, lines=self._lines,
            speak=self._sound.speak, speaks=self._sound.speaks, on_changed=self._changed,
            time_known=lambda: self._wall_clock.quality() != "unknown", quality=self._wall_clock.quality,
            keys=self._keys, places=self._places, disk_failed=lambda: self._journal.failed is not None,
            power=self._plant.measured if site.has_plant else None,
        )  # fmt: skip
        self._view = ViewMaker(
            site=site, state=state, journal=self._journal, clock=clock, quality=self._wall_clock.quality,
            alarms=self._alarms.views,
            power=self._plant.view,
            lines=lambda: self._sound.onto(self._lines.views()),
            desk=self._desk.view if site.line else None,
            stations=self._alerting.views, supervision=self._alerting.supervised, clock_offset=self._wall_clock.offset,
            witnesses=self._trunk.views, sound=self._sound.view, own=self._alerting.own_view,
        )  # fmt: skip
        self._telemetry = Telemetry(
            path=self._places.telemetry, clock=clock,
            figures=lambda: measured(self._plant.measured(), self._lines.views()),
        )  # fmt: skip
        self._dashboards = Dashboards(
            site=site, view=self._view, clock=clock, publish=self._publish_state, publish_event=self._publish_event
        )
        obey = Obey(
            state, self._lines, self._desk, self._sound, self._alarms, self._alerting, self._fallback,
            self._plant.orders, self._keys.look, self._people_watch.look, self._change.take,
        )  # fmt: skip
        self._control = Control(
            self._places.control, self._places.journal, self._journal, clock, self._people, self._view, obey
        )

    def _become(self, site: Site) -> None:
        self._next = site
        self._stop.set()

    async def run(self) -> Site | None:
        """Start everything, say ready, and go on until told to end, or to be another: the site that it is to be."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        self._places.run.mkdir(parents=True, exist_ok=True)
        history = self._journal.open()
        read = history[-1].seq if history else 0
        unheard = [entry for entry in self._unheard if entry.seq > read]
        self._wire(history)
        for entry in history[-20:]:
            self._view.on_entry(entry)
        self._rooms_started = True
        for entry in unheard:  # the journal's own word on its disk, from before there were alarms
            self._alarms.on_entry(entry)
        self._say_started()
        self._people_watch.look()
        await self._control.start()
        self._keeper.keep("annunciator link", self._annunciator.run)
        self._keeper.keep("lights", lambda: self._local.run(self._annunciator))
        if self._mqtt:
            self._keeper.keep("broker", self._mqtt.run)
        self._alerting.keep(self._keeper)
        self._keeper.keep("keys", self._keys.run)
        self._keeper.keep("lines", self._lines.run)
        self._desk.keep(self._keeper)
        self._sound.keep(self._keeper)
        self._plant.keep(self._keeper)
        self._alarms.keep(self._keeper)
        self._keeper.keep("dashboards", self._dashboards.run)
        self._keeper.keep("telemetry", self._telemetry.run)
        if self._trunk.watches:
            self._keeper.keep("trunk", self._trunk.run)
        if self._site.role is Role.CENTRE:
            self._keeper.keep("fallback", self._fallback.run)
        self._keeper.keep("control", self._control.run)
        self._keeper.keep("watchdog", watchdog)
        self._keeper.keep("site file", self._change.run)
        self._keeper.keep("first look", self._first_look)
        self._keeper.keep("clock", self._wall_clock.run)
        gc.collect()
        gc.freeze()  # what is there from the start stays: 90,000 objects that no collection looks at any more
        ready(f"{self._site.role} {self._site.id}")
        log.info("core is ready: %s %s, journal at row %d", self._site.role, self._site.id, self._journal.head.seq)
        await self._stop.wait()
        gc.unfreeze()  # a core that is made anew leaves nothing of the old one
        if self._next is None:
            stopping()
            self._append(ev.Stopped(reason="told to end"))
        self._plant.leave()
        await self._keeper.stop()
        await self._control.stop()
        self._teller.close()
        self._journal.close()
        self._telemetry.close()
        return self._next

    def _say_started(self) -> None:
        """And what of the site file is another than the last time: it may have been changed while core was down."""
        known, now = self._state.site, prints(self._site)
        self._append(ev.Started(role=self._site.role, version=VERSION, speed=self._clock.speed, site=now))
        if known and (names := changed(known, now)):
            self._append(ev.SiteTaken(changed=names, site=now))

    async def _first_look(self) -> None:
        await asyncio.sleep(FIRST_LOOK)
        waiting = {"annunciator": not self._annunciator.up, "broker": self._mqtt is not None and not self._mqtt.up}
        for link, missing in waiting.items():
            if missing:
                self._append(ev.LinkLost(link=link, reason="not reached since the start"))
        await asyncio.get_running_loop().create_future()

    # The journal

    def _append(self, event: Event, *, actor: str = "", cause: int | None = None) -> Appended:
        return self._journal.append(event, actor=actor, cause=cause)

    def _note(self, event: Event) -> None:
        self._append(event)

    def _on_entry(self, entry: Entry) -> None:
        apply(self._state, entry)
        if not self._rooms_started:
            self._unheard.append(entry)
            return
        self._teller.tell(entry)
        self._view.on_entry(entry)
        self._control.on_entry(entry)
        self._alarms.on_entry(entry)
        self._desk.on_entry(entry)
        self._sound.on_entry(entry)
        self._dashboards.on_entry(entry)
        self._local.wake()
        self._alerting.on_entry(entry)

    def _urgent(self) -> bool:
        """An order is open, or a siren sounds here."""
        return bool(self._state.open_alerts()) or any(siren.on for siren in self._state.sirens.values())

    def _changed(self) -> None:
        self._control.changed()

    # The broker

    def _is_broker_up(self) -> bool:
        return self._mqtt is not None and self._mqtt.up

    def _publish(self, topic: str, payload: bytes, expiry_s: int, qos: int = 1) -> str:
        if self._mqtt is None:
            return "no broker in the site file"
        sent = self._mqtt.publish(topic, payload, expiry_s=expiry_s, qos=qos)
        return (sent.why or "refused") if sent.refused else ""

    def _publish_about_keys(self, topic: str, payload: bytes, retain: bool) -> Sent | None:
        return self._mqtt.publish(topic, payload, retain=retain) if self._mqtt and self._mqtt.up else None

    def _publish_state(self, topic: str, payload: bytes) -> None:
        if self._mqtt is not None and self._mqtt.up:
            self._mqtt.publish(topic, payload, retain=True)

    def _publish_event(self, topic: str, payload: bytes) -> None:
        if self._mqtt is not None and self._mqtt.up:
            self._mqtt.publish(topic, payload, qos=0)

    def _broker_up(self) -> None:
        assert self._mqtt is not None
        self._append(ev.LinkRestored(link="broker"))
        self._dashboards.publish_all()
        self._keys.on_broker_up(self._mqtt.subscribe)
        for topic in self._alerting.topics():
            self._mqtt.subscribe(topic)
        if self._alerting.centre:
            self._mqtt.subscribe("homeassistant/status")
        self._alerting.on_broker_up()

    def _on_message(self, message: Incoming) -> None:
        match message.topic.split("/"):
            case ["homeassistant", "status"]:
                if message.payload == b"online":
                    self._dashboards.publish_all()
            case ["siaga", _, *_, "keys" | "request"] | ["siaga", _, "keys", _]:
                self._keys.on_message(message.topic.split("/")[2:], message.payload)
            case _:
                self._alerting.on_message(message)

    # The annunciator

    def _annunciator_up(self, standing: Standing) -> None:
        self._local.on_up(standing)
        self._plant.on_up(standing)
        self._alerting.on_up(standing)

    def _annunciator_down(self) -> None:
        self._local.on_down()
        self._plant.on_down()

    def _on_output(self, change: OutputChange) -> None:
        self._local.on_output(change)
        self._plant.on_output(change)
        self._alerting.on_output(change)

    def _on_input(self, change: InputChange) -> None:
        self._local.on_input(change)
        self._plant.on_input(change)
        if change.active:
            self._alarms.on_pressed(change.input)
        self._alerting.on_input(change)
