"""A station's row in supervision: each path with the worst time until a fault is known, its health, its lockout.

What is wrong comes first; what is not known is neither well nor ill and says so.
"""

from collections.abc import Mapping
from typing import NamedTuple

from appliance.alert_state import Lockout, StationHealth
from appliance.alert_view import PathView, StationHealthView
from appliance.view import StationView
from web.scene import Mark, Scene, actor_words
from web.station_panel import revoked_words

UNKNOWN_PERCENT, UNKNOWN_DAYS = 255, 65535  # as the station's health word has it
LOW_DISK, LOW_BATTERY = 10, 30  # %
OLD_KEY_DAYS = 1095  # a key is replaced after three years; the station says so too
TESTED = ("sms", "voice", "siren")  # ways that only their tests prove: a proof older than these come is none
SKEW_S = 5.0  # s; times of two journals cannot be laid side by side beyond this
RANKS = {"p1": 0, "p2": 1, "p3": 2}


class PathCell(NamedTuple):
    name: str
    mark: Mark
    worst: str
    tested: str


class Cell(NamedTuple):
    text: str
    tone: str = ""


class StationLine(NamedTuple):
    """`rank` 0 is the worst; `locked` that a lockout is in force or has not ended at the station."""

    id: str
    name: str
    rank: int
    mark: Mark
    paths: tuple[PathCell, ...]
    faults: tuple[str, ...]
    skew: Cell
    disk: Cell
    supply: Cell
    certificate: Cell
    key: Cell
    heard: str
    locked: bool
    lockout: str
    lock_confirmed: str
    may_unlock: bool

    @property
    def abnormal(self) -> bool:
        return self.rank < len(RANKS) or self.locked


def station_lines(scene: Scene) -> list[StationLine]:
    """All stations, the worst first, else in the site's order."""
    supervision = scene.view.supervision
    health = {h.station: h for h in supervision.stations} if supervision else {}
    lines = [_line(scene, station, health.get(station.id)) for station in scene.view.stations]
    return sorted(lines, key=lambda line: (not line.abnormal, line.rank))


def _line(scene: Scene, station: StationView, seen: StationHealthView | None) -> StationLine:
    words = scene.words
    paths = tuple(_path(scene, p) for p in seen.paths) if seen else ()
    health = seen.health if seen else None
    faults = tuple(words.code("fault", f) for f in health.faults) if health else ()
    cells = _cells(scene, health)
    mark = _mark(scene, station, seen)
    tones = [mark.tone, *(p.mark.tone for p in paths), *(c.tone for c in cells.values()), "p2" if faults else ""]
    lockout = seen.lockout if seen else None
    locked = lockout is not None and (lockout.ended is None or lockout.end_confirmed is None)
    rank = min((RANKS.get(tone, len(RANKS)) for tone in tones), default=len(RANKS))
    if not mark.tone and rank == RANKS["p2"]:
        mark = Mark("p2", words("stations_page.faults"), "p2")
    if not mark.tone and rank == RANKS["p3"]:
        mark = Mark("none", words("stations_page.not_proven"), "p3")
    heard = words.ago(scene.now - station.heard_at) if station.heard_at is not None and scene.live else "---"
    return StationLine(
        station.id, station.name, rank, mark, paths, faults, cells["skew"], cells["disk"], cells["supply"],
        cells["certificate"], cells["key"], words("station.local") if station.local else heard, locked,
        _lockout(scene, lockout) if lockout and locked else "",
        _confirmed(scene, lockout) if lockout and locked else "",
        locked and lockout is not None and lockout.ended is None,
    )  # fmt: skip


def _mark(scene: Scene, station: StationView, seen: StationHealthView | None) -> Mark:
    words = scene.words
    if not scene.live:
        return Mark("unknown", words("station.unknown_now"), "dim")
    if station.revoked is not None:
        return Mark("bad", revoked_words(scene, station.revoked), "p1")
    if seen is None:
        return Mark("unknown", words("stations_page.no_word"), "dim")
    usable = [p for p in seen.paths if p.usable]
    if seen.paths and not usable:
        return Mark("warn", words("stations_page.unreachable"), "p1")
    if len(usable) < len(seen.paths):
        return Mark("half", words("stations_page.some_paths", usable=len(usable), all=len(seen.paths)), "p2")
    if seen.health and seen.health.faults:
        return Mark("p2", words("stations_page.faults"), "p2")
    return Mark("ok", words("stations_page.well"))


def _path(scene: Scene, path: PathView) -> PathCell:
    words = scene.words
    name = words.code("path", path.path)
    worst = words.span(path.worst_s) if path.worst_s is not None else words("stations_page.never_known")
    if path.failed is not None:
        tested = words("stations_page.failed", ago=words.about(scene.since(path.failed)))
    elif path.proven is not None:
        tested = words("stations_page.proven", ago=words.about(scene.since(path.proven)))
    else:
        tested = words("stations_page.untested")
    if not scene.live:
        return PathCell(name, Mark("unknown", words("station.unknown_now"), "dim"), worst, tested)
    if not path.usable:
        return PathCell(
            name, Mark("bad", words.code("test.why", path.reason) if path.reason else "", "p2"), worst, tested
        )
    late = path.path in TESTED and not path.failed and path.proven is not None and path.worst_s is not None
    if late and path.proven and scene.wall - path.proven.wall > (path.worst_s or 0.0):
        return PathCell(name, Mark("half", words("stations_page.late"), "p2"), worst, tested)
    tone = "p2" if path.failed is not None else "p3" if path.proven is None or path.worst_s is None else ""
    shape = {"p2": "half", "p3": "none", "": "ok"}[tone]
    return PathCell(name, Mark(shape, "", tone), worst, tested)


def _cells(scene: Scene, health: StationHealth | None) -> Mapping[str, Cell]:
    words, blank = scene.words, Cell("---", "")
    names = ("skew", "disk", "supply", "certificate", "key")
    if health is None:
        return dict.fromkeys(names, blank)
    skew = blank
    if health.skew_s is not None:
        wrong = abs(health.skew_s) > SKEW_S
        skew = Cell(f"{words.number(health.skew_s, 1)} {words('unit.second')}", "p2" if wrong else "")
    disk = blank
    if health.disk_free_percent != UNKNOWN_PERCENT:
        disk = Cell(f"{health.disk_free_percent} %", "p2" if health.disk_free_percent < LOW_DISK else "")
    return {
        "skew": skew, "disk": disk, "supply": _supply(scene, health),
        "certificate": _days(scene, health.cert_days),
        "key": _days(scene, health.key_days, health.key_days > OLD_KEY_DAYS),
    }  # fmt: skip


def _supply(scene: Scene, health: StationHealth) -> Cell:
    words = scene.words
    told = [words.code("supply", health.supply)]
    if health.supply_mv:
        told.append(f"{words.number(health.supply_mv / 1000, 1)} V")
    if health.battery != UNKNOWN_PERCENT:
        told.append(f"{health.battery} %")
    low = health.battery < LOW_BATTERY or health.supply == "battery"
    return Cell(" · ".join(told) if told != [words.code("supply", "unknown")] else "---", "p2" if low else "")


def _days(scene: Scene, days: int, old: bool = False) -> Cell:
    """The age of a key or its certificate; a certificate never ends."""
    if days == UNKNOWN_DAYS:
        return Cell("---")
    return Cell(f"{days} {scene.words('unit.day')}", "p2" if old else "")


def _lockout(scene: Scene, lockout: Lockout) -> str:
    words = scene.words
    who = actor_words(scene, lockout.since.actor)
    if lockout.ended is not None:
        return words("stations_page.lock_ends", who=who, reason=lockout.reason)
    until, left = words.clock(lockout.until, scene.wall)[:-3], words.span(lockout.until - scene.wall)
    return words("stations_page.locked", who=who, reason=lockout.reason, until=until, left=left)


def _confirmed(scene: Scene, lockout: Lockout) -> str:
    """Whether the station itself has said so: until then its siren may still sound, or still not."""
    if lockout.ended is not None:
        return scene.words("stations_page.end_unconfirmed")
    if lockout.confirmed is None:
        return scene.words("stations_page.unconfirmed")
    return ""
