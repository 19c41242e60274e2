"""One set in the plant machine: from its start to ready again, failed starts, modes, faults."""

from typing import Any

import pytest
from plant_story import STANDBY, WITHOUT_LINK, Plant, on_load, outage

from appliance import power_events as pw
from appliance.power.genset_machine import TRANSITIONS, Engine, GensetSeen

START = (Engine.STARTING, 4), (Engine.RUNNING, 2)


def test_a_set_goes_from_its_start_to_ready_again_and_each_phase_is_told_once() -> None:
    plant = outage()
    for engine, seconds in START:
        plant.genset(engine=engine)
        plant.wait(seconds)
    plant.genset(feeding=True)
    plant.wait(2)
    assert plant.kinds == ["genset.starting", "genset.running"], "the UPS is still on battery"
    plant.ups(on_battery=False)
    plant.wait(60)
    plant.genset(mains=True)
    plant.wait(60)
    for engine in (Engine.COOLING, Engine.STOPPING, Engine.STOPPED):
        plant.genset(engine=engine, feeding=False)
        plant.wait(10)
    assert plant.kinds == [
        "genset.starting",
        "genset.running",
        "ups.on_line",
        "genset.on_load",
        "power.mains_returned",
        "genset.off_load",
        "genset.cooling",
        "genset.stopped",
        "genset.ready",
    ]


def test_without_a_ups_current_alone_is_load() -> None:
    plant = Plant(ups=()).calm()
    plant.genset(engine=Engine.RUNNING, feeding=True)
    plant.wait(2)
    assert plant.kinds == ["genset.running", "genset.on_load"]


@pytest.mark.parametrize(
    ("closed", "feeding", "reason"),
    [(False, False, "breaker_open"), (None, False, "no_current"), (None, True, "ups_on_battery")],
)
def test_a_set_that_runs_and_does_not_take_the_load_is_told_once(
    closed: bool | None, feeding: bool, reason: str
) -> None:
    plant = outage()
    plant.genset(engine=Engine.RUNNING, closed=closed, feeding=feeding)
    plant.wait(30)
    assert plant.kinds == ["genset.running"]
    plant.wait(600)
    assert plant.told[1:] == [pw.GensetNotTakingLoad(genset="g1", reason=reason)]
    plant.restart()
    plant.wait(60)
    assert plant.kinds.count("genset.not_taking_load") == 1
    plant.take_load()
    plant.wait(2)
    assert plant.kinds[-1] == "genset.on_load"
    assert plant.state.genset_records["g1"].not_taking == ""


def test_a_set_that_sags_under_its_load_still_runs() -> None:
    plant = on_load()
    plant.genset(engine=Engine.TURNING)
    plant.wait(20)
    assert plant.told == []


def test_the_controllers_own_word_is_a_failed_start() -> None:
    plant = outage()
    plant.genset(engine=Engine.STARTING)
    plant.wait(20)
    plant.genset(engine=Engine.STOPPED, failed_to_start=True, fault="shutdown_alarm")
    plant.wait(300)
    assert plant.disagreements() == []
    assert plant.kinds == ["genset.starting", "genset.failed_to_start"]
    assert plant.told[-1] == pw.GensetFailedToStart(genset="g1", reason="controller")
    assert plant.machine.gensets["g1"].ready is False


def test_a_set_that_does_not_run_by_the_deadline_has_failed() -> None:
    plant = outage()
    plant.genset(engine=Engine.STARTING)
    plant.wait(85)
    assert plant.kinds == ["genset.starting"]
    plant.wait(300)
    assert plant.kinds == ["genset.starting", "genset.failed_to_start"]
    assert plant.told[-1] == pw.GensetFailedToStart(genset="g1", reason="deadline")


def test_a_set_behind_a_lost_link_has_failed_only_while_a_ups_still_runs_from_its_battery() -> None:
    plant = outage()
    plant.sets["g1"] = WITHOUT_LINK
    plant.ups(on_battery=False)
    plant.wait(300)
    assert plant.kinds == ["system.link_lost", "ups.on_line"]
    plant.ups(on_battery=True)
    plant.wait(2)
    assert "genset.failed_to_start" in plant.kinds


def test_a_set_that_was_reset_and_tries_again_gets_its_own_deadline() -> None:
    plant = outage()
    plant.genset(engine=Engine.STOPPED, failed_to_start=True)
    plant.wait(100)
    plant.genset(failed_to_start=False)
    plant.wait(2)
    plant.genset(engine=Engine.STARTING)
    plant.wait(60)
    assert plant.kinds == ["genset.failed_to_start", "genset.stopped", "genset.ready", "genset.starting"]
    plant.take_load()
    plant.wait(2)
    assert plant.kinds[4:] == ["ups.on_line", "genset.running", "genset.on_load"]


def test_a_start_that_failed_by_the_clock_and_succeeds_after_all_runs() -> None:
    plant = outage()
    plant.genset(engine=Engine.STARTING)
    plant.wait(100)
    plant.genset(engine=Engine.RUNNING)
    plant.wait(3)
    assert plant.kinds == ["genset.starting", "genset.failed_to_start", "genset.running"]


def test_mains_back_before_the_start_ends_it() -> None:
    plant = outage()
    plant.genset(engine=Engine.STARTING)
    plant.wait(3)
    plant.genset(engine=Engine.STOPPED, mains=True)
    plant.ups(on_battery=False)
    plant.wait(600)
    assert plant.kinds == ["genset.starting", "ups.on_line", "genset.stopped", "genset.ready", "power.mains_returned"]


def test_where_only_the_speed_is_known_a_rest_between_cranks_is_no_stop() -> None:
    plant = outage()
    for _ in range(2):
        plant.genset(engine=Engine.TURNING)
        plant.wait(15)
        plant.genset(engine=Engine.STANDING)
        plant.wait(15)
    assert plant.kinds == ["genset.starting"]
    plant.wait(10)
    assert "genset.stopped" in plant.kinds


def test_out_of_auto_is_told_after_three_seconds_once_and_auto_again_too() -> None:
    plant = Plant().calm()
    plant.genset(mode="manual")
    plant.wait(2)
    plant.genset(mode="auto")
    plant.wait(5)
    assert plant.told == []
    plant.genset(mode="stop")
    plant.wait(60)
    plant.genset(mode="auto")
    plant.wait(60)
    assert plant.told == [
        pw.GensetNotInAuto(genset="g1", mode="stop"),
        pw.GensetInAuto(genset="g1"),
        pw.GensetReady(genset="g1"),
    ]


def test_ready_is_not_told_of_a_set_that_stopped_out_of_auto() -> None:
    plant = on_load()
    plant.genset(mode="manual", engine=Engine.STOPPED, feeding=False, mains=True)
    plant.wait(60)
    assert "genset.ready" not in plant.kinds
    assert plant.machine.gensets["g1"].ready is False
    plant.genset(mode="auto")
    plant.wait(3)
    assert plant.kinds[-2:] == ["genset.in_auto", "genset.ready"]


def test_a_set_whose_emergency_stop_is_pressed_is_not_ready_and_says_so_before_the_outage() -> None:
    plant = Plant().calm()
    plant.genset(fault="emergency_stop")
    plant.wait(60)
    assert plant.told == [pw.GensetShutDown(genset="g1", reason="emergency_stop")]
    assert plant.machine.gensets["g1"].ready is False
    plant.genset(fault="")
    plant.wait(5)
    assert plant.kinds == ["genset.shut_down", "genset.ready"]


@pytest.mark.parametrize("words", [{"failed_to_start": True}, {"fault": "overspeed"}, {"fault": None}, {"mode": ""}])
def test_one_measurement_of_an_alarm_is_not_believed(words: dict[str, Any]) -> None:
    plant = Plant().calm()
    for _ in range(10):
        plant.genset(**words)
        plant.poll()
        plant.sets["g1"] = STANDBY
        plant.wait(3)
    assert plant.told == []


def test_a_set_that_dies_under_load_says_so() -> None:
    plant = on_load()
    plant.genset(engine=Engine.STOPPING, feeding=False, fault="low_oil_pressure")
    plant.ups(on_battery=True)
    plant.wait(3)
    plant.genset(engine=Engine.STOPPED)
    plant.wait(3)
    assert plant.kinds == ["ups.on_battery", "genset.off_load", "genset.shut_down", "genset.stopped"]


def test_a_controller_that_says_nothing_changes_nothing() -> None:
    plant = on_load()
    plant.sets["g1"] = GensetSeen(linked=True)
    plant.wait(600)
    assert plant.told == []


def test_every_event_of_the_table_leads_to_a_phase_that_is_not_the_old_one() -> None:
    for (phase, _), kinds in TRANSITIONS.items():
        assert pw.PHASE_AFTER[kinds[-1]] is not phase
