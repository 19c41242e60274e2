"""A device's figures on the power page: each with its unit and, where it is older than the others, its age.

A flag is told when it stands; that none stands is said in one line, and how many are not known.
"""

from typing import Any, NamedTuple

from appliance.figure import Figure
from appliance.power_view import DeviceView, PowerView
from web.diagram import linked
from web.scene import Scene, Shown

# Points in the order of the page; the digits of each. What else a profile has is for the technician's tools.
GENSET = {
    "generator_v_l1": 0, "generator_v_l2": 0, "generator_v_l3": 0, "generator_hz": 1, "generator_a_l1": 0,
    "generator_a_l2": 0, "generator_a_l3": 0, "generator_w": 1, "generator_load": 0, "rpm": 0,
    "coolant_temperature": 0, "oil_pressure": 0, "fuel_level": 0, "battery_v": 1, "charge_alternator_v": 1,
    "mains_v_l1": 0, "mains_v_l2": 0, "mains_v_l3": 0, "mains_hz": 1, "run_time_s": 0, "energy_kwh": 0, "starts": 0,
}  # fmt: skip
UPS = {
    "input_v": 0, "input_hz": 1, "output_v": 0, "output_hz": 1, "output_a": 1, "load": 0, "charge": 0, "runtime_s": 0,
    "battery_v": 1, "temperature": 0,
}  # fmt: skip
METER = {
    "mains_v_l1": 0, "mains_v_l2": 0, "mains_v_l3": 0, "mains_hz": 2, "a_l1": 1, "a_l2": 1, "a_l3": 1, "power_w": 1,
    "power_factor": 2, "energy_kwh": 0,
}  # fmt: skip
PHASES = ("_l1", "_l2", "_l3")
STATES = {"mode": "genset.mode", "engine_state": "genset.engine", "self_test": "ups.self_test"}
POSITIONS = (
    "genset_closed", "mains_closed", "mains_present", "genset_present", "on_mains", "on_genset", "online", "on_battery",
    "output_on", "testing",
)  # fmt: skip
# Flags that call for nothing by themselves: what they mean is told by the stage, the diagram and the alarms.
PLAIN = (*POSITIONS, "mains_failed", "bypass", "eco_mode")
KILO = ("W", "VA")  # shown by the thousand
OLD_S = 15.0  # s; a figure that is older than its device's newest by this shows its age


class Row(NamedTuple):
    name: str
    shown: Shown
    age: str = ""


class Card(NamedTuple):
    """`flags` stand; `unknown` of them are not known; `link` says why the device is not heard, else empty."""

    id: str
    name: str
    about: str
    age: str
    link: str
    rows: tuple[Row, ...]
    flags: tuple[str, ...]
    unknown: int
    flagged: bool


def figures_panel(scene: Scene) -> dict[str, Any]:
    power = scene.view.power
    if power is None:
        return {"cards": ()}
    groups: tuple[tuple[str, list[DeviceView], dict[str, int]], ...] = (
        ("genset", power.genset_devices, GENSET), ("ups", power.ups_devices, UPS),
        ("meter", power.meter_devices, METER), ("ats", power.ats_devices, {}),
    )  # fmt: skip
    return {"cards": [_card(scene, power, kind, d, points) for kind, devices, points in groups for d in devices]}


def _card(scene: Scene, power: PowerView, kind: str, device: DeviceView, points: dict[str, int]) -> Card:
    newest = max((f.at for f in device.figures.values() if f.quality == "good"), default=None)
    rows = [*_states(scene, kind, device), *_numbers(scene, kind, device, points, newest)]
    flags = {p: f for p, f in device.figures.items() if isinstance(f.value, bool) and p not in PLAIN}
    known = [p for p, f in flags.items() if f.known(scene.now)]
    stand = [scene.words.code("flag", p) for p in known if flags[p].value is True]
    if kind == "genset" and (learned := power.litres_per_kwh.get(device.id)) is not None:
        rows.append(Row(scene.words("power.litres"), Shown(scene.words.number(learned, 2), "L/kWh", known=True)))
    return Card(
        f"{kind}-{device.id}", device.name, device.model, _age(scene, newest), _link(scene, device), tuple(rows),
        tuple(stand), len(flags) - len(known), bool(flags),
    )  # fmt: skip


def _link(scene: Scene, device: DeviceView) -> str:
    if linked(device) or device.link is None:
        return ""
    why = scene.words.code("reason", device.link.reason) if device.link.reason else scene.words("quality.no_link")
    return f"{why} · {scene.span(device.link.since)}"


def _age(scene: Scene, newest: float | None) -> str:
    words = scene.words
    return words("power.no_data") if newest is None else words("power.data_age", ago=words.ago(scene.now - newest))


def _states(scene: Scene, kind: str, device: DeviceView) -> list[Row]:
    """Modes, states and positions, as words."""
    rows = []
    for point, group in STATES.items():
        figure = device.figures.get(point)
        if figure is None or figure.quality == "unimplemented":
            continue
        shown = scene.figure(figure)
        told = scene.words.code(group, shown.text) if shown.known else shown.text
        rows.append(Row(_name(scene, kind, point), shown._replace(text=told)))
    for point in POSITIONS:
        figure = device.figures.get(point)
        if figure is None or figure.quality == "unimplemented":
            continue
        shown = scene.figure(figure)
        group = "position" if point.endswith("_closed") else "flag_is"
        told = scene.words(f"{group}.yes" if figure.value else f"{group}.no") if shown.known else shown.text
        rows.append(Row(_name(scene, kind, point), shown._replace(text=told)))
    return rows


def _numbers(
    scene: Scene, kind: str, device: DeviceView, points: dict[str, int], newest: float | None
) -> list[Row]:  # fmt: skip
    """Numbers; three phases of one thing in one row."""
    rows = []
    for point, digits in points.items():
        figure = device.figures.get(point)
        if figure is None or figure.quality == "unimplemented" or point.endswith(PHASES[1:]):
            continue
        shown = measured(scene, point, figure, digits)
        if point.endswith(PHASES[0]):
            shown = _phases(scene, device, point, shown, digits)
        old = newest is not None and shown.known and newest - figure.at > OLD_S
        age = scene.words.ago(scene.now - figure.at) if old else ""
        rows.append(Row(_name(scene, kind, point.removesuffix("_l1")), shown, age))
    return rows


def _phases(scene: Scene, device: DeviceView, point: str, first: Shown, digits: int) -> Shown:
    others = [device.figures.get(point.removesuffix("_l1") + phase) for phase in PHASES[1:]]
    shown = [first, *(measured(scene, point, f, digits) for f in others if f and f.quality != "unimplemented")]
    if not any(s.known for s in shown):
        return first
    return Shown(" / ".join(s.text for s in shown), next(s.unit for s in shown if s.known), known=True)


def measured(scene: Scene, point: str, figure: Figure, digits: int = 0) -> Shown:
    """A figure in the unit that people read: lengths of time as such, watts by the thousand."""
    if point.endswith("_s") and figure.unit == "s":
        shown = scene.figure(figure)
        if not shown.known or isinstance(figure.value, str) or figure.value is None:
            return shown
        if point == "run_time_s":  # engines are served by their hours
            return Shown(scene.words.number(figure.value / 3600), scene.words("unit.hour"), known=True)
        return Shown(scene.words.span(figure.value), "", known=True)
    if figure.unit in KILO:
        shown = scene.figure(figure, digits, 0.001)
        return shown._replace(unit=f"k{figure.unit}") if shown.known else shown
    return scene.figure(figure, digits)


def _name(scene: Scene, kind: str, point: str) -> str:
    key = f"point.{kind}.{point}"
    return scene.words(key) if scene.words.has(key) else scene.words.code("point", point)
