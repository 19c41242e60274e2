"""Wires a station's room: its core with the microphone, the disk, the modems and the page's commands."""

from collections.abc import Callable
from typing import Any

from appliance.alert_view import OwnView
from appliance.alerting.sender import Publish
from appliance.alerting.wire_health import DAYS_UNKNOWN
from appliance.annunciator_client import AnnunciatorLink
from appliance.annunciator_protocol import InputChange
from appliance.commands import AcknowledgeOrder
from appliance.config import Places, Site
from appliance.core_keys import KeyRoom
from appliance.journal import Appended
from appliance.keeper import Keeper
from appliance.lines.service import Lines
from appliance.power_view import PowerView
from appliance.sound.ends import kind_of
from appliance.state import State
from appliance.station.node import StationNode
from appliance.station.own_power import OwnPower, own_power
from appliance.station.room_sound import RoomSound
from appliance.station.vitals import DiskShare, Vitals
from drivers.clock import Clock
from drivers.jsonsocket import Refusal


class StationRoom:
    """`power` is the box's power room, None where it measures nothing.

    `node` is the station's core; the rest is beside it, and nothing of it holds a siren up.
    """

    def __init__(
        self, *, site: Site, places: Places, state: State, clock: Clock, boot: str, append: Callable[..., Appended],
        keys: KeyRoom, annunciator: AnnunciatorLink, publish: Publish, broker_up: Callable[[], bool],
        lines: Lines, time_known: Callable[[], bool], quality: Callable[[], str], disk_failed: Callable[[], bool],
        power: Callable[[], PowerView] | None = None,
    ) -> None:  # fmt: skip
        assert site.own is not None
        self._site, self._lines, self._quality, self._disk_failed = site, lines, quality, disk_failed
        self._keys, self._power, self._clock = keys, power, clock
        self._disk = DiskShare(places.state)
        self._sound = None
        if site.sound.headset is not None:
            self._sound = RoomSound(
                places.audio, kind_of(site.sound.headset), clock, listens=site.own.watch.microphone,
                on_level=lambda dbfs: self.node.on_level(dbfs),
            )  # fmt: skip
        sound = self._sound
        self.node = StationNode(
            site=site, clock=clock, append=append, key=keys.own, issuers=keys.issuers, annunciator=annunciator,
            publish=publish, broker_up=broker_up, send_sms=lines.send_data, state=state, boot=boot,
            time_known=time_known, speaker=sound, audio_up=(lambda: sound.up) if sound else None, vitals=self._vitals,
        )  # fmt: skip

    def _vitals(self) -> Vitals:
        ages = self._keys.ages()
        power = own_power(self._power(), self._clock.now()) if self._power else OwnPower()
        return Vitals(
            key_days=DAYS_UNKNOWN if ages.key is None else min(ages.key, DAYS_UNKNOWN - 1),
            cert_days=DAYS_UNKNOWN if ages.certificate is None else min(ages.certificate, DAYS_UNKNOWN - 1),
            supply=power.supply,
            battery=power.battery,
            battery_low=power.low,
            supply_mv=power.supply_mv,
            clock_quality=self._quality(),
            disk_failed=self._disk_failed(),
            disk_free_percent=self._disk.percent,
            can_send_sms=self._lines.up() if self._site.line else None,
        )

    def keep(self, keeper: Keeper) -> None:
        """Start its tasks."""
        keeper.keep("station", self.node.run)
        keeper.keep("station's disk", self._disk.run)
        if self._sound:
            keeper.keep("station's sound", self._sound.run)

    def on_input(self, change: InputChange) -> None:
        self.node.on_input(change)

    def view(self) -> OwnView:
        return self.node.view()

    def acknowledge(self, command: AcknowledgeOrder, actor: str) -> Any:
        """A person at the station's screen. Raises Refusal for an alert that this station does not have."""
        taken = self.node.on_acknowledge("page", command.alert, actor)
        if command.alert and not self.node.knows(command.alert):
            raise Refusal("no_order", f"This station has no order {command.alert}.", "Look at the page again.")
        return {"alerts": taken, "repeated": not taken}
