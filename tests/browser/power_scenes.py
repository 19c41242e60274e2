"""What the fake core shows of power: all well, on battery while the set cranks, on load, failed, stale, unknown, many.

A plant of one generator, one UPS, a meter and a transfer switch, as `appliance/power_view.py` has it.
"""

from collections.abc import Callable

import msgspec
from scenes import Moment, calm

from appliance.figure import Figure
from appliance.model import GensetPhase, Mains, Source
from appliance.power_view import (
    Dark,
    DarkPart,
    DeviceView,
    FeedView,
    Offer,
    PlantOrder,
    PowerView,
    Ready,
    Run,
    Stage,
)
from appliance.state import Link
from appliance.view import View
from drivers.clock import Clock

DAY_S = 86400
SENIOR = ("supervisor", "technician")


def plant(clock: Clock) -> View:
    """A day on which nothing is wrong, with all that a plant can tell."""
    view, m = calm(clock), Moment(clock)
    f = m.figure
    assert view.power
    power = view.power
    power.genset_devices[0].figures |= {
        "engine_state": f("stopped"), "rpm": f(0, "rpm"), "generator_v_l1": f(0, "V"), "generator_v_l2": f(0, "V"),
        "generator_v_l3": f(0, "V"), "generator_hz": f(0.0, "Hz"), "generator_w": f(0, "W"),
        "mains_v_l2": f(230.1, "V"), "mains_v_l3": f(228.7, "V"), "mains_hz": f(50.02, "Hz"),
        "charge_alternator_v": f(0.0, "V"), "oil_pressure": f(0, "kPa"), "run_time_s": f(1_482_300, "s",
            age=48, fresh=180),
        "energy_kwh": f(9134, "kWh", age=48, fresh=180), "starts": f(211, "", age=48, fresh=180),
        "genset_closed": f(False), "mains_closed": f(True), "mains_failed": f(False), "shutdown_alarm": f(False),
        "electrical_trip_alarm": f(False), "warning_alarm": f(False), "emergency_stop": f(False),
        "fail_to_start": f(False),
    }  # fmt: skip
    power.ups_devices[0].figures |= {
        "input_v": f(229.0, "V"), "battery_v": f(109.2, "V"), "temperature": f(27, "°C"), "on_battery": f(False),
        "self_test": f("passed"), "battery_replace": f(False), "overload": f(False),
    }  # fmt: skip
    power.genset_devices[0].kind, power.genset_devices[0].model = "genset", "DSE 7320 MkII"
    power.ups_devices[0].kind, power.ups_devices[0].model = "ups", "APC Smart-UPS"
    power.meter_devices = [DeviceView("m1", "Meter PLN", _meter(m), Link(True, m.ago(9000)), "meter", "Eastron SDM630")]
    power.stage = Stage.NORMAL
    power.feed = FeedView(True, True, False, False, False, True)
    power.readiness = _readiness(m)
    power.offers = [
        Offer("genset/g1", "start", SENIOR), Offer("genset/g1", "test_on_load", SENIOR),
        Offer("genset/g1", "cancel_start", SENIOR, "already"), Offer("genset/g1", "mute", ("operator", *SENIOR)),
        Offer("ups/u1", "self_test", SENIOR), Offer("ups/u1", "mute", ("operator", *SENIOR)),
    ]  # fmt: skip
    power.orders = [
        PlantOrder("9a01", "ups/u1", "self_test", "sri", "proven", m.ago(7300), m.ago(7270), way="modbus",
                   proof="self_test=passed"),
    ]  # fmt: skip
    power.runs = _runs(m)
    power.litres_per_kwh = {"g1": 0.31}
    return view


def _meter(m: Moment) -> dict[str, Figure]:
    f = m.figure
    return {
        "mains_v_l1": f(229.8, "V"), "mains_v_l2": f(230.4, "V"), "mains_v_l3": f(228.9, "V"),
        "mains_hz": f(50.02, "Hz"),
        "a_l1": f(8.2, "A"), "a_l2": f(7.9, "A"), "a_l3": f(9.1, "A"), "power_w": f(5420, "W"),
        "power_factor": f(0.93, ""), "energy_kwh": f(48211, "kWh"),
    }  # fmt: skip


def _readiness(m: Moment) -> list[Ready]:
    now = m.clock.now()
    return [
        Ready("g1", "link", ok=True, at=now), Ready("g1", "auto", ok=True, value="auto", at=now),
        Ready("g1", "battery", ok=True, value=12.6, unit="V", at=now),
        Ready("g1", "battery_dip", ok=True, value=10.1, unit="V", wall=m.clock.wall() - 12 * DAY_S),
        Ready("g1", "charger", ok=True, value=13.6, unit="V", at=now),
        Ready("g1", "fuel", ok=True, value=74, unit="%", at=now),
        Ready("g1", "alarms", ok=True, at=now),
        Ready("g1", "last_test", ok=True, value="passed", wall=m.clock.wall() - 12 * DAY_S),
        Ready("u1", "ups_charge", ok=True, value=100, unit="%", at=now),
        Ready("u1", "ups_test", ok=True, value="passed", wall=m.clock.wall() - 7270),
    ]  # fmt: skip


def _runs(m: Moment) -> list[Run]:
    def run(days: float, why: str, minutes: float, grade: str, loaded: float, load: float | None) -> Run:
        began = m.ago(days * DAY_S)
        most = None if load is None else load + 9
        return Run("g1", why, began, m.ago(days * DAY_S - minutes * 60), minutes, loaded, load, most, grade, 2.4, 8.1,
                   10.1, 78, 74, None if load is None else minutes * 0.2)  # fmt: skip

    oldest = [
        run(161, "exercise", 4, "failed", 0, None), run(103, "exercise", 12, "short", 10, 36),
        run(71, "exercise", 35, "light", 3, 18), run(40, "outage", 96, "", 94, 41), run(12, "exercise", 34,
            "passed", 32, 38),
    ]  # fmt: skip
    return oldest[::-1]


def _outage(view: View, seconds: float) -> tuple[PowerView, Moment]:
    m = Moment(view_clock(view))
    power = view.power
    assert power
    f = m.figure
    power.mains, power.mains_since, power.witnesses = Mains.LOST, m.ago(seconds), ("g1", "m1")
    power.genset_devices[0].figures |= {
        "mains_v_l1": f(0, "V"), "mains_v_l2": f(0, "V"), "mains_v_l3": f(0, "V"), "mains_hz": f(0.0, "Hz"),
        "mains_failed": f(True), "mains_closed": f(False),
    }  # fmt: skip
    power.ups_devices[0].figures |= {"input_v": f(0, "V")}
    power.meter_devices[0].figures |= {p: f(0.0, "V") for p in ("mains_v_l1", "mains_v_l2", "mains_v_l3")}
    return power, m


def view_clock(view: View) -> Clock:
    return Clock(speed=view.speed)


def cranking(clock: Clock) -> View:
    """Mains lost half a minute ago, the UPS carries the load, the set cranks."""
    view = plant(clock)
    power, m = _outage(view, 26)
    f = m.figure
    power.source, power.stage, power.stage_until = Source.BATTERY, Stage.CRANKING, clock.now() + 64
    power.feed = FeedView(False, False, False, False, True, True)
    power.gensets["g1"] = msgspec.structs.replace(power.gensets["g1"], phase=GensetPhase.STARTING, since=m.ago(12))
    power.ups["u1"] = msgspec.structs.replace(power.ups["u1"], on_battery=True, since=m.ago(25))
    power.genset_devices[0].figures |= {"engine_state": f("cranking"), "rpm": f(180, "rpm"), "battery_v": f(10.3, "V")}
    power.ups_devices[0].figures |= {"charge": f(96.0, "%"), "on_battery": f(True), "runtime_s": f(3800, "s")}
    power.dark = Dark(51.0, "ups_observed", clock.now(), 5.0, (
        DarkPart("ups_observed", "u1", 51.0, counts=True), DarkPart("ups_runtime", "u1", 63.4),
        DarkPart("genset_start", "g1", 1.1), DarkPart("fuel", "g1", None, "no_load"),
    ))  # fmt: skip
    power.offers = [Offer(o.device, o.command, o.roles, "" if o.command == "mute" else "outage") for o in power.offers]
    return view


def on_load(clock: Clock) -> View:
    """The set feeds the building; fuel is what ends it."""
    view = plant(clock)
    power, m = _outage(view, 2710)
    f = m.figure
    power.source, power.stage = Source.GENSET, Stage.ON_LOAD
    power.feed = FeedView(False, False, True, True, False, True)
    power.gensets["g1"] = msgspec.structs.replace(power.gensets["g1"], phase=GensetPhase.ON_LOAD, since=m.ago(2688))
    power.genset_devices[0].figures |= {
        "engine_state": f("running"), "rpm": f(1501, "rpm"), "generator_v_l1": f(231, "V"),
        "generator_v_l2": f(230, "V"), "generator_v_l3": f(232, "V"), "generator_hz": f(50.1, "Hz"),
        "generator_w": f(15400, "W"), "generator_load": f(41, "%"), "coolant_temperature": f(82, "°C"),
        "oil_pressure": f(390, "kPa"), "charge_alternator_v": f(13.9, "V"), "battery_v": f(13.8, "V"),
        "genset_closed": f(True), "generator_a_l1": f(24, "A"), "generator_a_l2": f(22, "A"),
        "generator_a_l3": f(23, "A"),
        "fuel_level": f(68, "%"),
    }  # fmt: skip
    power.dark = Dark(684.0, "fuel", clock.now(), 5.0, (
        DarkPart("fuel", "g1", 684.0, counts=True), DarkPart("ups_runtime", "u1", 68.0),
        DarkPart("ups_observed", "u1", None, "not_learned"),
    ))  # fmt: skip
    run = msgspec.structs.replace(
        power.runs[0], why="outage", began=m.ago(2695), ended=None, minutes=44.9, minutes_loaded=44.8, load_mean=40.0,
        load_most=52.0, grade="", fuel_from=74.0, fuel_to=68.0, kwh=11.4,
    )  # fmt: skip
    power.runs.insert(0, run)
    return view


def failed(clock: Clock) -> View:
    """Three cranks were in vain: what the battery has left is all there is, and an order of ours failed too."""
    view = cranking(clock)
    power, m = _outage(view, 206)
    f = m.figure
    power.stage, power.stage_until = Stage.FAILED, None
    power.gensets["g1"] = msgspec.structs.replace(
        power.gensets["g1"], phase=GensetPhase.FAILED, since=m.ago(110), ready=False
    )
    power.genset_devices[0].figures |= {
        "engine_state": f("failed"), "rpm": f(0, "rpm"), "battery_v": f(9.8, "V"), "battery_low": f(True),
        "fail_to_start": f(True), "shutdown_alarm": f(True), "fuel_level": f(11, "%"), "fuel_low": f(True),
    }  # fmt: skip
    power.ups_devices[0].figures |= {"charge": f(61.0, "%"), "runtime_s": f(1404, "s")}
    power.dark = Dark(23.4, "ups_runtime", clock.now(), 5.0, (
        DarkPart("ups_runtime", "u1", 23.4, counts=True), DarkPart("ups_observed", "u1", 26.0),
        DarkPart("genset_start", "g1", None, "not_known"), DarkPart("fuel", "g1", None, "no_load"),
    ))  # fmt: skip
    bad = {
        "battery": (False, 9.8, "battery_low"), "fuel": (False, 11, "fuel_low"),
        "alarms": (False, None, "shutdown_alarm"), "charger": (None, None, "no_figure"),
    }  # fmt: skip
    power.readiness = [
        msgspec.structs.replace(r, ok=bad[r.item][0], value=bad[r.item][1], why=bad[r.item][2]) if r.item in bad else r
        for r in power.readiness
    ]
    power.orders = [
        PlantOrder("9a04", "genset/g1", "start_relay", "budi", "sent", m.ago(8), m.ago(8),
            due=clock.now() + 82, way="relay"),
        PlantOrder("9a03", "genset/g1", "start", "sri", "failed", m.ago(160), m.ago(70), way="modbus",
            why="not_observed"),
        *power.orders,
    ]  # fmt: skip
    return view


def stale(clock: Clock) -> View:
    """The bus stands still: the devices said something once."""
    view, m = plant(clock), Moment(clock)
    assert view.power
    power = view.power
    for device in (*power.genset_devices, *power.ups_devices):
        device.link = Link(False, m.ago(95), "no_answer")
        device.figures = {p: msgspec.structs.replace(f, at=f.at - 95) for p, f in device.figures.items()}
    power.readiness = [msgspec.structs.replace(r, ok=None, value=None, why="no_link") for r in power.readiness]
    power.offers = [Offer(o.device, o.command, o.roles, "no_link") for o in power.offers]
    return view


def unknown(clock: Clock) -> View:
    """A box that has just started: nothing is known of anything."""
    view, m = plant(clock), Moment(clock)
    assert view.power
    power = view.power
    power.source, power.mains, power.stage = Source.UNKNOWN, Mains.UNKNOWN, Stage.UNKNOWN
    power.dark, power.feed = Dark(None, "unknown"), FeedView()
    power.gensets, power.ups = {}, {}
    for device in (*power.genset_devices, *power.ups_devices, *power.meter_devices):
        device.figures, device.link = {p: m.figure(None) for p in ("mode", "fuel_level", "charge", "mains_v_l1")}, None
    power.readiness, power.offers, power.orders, power.runs, power.litres_per_kwh = [], [], [], [], {}
    return view


def many(clock: Clock) -> View:
    """Two sets, two UPSes, a transfer switch with contacts; the mains is back and proves itself."""
    view = on_load(clock)
    m = Moment(clock)
    assert view.power
    power, f = view.power, m.figure
    second = msgspec.structs.replace(power.genset_devices[0], id="g2", name="Genset 2 cadangan")
    second.figures = dict(second.figures) | {
        "engine_state": f("stopped"),
        "fuel_level": f(91, "%"),
        "generator_load": f(0, "%"),
    }
    power.genset_devices.append(second)
    power.gensets["g2"] = msgspec.structs.replace(power.gensets["g1"], phase=GensetPhase.STOPPED, ready=True)
    other = msgspec.structs.replace(power.ups_devices[0], id="u2", name="UPS 2 radio")
    power.ups_devices.append(other)
    power.ups["u2"] = msgspec.structs.replace(power.ups["u1"], on_battery=False)
    contacts = {"mains_present": f(True), "genset_present": f(True), "on_mains": f(False), "on_genset": f(True)}
    power.ats_devices = [DeviceView("a1", "ATS utama", contacts, None, "ats")]
    power.mains, power.mains_since = Mains.PRESENT, m.ago(420)
    power.genset_devices[0].figures |= {"mains_v_l1": f(228.0, "V"), "mains_hz": f(49.9, "Hz")}
    power.stage, power.stage_until = Stage.MAINS_BACK, clock.now() - 12
    return view


POWER_SCENES: dict[str, Callable[[Clock], View]] = {
    "plant": plant, "cranking": cranking, "on_load": on_load, "failed": failed, "stale": stale, "unknown": unknown,
    "many": many,
}  # fmt: skip
