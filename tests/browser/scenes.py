"""What the fake core shows: a calm night, a blackout, an order on its way, a neglected box.

All are views of `appliance/view.py`.
"""

from collections.abc import Callable
from typing import Any

from appliance.alarm_view import AlarmView as Alarm
from appliance.clock import boot_id
from appliance.figure import Figure
from appliance.model import AlertKind, CallPhase, DeliveryState, GensetPhase, Mains, Role, Source
from appliance.model import Path as Way
from appliance.power_state import Genset, Ups
from appliance.power_view import Dark, DeviceView, PowerView
from appliance.stamp import Stamp
from appliance.state import Alert, Attempt, Call, Delivery, Link, Message, Proof, Siren, StationContact
from appliance.view import EntryView, LineView, OutgoingView, StationView, View
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
            genset_devices=[DeviceView("g1", "Genset 1", genset, up, "genset")],
            ups_devices=[DeviceView("u1", "UPS 1", ups, up, "ups")],
        ),
        lines=[
            _line(m, "l1", "Saluran 1", "TELKOMSEL", "4g", -79, "volte"),
            _line(m, "l2", "Saluran 2", "XL", "2g", -91, "2g"),
            _line(m, "l3", "Saluran 3", "INDOSAT", "4g", -85, "volte"),
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


def _line(m: Moment, id: str, name: str, operator: str, technology: str, signal: int, bearer: str) -> LineView:
    f = m.figure
    swing = (0, 1, -1, 0, 2, 1, -2, -1, 0, 1, 3, -3)
    return LineView(
        id, name, "+6200000001", Link(True, m.ago(9000)), "EG25", f(operator, fresh=30), f(technology, fresh=30),
        f("home", fresh=30), f(signal, "dBm", fresh=30), "registered", "", None, cell=f("4CA 81DE445", fresh=30),
        credit=f(84500, "Rp", fresh=172800), credit_until="2027-12-31",
        trend=tuple(signal + swing[i % len(swing)] for i in range(60)), proof=Proof("sms_received", m.ago(185)),
        bearer=f(bearer, fresh=30),
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
    view.lines[2].operator = view.lines[2].technology = view.lines[2].signal_dbm = view.lines[2].bearer = f(None)
    view.lines[1].proof = Proof("call", m.ago(7300))
    view.lines[1].trend = (*(None,) * 20, *(-78,) * 12, None, *range(-78, -92, -1), -91, -92, -91)
    view.stations[4].heard_at, view.stations[4].contact = None, StationContact(False, "00" * 8, "mqtt", m.ago(250))
    view.stations[5].heard_at, view.stations[5].contact = None, StationContact(False, "00" * 8, "mqtt", m.ago(130))
    view.stations[5].sms = False
    view.alarms = [
        Alarm("genset.fail_to_start", "g1", 1, m.ago(110)),
        Alarm("power.mains_lost", "mains", 2, m.ago(206), m.ago(190, "budi")),
        Alarm("trunk.lost", "127.0.0.1", 2, m.ago(232)),
        Alarm("sms.undelivered", "cc000140", 2, m.ago(40)),
    ]
    view.messages, view.outgoing = _talk(m)
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


def _talk(m: Moment) -> tuple[list[Message], list[OutgoingView]]:
    """Texts both ways, made the oldest first as a journal does, listed the newest first."""
    delivered = _text(m, 900, "+6281150502222", "Bagaimana keadaan di Passo?", "delivered", line="l1", attempts=1)
    evil = Message("l2", "bb00bb02", "+6281366667777", EVIL, m.ago(400))
    failed = _text(
        m, 340, "+6281150501111", "Kapal Siwalima berangkat pukul 4, bawa tandu", "undelivered", reason="expired",
        attempts=4, again=True,
    )  # fmt: skip
    tree = "Pohon tumbang menutup jalan di depan SMP 6, ada kabel putus"
    came = Message("l2", "bb00bb01", "+6281344445555", tree, m.ago(60))
    goes = _text(m, 20, "+6281150504040", "Lari ke tempat tinggi", "sending", line="l2", attempts=1)
    return [came, evil], [goes, failed, delivered]


def _text(m: Moment, ago: float, number: str, text: str, state: str, **more: Any) -> OutgoingView:
    at = m.ago(ago)
    fields: dict[str, Any] = {
        "id": f"cc{at.seq:06}", "number": number, "text": text, "purpose": "text", "state": state, "line": "",
        "parts": 1, "attempts": 0, "again": False, "reason": "", "queued": at, "since": at,
    }  # fmt: skip
    return OutgoingView(**fields | more)


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


def worn(clock: Clock) -> View:
    """A box that was neglected: credit ends, the clock is off, a line has texts only, one asks for its PIN."""
    view, m = calm(clock), Moment(clock)
    f = m.figure
    first, second, third = view.lines
    view.clock_quality, view.clock_offset = "unknown", f(192.0, "s", fresh=7200)
    first.credit, first.credit_until, first.credit_forecast = f(3200, "Rp", fresh=172800), "2027-03-02", "2027-02-25"
    second.technology, second.bearer = f("4g", fresh=30), f("sms_only", fresh=30)
    second.can_take_call, second.why, second.credit_why, second.proof = "unknown", "sms_only", "no_answer", None
    third.can_take_call, third.why = "no", "sim_tries_unknown"
    third.operator = third.technology = third.signal_dbm = third.bearer = third.cell = f(None)
    third.trend, third.credit, third.credit_why = (), None, "postpaid"
    view.alarms = [
        Alarm("clock.wrong", "clock", 3, m.ago(600)),
        Alarm("line.sim", "l3", 3, m.ago(4000)),
        Alarm("line.credit_low", "l1", 3, m.ago(9000)),
        Alarm("line.credit_unknown", "l2", 3, m.ago(9500)),
    ]
    number = "+6281150501111"
    oldest_first = [
        _text(m, 8000, number, "Lima", "delivered", purpose="trial", line="l1", attempts=1, parts=3),
        _text(m, 7000, number, "Empat", "unconfirmed", line="l1", attempts=2, again=True),
        _text(m, 90, number, "Tiga", "sent", line="l1", attempts=1),
        _text(m, 70, number, "Dua", "queued", attempts=2, reason="+CMS ERROR: 42"),
        _text(m, 4, number, "Satu", "queued"),
    ]
    view.outgoing = oldest_first[::-1]
    view.seq = m.seq
    return view


SCENES: dict[str, Callable[[Clock], View]] = {"calm": calm, "blackout": blackout, "alert": alert, "worn": worn}
