"""A view with everything in it that dashboards and metrics can be told: for tests of what they get."""

from appliance.alarm_view import AlarmsSummary, AlarmView
from appliance.alert_state import StationHealth
from appliance.alert_view import StationHealthView, SupervisionView
from appliance.figure import Figure
from appliance.model import AlertKind, DeliveryState, GensetPhase, Role, Source
from appliance.power_view import (
    Dark,
    DeviceView,
    FeedView,
    PlantOrder,
    PowerView,
    Ready,
    Run,
    Stage,
)
from appliance.stamp import Stamp
from appliance.state import Alert, Delivery, Genset, Link, StationContact, TrunkVerdict, Ups
from appliance.trunk_view import FallbackView
from appliance.view import LineView, StationView, View

NOW, WALL = 5000.0, 1_790_000_000.0
AGO = Stamp(7, WALL - 60, NOW - 60, "boot")


def figure(value: float | int | str | bool | None, unit: str = "", age: float = 1.0, quality: str = "good") -> Figure:
    return Figure(value, unit, quality, NOW - age, 5.0)


def power() -> PowerView:
    genset = {
        "mode": figure("auto"),
        "engine_state": figure("running"),
        "fuel_level": figure(61.5, "%"),
        "generator_v_l1": figure(229.8, "V"),
        "generator_hz": figure(50.02, "Hz"),
        "generator_w": figure(48_000, "W"),
        "coolant_temperature": figure(None, "°C", quality="sensor_fault"),
        "oil_pressure": figure(400, "kPa"),
        "battery_v": figure(26.4, "V", age=60.0),
        "run_time_s": figure(360_000, "s"),
        "energy_kwh": figure(1234.5, "kWh"),
        "starts": figure(77),
        "mains_failed": figure(True),
        "genset_closed": figure(None, quality="unimplemented"),
    }
    ups = {
        "on_battery": figure(False),
        "charge": figure(98.0, "%"),
        "load": figure(44.0, "%"),
        "runtime_s": figure(2700, "s"),
        "self_test": figure("passed"),
    }
    meter = {"power_w": figure(None, "W", quality="no_link"), "power_factor": figure(0.94)}
    up, down = Link(True, AGO), Link(False, AGO, "no answer")
    return PowerView(
        source=Source.GENSET,
        mains="lost",
        mains_since=AGO,
        witnesses=("genset/g1", "ups/u1"),
        dark=Dark(412.34, "fuel", NOW, 5.0),
        gensets={"g1": Genset(GensetPhase.ON_LOAD, AGO, True, "auto", "")},
        ups={"u1": Ups(False, AGO)},
        genset_devices=[DeviceView("g1", "Genset 1", genset, up, "genset", "DSE 7320 MkII")],
        ups_devices=[DeviceView("u1", "UPS 1", ups, up, "ups", "APC Smart-UPS")],
        meter_devices=[DeviceView("m1", 'Meter "A"\\\n', meter, down, "meter")],
        stage=Stage.ON_LOAD,
        feed=FeedView(mains=False, genset_running=True, load_fed=True),
        readiness=[Ready("g1", "auto", True), Ready("g1", "fuel", None, 61.5, "%")],
        orders=[PlantOrder("o1", "genset/g1", "start", "budi", "proven", AGO, AGO, proof="engine_state=running")],
        runs=[Run("g1", "exercise", AGO, AGO, 31.0, 30.2, 42.0, 55.0, "passed")],
    )


def full_view() -> View:
    line = LineView(
        "l1", "Telkomsel", "+62000000001", Link(True, AGO), "EG25-G", figure("Telkomsel"), figure("lte"),
        figure("home"), figure(-77, "dBm"), "proven", "", None,
    )  # fmt: skip
    stations = [
        StationView("pusat", "Pusat", 1, True, None, False, None, None, 60.0, None),
        StationView("kota", "Kota", 11, False, None, True, StationContact(online=True), NOW - 3, 60.0, True),
    ]
    alert = Alert(
        "a1", AlertKind.ACTUAL, "wail", 60, 300, 0, ("kota",), "page", "k", AGO,
        deliveries={"kota": Delivery("kota", DeliveryState.PROVEN, AGO)},
    )  # fmt: skip
    alarms = [
        AlarmView("power.mains_lost", "", 1, AGO, first_out=True),
        AlarmView("genset.fuel_low", "g1", 2, AGO, acknowledged=AGO, under="power.mains_lost/", condition="suppressed"),
        AlarmView("line.lost", "l1", 2, AGO, cleared=AGO, condition="returned"),
    ]
    return View(
        seq=4711, head="h", at=NOW, wall=WALL, clock_quality="ntp", zone="WIT", speed=1.0, role=Role.CENTRE,
        site="ambon", id="pusat", name="Pusat", language="id", version="0.1", power=power(), lines=[line], trunk=None,
        supervision=SupervisionView(stations=(StationHealthView("kota", StationHealth(AGO, ("door",))),)),
        trunk_watched=True, stations=stations, alerts=[alert], sirens={}, alarms=alarms, calls=[], messages=[],
        links={"broker": Link(True, AGO), "genset/g1": Link(False, AGO, "no answer")}, disk_failed=None, disk_kept=0,
        last=[], trunk_verdict=TrunkVerdict("down", AGO, "carrier", "no echo"),
        fallback=FallbackView(True, "trunk", AGO, None, "", ("+62000000001",), [], []),
        alarm_summary=AlarmsSummary(unacknowledged=1, standing=2, flood=False, last_10min=2),
    )  # fmt: skip
