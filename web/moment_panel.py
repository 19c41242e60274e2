"""The time in the header, and how far the box's clock is off by the mobile networks' word, where that is told."""

from typing import Any

from appliance.wall_time import AGREES, WRONG
from web.scene import Scene

TRUSTED = "ntp"  # goes before the networks, whose own clocks may be wrong


def moment_panel(scene: Scene) -> dict[str, Any]:
    """`off` is empty while the clock agrees; `tone` is the alarm's once it misleads."""
    view, words = scene.view, scene.words
    offset = scene.view.clock_offset
    if not scene.live or view.clock_quality == TRUSTED or offset is None or not offset.known(scene.now):
        return {"off": "", "tone": ""}
    seconds = float(offset.value or 0)
    if abs(seconds) <= AGREES:
        return {"off": "", "tone": ""}
    key = "clock.slow" if seconds > 0 else "clock.fast"
    return {"off": words(key, span=words.span(abs(seconds))), "tone": "p3" if abs(seconds) > WRONG else ""}
