"""Builds the view: all that a page or a status command shows, from the state, the rooms' figures and the links."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from importlib.metadata import version
from typing import Any

import msgspec

from appliance.alarm_view import AlarmsSummary, AlarmView
from appliance.alert_view import OwnView, SupervisionView
from appliance.config import Site
from appliance.control import entry_view
from appliance.desk_view import DeskView
from appliance.entry import Entry
from appliance.figure import Figure
from appliance.journal import Journal
from appliance.model import AlertKind, Role
from appliance.power_view import PowerView
from appliance.state import Alert, State
from appliance.trunk_view import WitnessView, fallback_view, unwatched
from appliance.view import LineView, OutgoingView, SoundView, StationView, View
from drivers.clock import Clock

LAST = 14  # journal rows on the first page
MOST_ALERTS, MOST_CALLS, MOST_MESSAGES = 8, 8, 8  # that are over fit a page; the journal has them all
MOST_DELIVERIES = 1500  # of alerts that are over, and of open ones before them
MOST_LISTED = 500  # as many as the state keeps of those that came
VERSION = version("siaga")


class ViewMaker:
    """One a process. `power` and `lines` are None where the node has none."""

    def __init__(
        self, *, site: Site, state: State, journal: Journal, clock: Clock, quality: Callable[[], str],
        power: Callable[[], PowerView] | None, lines: Callable[[], list[LineView]] | None,
        stations: Callable[[], list[StationView]], clock_offset: Callable[[], Figure | None] = lambda: None,
        desk: Callable[[], DeskView] | None = None, witnesses: Callable[[], list[WitnessView]] = unwatched,
        sound: Callable[[], SoundView | None] = lambda: None,
        supervision: Callable[[], SupervisionView | None] = lambda: None,
        alarms: Callable[[], tuple[list[AlarmView], AlarmsSummary]] = lambda: ([], AlarmsSummary()),
        own: Callable[[], OwnView | None] = lambda: None,
    ) -> None:  # fmt: skip
        self._own = own
        self._site, self._state, self._journal, self._clock, self._quality = site, state, journal, clock, quality
        self._power, self._lines, self._stations, self._alarms = power, lines, stations, alarms
        self._clock_offset, self._desk, self._witnesses, self._sound = clock_offset, desk, witnesses, sound
        self._supervision = supervision
        self._last: deque[Entry] = deque(maxlen=LAST)

    def on_entry(self, entry: Entry) -> None:
        self._last.appendleft(entry)

    def __call__(self) -> View:
        site, state = self._site, self._state
        # Silent tests stand in `supervision`: a thousand stations would be in the way of the order beside them.
        shown = [a for a in state.alerts.values() if not (a.test and a.kind is AlertKind.SILENT_TEST)]
        alerts = [*fitting(sorted(shown, key=lambda a: (_over(a), -a.issued.seq)))]
        alarms, alarm_summary = self._alarms()
        return View(
            seq=state.seq,
            head=self._journal.head.hash,
            at=self._clock.now(),
            wall=self._clock.wall(),
            clock_quality=self._quality(),
            zone=site.zone,
            speed=self._clock.speed,
            role=site.role,
            site=site.site,
            id=site.id,
            name=site.name,
            language=site.language,
            version=VERSION,
            power=self._power() if self._power else None,
            lines=self._lines() if self._lines else [],
            trunk=state.trunk,
            trunk_watched=site.trunk is not None,
            stations=self._stations(),
            alerts=alerts,
            sirens=state.sirens,
            alarms=alarms,
            calls=sorted(state.calls.values(), key=lambda c: -c.began.seq)[:MOST_CALLS],
            messages=list(reversed(state.messages[-MOST_MESSAGES:])),
            links=state.links,
            disk_failed=self._journal.failed,
            disk_kept=self._journal.kept if self._journal.failed else 0,
            last=[entry_view(entry) for entry in self._last],
            clock_offset=self._clock_offset(),
            outgoing=texts_out(state, MOST_MESSAGES),
            desk=self._desk() if self._desk else None,
            sound=self._sound(),
            trunk_verdict=state.trunk_verdict,
            witnesses=self._witnesses(),
            fallback=fallback_view(site, state) if site.role is Role.CENTRE else None,
            alarm_summary=alarm_summary,
            supervision=self._supervision(),
            own=self._own(),
        )


def fitting(alerts: Iterable[Alert]) -> Iterator[Alert]:
    """Of those that are over as many as a page can bear: a thousand stations are 0.5 MB.

    What sounds or somebody has still to do stays, however old it is and however many there are.
    """
    deliveries = 0
    for number, alert in enumerate(alerts, start=1):
        deliveries += len(alert.deliveries)
        if not _over(alert) or (number <= MOST_ALERTS and deliveries <= MOST_DELIVERIES):
            yield alert


def _over(alert: Alert) -> bool:
    return alert.ended is not None and not alert.unhandled


def texts_out(state: State, most: int) -> list[OutgoingView]:
    """Newest first. Orders and answers are told by their alerts."""
    texts = sorted((m for m in state.outgoing.values() if m.text), key=lambda m: -m.queued.seq)
    return [
        OutgoingView(
            m.id, m.number, m.text, m.purpose, m.state, m.line or m.pinned, m.parts, len(m.attempts), m.again, m.reason,
            m.queued, m.since,
        )
        for m in texts[:most]
    ]  # fmt: skip


def both_ways(state: State, last: int) -> dict[str, Any]:
    """The last texts that came in and that go out, newest first."""
    most = max(1, min(last, MOST_LISTED))
    came = list(reversed(state.messages[-most:]))
    return {"received": msgspec.to_builtins(came), "outgoing": msgspec.to_builtins(texts_out(state, most))}
