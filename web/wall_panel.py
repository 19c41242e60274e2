"""The wallboard: lines, queue, longest wait and the day's figures, for a screen that is read from across the room.

It hangs where visitors see it: no numbers of callers, no names.
"""

from typing import Any, NamedTuple

from appliance.desk_view import Figures
from appliance.model import CallPhase
from appliance.state import Call
from appliance.view import LineView, View
from web.line_panel import line_inputs
from web.phone_panel import GOING, live_calls, waiting_calls
from web.scene import Mark, Scene
from web.words import UNKNOWN

GOAL_SHARE = 0.9  # NFPA 1225 and NENA-STA-020: nine of ten calls answered in their 10 and 15 s
LATE_S = 15.0  # s; NENA-STA-020: nine of ten callers are answered by then


class Tile(NamedTuple):
    """One line. `since` in the box's monotonic seconds, None where nothing is counted."""

    id: str
    name: str
    mark: Mark
    since: float | None
    seconds: int
    late: bool


class Count(NamedTuple):
    """A figure of the day; `low`: it misses its goal."""

    key: str
    text: str
    low: bool = False


def wall_panel(scene: Scene) -> dict[str, Any]:
    view = scene.view
    waiting = waiting_calls(view) if scene.live else []
    longest = waiting[0].since if waiting else None
    return {
        "lines": [_tile(scene, line) for line in view.lines],
        "waiting": len(waiting) if scene.live else None,
        "longest": longest.mono if longest else None,
        "longest_s": int(scene.since(longest)) if longest else 0,
        "backs": len(view.desk.callbacks) if view.desk and scene.live else None,
        "counts": _counts(scene, view.desk.today if view.desk else None),
        "trunk": _trunk(scene),
        "late_s": LATE_S,
    }


def wall_inputs(view: View) -> object:
    desk = view.desk
    return line_inputs(view), live_calls(view), view.trunk, desk and (desk.queue, desk.callbacks, desk.today)


def _tile(scene: Scene, line: LineView) -> Tile:
    calls = [call for call in live_calls(scene.view) if call.line == line.id] if scene.live else []
    if not calls:
        return Tile(line.id, line.name, _idle(scene, line), None, 0, late=False)
    waits = {wait.call: wait for wait in waiting_calls(scene.view)}
    first = next((call for call in calls if call.id in waits), calls[-1])
    since = waits[first.id].since if first.id in waits else first.since
    return Tile(
        line.id, line.name, Mark(*_doing(scene, first, first.id in waits)), since.mono, int(scene.since(since)),
        late=first.id in waits,
    )  # fmt: skip


def _idle(scene: Scene, line: LineView) -> Mark:
    """Free, or in a few words why not: the line's own panel says more."""
    words = scene.words
    if not scene.live:
        return Mark("unknown", words("line.unknown_now"), "dim")
    if line.link is not None and not line.link.up:
        return Mark("bad", words.code("line.why", "no_modem"), "p2")
    if line.can_take_call == "no":
        return Mark("bad", words.code("line.why", line.why), "p2")
    if line.can_take_call == "unknown":
        return Mark("unknown", words("line.unknown"), "dim")
    return Mark("none", words("wall.free"))


def _doing(scene: Scene, call: Call, waits: bool) -> tuple[str, str, str]:
    words = scene.words
    if waits:
        word = words("wall.greeted") if call.greeted else words.code("call.phase", CallPhase.RINGING)
        return "phone", word, "p2"
    shape = "out" if call.phase in GOING else "pause" if call.phase is CallPhase.HELD else "sound"
    return shape, words.code("call.phase", call.phase), ""


def _counts(scene: Scene, today: Figures | None) -> list[Count]:
    words = scene.words

    def share(value: float | None) -> str:
        return UNKNOWN if value is None else words.percent(value)

    if today is None or not scene.live:
        return [Count(key, UNKNOWN) for key in ("calls", "answered", "abandoned", "in_10", "in_15")]
    return [
        Count("calls", str(today.calls)),
        Count("answered", str(today.answered)),
        Count("abandoned", str(today.abandoned)),
        Count("in_10", share(today.in_10_s), today.in_10_s is not None and today.in_10_s < GOAL_SHARE),
        Count("in_15", share(today.in_15_s), today.in_15_s is not None and today.in_15_s < GOAL_SHARE),
    ]


def _trunk(scene: Scene) -> Mark | None:
    words, trunk = scene.words, scene.view.trunk
    if not scene.view.trunk_watched and trunk is None:
        return None
    if trunk is None or not scene.live:
        return Mark("unknown", words("trunk.unknown"), "dim")
    if trunk.up:
        return Mark("ok", words("wall.trunk_up"))
    return Mark("bad", words("wall.trunk_lost", clock=scene.clock(trunk.since)), "p2")
