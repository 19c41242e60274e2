"""The devices as they were measured last: by their profile on a bus, through NUT, or by contacts on our own inputs."""

import logging
from collections.abc import Iterable, Mapping
from pathlib import Path

from appliance.config_power import Contacts, Device, Ups
from appliance.figure import Figure
from appliance.power.plant_machine import SwitchSeen
from appliance.power.seen import Words
from appliance.power_view import DeviceView
from appliance.state import State
from drivers.modbus.errors import ProfileError
from drivers.modbus.profile import Profile, load
from drivers.nut.points import lost
from drivers.quality import Quality
from drivers.reading import Reading

MISSED_POLLS, SLACK_S = 3, 2.0  # a reading is fresh for so many polls and so many s: a dead unit delays its bus
CONTACTS = ("mains_present", "genset_present", "on_mains", "on_genset")

log = logging.getLogger("siaga.power")


class Measured:
    """One device and its newest readings; every point of its profile is there from the start, without a value."""

    def __init__(self, config: Device, kind: str, folder: Path, now: float) -> None:
        self.config, self.kind, self.link = config, kind, f"{kind}/{config.id}"
        self.fresh_s = MISSED_POLLS * config.poll_s + SLACK_S
        self.profile: Profile | None = None
        self.readings: dict[str, Reading] = {}
        self._words: Words | None = None
        if isinstance(config, Ups) and config.nut:
            self.readings = {r.point: r for r in lost(now)}
            return
        try:
            self.profile = load(folder / f"{config.profile}.toml")
        except (ProfileError, OSError) as e:
            log.error("%s is not polled: %s", self.link, e)
            return
        self.readings = {
            name: Reading(name, None, point.unit, Quality.NO_LINK, now) for name, point in self.profile.point.items()
        }

    def take(self, readings: Iterable[Reading]) -> None:
        """What was just measured."""
        self.readings |= {r.point: r for r in readings}
        self._words = None

    def words(self, now: float) -> Words:
        """What counts of it at `now`."""
        if self._words is None or now > self._words.until:
            self._words = Words(self.readings, now, self.fresh_s)
        return self._words

    def view(self, state: State) -> DeviceView:
        figures = {
            name: Figure(r.value, r.unit, r.quality.value, r.at, self.fresh_s) for name, r in self.readings.items()
        }
        model = self.profile.name if self.profile else "NUT" if isinstance(self.config, Ups) and self.config.nut else ""
        return DeviceView(self.config.id, self.config.name, figures, state.links.get(self.link), self.kind, model)


class Switch:
    """The contacts of one transfer switch, as the annunciator tells them; None while it is not there."""

    def __init__(self, config: Contacts) -> None:
        self.config = config
        self._inputs = {word: name for word in CONTACTS if (name := getattr(config, word))}

    def seen(self, inputs: Mapping[str, bool] | None, now: float) -> SwitchSeen:
        """What the contacts say at `now`: the annunciator pushes each change, so what it told last is so."""
        if inputs is None:
            return SwitchSeen(at=now)
        said = {word: inputs.get(name) for word, name in self._inputs.items()}
        return SwitchSeen(
            mains=said.get("mains_present"), genset=said.get("genset_present"), on_mains=said.get("on_mains"),
            on_genset=said.get("on_genset"), at=now,
        )  # fmt: skip

    def view(self, seen: SwitchSeen, state: State) -> DeviceView:
        said = (seen.mains, seen.genset, seen.on_mains, seen.on_genset)
        figures = {
            word: Figure(is_, "", Quality.NO_LINK if is_ is None else Quality.GOOD, seen.at, SLACK_S)
            for word, is_ in zip(CONTACTS, said, strict=True)
            if word in self._inputs
        }
        return DeviceView(self.config.id, self.config.name, figures, state.links.get("annunciator"), "ats")
