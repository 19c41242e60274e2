"""The part of the view that is about supervision. It is made anew once a second at the most: it is long, and slow."""

from collections import Counter
from collections.abc import Callable, Mapping

from appliance.alert_view import ContactView, GroupView, PathView, StationHealthView, SupervisionView
from appliance.config import Site
from appliance.stamp import Stamp
from appliance.state import State
from appliance.supervision.health import HealthBook
from appliance.supervision.lockouts import Lockouts
from appliance.supervision.service import Tests
from appliance.supervision.worst_machine import worst_s
from drivers.clock import Clock

FRESH = 1.0  # s
SHOWN = 12  # runs
MINUTE = 60.0


class Look:
    """`paths` are the ways that each station has; `usable` says whether one is there now."""

    def __init__(
        self, *, site: Site, state: State, clock: Clock, health: HealthBook, lockouts: Lockouts, tests: Tests,
        paths: Mapping[str, tuple[str, ...]], usable: Callable[[str, str], bool],
    ) -> None:  # fmt: skip
        self._site, self._state, self._clock = site, state, clock
        self._health, self._lockouts, self._tests = health, lockouts, tests
        self._paths, self._usable = paths, usable
        count = Counter(path for each in paths.values() for path in each)
        rules = site.supervision
        self._lost = {station.id: rules.beat(station.profile).lost_s for station in site.station}
        self._worst = {
            (path, lost_s): worst_s(
                path,
                tests.rules,
                lost_s=lost_s,
                grace_s=rules.grace_min * MINUTE,
                stations=count,
                sms_each_s=tests.sms_each_s,
            )
            for path in count
            for lost_s in set(self._lost.values())
        }
        self._contacts = tuple(
            ContactView(c.id, c.name, c.sms or "", c.voice or "", c.agency or "") for c in site.contact
        )
        self._groups = tuple(GroupView(g.id, g.name, g.mode, g.members) for g in site.group)
        self._made: tuple[float, SupervisionView] | None = None

    def __call__(self) -> SupervisionView:
        now = self._clock.now()
        if self._made is None or now - self._made[0] >= FRESH:
            self._made = now, self._make()
        return self._made[1]

    def changed(self) -> None:
        """Something that a person waits for: the next view is made anew."""
        self._made = None

    def _make(self) -> SupervisionView:
        return SupervisionView(
            stations=tuple(self._station(station.id) for station in self._site.station),
            tests=self._tests.view(SHOWN),
            contacts=self._contacts,
            groups=self._groups,
            lost_s=max(self._lost.values()),
        )

    def _station(self, name: str) -> StationHealthView:
        lockout = self._state.lockouts.get(name)
        if lockout is not None and not self._lockouts.locked(name):
            # Taken back, and the station that had it has not said so yet.
            undecided = lockout.ended is not None and lockout.confirmed is not None and lockout.end_confirmed is None
            lockout = lockout if undecided and self._clock.wall() < lockout.until else None
        return StationHealthView(
            name, self._health.of(name), tuple(self._path(name, path) for path in self._paths[name]), lockout
        )

    def _path(self, station: str, path: str) -> PathView:
        tests = self._state.tests
        failed = tests.failed.get(station, {}).get(path)
        proven = tests.proven.get(station, {}).get(path)
        return PathView(
            path, self._usable(station, path), self._worst[path, self._lost[station]], _brief(proven),
            _brief(failed.at) if failed else None, failed.reason if failed else "",
        )  # fmt: skip


def _brief(stamp: Stamp | None) -> Stamp | None:
    """Of a day or more ago only the wall time says something, and a thousand stations have thousands of these."""
    return Stamp(wall=stamp.wall) if stamp else None
