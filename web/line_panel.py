"""The lines panel: the call that rings above everything, then each line and whether it can take a call, and why not."""

from typing import Any, NamedTuple

from appliance.model import CallPhase
from appliance.state import Call
from appliance.view import LineView
from web.scene import Mark, Scene

MISSED_SHOWN = 3600.0  # s that a missed call is told of


class CallRow(NamedTuple):
    line: str
    number: str
    detail: str
    ringing: bool
    first: bool  # the one that Enter answers: it rings longest


class LineRow(NamedTuple):
    mark: Mark
    name: str
    radio: str
    id: str


def line_panel(scene: Scene) -> dict[str, Any]:
    view = scene.view
    return {
        "lines": [_line(scene, line) for line in view.lines],
        "calls": _calls(scene) if scene.live else [],
        "trunk": _trunk(scene) if view.trunk_watched or view.trunk else None,
        "missed": _missed(scene),
    }


def _calls(scene: Scene) -> list[CallRow]:
    open_calls = [(line, line.call) for line in scene.view.lines if line.call is not None]
    going = [(line, call) for line, call in open_calls if call.phase in (CallPhase.RINGING, CallPhase.TALKING)]
    going.sort(key=lambda pair: (pair[1].phase is not CallPhase.RINGING, pair[1].began.seq))
    return [_call(scene, line, call, first=i == 0) for i, (line, call) in enumerate(going)]


def _call(scene: Scene, line: LineView, call: Call, *, first: bool) -> CallRow:
    ringing = call.phase is CallPhase.RINGING
    key = "call.ringing_for" if ringing else "call.talking_for"
    detail = scene.words(key, span=scene.span(call.since), line=line.name)
    return CallRow(line.id, scene.number(call.number), detail, ringing, first and ringing)


def _line(scene: Scene, line: LineView) -> LineRow:
    return LineRow(_verdict(scene, line), line.name, _radio(scene, line), line.id)


def _verdict(scene: Scene, line: LineView) -> Mark:
    """In words whether the line can take a call. Registered is not proven: a ring half full, never a full one."""
    words = scene.words
    if not scene.live:
        return Mark("unknown", words("line.unknown_now"), "dim")
    if line.call is not None and line.call.phase in (CallPhase.RINGING, CallPhase.TALKING):
        return Mark("sound", words.code("call.phase", line.call.phase))
    if line.link is not None and not line.link.up:
        return Mark("bad", words("line.no_modem", span=scene.span(line.link.since)), "p2")
    match line.can_take_call:
        case "registered":
            return Mark("half", words("line.registered"))
        case "no":
            return Mark("bad", words("line.no", why=words.code("line.why", line.why)), "p2")
    why = words.code("line.why", line.why) if line.why else ""
    return Mark("unknown", words("line.unknown_because", why=why) if why else words("line.unknown"), "dim")


def _radio(scene: Scene, line: LineView) -> str:
    """Operator, technology and signal, as far as they are known."""
    operator, technology = scene.figure(line.operator), scene.figure(line.technology)
    signal = scene.figure(line.signal_dbm)
    parts = [operator.text if operator.known else ""]
    parts.append(scene.words.code("technology", technology.text) if technology.known else "")
    parts.append(f"{signal.text} dBm" if signal.known else "")
    known = " · ".join(filter(None, parts))
    return known or f"{signal.text} {signal.why}".strip()


def _trunk(scene: Scene) -> Mark:
    words, trunk = scene.words, scene.view.trunk
    if trunk is None or not scene.live:
        return Mark("unknown", words("trunk.unknown"), "dim")
    if trunk.up:
        return Mark("ok", words("trunk.answers", span=scene.span(trunk.since)))
    return Mark("bad", words("trunk.lost", clock=scene.clock(trunk.since), span=scene.span(trunk.since)), "p2")


def _missed(scene: Scene) -> str:
    recent = [c for c in scene.view.calls if c.phase is CallPhase.MISSED and scene.since(c.since) < MISSED_SHOWN]
    if not recent:
        return ""
    newest = max(recent, key=lambda c: c.since.seq)
    return scene.words("call.missed", count=len(recent), clock=scene.clock(newest.since))
