"""Where the plant is on its way through an outage, and when that is due to end."""

import pytest

from appliance.model import GensetPhase, Mains
from appliance.power.stage import Times, stage
from appliance.power_state import Genset
from appliance.power_view import Stage
from appliance.stamp import Stamp

TIMES = Times(start_s=90.0, load_s=30.0, retransfer_s=600.0, cooldown_s=300.0)
MAINS_SINCE, SET_SINCE = Stamp(mono=1000.0), Stamp(mono=1010.0)


@pytest.mark.parametrize(
    ("mains", "phase", "outage", "is_", "until"),
    [
        (Mains.UNKNOWN, GensetPhase.STOPPED, False, Stage.UNKNOWN, None),
        (Mains.UNKNOWN, GensetPhase.ON_LOAD, True, Stage.ON_LOAD, None),
        (Mains.PRESENT, GensetPhase.STOPPED, False, Stage.NORMAL, None),
        (Mains.SUSPECT, GensetPhase.STOPPED, False, Stage.SUSPECT, None),
        (Mains.LOST, GensetPhase.STOPPED, False, Stage.WAITING, 1090.0),
        (Mains.LOST, GensetPhase.UNKNOWN, False, Stage.UNKNOWN, None),
        (Mains.LOST, GensetPhase.STARTING, True, Stage.CRANKING, 1090.0),
        (Mains.LOST, GensetPhase.RUNNING, True, Stage.RUNNING, 1040.0),
        (Mains.LOST, GensetPhase.ON_LOAD, True, Stage.ON_LOAD, None),
        (Mains.LOST, GensetPhase.FAILED, True, Stage.FAILED, None),
        (Mains.PRESENT, GensetPhase.ON_LOAD, True, Stage.MAINS_BACK, 1600.0),
        (Mains.PRESENT, GensetPhase.RUNNING, True, Stage.RETRANSFER, None),
        (Mains.PRESENT, GensetPhase.COOLING, True, Stage.COOLING, 1310.0),
        (Mains.PRESENT, GensetPhase.ON_LOAD, False, Stage.EXERCISE, None),
        (Mains.PRESENT, GensetPhase.STARTING, False, Stage.EXERCISE, None),
    ],
)
def test_the_stage_is_made_of_mains_and_the_sets_phase(
    mains: Mains, phase: GensetPhase, outage: bool, is_: Stage, until: float | None
) -> None:
    sets = {"g1": Genset(phase, SET_SINCE)}
    assert stage(mains, MAINS_SINCE, sets, outage, TIMES, lambda stamp: stamp.mono) == (is_, until)


def test_of_several_sets_the_one_that_is_furthest_counts() -> None:
    sets = {"g1": Genset(GensetPhase.FAILED, SET_SINCE), "g2": Genset(GensetPhase.STARTING, SET_SINCE)}
    assert stage(Mains.LOST, MAINS_SINCE, sets, True, TIMES, lambda stamp: stamp.mono)[0] is Stage.CRANKING
