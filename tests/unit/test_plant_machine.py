"""The plant machine: what makes an outage and what does not, links lost and restored, restarts in between."""

import pytest
from plant_story import ON_LINE, STANDBY, UPS_WITHOUT_LINK, WITHOUT_LINK, Plant, is_out, on_load, outage

from appliance import events as ev
from appliance import power_events as pw
from appliance.model import Mains
from appliance.power.genset_machine import Engine

# Mains


def test_the_first_look_of_a_new_box_tells_what_is_and_no_outage() -> None:
    plant = Plant()
    plant.wait(10)
    assert plant.kinds == [
        "system.link_restored",
        "system.link_restored",
        "power.mains_present",
        "genset.ready",
    ]
    assert plant.state.mains is Mains.PRESENT


def test_two_witnesses_make_an_outage_after_one_second() -> None:
    plant = Plant().calm()
    plant.cut()
    assert pw.UpsOnBattery(ups="u1") in plant.poll(0.2)
    assert not plant.wait(0.8, 0.2)
    assert plant.poll(0.2) == [pw.MainsLost(witnesses=2, by=("genset/g1", "ups/u1"))]


def test_time_that_passes_without_a_measurement_proves_nothing() -> None:
    plant = Plant().calm()
    plant.cut()
    plant.poll()
    plant.forget()
    for _ in range(40):
        plant.now += 0.1
        plant.step()
    assert plant.told == []
    plant.poll()
    assert is_out(plant)


@pytest.mark.parametrize("poll_s", [0.2, 0.25, 0.5, 1.0, 2.0])
def test_a_flicker_of_half_a_second_is_nothing(poll_s: float) -> None:
    plant = Plant().calm()
    plant.genset(mains=False)
    plant.ups(on_battery=True)
    plant.wait(max(0.5, poll_s), poll_s)
    plant.genset(mains=True)
    plant.wait(2.0, poll_s)  # a UPS takes its time to trust its input again
    plant.ups(on_battery=False)
    plant.wait(10, poll_s)
    assert set(plant.kinds) <= {"ups.on_battery", "ups.on_line"}


def test_one_witness_alone_is_a_suspicion_that_ends_when_it_agrees_again() -> None:
    plant = Plant().calm()
    plant.ups(on_battery=True)
    plant.wait(3)
    assert plant.kinds == ["ups.on_battery"]
    plant.poll()
    assert plant.told[-1] == pw.MainsSuspected(by="ups/u1")
    plant.wait(600)
    assert plant.state.mains is Mains.SUSPECT
    plant.ups(on_battery=False)
    plant.wait(5)
    assert plant.kinds[2:] == ["ups.on_line", "power.mains_returned"]


def test_a_suspicion_that_a_second_witness_shares_is_an_outage() -> None:
    plant = Plant().calm()
    plant.ups(on_battery=True)
    plant.wait(5)
    plant.genset(mains=False)
    plant.wait(2)
    assert plant.told[-1] == pw.MainsLost(witnesses=2, by=("genset/g1", "ups/u1"))


def test_a_second_witness_that_bad_frames_made_late_says_it_twice_and_no_longer() -> None:
    plant = Plant().calm()
    plant.ups(on_battery=True)
    plant.wait(0.75, 0.25)  # the controller's answers were lost: it says what it said before
    plant.genset(mains=False)
    plant.poll(0.25)
    assert not is_out(plant)
    plant.poll(0.25)
    assert plant.told[-1] == pw.MainsLost(witnesses=2, by=("genset/g1", "ups/u1"))


def test_a_flicker_beside_a_blown_fuse_is_no_outage() -> None:
    plant = Plant().calm()
    plant.ups(on_battery=True)
    plant.wait(600)
    assert plant.state.mains is Mains.SUSPECT
    plant.genset(mains=False)
    plant.wait(0.5, 0.25)
    plant.genset(mains=True)
    plant.wait(10, 0.25)
    assert plant.state.mains is Mains.SUSPECT


@pytest.mark.parametrize("silent", ["genset", "ups"])
def test_when_the_other_has_no_link_one_witness_is_enough_after_three_seconds(silent: str) -> None:
    plant = Plant().calm()
    plant.cut()
    if silent == "genset":
        plant.sets["g1"] = WITHOUT_LINK
    else:
        plant.batteries["u1"] = UPS_WITHOUT_LINK
    plant.wait(3)
    assert not is_out(plant)
    plant.poll()
    assert plant.told[-1] == pw.MainsLost(witnesses=1, by=("ups/u1",) if silent == "genset" else ("genset/g1",))


def test_a_lost_link_or_a_bad_value_is_no_outage() -> None:
    plant = Plant().calm()
    plant.genset(mains=None)
    plant.wait(30)
    plant.sets["g1"], plant.batteries["u1"] = WITHOUT_LINK, UPS_WITHOUT_LINK
    plant.wait(600)
    assert plant.kinds == ["system.link_lost", "system.link_lost"]
    assert plant.state.mains is Mains.PRESENT


def test_one_measurement_that_is_wrong_is_no_outage() -> None:
    plant = Plant(ups=()).calm()
    for _ in range(20):
        plant.genset(mains=False)
        plant.poll()
        plant.genset(mains=True)
        plant.wait(2)
    assert plant.told == []


def test_two_ups_behind_one_fuse_are_not_two_witnesses_against_the_controller() -> None:
    plant = Plant(ups=("u1", "u2")).calm()
    plant.ups("u1", on_battery=True)
    plant.ups("u2", on_battery=True)
    plant.wait(60)
    assert plant.state.mains is Mains.SUSPECT


def test_mains_that_came_back_must_stay_for_three_seconds() -> None:
    plant = outage()
    for _ in range(10):
        plant.genset(mains=True)
        plant.ups(on_battery=False)
        plant.wait(2)
        plant.genset(mains=False)
        plant.wait(1)
    assert is_out(plant)
    plant.genset(mains=True)
    plant.wait(4)
    assert plant.told[-1] == pw.MainsReturned(by=("genset/g1", "ups/u1"))


def test_a_ups_that_the_generator_feeds_is_no_witness_of_mains() -> None:
    plant = on_load()
    plant.wait(600)
    assert is_out(plant)
    assert plant.told == []
    plant.genset(mains=True)
    plant.wait(4)
    assert plant.told == [pw.MainsReturned(by=("genset/g1",))]


def test_a_ups_back_on_line_behind_a_controller_without_link_says_nothing_of_mains() -> None:
    plant = Plant().calm()
    plant.sets["g1"] = WITHOUT_LINK
    plant.ups(on_battery=True)
    plant.wait(10)
    assert is_out(plant)
    plant.ups(on_battery=False)
    plant.wait(60)
    assert is_out(plant), "it may be the generator that feeds it"
    plant.sets["g1"] = STANDBY
    plant.wait(5)
    assert plant.state.mains is Mains.PRESENT


def test_a_ups_that_never_left_its_input_still_speaks_when_the_controller_is_gone() -> None:
    plant = Plant().calm()
    plant.sets["g1"] = WITHOUT_LINK
    plant.wait(60)
    assert [w.present for w in plant.machine.witnesses] == [None, True]


def test_a_transfer_back_to_mains_takes_the_ups_input_away_and_is_no_suspicion() -> None:
    plant = on_load()
    plant.genset(mains=True)
    plant.wait(30)
    plant.genset(engine=Engine.COOLING, feeding=False)
    plant.ups(on_battery=True)
    plant.wait(8)
    plant.ups(on_battery=False)
    plant.wait(30)
    assert [k for k in plant.kinds if k.startswith("power.")] == ["power.mains_returned"]


# Links


def test_a_link_is_lost_once_and_restored_once() -> None:
    plant = Plant().calm()
    plant.sets["g1"] = WITHOUT_LINK
    plant.wait(60)
    plant.sets["g1"] = STANDBY
    plant.wait(60)
    assert plant.told == [
        ev.LinkLost(link="genset/g1", reason="no_answer"),
        ev.LinkRestored(link="genset/g1"),
    ]


def test_a_device_that_never_answered_is_a_lost_link_after_a_while() -> None:
    plant = Plant(ups=())
    plant.sets["g1"] = WITHOUT_LINK
    plant.wait(4)
    assert plant.told == []
    plant.wait(10)
    assert plant.told == [ev.LinkLost(link="genset/g1", reason="no_answer")]


# Restarts


STORIES = {"at rest": lambda: Plant().calm(), "in the outage": outage, "on load": on_load}


@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES.keys())
def test_a_restart_tells_nothing_but_that_the_links_are_there(story) -> None:
    plant = story()
    plant.restart()
    plant.wait(60)
    assert plant.kinds == ["system.link_restored", "system.link_restored"]
    assert plant.disagreements() == []


def test_a_restart_in_the_start_keeps_its_deadline() -> None:
    plant = outage()
    plant.genset(engine=Engine.STARTING)
    plant.wait(60)
    plant.restart()
    plant.wait(25)
    assert "genset.failed_to_start" not in plant.kinds
    plant.wait(10)
    assert plant.kinds.count("genset.failed_to_start") == 1


def test_what_happened_while_the_box_was_off_is_told_by_what_is_seen() -> None:
    plant = on_load()
    plant.now += 3600
    plant.sets["g1"] = STANDBY
    plant.restart()
    plant.wait(10)
    assert [k for k in plant.kinds if k != "system.link_restored"] == [
        "genset.off_load",
        "genset.stopped",
        "genset.ready",
        "power.mains_returned",
    ]


def test_an_outage_that_ended_while_the_box_was_off_leaves_no_failed_start() -> None:
    plant = outage()
    plant.now += 3600
    plant.sets["g1"], plant.batteries["u1"] = STANDBY, ON_LINE
    plant.restart()
    plant.wait(10)
    assert [k for k in plant.kinds if k != "system.link_restored"] == ["ups.on_line", "power.mains_returned"]


def test_a_failed_start_is_not_told_again_after_a_restart() -> None:
    plant = outage()
    plant.genset(failed_to_start=True)
    plant.wait(5)
    plant.forget()
    plant.restart()
    plant.wait(200)
    assert plant.kinds == ["system.link_restored", "system.link_restored"]
