"""Wires the watch over stations with the orders that test them: health comes in, lockouts and tests go out."""

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from appliance.alert_view import SupervisionView
from appliance.alerting.centre import Centre
from appliance.alerting.health_intake import HealthIntake, Word
from appliance.alerting.issuer import Issuer
from appliance.alerting.locks import LockSender, words_of
from appliance.alerting.notices import StationNotices
from appliance.alerting.sender import Publish, order_topic
from appliance.annunciator_client import AnnunciatorLink
from appliance.annunciator_protocol import Standing
from appliance.commands import IssueAlert, ListTests, LockSiren, RunTest, StopAlert, UnlockSiren
from appliance.config import Site, Station
from appliance.entry import Entry
from appliance.journal import Appended
from appliance.keeper import Keeper
from appliance.keyring import StationRing
from appliance.lines.service import Lines
from appliance.model import AlertKind, Path, Pattern
from appliance.siren_bar import SirenBar
from appliance.state import State
from appliance.supervision.health import HealthBook
from appliance.supervision.health_machine import Heard
from appliance.supervision.lockouts import Lockouts
from appliance.supervision.look import Look
from appliance.supervision.service import BY_CALENDAR, Tests
from appliance.supervision.test_machine import SIREN
from drivers.clock import Clock
from drivers.jsonsocket import Refusal

COMMANDS = (LockSiren, UnlockSiren, RunTest, ListTests)
SOUNDING_PATHS = (Path.GPIO, Path.MQTT, Path.SMS)  # nobody is called to hear a test
MINUTE = 60.0
SILENT_SECONDS = 10  # of an order that never sounds; it must have some

log = logging.getLogger("siaga.supervision")


class SupervisionRoom:
    """At a centre. `annunciator_up`: the box's own siren is in reach. `calls`: a line could speak to a station now."""

    def __init__(
        self, *, site: Site, state: State, clock: Clock, boot: str, append: Callable[..., Appended], centre: Centre,
        issuer: Issuer, publish: Publish, broker_up: Callable[[], bool], annunciator_up: Callable[[], bool],
        lines: Lines, calls: Callable[[], bool], time_known: Callable[[], bool], keys: StationRing | None = None,
        annunciator: AnnunciatorLink | None = None,
    ) -> None:  # fmt: skip
        self._site, self._centre, self._lines = site, centre, lines
        self._broker_up, self._annunciator_up, self._calls = broker_up, annunciator_up, calls
        self._stopping: set[asyncio.Task[Any]] = set()
        self._stations = {station.id: station for station in site.station}
        ways = {station.id: (*self._paths(station), SIREN) for station in site.station}
        self._under_way: set[asyncio.Task[None]] = set()
        self._left_s = 0.0
        own = site.own
        outputs = tuple(dict.fromkeys((own.siren, *(zone.output for zone in own.zone)))) if own else ()
        self._bar = SirenBar(annunciator, outputs, lambda: self._left_s) if own and annunciator else None
        self._sender = LockSender(
            issuer=issuer, contacts=centre.contacts, topic=lambda station: order_topic(site.site, station),
            publish=publish, send_sms=lines.send_data, words=lambda station: words_of(state.lockouts.get(station)),
        )  # fmt: skip
        self.lockouts = Lockouts(
            site=site,
            state=state,
            clock=clock,
            append=append,
            since=centre.since,
            paths=self._reached_by,
            send=self._send_lock,
        )
        self._health = HealthBook(
            state=state, clock=clock, boot=boot, append=append, locked=self.lockouts.locked
        )  # fmt: skip
        self.intake = HealthIntake(
            site=site,
            clock=clock,
            contacts=centre.contacts,
            note=centre.note,
            time_known=time_known,
            take=self._heard,
            keys=keys,
        )
        self.tests = Tests(
            site=site, state=state, clock=clock, boot=boot, append=append, order=self._order, stop=self._stop,
            give=lines.outgoing.notice, ways=ways, locked=self.lockouts.locked, since=centre.since,
            time_known=time_known,
        )  # fmt: skip
        self._notices = StationNotices(
            site=site, state=state, clock=clock, append=append, issuer=issuer, contacts=centre.contacts,
            publish=publish, online=self._online, send_sms=lines.send_data, sms_up=lines.registered,
            since=centre.since, today=self.tests.today,
        )  # fmt: skip
        self._look = Look(
            site=site, state=state, clock=clock, health=self._health, lockouts=self.lockouts, tests=self.tests,
            paths=ways, usable=self._usable,
        )  # fmt: skip

    def keep(self, keeper: Keeper) -> None:
        """Start its tasks."""
        keeper.keep("lockouts", self.lockouts.run)
        keeper.keep("tests of stations", self.tests.run)
        keeper.keep("words of tests", self._notices.run)

    def on_entry(self, entry: Entry) -> None:
        self.lockouts.on_entry(entry)
        if entry.kind.startswith(("siren.lock", "siren.unlock", "test.begun", "test.ended", "station.health")):
            self._look.changed()

    async def obey(self, command: LockSiren | UnlockSiren | RunTest | ListTests, actor: str) -> Any:
        """One of COMMANDS. Raises Refusal."""
        match command:
            case LockSiren():
                return await self.lockouts.lock(command, actor)
            case UnlockSiren():
                return await self.lockouts.unlock(command, actor)
            case RunTest():
                return await self.tests.command(command, actor)
            case ListTests():
                return self.tests.listed(command)

    def view(self) -> SupervisionView:
        return self._look()

    # Ways to a station

    # The box's own siren

    def _send_lock(self, station: str, lock: str, minutes: int, path: str) -> None:
        if path != Path.GPIO:
            self._sender(station, lock, minutes, path)
            return
        self._left_s = minutes * MINUTE
        task = asyncio.create_task(self._lock_here(station, lock, locked=minutes > 0))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def _lock_here(self, station: str, lock: str, *, locked: bool) -> None:
        if self._bar and await self._bar.tell():
            self.lockouts.on_answer(station, lock, locked, Path.GPIO)

    def on_standing(self, standing: Standing) -> None:
        """The annunciator is there (again); if it was restarted, it knows of no lockout."""
        for station in self._stations.values():
            if station.local:
                self.lockouts.on_annunciator(station.id, standing.locked)

    def _paths(self, station: Station) -> tuple[str, ...]:
        if station.local:
            return (Path.GPIO.value,)
        there = {Path.MQTT: self._site.broker is not None, Path.SMS: station.sms, Path.VOICE: station.phone}
        return tuple(path.value for path, has in there.items() if has)

    def _usable(self, station: str, path: str) -> bool:
        match path:
            case Path.GPIO:
                return self._annunciator_up()
            case Path.MQTT:
                return self._online(station)
            case Path.SMS:
                return self._lines.registered() > 0
            case Path.VOICE:
                return self._calls()
        return not self.lockouts.locked(station)

    def _online(self, station: str) -> bool:
        contact = self._centre.contacts[station]
        return self._broker_up() and contact.heard_at is not None and contact.session is not None

    def _reached_by(self, station: str) -> tuple[str, ...]:
        if self._stations[station].local:
            return ("gpio",) if self._annunciator_up() else ()
        by_sms = self._stations[station].sms and self._lines.registered() > 0
        return (*(("mqtt",) if self._online(station) else ()), *(("sms",) if by_sms else ()))

    # Health, and orders of tests

    def _heard(self, word: Word) -> None:
        health = word.health
        self._health.take(
            Heard(
                word.station, word.path, word.faults, health.disk_free_percent, health.battery,
                health.supply.name.lower(), health.supply_mv, health.cert_days, health.key_days, word.skew_s,
                health.lock_minutes,
            )
        )  # fmt: skip
        self.lockouts.on_health(word.station, health.lock_minutes)

    async def _order(
        self, *, stations: tuple[str, ...], kind: AlertKind, path: str, run: str, key: str, actor: str
    ) -> None:
        sounding = kind is AlertKind.SOUNDING_TEST
        command = IssueAlert(
            stations=stations, alert_kind=kind, pattern=Pattern.STEADY, key=key, via="rule", priority=3,
            seconds=self._site.supervision.sounding_seconds if sounding else SILENT_SECONDS,
            paths=(Path(path),) if path else SOUNDING_PATHS,
        )  # fmt: skip
        await self._centre.issue(command, actor, test=run)

    def _stop(self, alert: str) -> None:
        task = asyncio.create_task(self._centre.stop(StopAlert(alerts=(alert,), via="rule"), BY_CALENDAR))
        self._stopping.add(task)
        task.add_done_callback(self._stopped)

    def _stopped(self, task: asyncio.Task[Any]) -> None:
        self._stopping.discard(task)
        if not task.cancelled() and isinstance(error := task.exception(), Refusal):
            log.error("a test gives way to a real alert and is not stopped: %s", error)
