"""Where the plant is on its way through an outage, in words: the stage, how long it may last still, and the steps."""

from typing import NamedTuple

from appliance.power_view import PowerView, Stage
from web.scene import Scene

# The way of an outage; what a step stands for beside its own stage.
STEPS: tuple[tuple[Stage, tuple[Stage, ...]], ...] = (
    (Stage.WAITING, (Stage.SUSPECT, Stage.WAITING)),
    (Stage.CRANKING, (Stage.CRANKING,)),
    (Stage.RUNNING, (Stage.RUNNING,)),
    (Stage.ON_LOAD, (Stage.ON_LOAD,)),
    (Stage.MAINS_BACK, (Stage.MAINS_BACK,)),
    (Stage.RETRANSFER, (Stage.RETRANSFER,)),
    (Stage.COOLING, (Stage.COOLING,)),
)
TONES = {
    Stage.SUSPECT: "p3", Stage.WAITING: "p2", Stage.CRANKING: "p2", Stage.RUNNING: "p2", Stage.FAILED: "p1",
}  # fmt: skip
QUIET = (Stage.NORMAL, Stage.UNKNOWN)


class Step(NamedTuple):
    """`state`: "done", "now" or "ahead"."""

    state: str
    word: str


class Staged(NamedTuple):
    """`brief` is word and time in a few letters. `due`: how long it may last still, or by how much it is late.

    `steps` only on the way through an outage.
    """

    word: str
    brief: str
    tone: str
    due: str
    late: bool
    steps: tuple[Step, ...]


def staged(scene: Scene, power: PowerView) -> Staged | None:
    """None where there is nothing to tell: all is normal, or nothing is known."""
    if power.stage in QUIET or not scene.live:
        return None
    words = scene.words
    due, late, brief = "", False, words.code("power.brief", power.stage)
    if power.stage_until is not None:
        left = power.stage_until - scene.now
        late = left < 0
        span = words.span(abs(left))
        due = words("power.late" if late else "power.due", span=span)
        brief = due if late else f"{brief} ≤ {span}"
    tone = "p2" if late and power.stage not in TONES else TONES.get(power.stage, "")
    return Staged(words.code("power.stage", power.stage), brief, tone, due, late, _steps(scene, power.stage))


def _steps(scene: Scene, stage: Stage) -> tuple[Step, ...]:
    here = next((i for i, (_, stands) in enumerate(STEPS) if stage in stands), None)
    if here is None:
        return ()
    states = ["done" if i < here else "now" if i == here else "ahead" for i in range(len(STEPS))]
    return tuple(
        Step(state, scene.words.code("power.step", step)) for state, (step, _) in zip(states, STEPS, strict=True)
    )
