"""Where the plant is on its way through an outage, and until when: the page's word for it."""

from collections.abc import Callable, Mapping

import msgspec

from appliance.model import GensetPhase, Mains
from appliance.power_state import Genset
from appliance.power_view import Stage
from appliance.stamp import Stamp


class Times(msgspec.Struct, frozen=True):
    """Seconds, from the site file."""

    start_s: float
    load_s: float
    retransfer_s: float
    cooldown_s: float


IN_OUTAGE = (  # of all sets, the one that is furthest counts
    (GensetPhase.ON_LOAD, Stage.ON_LOAD),
    (GensetPhase.RUNNING, Stage.RUNNING),
    (GensetPhase.COOLING, Stage.RUNNING),
    (GensetPhase.STARTING, Stage.CRANKING),
    (GensetPhase.STOPPED, Stage.WAITING),
    (GensetPhase.UNKNOWN, Stage.UNKNOWN),  # one that is not heard may well run
)


def stage(
    mains: Mains, mains_since: Stamp, gensets: Mapping[str, Genset], outage: bool, times: Times,
    when: Callable[[Stamp], float],
) -> tuple[Stage, float | None]:  # fmt: skip
    """The stage and, monotonic, when it is due to end. `outage`: a set's run has seen one; `when`: a stamp's time."""
    phases = {g.phase: g for g in gensets.values()}
    if mains is Mains.SUSPECT:
        return Stage.SUSPECT, None
    if mains is Mains.LOST:
        for phase, name in IN_OUTAGE:
            if phase in phases:
                return name, _due_in_outage(name, mains_since, phases[phase], times, when)
        return Stage.FAILED, None
    if GensetPhase.ON_LOAD in phases:
        if mains is Mains.UNKNOWN:
            return Stage.ON_LOAD, None
        return (Stage.MAINS_BACK, when(mains_since) + times.retransfer_s) if outage else (Stage.EXERCISE, None)
    if mains is Mains.UNKNOWN:
        return Stage.UNKNOWN, None
    if GensetPhase.RUNNING in phases or GensetPhase.STARTING in phases:
        return (Stage.RETRANSFER, None) if outage else (Stage.EXERCISE, None)
    if GensetPhase.COOLING in phases:
        return Stage.COOLING, when(phases[GensetPhase.COOLING].since) + times.cooldown_s
    return Stage.NORMAL, None


def _due_in_outage(
    stage: Stage, mains_since: Stamp, genset: Genset, times: Times, when: Callable[[Stamp], float]
) -> float | None:
    match stage:
        case Stage.WAITING | Stage.CRANKING:
            return when(mains_since) + times.start_s
        case Stage.RUNNING if genset.phase is GensetPhase.RUNNING:
            return when(genset.since) + times.load_s
    return None
