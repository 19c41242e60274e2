"""Wires the alarms' room: catalogue, buzzer, texts to those on duty, and what persons say of alarms."""

from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from appliance.alarm_commands import AlarmCommand
from appliance.alarm_view import AlarmsSummary, AlarmView
from appliance.alarms.buzzer import Buzzer
from appliance.alarms.desk import AlarmDesk
from appliance.alarms.limit_machine import Seen
from appliance.alarms.notifier import GiveNotice, Notifier
from appliance.alarms.service import Alarms
from appliance.annunciator_client import AnnunciatorLink
from appliance.config import Places, Site
from appliance.entry import Entry
from appliance.journal import Appended
from appliance.keeper import Keeper
from appliance.power_view import PowerView
from appliance.state import State
from drivers.clock import Clock

UNBOUNDED = 60.0  # s that a buzzer sounds at once when its output says no longest time


class AlarmRoom:
    """`power` gives the plant's readings, for limits; None where the node has no plant."""

    def __init__(
        self, *, site: Site, places: Places, state: State, clock: Clock, append: Callable[..., Appended],
        annunciator: AnnunciatorLink, give: GiveNotice, power: Callable[[], PowerView] | None,
        time_known: Callable[[], bool], history: Iterable[Entry],
    ) -> None:  # fmt: skip
        self._silence_input = site.notify.silence
        self.alarms = Alarms(
            site=site, state=state, clock=clock, append=append, seen=lambda: seen(power()) if power else ()
        )  # fmt: skip
        self.alarms.catch_up(history)
        self._desk = AlarmDesk(
            state=state, append=append, rows=self.alarms.rows, journal=places.journal, zone=site.zone
        )  # fmt: skip
        self._notifier = Notifier(
            site=site, state=state, clock=clock, append=append, rows=self.alarms.rows, since=self.alarms.since,
            quiet=self.alarms.quiet, give=give, time_known=time_known,
        )  # fmt: skip
        self._buzzer: Buzzer | None = None
        if name := site.notify.buzzer:
            longest = site.annunciator.output[name].max_s or UNBOUNDED
            self._buzzer = Buzzer(name, longest, clock, self.alarms.audible, annunciator.sound, annunciator.stop)

    def keep(self, keeper: Keeper) -> None:
        """Start its tasks."""
        keeper.keep("alarms", self.alarms.run)
        keeper.keep("alarm texts", self._notifier.run)
        if self._buzzer:
            keeper.keep("alarm buzzer", self._buzzer.run)

    def on_entry(self, entry: Entry) -> None:
        self.alarms.on_entry(entry)

    def on_pressed(self, input: str) -> None:
        """A contact has closed."""
        if input == self._silence_input:
            self._desk.silence(f"button:{input}")

    async def obey(self, command: AlarmCommand, actor: str) -> dict[str, Any]:
        return await self._desk.obey(command, actor)

    def lamp(self) -> bool:
        """Whether an alarm wants a person."""
        return self.alarms.lamp()

    def views(self) -> tuple[list[AlarmView], AlarmsSummary]:
        sounding = self._buzzer is not None and self._buzzer.sounding
        summary = msgspec.structs.replace(self.alarms.summary(), sounding=sounding, rota=self._notifier.rota())
        return self.alarms.views(), summary


def seen(power: PowerView) -> list[Seen]:
    """The plant's devices with their readings."""
    return [Seen(device.kind, device.id, device.figures) for device in power.devices]
