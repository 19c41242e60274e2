"""Alarms over a state and a journal that is only a list, in virtual time: what the tests of alarms play on."""

import asyncio
import contextlib
from pathlib import Path
from typing import Any

from appliance.alarm_commands import AcknowledgeAlarm
from appliance.alarm_events import AlarmRaised
from appliance.alarms.alarm_machine import Condition, condition
from appliance.alarms.catalogue import CATALOGUE
from appliance.alarms.desk import AlarmDesk
from appliance.alarms.limit_machine import Seen
from appliance.alarms.service import Alarms
from appliance.annunciator_config import AnnunciatorConfig
from appliance.clock import boot_id
from appliance.config import Line, Site
from appliance.config_alarms import Duty, Notify
from appliance.config_power import Genset, Ups
from appliance.entry import Entry
from appliance.event import Event
from appliance.events import encode_event
from appliance.figure import Figure
from appliance.fold import apply
from appliance.model import Role
from appliance.state import State
from drivers.clock import VirtualClock


class Desk:
    """`told` is the journal; `devices` are what limits look at."""

    def __init__(
        self, catalogue: Path = CATALOGUE, lines: tuple[str, ...] = ("l1", "l2"), duty: tuple[Duty, ...] = (),
        notify: Notify | None = None,
    ) -> None:  # fmt: skip
        self.state, self._head = State(), Entry.before_first()
        self.told: list[Event] = []
        self.entries: list[Entry] = []
        self.clock, self.devices = VirtualClock(), list[Seen]()
        self.site = Site(
            role=Role.CENTRE,
            site="ambon",
            id="pusat",
            name="Pusat",
            annunciator=AnnunciatorConfig(socket="a.sock", factory="mock"),
            genset=(Genset(id="g1", name="g1"),),
            ups=(Ups(id="u1", name="u1"),),
            line=tuple(Line(id=id, name=id, port="/dev/null", number="+62000000001") for id in lines),
            duty=duty,
            notify=notify or Notify(),
        )
        self.start(catalogue)

    def start(self, catalogue: Path = CATALOGUE) -> None:
        self.alarms = Alarms(
            site=self.site, state=self.state, clock=self.clock, append=self.append, catalogue=catalogue,
            seen=lambda: self.devices,
        )  # fmt: skip
        self.alarms.catch_up(self.entries)
        self.desk = AlarmDesk(
            state=self.state, append=self.append, rows=self.alarms.rows, journal=Path("none"), zone="WIT"
        )  # fmt: skip

    def append(self, event: Event, *, actor: str = "", cause: int | None = None) -> Any:
        self._head = Entry.after(
            self._head, wall=self.clock.wall(), mono=self.clock.now(), boot=boot_id(), quality="ntp",
            kind=event.kind, subject=event.subject, actor=actor, cause=cause, body=encode_event(event),
        )  # fmt: skip
        apply(self.state, self._head)
        self.told.append(event)
        self.entries.append(self._head)
        self.alarms.on_entry(self._head)

    def happens(self, *events: Event) -> list[Event]:
        """What is told of alarms when these happen."""
        first = len(self.told)
        for event in events:
            self.append(event)
        return [e for e in self.told[first:] if e.kind.startswith("alarm.")]

    def passes(self, seconds: float) -> list[Event]:
        """Time goes on, second by second; what is told of alarms meanwhile."""
        first = len(self.told)
        for _ in range(round(seconds)):
            self.clock.advance(1.0)
            self.alarms.look()
        return [e for e in self.told[first:] if e.kind.startswith("alarm.")]

    def reads(self, kind: str, id: str, point: str, value: float, quality: str = "good") -> None:
        """A device's reading, fresh for an hour."""
        self.devices[:] = [Seen(kind, id, {point: Figure(value, "%", quality, self.clock.now(), 3600.0)})]

    def acknowledge(self, code: str, about: str, note: str = "") -> dict[str, Any]:
        return self.desk.acknowledge(AcknowledgeAlarm(alarm=code, about=about, note=note), "operator")

    def condition(self, code: str, about: str) -> Condition:
        return condition(self.state.alarms.get(f"{code}/{about}"))

    async def run_for_a_moment(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.01):
                await self.alarms.run()


def raised(code: str, events: list[Event]) -> int:
    return sum(isinstance(e, AlarmRaised) and e.alarm == code for e in events)
