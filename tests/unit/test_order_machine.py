"""What stands in the way of an order to the plant, and what proves one."""

from typing import Any

import pytest
from msgspec.structs import replace

from appliance.model import Mains
from appliance.power.order_machine import (
    INTERLOCKS,
    Device,
    Goal,
    Plant,
    Seen,
    hindrance,
    instead,
    proof,
    relay_goals,
    relay_within_s,
)
from appliance.power.order_refusals import WORDS
from appliance.power_commands import PlantCommand as Do

REST: dict[str, Any] = {
    "mode": "auto", "engine_state": "stopped", "rpm": 0, "generator_v_l1": 0.0, "emergency_stop": False,
    "shutdown_alarm": False,
}  # fmt: skip
ON_LINE: dict[str, Any] = {"online": True, "on_battery": False, "testing": False, "charge": 100.0, "fault": False}
WELL = Plant(Mains.PRESENT, on_battery=False, feeding=False)
STARTS = (Do.START, Do.TEST_ON_LOAD, Do.START_RELAY)


def genset(**said: Any) -> Device:
    return Device({k: v for k, v in (REST | said).items() if v is not None}, relay="r", relay_up=True, contact=False)


def ups(**said: Any) -> Device:
    return Device({k: v for k, v in (ON_LINE | said).items() if v is not None})


def test_with_all_well_everything_may_be_ordered() -> None:
    assert {do: hindrance(do, genset(), WELL) for do in (*STARTS, Do.CANCEL_START, Do.MUTE)} == dict.fromkeys(
        (*STARTS, Do.CANCEL_START, Do.MUTE), ""
    )
    assert hindrance(Do.SELF_TEST, ups(), WELL) == ""
    assert hindrance(Do.AUTO, genset(mode="manual"), WELL) == ""
    assert hindrance(Do.AUTO, genset(mode="test_on_load", engine_state="running", rpm=1500), WELL) == ""


@pytest.mark.parametrize("do", STARTS)
@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"mode": "manual"}, "not_auto"),
        ({"mode": "stop"}, "not_auto"),
        ({"emergency_stop": True}, "fault"),
        ({"shutdown_alarm": True}, "fault"),
        ({"fail_to_start": True}, "fault"),
        ({"engine_state": "running", "rpm": 1500}, "runs"),
        ({"engine_state": "cranking", "rpm": 40}, "runs"),
        ({"engine_state": "stopped", "rpm": 900}, "runs"),
        ({"engine_state": None, "rpm": None}, "engine_unknown"),
        ({"generator_v_l1": 231.0}, "back_fed"),
        ({"mains_closed": True, "genset_closed": True}, "back_fed"),
    ],
)
def test_no_way_of_starting_a_set_passes_its_interlocks(do: Do, said: dict[str, Any], why: str) -> None:
    assert hindrance(do, genset(**said), WELL) == why


def test_a_set_is_started_in_an_outage_but_tested_on_load_only_with_the_mains_seen_to_be_there() -> None:
    for mains, why in ((Mains.LOST, "outage"), (Mains.SUSPECT, "outage"), (Mains.UNKNOWN, "mains_unknown")):
        plant = replace(WELL, mains=mains)
        assert hindrance(Do.START, genset(), plant) == ""
        assert hindrance(Do.START_RELAY, genset(), plant) == ""
        assert hindrance(Do.TEST_ON_LOAD, genset(), plant) == why
        assert hindrance(Do.SELF_TEST, ups(), plant) == why
    for on_battery, why in ((True, "on_battery"), (None, "battery_unknown")):
        assert hindrance(Do.TEST_ON_LOAD, genset(), replace(WELL, on_battery=on_battery)) == why
        assert hindrance(Do.SELF_TEST, ups(), replace(WELL, on_battery=on_battery)) == why


@pytest.mark.parametrize("mains", [Mains.LOST, Mains.SUSPECT, Mains.UNKNOWN])
@pytest.mark.parametrize("feeding", [True, None])
def test_what_may_keep_the_building_alight_is_not_cancelled(mains: Mains, feeding: bool | None) -> None:
    plant = Plant(mains, on_battery=False, feeding=feeding)
    running = genset(engine_state="running", rpm=1500)
    assert hindrance(Do.CANCEL_START, running, plant) == "outage"
    assert hindrance(Do.CANCEL_START, replace(running, held=True), plant) == "outage"
    assert hindrance(Do.CANCEL_START, running, replace(plant, mains=Mains.PRESENT)) == ""


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"testing": True}, "testing"),
        ({"self_test": "running"}, "testing"),
        ({"online": False}, "bypass"),
        ({"bypass": True}, "bypass"),
        ({"fault": True}, "fault"),
        ({"battery_disconnected": True}, "fault"),
        ({"charge": 49.9}, "battery_low"),
        ({"low_battery": True}, "battery_low"),
        ({"input_bad": True}, "outage"),
    ],
)
def test_a_ups_that_is_not_well_is_not_tested(said: dict[str, Any], why: str) -> None:
    assert hindrance(Do.SELF_TEST, ups(**said), WELL) == why


def test_a_ups_that_a_set_feeds_is_not_tested() -> None:
    assert hindrance(Do.SELF_TEST, ups(), replace(WELL, feeding=True)) == "genset_feeds"


@pytest.mark.parametrize("do", [do for do in Do if do not in (Do.START_RELAY,)])
def test_nothing_is_sent_without_a_command_a_link_and_fresh_values(do: Do) -> None:
    device = ups() if do is Do.SELF_TEST else genset(mode="manual" if do is Do.AUTO else "auto")
    assert hindrance(do, replace(device, commands=False), WELL) == "no_command"
    assert hindrance(do, replace(device, values={}), WELL) == "no_link"
    assert hindrance(do, replace(device, stale=("mode",)), WELL) == "stale"
    assert hindrance(do, replace(device, needs={"of_the_profile": True}), WELL) == "needs"


def test_auto_is_no_order_to_a_set_that_somebody_has_stopped() -> None:
    assert [hindrance(Do.AUTO, genset(mode=mode), WELL) for mode in ("stop", "off", "auto", None)] == [
        "by_hand", "by_hand", "already", "mode_unknown",
    ]  # fmt: skip
    assert hindrance(Do.AUTO, genset(mode="manual", emergency_stop=True), WELL) == "emergency_stop"


def test_the_relay_needs_the_annunciator_and_something_that_can_prove_it() -> None:
    silent = replace(genset(), values={})
    assert hindrance(Do.START_RELAY, silent, WELL) == ""
    assert hindrance(Do.START_RELAY, replace(silent, contact=True), WELL) == "runs"
    assert hindrance(Do.START_RELAY, replace(silent, contact=None), WELL) == "no_link"
    assert hindrance(Do.START_RELAY, replace(silent, relay_up=False), WELL) == "relay_away"
    assert hindrance(Do.START_RELAY, replace(silent, held=True), WELL) == "relay_held"
    assert hindrance(Do.START_RELAY, replace(silent, relay=""), WELL) == "no_command"
    assert hindrance(Do.CANCEL_START, replace(silent, held=True), WELL) == ""
    assert hindrance(Do.CANCEL_START, replace(silent, held=True, relay_up=False), WELL) == "relay_away"


def test_only_what_was_measured_behind_the_sending_proves_anything() -> None:
    goals = relay_goals(Do.START_RELAY)
    assert proof(goals, {"engine_state": Seen("running", 9.9)}, 10.0) == ""
    assert proof(goals, {"engine_state": Seen("running", 10.1)}, 10.0) == "engine_state=running"
    assert proof(goals, {"engine_state": Seen("cranking", 11.0), "rpm": Seen(1400, 11.0)}, 10.0) == "rpm=1400"
    assert proof(goals, {"running_contact": Seen(True, 3.0)}, 10.0) == ""
    assert proof(relay_goals(Do.CANCEL_START), {"rpm": Seen(1400, 11.0)}, 10.0) == ""
    assert not Goal("rpm", least=1).met(True)
    assert instead(goals, {"rpm": Seen(0, 1.0)}) == "rpm=0"
    assert instead(goals, {}) == ""


def test_a_set_whose_cool_down_cannot_be_seen_gets_the_time_for_it() -> None:
    assert relay_within_s(Do.START_RELAY, True, 90.0, 300.0) == 90.0
    assert relay_within_s(Do.CANCEL_START, True, 90.0, 300.0) == 90.0
    assert relay_within_s(Do.CANCEL_START, False, 90.0, 300.0) == 360.0


def test_every_command_has_interlocks_and_no_order_stops_a_set_by_its_stop_mode() -> None:
    assert set(INTERLOCKS) == set(Do)
    assert "stop" not in set(Do)


def test_every_hindrance_has_words() -> None:
    found = {
        hindrance(do, device, plant)
        for do in Do
        for device in (genset(), ups(), Device({}), genset(mode=None), replace(genset(), held=True))
        for plant in (WELL, Plant(Mains.LOST, True, True), Plant(Mains.UNKNOWN, None, None))
    }
    assert found - {""} <= set(WORDS)
