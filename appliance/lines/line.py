"""One telephone line: its modem, its calls and its messages, wired together; what the modem says goes to both."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path

from appliance.config import Line as LineConfig
from appliance.config_sound import SerialSound
from appliance.events import LineDown, LineRecovery, LineUp
from appliance.journal import Appended
from appliance.lines import ORDER_PORT, sms_memory
from appliance.lines.bench import Bench
from appliance.lines.ledger import Ledger
from appliance.lines.line_view import REGISTERED, line_view
from appliance.lines.surroundings import Means, Surroundings
from appliance.lines.telephone import Telephone
from appliance.lines.ussd_talk import UssdTalk
from appliance.logs import about
from appliance.state import State
from appliance.view import LineView
from drivers.clock import Clock
from drivers.modem import events as heard
from drivers.modem.errors import LinkLost, ModemError
from drivers.modem.exchange import Priority
from drivers.modem.modem import Modem
from drivers.modem.pdu import StatusReport
from drivers.modem.profile import Profile
from drivers.modem.recorder import Recorder

ASK_DISK = 5.0  # s; how often a part that cannot be stored yet looks whether it can
DELETE_AGAIN = 30.0  # s behind a refused deletion
MOST_DELETING = 512  # parts on their way out of the modem; its memories hold 255 each

NO_VOICE = ("none", "sms_only")  # bearers

log = logging.getLogger("siaga.lines")


class Line:
    """`run` holds the line for as long as the process lives.

    `on_report` gets each delivery report, and returns the row that must be on disk before it leaves the modem.
    """

    def __init__(
        self, config: LineConfig, profiles: Sequence[Profile], state: State, clock: Clock,
        append: Callable[..., Appended], on_changed: Callable[[], None], on_data: Callable[[str, bytes], None],
        recording: Path | None = None, means: Means | None = None,
        on_report: Callable[[str, StatusReport], Appended | None] = lambda _l, _r: None,
    ) -> None:  # fmt: skip
        self._on_report = on_report
        self.config, self._state, self._clock, self._append, self._on_changed = config, state, clock, append, on_changed
        self.recorder = Recorder(recording, clock.now)
        self._modem = Modem(
            config.port,
            profiles,
            on_event=self._heard,
            pin=config.pin or "",
            recorder=self.recorder,
            serial_sound=isinstance(config.sound, SerialSound),
        )
        self._talk = UssdTalk(self._modem)
        self.bench = Bench(config.id, self._modem, self.recorder, append, lambda: self.call, self._talk)
        self._surroundings = Surroundings(
            config,
            self._modem,
            self._talk,
            state,
            clock,
            append,
            lambda: bool(self.call or self.sending),
            means or Means(),
        )
        self.telephone = Telephone(config, self._modem.telephone, state, clock, append, on_changed)
        self._ledger = Ledger(config.id, state, append, on_data)
        self._told_up: bool | None = None
        self._down = "starting"
        self._name = ""
        self.sending = 0
        self._sending_since = 0.0
        self._deleting: dict[tuple[str | None, int], asyncio.Task[None]] = {}
        self._group: asyncio.TaskGroup | None = None

    @property
    def call(self) -> str:
        """The id of the foremost call on the line, or an empty string."""
        return self.telephone.call

    @property
    def up(self) -> bool:
        return self._modem.up

    @property
    def registered(self) -> bool:
        """Whether the network takes messages and calls now."""
        return self._modem.up and self._modem.status.registration in REGISTERED

    @property
    def can_dial(self) -> bool:
        """Whether a call could go out or come in now: registered, something to carry the voice, and no call on it."""
        return self.registered and self._modem.status.bearer not in NO_VOICE and not self.call

    @property
    def signal_dbm(self) -> int | None:
        return self._modem.status.signal_dbm

    @property
    def operator(self) -> str | None:
        return self._modem.status.operator

    async def run(self) -> None:
        """Raises nothing that the modem does; only a flaw of ours ends it."""
        self._ledger.restore()
        try:
            async with asyncio.TaskGroup() as self._group:
                self._group.create_task(self._modem.run())
                self._group.create_task(self.recorder.run())
                self._group.create_task(self._surroundings.run())
                self._group.create_task(self.telephone.run())
        finally:
            self._group = None

    # What the modem says

    def _heard(self, event: heard.ModemEvent) -> None:
        match event:
            case heard.PortUp(identity=identity):
                self._port_up(identity)
            case heard.PortLost(reason=reason, code=code):
                self._port_lost(reason, code)
            case heard.RecoveryStep(step=step):
                self._append(LineRecovery(line=self.config.id, step=step))
            case heard.SmsPartReceived():
                self._delete_behind(self._ledger.take(event), event.memory, event.index)
            case heard.SmsUnreadable():
                self._delete_behind(self._ledger.unreadable(event.pdu, event.reason), event.memory, event.index)
            case heard.SmsTextReceived():
                self._ledger.written(event)
            case heard.SmsReport(report=report):
                self._delete_behind(self._on_report(self.config.id, report), event.memory, event.index)
            case heard.UssdSaid():
                self._talk.heard(event)
            case heard.NetworkTime():
                self._surroundings.time_told(event)
            case heard.SmsMemory():
                if (news := sms_memory.told(self.config.id, event, self._state.filling)) is not None:
                    self._append(news)
            case heard.InitRefused():
                log.warning(
                    "%s: %s was refused, the line works in part: %s", self.config.id, event.command, event.reason
                )
            case _:
                self.telephone.watch.heard(event)
        self._on_changed()

    def _port_up(self, identity: heard.Identity) -> None:
        self._name = f"{identity.manufacturer} {identity.model}".strip() or identity.profile
        if self._told_up is not True:
            self._told_up = True
            self._append(LineUp(line=self.config.id, modem=self._name))
        self.telephone.watch.line_up()

    def _port_lost(self, reason: str, code: str) -> None:
        self._down = code
        if self._told_up is not False:
            self._told_up = False
            self._append(LineDown(line=self.config.id, reason=reason[:200], code=code))
        for task in self._deleting.values():
            task.cancel()  # whatever lies there is told again when the modem is back
        self._deleting.clear()
        self.telephone.watch.line_lost()

    def _delete_behind(self, row: Appended | None, memory: str | None, index: int | None) -> None:
        """Delete what lies at a place of the modem once `row` is on disk. None: at once."""
        place = (memory, index or 0)
        if index is None or place in self._deleting or len(self._deleting) >= MOST_DELETING or self._group is None:
            return
        task = self._group.create_task(self._delete(row, memory, index))
        self._deleting[place] = task
        task.add_done_callback(lambda done: self._deleting.pop(place) if self._deleting.get(place) is done else None)

    async def _delete(self, row: Appended | None, memory: str | None, index: int) -> None:
        while row is not None and not await row.durable(ASK_DISK):
            continue  # the disk is gone: the SIM keeps it until it is back
        while True:
            try:
                await self._modem.delete_sms(index, memory)
                return
            except LinkLost:
                return
            except ModemError as e:
                log.warning(
                    "%s: message %s/%d could not be deleted: %s",
                    self.config.id,
                    memory,
                    index,
                    e,
                    extra=about(line=self.config.id),
                )
                await asyncio.sleep(DELETE_AGAIN)

    # What is asked of it

    async def send(
        self, number: str, *, text: str | None, data: bytes | None, validity: timedelta, urgent: bool
    ) -> tuple[int, ...]:
        """A text that wants a report, or data to ORDER_PORT; an urgent one before all else. Returns its references.

        Raises ModemError, PduError.
        """
        if not self.sending:
            self._sending_since = self._clock.now()
        self.sending += 1
        try:
            return tuple(
                await self._modem.send_sms(
                    number, text, data, ports=None if data is None else (ORDER_PORT, ORDER_PORT),
                    report=data is None, validity=validity, priority=Priority.URGENT if urgent else Priority.NORMAL,
                )
            )  # fmt: skip
        finally:
            self.sending -= 1
            self._sending_since = self._clock.now()

    def view(self) -> LineView:
        at = self._sending_since if self.sending else self._clock.now()
        view = line_view(
            self.config,
            up=self.up,
            down=self._down,
            status=self._modem.status,
            at=at,
            modem=self._name,
            link=self._state.links.get(f"line/{self.config.id}"),
            call=self._state.calls.get(self.call),
        )
        view.calls = [call for name in self.telephone.calls if (call := self._state.calls.get(name)) is not None]
        return self._surroundings.onto(view, at)
