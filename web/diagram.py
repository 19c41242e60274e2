"""The one-line diagram: mains, generators, transfer switch, UPSes and load, and which wires carry or only have volts.

What is not known is drawn as not known, never as open, closed, live or dead.
"""

from typing import Literal, NamedTuple

from appliance.model import GensetPhase, Mains, Source
from appliance.power_view import DeviceView, PowerView
from web.scene import Scene
from web.words import UNKNOWN

MAINS = {Mains.PRESENT: "on", Mains.LOST: "bad", Mains.SUSPECT: "warn", Mains.UNKNOWN: "unknown"}
GENSET = {
    GensetPhase.ON_LOAD: "on",
    GensetPhase.RUNNING: "on",
    GensetPhase.STARTING: "warn",
    GensetPhase.COOLING: "on",
    GensetPhase.FAILED: "bad",
    GensetPhase.STOPPED: "off",
    GensetPhase.UNKNOWN: "unknown",
}
UPS = {None: ("unknown", "unknown"), True: ("warn", "battery"), False: ("on", "line")}

# Units of the drawing. It is 440 wide, so that its texts can still be read on a phone.
LEFT, LEFT_WIDE = 1, 127  # mains and generators
SWITCH, SWITCH_WIDE, SWITCH_HIGH = 136, 56, 46
MIDDLE, MIDDLE_WIDE = 212, 114  # UPSes
RIGHT, RIGHT_WIDE = 346, 93
BUS = SWITCH + SWITCH_WIDE // 2  # x of the wire on which the sources come
LINE_HIGH = 16  # of one more line in a box
LONGEST = 13  # letters of a title that fit beside the mark
BETWEEN, APART = 40, 10  # mains to the first generator; one to the next


class Box(NamedTuple):
    """`state`: "on", "off", "bad", "warn" or "unknown". `lines` are its small texts."""

    state: str
    shape: str
    title: str
    lines: tuple[str, ...]
    x: int = 0
    y: int = 0
    width: int = 0

    @property
    def told(self) -> str:
        return " ".join([self.title, *filter(None, self.lines)])


class Wire(NamedTuple):
    """`kind`: "carries", "live" (volts, no current to the load), "off", "unknown"."""

    kind: str
    path: str


Blade = Literal["mains", "genset", "both", "open", "unknown"]


class Drawing(NamedTuple):
    """`high`: height of the whole and of a box. `wires` lie over each other, those that carry on top."""

    high: int
    box_high: int
    boxes: tuple[Box, ...]
    wires: tuple[Wire, ...]
    switch_y: int
    switch: str
    blade: Blade
    told: str


def draw(scene: Scene, power: PowerView, lines: int = 1) -> Drawing:
    """Boxes with so many small lines each. What cannot be asked is unknown, whatever it said last."""
    gensets, batteries = power.genset_devices, power.ups_devices
    box_high = 30 + lines * LINE_HIGH
    first = LEFT + box_high + BETWEEN  # y of the first generator
    middle = LEFT + box_high + BETWEEN // 2  # y of the switch, the first UPS and the load
    beside = middle - box_high // 2

    def place(box: Box, x: int, y: int, width: int) -> Box:
        return box._replace(x=x, y=y, width=width, lines=box.lines[:lines])

    mains = place(_mains(scene, power), LEFT, LEFT, LEFT_WIDE)
    sets = [
        place(_genset(scene, power, d), LEFT, first + i * (box_high + APART), LEFT_WIDE) for i, d in enumerate(gensets)
    ]
    upses = [
        place(_ups(scene, power, d), MIDDLE, beside + i * (box_high + APART), MIDDLE_WIDE)
        for i, d in enumerate(batteries)
    ]
    load = place(_load(scene, power), RIGHT, beside, RIGHT_WIDE)
    boxes = (mains, *sets, *upses, load)
    wires = _wires(scene, power, sets, upses, middle, box_high)
    switch = "on" if _through(scene, power) == "carries" else "off" if scene.live else "unknown"
    return Drawing(
        max(b.y + box_high for b in boxes) + 1, box_high, boxes, wires, middle - SWITCH_HIGH // 2, switch,
        _blade(scene, power), _told(scene, power, mains, sets, upses, load),
    )  # fmt: skip


def _wires(
    scene: Scene, power: PowerView, sets: list[Box], upses: list[Box], middle: int, box_high: int
) -> tuple[Wire, ...]:
    from_left = LEFT + LEFT_WIDE
    top, bottom = middle - SWITCH_HIGH // 2, middle + SWITCH_HIGH // 2
    half = box_high // 2
    wires = [Wire(_mains_wire(scene, power), f"M{from_left} {LEFT + half}H{BUS}V{top}")]
    wires += [
        Wire(_genset_wire(scene, power, device), f"M{from_left} {box.y + half}H{BUS}V{bottom}")
        for device, box in zip(power.genset_devices, sets, strict=True)
    ]
    through, out = _through(scene, power), _out(scene, power)
    behind = SWITCH + SWITCH_WIDE
    if not upses:
        wires.append(Wire(through, f"M{behind} {middle}H{RIGHT}"))
    for box in upses:
        y = box.y + half
        wires.append(Wire(through, f"M{behind} {middle}H{MIDDLE - 10}V{y}H{MIDDLE}"))
        wires.append(Wire(out, f"M{MIDDLE + MIDDLE_WIDE} {y}H{RIGHT - 10}V{middle}H{RIGHT}"))
    order = ("unknown", "off", "live", "carries")
    return tuple(sorted(wires, key=lambda wire: order.index(wire.kind)))


def _kind(scene: Scene, carries: bool, live: bool | None) -> str:
    if not scene.live:
        return "unknown"
    if carries:
        return "carries"
    return {True: "live", False: "off", None: "unknown"}[live]


def _mains_wire(scene: Scene, power: PowerView) -> str:
    there = {Mains.PRESENT: True, Mains.LOST: False}.get(Mains(power.mains))
    return _kind(scene, power.source is Source.MAINS, there)


def _genset_wire(scene: Scene, power: PowerView, device: DeviceView) -> str:
    phase = _phase(power, device)
    turns = None if phase is GensetPhase.UNKNOWN or not linked(device) else phase.runs
    several = len(power.genset_devices) > 1
    carries = power.source is Source.GENSET and (not several or phase is GensetPhase.ON_LOAD)
    return _kind(scene, carries, turns)


def _through(scene: Scene, power: PowerView) -> str:
    """The wire behind the transfer switch."""
    known = power.source is not Source.UNKNOWN
    return _kind(scene, power.source in (Source.MAINS, Source.GENSET), False if known else None)


def _out(scene: Scene, power: PowerView) -> str:
    """The wire to the load."""
    known = power.source is not Source.UNKNOWN
    carries = power.source in (Source.MAINS, Source.GENSET, Source.BATTERY)
    return _kind(scene, carries, False if known else None)


def _blade(scene: Scene, power: PowerView) -> Blade:
    """How the switch stands; where no contact of the mains side is read, by where the load's power comes from."""
    feed = power.feed
    if not scene.live:
        return "unknown"
    if feed.mains_closed is None and feed.genset_closed is False and power.source is Source.MAINS:
        return "mains"
    match feed.mains_closed, feed.genset_closed:
        case True, True:
            return "both"
        case True, _:
            return "mains"
        case _, True:
            return "genset"
        case False, False:
            return "open"
    return "unknown"


def _mains(scene: Scene, power: PowerView) -> Box:
    volts = [value_of(scene, d, p) for d in power.devices for p in ("mains_v_l1", "input_v")]
    hertz = [value_of(scene, d, p, 1) for d in power.devices for p in ("mains_hz", "input_hz")]
    told = scene.words.code("power.mains", power.mains)
    known = scene.live and any(linked(device) for device in power.devices)
    figure = next(filter(None, volts), "")
    there = Mains(power.mains) is Mains.PRESENT
    small = (figure or told, next(filter(None, hertz), "") if there else told if figure else "")
    return _box(known, MAINS[Mains(power.mains)], scene.words("power.box.mains"), small)


def _genset(scene: Scene, power: PowerView, device: DeviceView) -> Box:
    phase, genset = _phase(power, device), power.gensets.get(device.id)
    state, told = GENSET[phase], scene.words.code("genset.phase", phase)
    if genset and phase is GensetPhase.STOPPED and genset.ready is not None:
        state, told = (
            ("off", scene.words("genset.ready")) if genset.ready else ("warn", scene.words("genset.not_ready"))
        )
    if genset and genset.fault:
        state, told = "bad", scene.words.code("reason", genset.fault)
    points = ("generator_v_l1", "generator_load") if phase.runs else ("fuel_level", "battery_v")
    digits = {"battery_v": 1}
    figures = (value_of(scene, device, point, digits.get(point, 0)) for point in points)
    small = (told, " · ".join(filter(None, figures)))
    return _box(scene.live and linked(device), state, scene.kind(device.id), small)


def _ups(scene: Scene, power: PowerView, device: DeviceView) -> Box:
    ups = power.ups.get(device.id)
    state, word = UPS[ups.on_battery if ups else None]
    testing = device.figures.get("testing")
    if word == "line" and testing is not None and testing.known(scene.now) and testing.value is True:
        word = "testing"
    charge = value_of(scene, device, "charge")
    told = " ".join(filter(None, [scene.words(f"ups.{word}"), charge if word == "battery" else ""]))
    figures = ("" if word == "battery" else charge, value_of(scene, device, "output_v"))
    small = (told, " · ".join(filter(None, figures)))
    return _box(scene.live and linked(device), state, scene.kind(device.id), small)


def _load(scene: Scene, power: PowerView) -> Box:
    fed = {Source.DARK: "bad", Source.UNKNOWN: "unknown"}.get(power.source, "on")
    told = scene.words.code("power.fed", fed)
    load = value_of(scene, power.ups_devices[0], "load") if power.ups_devices else ""
    return _box(scene.live, fed, scene.words("power.box.load"), (load or told,))


def _phase(power: PowerView, device: DeviceView) -> GensetPhase:
    genset = power.gensets.get(device.id)
    return genset.phase if genset else GensetPhase.UNKNOWN


def linked(device: DeviceView) -> bool:
    return device.link is None or device.link.up


def _box(known: bool, state: str, title: str, lines: tuple[str, ...]) -> Box:
    shape = {"bad": "bad", "warn": "warn", "unknown": "unknown"}.get(state, "")
    short = title if len(title) <= LONGEST else title[: LONGEST - 1] + "…"
    told = known and state != "unknown"
    return Box(state, shape, short, lines) if told else Box("unknown", "unknown", short, (UNKNOWN,))


def value_of(scene: Scene, device: DeviceView, point: str, digits: int = 0) -> str:
    """A known figure with its unit, or nothing."""
    shown = scene.figure(device.figures.get(point), digits)
    return f"{shown.text} {shown.unit}" if shown.known else ""


def _told(scene: Scene, power: PowerView, mains: Box, sets: list[Box], upses: list[Box], load: Box) -> str:
    words = scene.words
    switch = words("power.diagram_switch", stands=words.code("power.blade", _blade(scene, power)))
    boxes = [mains.told, *(b.told for b in sets), switch, *(b.told for b in upses), load.told]
    return words("power.diagram", boxes="; ".join(boxes))
