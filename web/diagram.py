"""The one-line diagram: mains, generator, transfer switch, UPS and load, and which of the wires carry."""

from typing import NamedTuple

from appliance.model import GensetPhase, Mains, Source
from appliance.power_state import Genset, Ups
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


class Box(NamedTuple):
    """A box of the diagram. `state`: "on", "off", "bad", "warn" or "unknown"."""

    state: str
    shape: str
    title: str
    line: str


def boxes_of(scene: Scene, power: PowerView) -> dict[str, Box]:
    """The boxes of the first generator and the first UPS. What cannot be asked is unknown, whatever it said last."""
    gensets, batteries = power.genset_devices[:1], power.ups_devices[:1]
    boxes = {"mains": _mains(scene, power, gensets + batteries)}
    if gensets:
        boxes["genset"] = _genset(scene, power, gensets[0])
    if batteries:
        boxes["ups"] = _ups(scene, power, batteries[0])
    fed = {Source.DARK: "bad", Source.UNKNOWN: "unknown"}.get(power.source, "on")
    load = value_of(scene, batteries[0], "load") if batteries else ""
    title = scene.words("power.box.load")
    boxes["load"] = _box(scene.live, fed, title, load or scene.words.code("power.fed", fed))
    return boxes


def _mains(scene: Scene, power: PowerView, devices: list[DeviceView]) -> Box:
    line = next(filter(None, (value_of(scene, device, "mains_v_l1") for device in devices)), "")
    known = scene.live and any(_linked(device) for device in devices)
    told = scene.words.code("power.mains", power.mains)
    return _box(known, MAINS[Mains(power.mains)], scene.words("power.box.mains"), line or told)


def _genset(scene: Scene, power: PowerView, device: DeviceView) -> Box:
    genset = power.gensets.get(device.id, Genset())
    state, told = GENSET[genset.phase], scene.words.code("genset.phase", genset.phase)
    if genset.phase is GensetPhase.STOPPED and genset.ready is not None:
        state, told = (
            ("off", scene.words("genset.ready")) if genset.ready else ("warn", scene.words("genset.not_ready"))
        )
    if genset.fault:
        state, told = "bad", scene.words.code("reason", genset.fault)
    return _box(scene.live and _linked(device), state, scene.kind(device.id), told)


def _ups(scene: Scene, power: PowerView, device: DeviceView) -> Box:
    state, word = UPS[power.ups.get(device.id, Ups()).on_battery]
    told = [scene.words(f"ups.{word}"), value_of(scene, device, "charge") if word == "battery" else ""]
    return _box(scene.live and _linked(device), state, scene.kind(device.id), " ".join(filter(None, told)))


def _linked(device: DeviceView) -> bool:
    return device.link is None or device.link.up


def _box(known: bool, state: str, title: str, line: str) -> Box:
    return Box(state, _shape(state), title, line) if known else Box("unknown", "unknown", title, UNKNOWN)


def _shape(state: str) -> str:
    return {"bad": "bad", "warn": "warn", "unknown": "unknown"}.get(state, "")


def flow_of(scene: Scene, power: PowerView) -> dict[str, str]:
    """Which wires carry: the class of each."""
    source = power.source if scene.live else Source.UNKNOWN
    on = {
        "mains": source is Source.MAINS,
        "genset": source is Source.GENSET,
        "ats": source in (Source.MAINS, Source.GENSET),
        "ups": source in (Source.MAINS, Source.GENSET, Source.BATTERY),
    }
    return {name: "w" if carries else "w off" for name, carries in on.items()}


def value_of(scene: Scene, device: DeviceView, point: str) -> str:
    """A known figure with its unit, or nothing."""
    shown = scene.figure(device.figures.get(point))
    return f"{shown.text} {shown.unit}" if shown.known else ""
