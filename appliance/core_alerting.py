"""Wires the alerting room: orders of a centre, a station's judgement of them, and what this box's own contacts say.

Other rooms of alerting (recipients, supervision) are made here too, so that core knows one room.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from typing import Any

from appliance import alert_events as al
from appliance.alert_view import OwnView, SupervisionView
from appliance.alerting.centre import Centre
from appliance.alerting.foresight import MANY, Foresight
from appliance.alerting.issuer import Issuer
from appliance.alerting.reports import Reports
from appliance.alerting.sender import Publish, order_topic
from appliance.alerting.wire_codec import NOTHING_PROVEN
from appliance.alerting.wire_health import is_health
from appliance.annunciator_client import AnnunciatorLink
from appliance.annunciator_protocol import InputChange, OutputChange, Pressed, Standing
from appliance.commands import (
    AcknowledgeOrder,
    AnswerForContact,
    HandleCard,
    IssueAlert,
    ListTests,
    LockSiren,
    RunTest,
    StopAlert,
    TellRecipients,
    UnlockSiren,
)
from appliance.config import Places, Site
from appliance.core_keys import KeyRoom
from appliance.core_recipients import COMMANDS as RECIPIENT_COMMANDS
from appliance.core_recipients import RecipientRoom
from appliance.core_supervision import COMMANDS as SUPERVISION_COMMANDS
from appliance.core_supervision import SupervisionRoom
from appliance.entry import Entry
from appliance.journal import Appended
from appliance.keeper import Keeper
from appliance.lines.service import Lines
from appliance.model import Language, Path
from appliance.power_view import PowerView
from appliance.sound.spoken import Spoken
from appliance.state import State
from appliance.station_room import StationRoom
from appliance.view import StationView
from drivers.clock import Clock
from drivers.jsonsocket import Gone, Refusal
from drivers.mqtt import Incoming

COMMANDS = (IssueAlert, StopAlert, AcknowledgeOrder, *SUPERVISION_COMMANDS, *RECIPIENT_COMMANDS)
AlertCommand = (
    IssueAlert
    | StopAlert
    | AcknowledgeOrder
    | LockSiren
    | UnlockSiren
    | RunTest
    | ListTests
    | TellRecipients
    | AnswerForContact
    | HandleCard
)

log = logging.getLogger("siaga.alerting")


class Phones:
    """The lines with their voice, as orders need them."""

    def __init__(
        self, site: Site, lines: Lines, speak: Callable[..., Awaitable[Spoken]], speaks: Callable[[str], bool]
    ) -> None:
        self._named = [line.id for line in site.line if line.sound is not None]
        self._keep_free, self._lines, self._speak, self._speaks = site.calls.keep_free, lines, speak, speaks
        self.hang_up = lines.hang_up

    def able(self) -> bool:
        return any(map(self._speaks, self._named))

    def free(self) -> int:
        free = self._lines.free_lines()
        return min(sum(map(self._speaks, free)), max(0, len(free) - self._keep_free))

    async def speak(
        self, number: str, texts: tuple[tuple[Language, str], ...], on_dialled: Callable[[str, str], None],
        decline: str = "",
    ) -> Spoken:  # fmt: skip
        return await self._speak(number, texts, on_dialled=on_dialled, decline=decline)


class AlertRoom:
    """`centre` where the site has stations, `station` where it has issuers; a box can be both, or neither."""

    def __init__(
        self, *, site: Site, state: State, clock: Clock, boot: str, append: Callable[..., Appended],
        annunciator: AnnunciatorLink, publish: Publish, broker_up: Callable[[], bool], lines: Lines,
        speak: Callable[..., Awaitable[Spoken]], speaks: Callable[[str], bool],
        on_changed: Callable[[], None], time_known: Callable[[], bool], keys: KeyRoom, places: Places,
        quality: Callable[[], str] = lambda: "unknown", disk_failed: Callable[[], bool] = lambda: False,
        power: Callable[[], PowerView] | None = None,
    ) -> None:  # fmt: skip
        self._site, self._state, self._append, self._annunciator = site, state, append, annunciator
        self._spawned: set[asyncio.Task[None]] = set()
        self.centre: Centre | None = None
        self._reports: Reports | None = None
        self._foresight: Foresight | None = None
        self._recipients: RecipientRoom | None = None
        self.supervision: SupervisionRoom | None = None
        self._own: StationRoom | None = None
        if site.issuer:
            self._own = StationRoom(
                site=site, places=places, state=state, clock=clock, boot=boot, append=append, keys=keys,
                annunciator=annunciator, publish=publish, broker_up=broker_up, lines=lines, time_known=time_known,
                quality=quality, disk_failed=disk_failed, power=power,
            )  # fmt: skip
        self.station = self._own.node if self._own else None
        if site.station:
            telephone = Phones(site, lines, speak, speaks)
            issuer = Issuer(keys.hands, clock, {s.number: state.sequences.get(s.id, 0) for s in site.station})
            self.centre = Centre(
                site=site, state=state, clock=clock, boot=boot, append=append, issuer=issuer,
                annunciator=annunciator, publish=publish, broker_up=broker_up,
                send_sms=lines.send_data, sms_up=lines.registered,
                telephone=telephone, locked=lambda station: self._is_locked(station),
            )  # fmt: skip
            self.supervision = SupervisionRoom(
                site=site, state=state, clock=clock, boot=boot, append=append, centre=self.centre, issuer=issuer,
                publish=publish, broker_up=broker_up, annunciator_up=lambda: annunciator.up, lines=lines,
                calls=telephone.able, time_known=time_known, keys=keys.stations, annunciator=annunciator,
            )  # fmt: skip
            self._foresight = Foresight(keys.stations) if len(site.station) >= MANY else None
            self._reports = Reports(
                site, self.centre, issuer, clock, keys.stations, self.supervision.lockouts.on_answer,
                self._foresight.proven if self._foresight else NOTHING_PROVEN,
            )  # fmt: skip
            self._recipients = RecipientRoom(
                site=site, state=state, clock=clock, boot=boot, append=append, issuer=issuer, centre=self.centre,
                publish=publish, broker_up=broker_up, lines=lines, phones=telephone,
            )  # fmt: skip

    def keep(self, keeper: Keeper) -> None:
        """Start its tasks."""
        if self.centre:
            keeper.keep("orders", self.centre.run)
        if self.supervision:
            self.supervision.keep(keeper)
        if self._recipients:
            self._recipients.keep(keeper)
        if self._own:
            self._own.keep(keeper)
        if self._foresight:
            keeper.keep("verifier", self._foresight.run)

    def on_entry(self, entry: Entry) -> None:
        if self.centre:
            self.centre.wake()
        if self.supervision:
            self.supervision.on_entry(entry)
        if self._recipients:
            self._recipients.on_entry(entry)

    async def obey(self, command: AlertCommand, actor: str) -> Any:
        """One of COMMANDS. Raises Refusal."""
        if isinstance(command, AcknowledgeOrder):
            if self._own is None:
                raise Refusal("no_station", "This box takes no orders.", "Acknowledge at the station.")
            return self._own.acknowledge(command, actor)
        if self.centre is None or self.supervision is None or self._recipients is None:
            raise Refusal("no_centre", "This box is a station; it orders nobody.", "Give the order at the centre.")
        if isinstance(command, SUPERVISION_COMMANDS):
            return await self.supervision.obey(command, actor)
        if isinstance(command, RECIPIENT_COMMANDS):
            return await self._recipients.obey(command, actor)
        if isinstance(command, IssueAlert):
            return await self.centre.issue(command, actor)
        return await self.centre.stop(command, actor)

    def _is_locked(self, station: str) -> bool:
        return self.supervision is not None and self.supervision.lockouts.locked(station)

    def own_view(self) -> OwnView | None:
        """This box as a station."""
        return self._own.view() if self._own else None

    def views(self) -> list[StationView]:
        return self.centre.views() if self.centre else []

    def supervised(self) -> SupervisionView | None:
        return self.supervision.view() if self.supervision else None

    # The broker and the lines

    def on_new_key(self, station: str) -> None:
        """It connects anew, and what the broker held for its old session is gone."""
        if self.centre:
            self.centre.send_again(station, Path.MQTT)

    def topics(self) -> list[str]:
        """What to subscribe."""
        topics = []
        if self.station and self._site.own:
            topics.append(order_topic(self._site.site, self._site.own.id))
        if self.centre:
            topics.append(f"siaga/{self._site.site}/station/+/answer")
        return topics

    def on_broker_up(self) -> None:
        if self.station:
            self.station.on_broker_up()

    def look_ahead(self, messages: Iterable[Incoming]) -> asyncio.Future[None] | None:
        """Begin with what takes long about these, that are given next; None where that is not worth it."""
        return self._foresight.look_ahead(message.payload for message in messages) if self._foresight else None

    def on_message(self, message: Incoming) -> None:
        """A message of one of our topics."""
        match message.topic.split("/"):
            case ["siaga", _, "alert", _] if self.station:
                self.station.on_order(message.payload, Path.MQTT, retained=message.retain)
            case ["siaga", _, "station", named, "answer"] if self.supervision and is_health(message.payload):
                self.supervision.intake.on_health(message.payload, Path.MQTT, named=named, retained=message.retain)
            case ["siaga", _, "station", named, "answer"] if self._reports:
                self._reports.on_answer(message.payload, Path.MQTT, named=named, retained=message.retain)

    def on_sms_data(self, number: str, payload: bytes) -> None:
        """A binary SMS on our port: an order at a station, an answer at a centre."""
        if self.station:
            self.station.on_order(payload, Path.SMS, number=number)
        elif self.supervision and is_health(payload):
            self.supervision.intake.on_health(payload, Path.SMS)
        elif self._reports:
            self._reports.on_answer(payload, Path.SMS)

    # The annunciator

    def on_up(self, standing: Standing) -> None:
        if self.station:
            self.station.on_standing(standing)
        if self.supervision:
            self.supervision.on_standing(standing)
        if self.centre:
            self.centre.on_standing(standing)

    def on_output(self, change: OutputChange) -> None:
        if self.station:
            self.station.on_output(change)
        if self._reports:
            self._reports.on_local_output(change)

    def on_input(self, change: InputChange) -> None:
        if self._own:
            self._own.on_input(change)
        own = self._site.own
        if own is None or not change.active:
            return
        if change.input == own.acknowledge:
            if self.station:
                self.station.on_acknowledge()
            if self._reports:
                self._reports.on_local_acknowledge([a.id for a in self._state.open_alerts()])
        elif change.input == own.silence:
            for siren in self.station.outputs if self.station else (own.siren,):
                self._spawn(self._silence(siren))
        elif change.input == own.feedback:
            if self.station:
                self.station.on_feedback()
            if self._reports:
                self._reports.on_local_feedback([a.id for a in self._state.open_alerts()])

    def on_press(self, press: Pressed) -> None:
        self._spawn(self._pressed(press))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._spawned.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._spawned.discard(task)
        if not task.cancelled() and (error := task.exception()):
            log.error("a press of a button failed", exc_info=error)

    async def _silence(self, siren: str) -> None:
        """A person here wants quiet: local, at once, and the centre is told by what the annunciator then says."""
        try:
            await self._annunciator.silence(siren)
        except (Gone, Refusal) as e:
            log.error("the siren cannot be silenced: %s", e)

    async def _pressed(self, press: Pressed) -> None:
        """The red button: core takes the press if it is in time, and orders what the site's plan says."""
        plan = self._site.button
        if plan is None or self.centre is None:
            return  # not taken: the annunciator sounds locally
        try:
            await self._annunciator.take(press.press)
        except (Gone, Refusal) as e:
            self._append(al.ButtonPressed(button=press.button, taken=False))
            log.warning("the press came too late for core, it sounds locally: %s", e)
            return
        self._append(al.ButtonPressed(button=press.button, taken=True))
        command = IssueAlert(stations=plan.stations, pattern=plan.pattern, seconds=plan.seconds, via="button")
        await self.centre.issue(command, f"button:{press.button}")
