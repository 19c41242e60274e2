"""The health of every station: its newest signed word in RAM for the page, and what is news of it in the journal."""

from collections.abc import Callable

from appliance.alert_state import StationHealth
from appliance.journal import Appended
from appliance.stamp import Stamp
from appliance.state import State
from appliance.supervision.health_machine import MOVES, Heard, faults_of, news
from drivers.clock import Clock


class HealthBook:
    """`locked` says of a station whether its siren is locked by a person here."""

    def __init__(
        self, *, state: State, clock: Clock, boot: str, append: Callable[..., Appended], locked: Callable[[str], bool]
    ) -> None:
        self._state, self._clock, self._boot, self._append, self._locked = state, clock, boot, append, locked
        self._newest: dict[str, StationHealth] = {}

    def take(self, heard: Heard) -> None:
        known = self._state.health.get(heard.station)
        locked = self._locked(heard.station)
        faults = faults_of(heard, known.faults if known else (), locked=locked)
        for event in news(heard, known, locked=locked):
            self._append(event)
        now = Stamp(0, self._clock.wall(), self._clock.now(), self._boot)
        figures = {field: getattr(heard, field) for field in ("path", "supply", *MOVES)}
        self._newest[heard.station] = StationHealth(now, faults, **figures)

    def of(self, station: str) -> StationHealth | None:
        """As it was heard last: now, or before the last start of core."""
        return self._newest.get(station) or self._state.health.get(station)
