"""What the fake core shows at a station: a calm night, a real order, tests of each kind, two orders, a sick siren."""

from collections.abc import Callable
from typing import Any

from scenes import Moment, calm

from appliance.alert_state import OwnLockout, OwnOrder
from appliance.alert_view import OwnView
from appliance.model import Role
from appliance.view import EntryView, View
from drivers.clock import Clock

ORDER, OTHER = "7c2f00aa00bb00cc", "91d000aa00bb00cc"
PLACE = "Jl. A. Y. Patty, dekat Gong Perdamaian"
ZONES = (("garasi", "Garasi"), ("asrama", "Asrama"))
OWN_SITE: dict[str, Any] = {
    "role": "station", "id": "passo", "name": "Damkar Passo", "station": [], "line": [], "bus": [], "genset": [],
    "ups": [], "sound": {"headset": {"device": "USB Audio"}},
    "issuer": [{"name": "pusat", "key": f"{1:064x}"}],
    "own": {
        "id": "passo", "number": 2, "siren": "siren",
        "zone": [{"id": i, "name": name, "output": "siren"} for i, name in ZONES],
        "watch": {"current": "arus", "microphone": True},
    },
    "annunciator": {
        "socket": "annunciator.sock", "factory": "mock",
        "output": {"siren": {"pin": 17, "kind": "siren", "max_s": 600}},
        "input": {"arus": {"pin": 22, "kind": "feedback"}},
    },
}  # fmt: skip


def _order(m: Moment, ago: float, **more: Any) -> OwnOrder:
    fields: dict[str, Any] = {
        "alert": ORDER, "kind": "actual", "pattern": "wail", "incident": 1, "zones": (), "seconds": 60, "path": "mqtt",
        "accepted": m.ago(ago), "text": PLACE,
    }  # fmt: skip
    return OwnOrder(**fields | more)


def own_calm(clock: Clock) -> View:
    """Nothing is ordered; an order of last week is in the list."""
    view, m = calm(clock), Moment(clock)
    old = _order(
        m, 400000, energised=m.ago(399999.6), current=m.ago(399999.2), heard=m.ago(399998), heard_dbfs=-22.0,
        acknowledged=m.ago(399950), turnout_s=50.0, ended=m.ago(399940), why="ended",
    )  # fmt: skip
    test = _order(m, 62000, alert=OTHER, kind="silent_test", incident=0, text="", path="sms", ended=m.ago(61999),
                  why="ended")  # fmt: skip
    view.role, view.id, view.name, view.stations, view.lines, view.power = (
        Role.STATION,
        "passo",
        "Damkar Passo",
        [],
        [],
        None,
    )
    view.own = OwnView("Damkar Passo", ZONES, (test, old), centres=(("pusat", clock.now() - 12),))
    view.last = [
        EntryView(99, clock.wall() - 61999, "order.ended", OTHER, "", {"alert": OTHER, "why": "ended"}),
        EntryView(98, clock.wall() - 399950, "order.acknowledged", ORDER, "", {"alert": ORDER, "turnout_s": 50.0,
                                                                             "by": "button"}),
        EntryView(97, clock.wall() - 399999, "siren.proof", ORDER, "", {"alert": ORDER, "proof": "heard",
                                                                       "after_s": 1.6, "dbfs": -22.0}),
    ]  # fmt: skip
    view.seq = m.seq
    return view


def _with(clock: Clock, *orders: OwnOrder, **more: Any) -> View:
    view = own_calm(clock)
    assert view.own
    fields: dict[str, Any] = {"centres": view.own.centres} | more
    view.own = OwnView("Damkar Passo", ZONES, orders + view.own.orders, **fields)
    return view


def _proven(m: Moment, ago: float) -> dict[str, Any]:
    return {"energised": m.ago(ago - 0.4), "current": m.ago(ago - 0.7), "heard": m.ago(ago - 1.8), "heard_dbfs": -21.0}


def own_actual(clock: Clock) -> View:
    """A fire, 47 s ago; nobody has acknowledged yet."""
    m = Moment(clock)
    return _with(clock, _order(m, 47, **_proven(m, 47)))


def own_late(clock: Clock) -> View:
    """Nobody has come for two minutes, and the siren draws no current."""
    m = Moment(clock)
    place = (
        "Perumahan Lateri Indah Blok C nomor 14, rumah bercat hijau di belakang gereja, masuk lewat jalan samping SD 2"
    )
    order = _order(
        m, 131, incident=9, text=place, energised=m.ago(130), zones=("garasi",), ended=m.ago(70), why="ended"
    )
    lockout = OwnLockout("aa", clock.wall() + 5400, "relai zona asrama diganti", "sari", m.ago(1800))
    return _with(clock, order, lockout=lockout, faults=("siren/no_current", "siren/not_heard", "on_battery"))


def own_barred(clock: Clock) -> View:
    """A fire while the siren is locked out: it does not sound, and stands on the screen."""
    m = Moment(clock)
    order = _order(m, 21, ended=m.ago(21), why="locked_out")
    return _with(clock, order, lockout=OwnLockout("aa", clock.wall() + 5400, "relai zona asrama diganti", "sari",
                                                  m.ago(1800)))  # fmt: skip


def own_false(clock: Clock) -> View:
    """The order was a false alarm; people here had acknowledged it."""
    m = Moment(clock)
    return _with(clock, _order(m, 240, acknowledged=m.ago(200), turnout_s=40.0, ended=m.ago(180), why="stopped",
                               about="false_alarm", **_proven(m, 240)))  # fmt: skip


def own_clear(clock: Clock) -> View:
    """It is over."""
    m = Moment(clock)
    return _with(clock, _order(m, 900, acknowledged=m.ago(860), turnout_s=40.0, ended=m.ago(840), why="ended",
                               about="all_clear", **_proven(m, 900)))  # fmt: skip


def own_seen(clock: Clock) -> View:
    """Acknowledged after 33 s."""
    m = Moment(clock)
    return _with(clock, _order(m, 95, **_proven(m, 95), acknowledged=m.ago(62), turnout_s=33.0))


def own_test(clock: Clock) -> View:
    """The sounding test of the 26th."""
    m = Moment(clock)
    return _with(
        clock, _order(m, 12, kind="sounding_test", incident=0, text="Uji bulanan tanggal 26", **_proven(m, 12))
    )


def own_drill(clock: Clock) -> View:
    """A drill with an incident in it, which is no incident."""
    m = Moment(clock)
    return _with(clock, _order(m, 12, kind="drill"))


def own_two(clock: Clock) -> View:
    """A fire comes while a sounding test is on, and an older order was a false alarm."""
    m = Moment(clock)
    false = _order(m, 600, alert="55aa00aa00bb00cc", incident=3, text="Simpang Passo", about="false_alarm",
                   acknowledged=m.ago(560), turnout_s=40.0, ended=m.ago(540), why="stopped")  # fmt: skip
    test = _order(m, 50, alert=OTHER, kind="sounding_test", incident=0, text="Uji bulanan tanggal 26", **_proven(m, 50))
    return _with(clock, _order(m, 5, energised=m.ago(4.6)), test, false)


def own_silent(clock: Clock) -> View:
    """The centre is not heard, and the box knows of no order."""
    return _with(clock, centres=(("pusat", clock.now() - 4000),), faults=("centre_silent", "on_battery"))


OWN_SCENES: dict[str, Callable[[Clock], View]] = {
    "own_calm": own_calm, "own_actual": own_actual, "own_late": own_late, "own_seen": own_seen, "own_test": own_test,
    "own_drill": own_drill, "own_two": own_two, "own_barred": own_barred, "own_false": own_false,
    "own_clear": own_clear, "own_silent": own_silent,
}  # fmt: skip
