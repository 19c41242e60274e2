"""What can be shown without core: the journal read-only and folded. It is history, and every page says so."""

import logging
import sqlite3
from importlib.metadata import version
from pathlib import Path

from appliance.alarm_view import alarm_views, summary_of
from appliance.alert_view import OwnView
from appliance.config import Site
from appliance.control import entry_view
from appliance.entry import Entry
from appliance.figure import Figure
from appliance.fold import apply
from appliance.journal_file import JournalUnreadable, read_entries
from appliance.make_view import texts_out
from appliance.model import Role, Source
from appliance.power_view import Dark, DeviceView, PowerView
from appliance.state import Link, State
from appliance.trunk_view import fallback_view, unwatched
from appliance.view import LineView, StationView, View
from drivers.clock import Clock
from drivers.quality import Quality

MOST_ROWS = 20_000  # of the journal's end; folding them takes about a second on the slowest board
LAST = 14  # rows on the page
MOST_SHOWN = 8

log = logging.getLogger("siaga.web")


def empty_view(site: Site, clock: Clock) -> View:
    """What is known before anything was read: nothing."""
    return _view(site, clock, State(), [])


def read_history(site: Site, clock: Clock, journal: Path) -> View | None:
    """The view that the journal's end adds up to, or None without a readable journal. Blocks: not for the loop."""
    for stopped in (False, True):  # of a cleanly stopped core a read-only user can open it only as immutable
        try:
            rows = list(read_entries(journal, last=MOST_ROWS, stopped=stopped))
        except (sqlite3.Error, JournalUnreadable) as e:
            log.info("journal not read (%s): %s", "immutable" if stopped else "read-only", e)
            continue
        state = State()
        for row in rows:
            apply(state, row)
        return _view(site, clock, state, rows[-LAST:])
    return None


def _view(site: Site, clock: Clock, state: State, last: list[Entry]) -> View:
    newest = last[-1] if last else Entry.before_first()
    nothing = Figure(None, "", Quality.NO_LINK, 0.0, 0.0)
    power = PowerView(
        source=Source.UNKNOWN,
        mains=state.mains,
        mains_since=state.mains_since,
        witnesses=state.witnesses,
        dark=Dark(None, "unknown"),
        gensets=state.gensets,
        ups=state.ups,
        genset_devices=[_device("genset", d.id, d.name, state.links.get(f"genset/{d.id}")) for d in site.genset],
        ups_devices=[_device("ups", d.id, d.name, state.links.get(f"ups/{d.id}")) for d in site.ups],
        meter_devices=[_device("meter", d.id, d.name, state.links.get(f"meter/{d.id}")) for d in site.meter],
        ats_devices=[_device("ats", d.id, d.name, state.links.get("annunciator")) for d in site.ats],
    )
    alerts = sorted(state.alerts.values(), key=lambda a: (a.ended is not None, -a.issued.seq))
    return View(
        seq=state.seq,
        head=newest.hash,
        at=newest.mono,
        wall=newest.wall,
        clock_quality="unknown",
        zone=site.zone,
        speed=clock.speed,
        role=site.role,
        site=site.site,
        id=site.id,
        name=site.name,
        language=site.language,
        version=version("siaga"),
        power=power if site.has_plant else None,
        lines=[
            LineView(
                x.id, x.name, x.number, state.links.get(f"line/{x.id}"), "", nothing, nothing, nothing, nothing,
                "unknown", "", None, proof=state.lines[x.id].proof if x.id in state.lines else None,
            )
            for x in site.line
        ],
        trunk=state.trunk,
        trunk_watched=site.trunk is not None,
        stations=[
            StationView(
                s.id, s.name, s.number, s.local, s.phone, bool(s.sms), state.stations.get(s.id), None, 0.0, None
            )
            for s in site.station
        ],
        alerts=alerts[:MOST_SHOWN],
        sirens=state.sirens,
        alarms=alarm_views(state.alarms, state.alarm_record),
        alarm_summary=summary_of(state.alarms, state.alarm_record, lambda at: clock.wall() - at.wall, clock.wall()),
        calls=sorted(state.calls.values(), key=lambda c: -c.began.seq)[:MOST_SHOWN],
        messages=list(reversed(state.messages[-MOST_SHOWN:])),
        links=state.links,
        disk_failed=None,
        disk_kept=0,
        last=[entry_view(row) for row in reversed(last)],
        outgoing=texts_out(state, MOST_SHOWN),
        trunk_verdict=state.trunk_verdict,
        witnesses=unwatched(),
        fallback=fallback_view(site, state) if site.role is Role.CENTRE else None,
        own=_own(site, state),
    )  # fmt: skip


def _own(site: Site, state: State) -> OwnView | None:
    """A station's orders as written down: an address that is being driven to stays on the screen without core."""
    if site.own is None or site.role is not Role.STATION:
        return None
    orders = sorted(state.own.orders.values(), key=lambda o: (o.ended is not None, -o.accepted.seq))
    return OwnView(
        site.name, tuple((z.id, z.name) for z in site.own.zone), tuple(orders), state.own.lockout,
        turnout_s=site.own.watch.turnout_s,
    )  # fmt: skip


def _device(kind: str, id: str, name: str, link: Link | None) -> DeviceView:
    """Its figures were never written down: only its link is known."""
    return DeviceView(id, name, {}, link, kind)
