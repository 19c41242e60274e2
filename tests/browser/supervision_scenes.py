"""What the fake core shows of orders with all recipients, of stations under supervision, and of their tests."""

from collections.abc import Callable
from hashlib import sha256
from typing import Any

import msgspec
from scenes import ALERT, STATIONS, Moment, alert, calm

from appliance.alarm_view import AlarmView
from appliance.alert_state import ContactDelivery, Lockout, Revoked, StationHealth, StationTest, StationTestLine, Told
from appliance.alert_view import (
    ContactView,
    DueView,
    GroupView,
    PathView,
    StationHealthView,
    SupervisionView,
    TestsView,
)
from appliance.model import About, AlertKind, ContactState, DeliveryState, Path
from appliance.stamp import Stamp
from appliance.state import Alert, Attempt, Delivery, StationContact
from appliance.view import StationView, View
from drivers.clock import Clock

CONTACTS = (
    ContactView("siloam", "RS Siloam IGD", "+6200000031", "+6200000032"),
    ContactView("haulussy", "RSUD dr. Haulussy", "+6200000033", "+6200000034"),
    ContactView("bhakti", "RS Bhakti Rahayu", "+6200000035", ""),
    ContactView("pln", "PLN Posko", "+6200000036", "+6200000037"),
)
GROUPS = (
    GroupView("rs", "Rumah sakit", "first", ("siloam", "haulussy", "bhakti")),
    GroupView("barat", "Kota barat", "all", ("pusat", "teluk", "pln")),
)
MANY = 1000
RUN, SOUNDING, DRILL = "00c0ffee", "0badcafe", "ab0100aa00bb00cc"
RULES = {"bpbd": "not_allowed", "teluk": "locked_out"}  # stations that may not sound for a test


def _paths(m: Moment, n: int) -> tuple[PathView, ...]:
    mqtt = PathView("mqtt", True, 9.0, m.ago(60000))
    sms = PathView("sms", True, 86400.0, m.ago(61000))
    voice = PathView("voice", True, 7 * 86400.0, m.ago(400000))
    match n:
        case 5:
            return PathView("mqtt", False, 9.0, m.ago(60000), m.ago(250), "offline"), sms, voice
        case 6:
            return PathView("mqtt", False, 9.0, reason="offline"), PathView("sms", False, 86400.0, reason="no_line")
        case 7:
            return (
                mqtt,
                PathView("sms", True, 86400.0, m.ago(150000), m.ago(61000), "no_answer"),
                PathView("voice", True, None),
            )
    return mqtt, sms, voice


def _health(m: Moment, n: int) -> StationHealth | None:
    match n:
        case 1:
            return None
        case 3:
            return StationHealth(
                m.ago(300), ("on_battery", "no_current"), "mqtt", 61, 24, "battery", 11900, 300, 120, 0.3
            )
        case 4:
            return StationHealth(m.ago(300), (), "mqtt", 6, 255, "mains", 24100, 12, 120, -41.2)
    return StationHealth(m.ago(300), (), "mqtt", 74, 98, "mains", 24300, 300, 120, 0.2)


def _run(
    id: str, what: str, due: str, paths: tuple[str, ...], begun: Stamp, lines: list[StationTestLine],
    ended: Stamp | None = None,
) -> StationTest:  # fmt: skip
    return StationTest(
        id, what, due, tuple(s for s, _ in STATIONS), paths, begun, lines, ended,
        sum(x.good for x in lines), sum(x.bad for x in lines), skipped=sum(x.skipped for x in lines),
    )  # fmt: skip


def whole_run(clock: Clock, message: dict[str, Any]) -> dict[str, Any]:
    """Core's answer to `test.list` with a run: unlike the view it has the lines of those that passed."""
    run = next(r for r in _tests(Moment(clock), clock).runs if r.id == message["run"])
    return {"run": msgspec.to_builtins(run), "names": dict(STATIONS)}


def _brief(run: StationTest) -> StationTest:
    return msgspec.structs.replace(run, lines=[x for x in run.lines if not x.good])


def _tests(m: Moment, clock: Clock) -> TestsView:
    lines = [
        StationTestLine(s, path, why == "", why, 0.4 if path == "mqtt" else 9.2, m.ago(60990))
        for s, _ in STATIONS for path in ("mqtt", "sms")
        for why in ("no_answer" if (s, path) == ("posko", "sms") else "",)
    ]  # fmt: skip
    names = tuple(s for s, _ in STATIONS)
    silent = _run(RUN, "silent", "2026-11-22 02:00", ("mqtt", "sms"), m.ago(61000), lines[1:], m.ago(60940))
    sirens = [
        StationTestLine(s, "siren", s not in RULES and s != "posko", RULES.get(s, "" if s != "posko" else "no_answer"),
                        0.5, m.ago(2299990), skipped=s in RULES)
        for s in names
    ]  # fmt: skip
    sounding = _run(SOUNDING, "sounding", "2026-10-26 10:00", ("siren",), m.ago(2300000), sirens, m.ago(2299900))
    running = _run("11111111", "sms_probe", "", ("sms",), m.ago(20, "budi"),
                   [StationTestLine(s, "sms", True, "", 8.1, m.ago(5)) for s in names[:3]])  # fmt: skip
    wall = clock.wall()
    due = (DueView("silent", "2026-11-23 02:00", wall + 20000), DueView("sounding", "2026-11-26 10:00", wall + 310000))
    return TestsView((running, silent, sounding), due)


def _as_viewed(tests: TestsView) -> TestsView:
    return msgspec.structs.replace(tests, runs=tuple(map(_brief, tests.runs)))


def watched(clock: Clock) -> View:
    """Seven stations: one deaf by MQTT, one unreachable, one sick, one with a wrong clock, two locked out."""
    view, m = calm(clock), Moment(clock)
    wall = clock.wall()
    locks = {
        "teluk": Lockout("teluk", "aa", 240, wall + 7000, "kabel sirene diganti", m.ago(7000, "sari"), m.ago(6990)),
        "satpol": Lockout("satpol", "bb", 60, wall + 3000, "papan dibuka", m.ago(600, "budi")),
    }
    local = (PathView("gpio", True, 1.0, m.ago(60000)),)
    view.supervision = SupervisionView(
        tuple(StationHealthView(s, _health(m, n), _paths(m, n) if n > 1 else local, locks.get(s))
              for n, (s, _) in enumerate(STATIONS, 1)),
        _as_viewed(_tests(m, clock)), CONTACTS, GROUPS,
    )  # fmt: skip
    view.seq = m.seq
    return view


def mute(clock: Clock) -> View:
    """Nobody answers by MQTT: what wakes a station is what a text has proven; one has no key any more."""
    view, m = watched(clock), Moment(clock)
    assert view.supervision
    for station in view.stations[1:]:
        station.heard_at, station.contact = None, StationContact(False, "00" * 8, "mqtt", m.ago(900))
    view.stations[6].sms = False
    view.stations[2].revoked = Revoked(m.ago(1500), "sari", "kotak dicuri")
    proven, failed, never, old = (
        PathView("sms", True, 86400.0, m.ago(30000)),
        PathView("sms", True, 86400.0, m.ago(99000), m.ago(30000), "no_answer"),
        PathView("sms", True, 86400.0),
        PathView("sms", True, 86400.0, m.ago(200000)),
    )
    sms = dict(zip([s for s, _ in STATIONS], (None, proven, proven, failed, never, old, None), strict=True))
    view.supervision = msgspec.structs.replace(view.supervision, stations=tuple(
        StationHealthView(s.station, s.health, (path,) if (path := sms[s.station]) else s.paths)
        for s in view.supervision.stations
    ))  # fmt: skip
    view.alarms = [AlarmView("station.offline", "teluk", 2, m.ago(1490))]
    view.seq = m.seq
    return view


def left(clock: Clock) -> View:
    """The order has ended, and two stations were never known to wake: one somebody drove to, two nobody has phoned."""
    view, m = told(clock), Moment(clock)
    order = view.alerts[1]
    order.ended = m.ago(3)
    for station in ("satpol", "ambulans", "bpbd"):
        delivery = order.deliveries[station]
        delivery.state, delivery.reason = DeliveryState.EXPIRED, ""
        delivery.card, delivery.card_reason = m.ago(30), "no_proof"
    sent = order.deliveries["bpbd"]
    sent.handled, sent.outcome, sent.outcome_text = m.ago(10, "budi"), "sent", "mobil patroli ke sana"
    view.alerts = [order, *(a for a in view.alerts if a is not order and a.kind is AlertKind.ACTUAL)]
    view.seq = m.seq
    return view


def told(clock: Clock) -> View:
    """An order at stations and contacts, each in another state; a drill runs beside it; an older one was false."""
    view, m = alert(clock), Moment(clock)
    view.supervision = watched(clock).supervision
    order = view.alerts[0]
    order.text, order.incident_code, order.priority, order.groups = (
        "Jl. A. Y. Patty, dekat Gong Perdamaian",
        1,
        1,
        ("rs",),
    )
    order.zones = {"passo": ("garasi",)}
    first, second = order.deliveries["pusat"], order.deliveries["passo"]
    first.proven, first.by, first.told = m.ago(56), "gpio", {"announce": m.ago(54)}
    second.proven, second.heard, second.state = m.ago(54), m.ago(52), DeliveryState.PROVEN
    order.contacts = {
        "haulussy": ContactDelivery("haulussy", ContactState.ACCEPTED, m.ago(12), "rs", path="voice", by="key",
                                    tries=[("sms", "cc01", m.ago(40), ""), ("voice", "dd01", m.ago(30), "")]),
        "siloam": ContactDelivery("siloam", ContactState.DECLINED, m.ago(40), "rs", path="sms", by="text",
                                  tries=[("sms", "cc02", m.ago(55), "")]),
        "bhakti": ContactDelivery("bhakti", ContactState.SPARED, m.ago(11), "rs", reason="haulussy"),
        "pln": ContactDelivery("pln", ContactState.UNREACHED, m.ago(5), reason="no_answer",
                               tries=[("sms", "cc03", m.ago(56), "undelivered"),
                                      ("voice", "dd02", m.ago(40), "no_answer")]),
    }  # fmt: skip
    drill = Alert(
        DRILL, AlertKind.DRILL, "steady", 30, 120, 3, ("teluk",), "page", "k2", m.ago(30, "sri"),
        deliveries={"teluk": Delivery("teluk", DeliveryState.FAILED, m.ago(20), "mqtt", reason="no_answer")},
        text="Latihan: kecelakaan di Galala",
    )  # fmt: skip
    old = Alert(
        "55aa00aa00bb00cc", AlertKind.ACTUAL, "yelp", 60, 120, 5, ("teluk",), "page", "k3", m.ago(4000, "sri"),
        ended=m.ago(3900), deliveries={"teluk": Delivery("teluk", DeliveryState.ENDED, m.ago(3900), "mqtt",
                                                         energised=m.ago(3999), acknowledged=m.ago(3970))},
        told=[Told(About.FALSE_ALARM, "hanya air pasang", m.ago(3800, "sri"))], text="Pantai Hative Kecil",
    )  # fmt: skip
    view.alerts = [drill, order, old]
    view.seq = m.seq
    return view


def many(clock: Clock) -> View:
    """A thousand stations, an order to all of them, some of which need a person."""
    view, m = watched(clock), Moment(clock)
    view.stations = [
        StationView(f"s{n:04}", f"Pos {n:04}", n + 10, False, f"+6200001{n:04}", True, view.stations[1].contact,
                    clock.now() - 1.0, 9.0, False)
        for n in range(MANY)
    ]  # fmt: skip
    assert view.supervision
    good = view.supervision.stations[1]
    sick = (good, *view.supervision.stations[2:7])
    view.supervision = SupervisionView(
        tuple(StationHealthView(s.id, x.health, x.paths) for n, s in enumerate(view.stations)
              for x in (sick[n % 97 % 6] if n % 97 < 6 and n % 7 == 0 else good,)),
        view.supervision.tests, CONTACTS, GROUPS,
    )  # fmt: skip
    states = [DeliveryState.PROVEN] * 60 + [DeliveryState.ENERGISED, DeliveryState.RECEIVED, DeliveryState.FAILED]
    order = Alert(
        ALERT, AlertKind.ACTUAL, "wail", 60, 120, 8, tuple(s.id for s in view.stations), "page", "k", m.ago(40, "budi"),
        text="Naik ke tempat tinggi", priority=1,
        deliveries={s.id: Delivery(s.id, states[n % len(states)], m.ago(30), "mqtt",
                                   [Attempt(Path.MQTT, "start", 1, m.ago(39))], energised=m.ago(38))
                    for n, s in enumerate(view.stations)},
    )  # fmt: skip
    view.alerts = [order]
    view.seq = m.seq
    return view


SUPERVISION_SCENES: dict[str, Callable[[Clock], View]] = {
    "watched": watched,
    "told": told,
    "mute": mute,
    "left": left,
    "crowd": many,
}
MANY_SITE = {
    "station": [
        {"id": f"s{n:04}", "number": n + 10, "name": f"Pos {n:04}", "key": sha256(str(n).encode()).hexdigest()}
        for n in range(MANY)
    ],
    "own": {"id": "pusat", "number": 1, "siren": "siren"},
}
