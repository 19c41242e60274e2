"""Signed words of stations about themselves, as they come in: what is not of the station's present session is dropped.

What counts is handed on in the words of the journal.
"""

from collections.abc import Callable, Mapping

import msgspec

from appliance import alert_events as al
from appliance.alerting.answers import Count
from appliance.alerting.contact import Contact
from appliance.alerting.wire import WireError
from appliance.alerting.wire_health import Health, decode_health, fault_names
from appliance.config import Site
from appliance.event import Event
from appliance.keyring import StationRing
from appliance.model import Path
from appliance.sparing import Sparing
from drivers.clock import Clock


class Word(msgspec.Struct, frozen=True):
    """A health that counts. `skew_s`: its wall clock ahead of ours; None where nobody can know."""

    station: str
    path: str
    health: Health
    faults: tuple[str, ...]
    skew_s: float | None


class HealthIntake:
    """`time_known`: our own clock is; without it nobody's skew is known. `take` gets each word once."""

    def __init__(
        self, *, site: Site, clock: Clock, contacts: Mapping[str, Contact], note: Callable[[Event], None],
        time_known: Callable[[], bool], take: Callable[[Word], None], keys: StationRing | None = None,
    ) -> None:  # fmt: skip
        self._clock, self._contacts, self._note = clock, contacts, note
        self._time_known, self._take = time_known, take
        self._names = {s.number: s.id for s in site.station}
        self._keys = StationRing(site) if keys is None else keys
        self._noise, self._flaws = Sparing(), Sparing()

    def on_health(self, data: bytes, path: Path, *, named: str = "", retained: bool = False) -> None:
        """Bytes from the broker (topic of station `named`) or from an SMS."""
        if retained:
            self._refuse(named, "retained", path, self._noise)
            return
        try:
            health = decode_health(data, self._keys)
        except WireError as e:
            self._refuse(named, f"{e.flaw}", path, self._noise)
            return
        station = self._names[health.station]
        if named not in ("", station):
            self._refuse(named, "wrong_topic", path, self._noise)
            return
        match self._contacts[station].window.take(health):
            case Count.NEW:
                self._take(Word(station, path, health, fault_names(health.faults), self._skew(health, path)))
            case Count.ENDED:
                self._refuse(station, "old_session", path, self._flaws)
            case Count.UNPROVEN | Count.REPEATED:
                pass  # its heartbeats prove a session; then its next word counts

    def _skew(self, health: Health, path: Path) -> float | None:
        """A text takes up to minutes: nothing is learned of a clock by it."""
        if not health.wall or path is not Path.MQTT or not self._time_known():
            return None
        return round(health.wall - self._clock.wall(), 1)

    def _refuse(self, station: str, reason: str, path: Path, sparing: Sparing) -> None:
        known = station if station in self._contacts else ""
        if sparing.says(f"{known} {reason}", self._clock.now()):
            self._note(al.AnswerRefused(station=known, reason=reason, path=path))
