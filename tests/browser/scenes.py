"""What the fake core shows: a calm night, a blackout, an order on its way, as views of `appliance/view.py`."""

from collections.abc import Callable
from typing import Any

from appliance.clock import boot_id
from appliance.model import AlertKind, CallPhase, DeliveryState, GensetPhase, Mains, Role, Source
from appliance.model import Path as Way
from appliance.state import (
    Alarm,
    Alert,
    Attempt,
    Call,
    Delivery,
    Genset,
    Link,
    Message,
    Siren,
    Stamp,
    StationContact,
    Ups,
)
from appliance.view import Dark, DeviceView, EntryView, Figure, LineView, PowerView, StationView, View
from drivers.clock import Clock

STATIONS = (
    ("pusat", "Damkar Pusat"),
    ("passo", "Damkar Passo"),
    ("teluk", "Damkar Teluk"),
    ("bpbd", "BPBD"),
    ("ambulans", "Ambulans"),
    ("satpol", "Satpol PP"),
    ("posko", "PLN Posko"),
)
ALERT = "7c2f00aa00bb00cc"
EVIL = "<img src=x onerror=alert(1)><script>alert(2)</script>"


class Moment:
    """Stamps and figures so many seconds ago."""

    def __init__(self, clock: Clock) -> None:
        self.clock, self.boot, self.seq = clock, boot_id(), 100

    def ago(self, seconds: float, actor: str = "") -> Stamp:
        self.seq += 1
        return Stamp(self.seq, self.clock.wall() - seconds, self.clock.now() - seconds, self.boot, actor)

    def figure(
        self, value: float | str | bool | None, unit: str = "", *, age: float = 0.4, fresh: float = 5.0
    ) -> Figure:
        return Figure(value, unit, "good" if value is not None else "no_link", self.clock.now() - age, fresh)


def _row(clock: Clock, seq: int, ago: float, kind: str, body: dict[str, Any], actor: str = "") -> EntryView:
    return EntryView(seq, clock.wall() - ago, kind, "", actor, body)


def calm(clock: Clock) -> View:
    """A night on which nothing is wrong."""
    m = Moment(clock)
    f = m.figure
    genset = {
        "mode": f("auto"), "fuel_level": f(74, "%"), "battery_v": f(12.6, "V"), "coolant_temperature": f(31, "°C"),
        "mains_v_l1": f(229.4, "V"), "generator_load": f(0.0, "%"), "fuel_low": f(False), "battery_low": f(False),
    }  # fmt: skip
    ups = {
        "charge": f(100.0, "%"), "load": f(34.2, "%"), "output_v": f(229.0, "V"), "output_hz": f(50.0, "Hz"),
        "runtime_s": f(4100, "s"),
    }  # fmt: skip
    up = Link(True, m.ago(11520))
    return View(
        seq=m.seq, head="ab" * 32, at=clock.now(), wall=clock.wall(), clock_quality="ntp", zone="WIT",
        speed=clock.speed, role=Role.CENTRE, site="ambon", id="centre", name="Pusat Komando 112 Ambon",
        language="id", version="0.1.0",
        power=PowerView(
            source=Source.MAINS, mains=Mains.PRESENT, mains_since=m.ago(11520), witnesses=(),
            dark=Dark(None, "mains_feeds", clock.now(), 5.0),
            gensets={"g1": Genset(GensetPhase.STOPPED, m.ago(90000), True, "auto")},
            ups={"u1": Ups(False, m.ago(11500))},
            genset_devices=[DeviceView("g1", "Genset 1", genset, up)],
            ups_devices=[DeviceView("u1", "UPS 1", ups, up)],
        ),
        lines=[
            _line(m, "l1", "Saluran 1", "TELKOMSEL", "4g", -79),
            _line(m, "l2", "Saluran 2", "XL", "2g", -91),
            _line(m, "l3", "Saluran 3", "INDOSAT", "4g", -85),
        ],
        trunk=up, trunk_watched=True,
        stations=[
            StationView(
                i, name, n, n == 1, f"+62000555{n:04}", n != 1, StationContact(True, "00" * 8, "mqtt", m.ago(7000)),
                clock.now() - 1.0, 9.0, False,
            )
            for n, (i, name) in enumerate(STATIONS, 1)
        ],
        alerts=[], sirens={}, alarms=[], calls=[], messages=[],
        links={"broker": up, "annunciator": up}, disk_failed=None, disk_kept=0,
        last=[
            _row(clock, 100, 40, "person.logged_in", {"name": "budi"}, actor="budi"),
            _row(clock, 99, 7000, "station.online", {"station": "passo", "session": "00" * 8, "path": "mqtt"}),
            _row(clock, 98, 11520, "power.mains_returned", {"by": ["g1", "u1"]}),
        ],
    )  # fmt: skip


def _line(m: Moment, id: str, name: str, operator: str, technology: str, signal: int) -> LineView:
    f = m.figure
    return LineView(
        id, name, "+6200000001", Link(True, m.ago(9000)), "EG25", f(operator, fresh=30), f(technology, fresh=30),
        f("home", fresh=30), f(signal, "dBm", fresh=30), "registered", "", None,
    )  # fmt: skip


def blackout(clock: Clock) -> View:
    """Mains lost, the generator failed, on battery; the trunk is down and a call rings."""
    view, m = calm(clock), Moment(clock)
    f = m.figure
    assert view.power
    power = view.power
    power.source, power.mains, power.mains_since, power.witnesses = Source.BATTERY, Mains.LOST, m.ago(206), ("g1", "u1")
    power.dark = Dark(23.4, "ups_runtime", clock.now(), 5.0)
    power.gensets["g1"] = Genset(GensetPhase.FAILED, m.ago(110), False, "auto")
    power.ups["u1"] = Ups(True, m.ago(205))
    genset, ups = power.genset_devices[0].figures, power.ups_devices[0].figures
    genset |= {"mains_v_l1": f(0, "V"), "battery_v": f(9.8, "V"), "battery_low": f(True)}
    ups |= {"charge": f(61.0, "%"), "runtime_s": f(1404, "s")}
    view.trunk = Link(False, m.ago(232), "no_answer")
    call = Call("l1", "aa00aa00", "+6281255504471", CallPhase.RINGING, m.ago(4), m.ago(4))
    view.lines[0].call = call
    missed = [
        Call("l2", f"aa00aa0{n}", "+6281311112222", CallPhase.MISSED, m.ago(n * 90), m.ago(n * 80)) for n in (1, 2)
    ]
    view.calls = [call, *missed]
    view.lines[1].can_take_call = "registered"
    view.lines[2].can_take_call, view.lines[2].why = "no", "not_registered"
    view.lines[2].operator = view.lines[2].technology = view.lines[2].signal_dbm = f(None)
    view.stations[4].heard_at, view.stations[4].contact = None, StationContact(False, "00" * 8, "mqtt", m.ago(250))
    view.stations[5].heard_at, view.stations[5].contact = None, StationContact(False, "00" * 8, "mqtt", m.ago(130))
    view.stations[5].sms = False
    view.alarms = [
        Alarm("genset.fail_to_start", "g1", 1, m.ago(110)),
        Alarm("power.mains_lost", "mains", 2, m.ago(206), m.ago(190, "budi")),
        Alarm("trunk.lost", "127.0.0.1", 2, m.ago(232)),
    ]
    view.messages = [
        Message(
            "l2", "bb00bb01", "+6281344445555", "Pohon tumbang menutup jalan di depan SMP 6, ada kabel putus", m.ago(60)
        ),
        Message("l2", "bb00bb02", "+6281366667777", EVIL, m.ago(400)),
    ]
    view.last = [
        _row(clock, 131, 4, "call.ringing", {"line": "l1", "call": "aa00aa00", "number": "+6281255504471"}),
        _row(
            clock,
            130,
            60,
            "sms.received",
            {"line": "l2", "message": "bb00bb01", "number": "+6281344445555", "text": "Pohon", "parts": 1},
        ),
        _row(clock, 128, 110, "alarm.raised", {"alarm": "genset.fail_to_start", "about": "g1", "priority": 1}),
        _row(clock, 127, 110, "genset.failed_to_start", {"genset": "g1", "reason": "deadline"}),
        _row(clock, 126, 200, "genset.starting", {"genset": "g1"}),
        _row(clock, 125, 205, "ups.on_battery", {"ups": "u1"}),
        _row(clock, 124, 206, "power.mains_lost", {"witnesses": 2, "by": ["g1", "u1"]}),
    ]
    view.seq = m.seq
    return view


def alert(clock: Clock) -> View:
    """The blackout, and an order on its way to all stations: each in another state."""
    view, m = blackout(clock), Moment(clock)
    issued = m.ago(58, "budi")

    def delivery(station: str, state: DeliveryState, ways: tuple[Way, ...] = (Way.MQTT,), **more: Any) -> Delivery:
        attempts = [Attempt(w, "start", 1, m.ago(57)) for w in ways]
        return Delivery(station, state, m.ago(50), ways[-1] if ways else "", attempts, **more)

    deliveries = [
        delivery("pusat", DeliveryState.PROVEN, (Way.GPIO,), energised=m.ago(57), acknowledged=m.ago(20)),
        delivery("passo", DeliveryState.ENERGISED, energised=m.ago(55)),
        delivery("teluk", DeliveryState.RECEIVED),
        delivery("bpbd", DeliveryState.SENT, (Way.MQTT, Way.SMS)),
        delivery("ambulans", DeliveryState.REFUSED, (Way.SMS,), reason="no_time"),
        delivery("satpol", DeliveryState.QUEUED, (), card=m.ago(5), card_reason="no_path"),
        delivery("posko", DeliveryState.ENDED, energised=m.ago(57)),
    ]
    stations = tuple(d.station for d in deliveries)
    order = Alert(
        ALERT, AlertKind.ACTUAL, "wail", 60, 120, 0, stations, "page", "key", issued,
        deliveries={d.station: d for d in deliveries},
    )  # fmt: skip
    view.alerts = [order]
    view.sirens = {"siren": Siren(True, ALERT, "ordered", m.ago(57), 60)}
    view.alarms.insert(0, Alarm("delivery.card", f"{ALERT}/satpol", 1, m.ago(5)))
    view.last.insert(
        0,
        _row(clock, 140, 20, "delivery.acknowledged", {"alert": ALERT, "station": "pusat", "path": "gpio"}),
    )
    view.seq = m.seq
    return view


SCENES: dict[str, Callable[[Clock], View]] = {"calm": calm, "blackout": blackout, "alert": alert}
