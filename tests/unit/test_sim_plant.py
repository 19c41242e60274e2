"""The simulated building's power: what happens when."""

import struct
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plant_site import CANCEL, START, UNIX, Site, on_load

from drivers.sim.modbus_slave import answer
from drivers.sim.plant import Plant, PlantSettings
from drivers.sim.plant_genset import Alarm, Genset, GensetSettings, Phase, Severity


def test_on_a_normal_day_mains_feeds_the_building_and_the_set_waits_in_auto() -> None:
    site = Site()
    site.wait(60)
    assert [site.genset(at) for at in (772, 774, 1408, 1027, 1029, 1030)] == [1, 0, 0, 74, 132, 0]
    assert [site.genset(at, "I") for at in (1060, 1062, 1064)] == [2300, 2307, 2295]
    assert site.genset(1059) == 500
    assert site.genset(1792, "I") == UNIX
    assert site.ups(0, "I") == 0b10
    assert site.ups(130) == 100 * 512
    assert site.ups(128, "I") == 1380
    assert site.ups(151) == 230 * 64
    assert site.ups(136) * 2700 / 256 / 100 == pytest.approx(1800, abs=1)


def test_both_witnesses_see_a_cut_within_a_quarter_second() -> None:
    site = Site()
    site.plant.cut_mains()
    site.wait(0.25)
    assert site.genset(1060, "I") == 0
    assert site.nibble(2058, 2) == 10
    assert site.ups(0, "I") & 0b1000110 == 0b1000100  # on battery, input bad, not on line
    assert site.ups(2) == 2
    assert site.ups(18) & 1


def test_the_set_takes_the_load_within_ten_seconds_of_the_cut() -> None:
    site = Site()
    site.plant.cut_mains()
    assert site.seconds_until(lambda p: p.genset.phase is Phase.CRANKING) == pytest.approx(3.7, abs=0.2)
    site.wait(1.0)
    assert 150 <= site.genset(1030) <= 250
    assert site.genset(1029) < 110
    assert site.genset(1032, "I") == 0
    site.seconds_until(lambda p: p.source == "genset")
    assert site.now - 1000.0 < 10.0
    site.wait(5)
    assert [site.genset(at) for at in (1408, 1030, 1031)] == [3, 1500, 500]
    assert site.genset(1032, "I") == 2300
    assert site.genset(1044, "I") > 0
    assert site.genset(1536, "i") == 6450
    assert sum(site.genset(at, "i") for at in (1052, 1054, 1056)) == pytest.approx(6450, abs=2)
    assert site.ups(0, "I") == 0b10
    assert site.ups(130) < 100 * 512  # and charging
    assert site.plant.ups.charging


def test_the_battery_drains_with_its_load_until_the_ups_goes_dark_and_silent() -> None:
    site = Site()
    site.plant.refuse_start(True)
    site.plant.cut_mains()
    site.wait(690)
    assert site.ups(128, "I") == pytest.approx(690, abs=2)
    assert site.ups(130) / 512 == pytest.approx(50, abs=0.2)
    site.wait(600)
    assert site.ups(18) == 0b11
    site.wait(100)
    assert not site.apc.answers
    assert site.plant.load_w == 0
    site.plant.return_mains()
    site.wait(3)
    assert site.apc.answers
    assert site.ups(0, "I") == 0b10


def test_the_load_goes_back_only_to_mains_that_stayed() -> None:
    site = Site(retransfer_s=20, cooldown_s=15)
    site.plant.cut_mains()
    site.seconds_until(on_load)
    site.plant.return_mains()
    site.wait(15)
    site.plant.cut_mains()
    site.wait(1)
    site.plant.return_mains()
    site.wait(19)
    assert site.plant.source == "genset"
    site.wait(2)
    assert site.plant.source == "mains"
    assert site.genset(1408) == 4
    assert site.genset(1032, "I") == 2300  # cooling down, without load
    assert site.genset(1536, "i") == 0
    assert site.seconds_until(lambda p: p.genset.phase is Phase.STOPPED) == pytest.approx(18, abs=1)
    assert site.plant.status()["genset"]["ready"]
    assert site.ups(0, "I") == 0b10


def test_the_retransfer_leaves_the_building_dark_for_the_transfer_time_only() -> None:
    site = Site(retransfer_s=5)
    site.plant.cut_mains()
    site.seconds_until(on_load)
    site.plant.return_mains()
    site.seconds_until(lambda p: p.source == "none")
    assert site.seconds_until(lambda p: p.source == "mains") == pytest.approx(0.7, abs=0.1)


def test_the_shipped_retransfer_waits_half_an_hour_and_cools_five_minutes() -> None:
    site = Site()
    assert site.plant.settings == PlantSettings()
    site.plant.cut_mains()
    site.seconds_until(on_load)
    site.plant.return_mains()
    assert site.seconds_until(lambda p: p.source == "mains", 2000) == pytest.approx(1800, abs=2)
    assert site.seconds_until(lambda p: p.genset.phase is Phase.POST_RUN, 400) == pytest.approx(300, abs=2)


def test_mains_lost_again_in_cool_down_needs_no_new_start() -> None:
    site = Site(retransfer_s=5, cooldown_s=60)
    site.plant.cut_mains()
    site.seconds_until(on_load)
    starts = site.genset(1808, "I")
    site.plant.return_mains()
    site.seconds_until(lambda p: p.genset.phase is Phase.COOLING)
    site.wait(10)
    site.plant.cut_mains()
    assert site.seconds_until(lambda p: p.source == "genset") < 3
    assert site.genset(1808, "I") == starts


def test_a_set_that_refuses_cranks_three_times_and_then_says_fail_to_start() -> None:
    site = Site()
    site.plant.refuse_start(True)
    site.plant.cut_mains()
    cranks, fastest, before = 0, 0, Phase.STOPPED
    while Alarm.FAIL_TO_START not in site.plant.genset.alarms:
        site.wait(0.05)
        phase = site.plant.genset.phase
        cranks += phase is Phase.CRANKING and before is not Phase.CRANKING
        fastest, before = max(fastest, site.genset(1030)), phase
        assert site.now < 1100
    assert cranks == 3
    assert fastest < 250
    assert 75 <= site.now - 1000 <= 90
    assert site.nibble(2050, 2) == 3
    assert site.nibble(39428, 1) == 3
    assert site.genset(774) & 0x1000
    assert site.genset(1408) == 0


def test_a_shutdown_holds_until_stop_mode_resets_it() -> None:
    site = Site()
    site.plant.refuse_start(True)
    site.plant.cut_mains()
    site.seconds_until(lambda p: p.genset.shut_down)
    site.plant.refuse_start(False)
    site.wait(120)
    assert site.plant.genset.phase is Phase.STOPPED
    site.plant.set_mode("stop")
    site.plant.set_mode("auto")
    assert site.seconds_until(lambda p: p.source == "genset") < 10


@pytest.mark.parametrize("mode", ["stop", "manual"])
def test_out_of_auto_the_set_does_not_start_at_an_outage(mode: str) -> None:
    site = Site()
    site.plant.set_mode(mode)
    site.plant.cut_mains()
    site.wait(120)
    assert site.genset(1030) == 0
    assert site.genset(772) == {"stop": 0, "manual": 2}[mode]


def test_a_stuck_breaker_leaves_the_set_running_without_load_and_warns() -> None:
    site = Site()
    site.plant.stick_breaker(True)
    site.plant.cut_mains()
    site.wait(20)
    assert [site.genset(1408), site.genset(1536, "i"), site.genset(1044, "I")] == [3, 0, 0]
    assert site.nibble(2056, 0) == site.nibble(39428, 3) == 2
    assert site.genset(774) & 0x0400
    site.plant.stick_breaker(False)
    site.wait(0.1)
    assert site.plant.source == "genset"


def test_a_breaker_stuck_closed_keeps_mains_away() -> None:
    site = Site(retransfer_s=5)
    site.plant.cut_mains()
    site.seconds_until(on_load)
    site.plant.stick_breaker(True)
    site.plant.return_mains()
    site.wait(60)
    assert site.plant.source == "genset"
    assert not site.plant.genset.mains_contactor_closed
    assert site.nibble(2056, 2) == 2
    site.plant.stick_breaker(False)
    site.wait(1)
    assert site.plant.source == "mains"


def test_an_empty_tank_stops_the_set_under_way() -> None:
    site = Site()
    site.plant.set_fuel(14)
    site.plant.cut_mains()
    site.seconds_until(on_load)
    assert site.nibble(2055, 2) == 2
    site.plant.set_fuel(0)
    site.wait(1)
    assert site.plant.source == "none"
    assert site.nibble(2050, 0) == 3
    assert site.plant.genset.alarms[Alarm.UNDERSPEED] is Severity.SHUTDOWN
    site.wait(60)
    assert site.genset(1030) == 0


def test_a_self_test_looks_like_battery_for_ten_seconds_while_the_input_is_good() -> None:
    site = Site()
    assert answer(site.apc, struct.pack(">BHH", 6, 1541, 1)) == struct.pack(">BHH", 6, 1541, 1)
    site.wait(5)
    assert site.ups(0, "I") == 0b10000100  # on battery, testing; the input is not bad
    assert [site.ups(at) for at in (2, 18, 151)] == [9, 0, 230 * 64]
    assert site.ups(23) & 0b10
    assert site.genset(1060, "I") == 2300
    assert site.plant.source == "mains"
    site.wait(5.2)
    assert site.ups(0, "I") == 0b10
    assert site.ups(23) & 0b100
    assert site.genset(1408) == 0


def test_an_outage_during_a_self_test_is_an_outage() -> None:
    site = Site()
    site.plant.ups.start_test()
    site.wait(3)
    site.plant.cut_mains()
    site.wait(0.3)
    assert site.ups(0, "I") == 0b1000100
    assert site.ups(2) == 2
    assert site.ups(23) & 0b100000
    answer(site.apc, struct.pack(">BHH", 6, 1541, 1))
    assert site.ups(23) & 0b10000  # refused


def test_what_happens_does_not_depend_on_how_often_the_model_is_asked() -> None:
    often, seldom = Site(retransfer_s=20, cooldown_s=15), Site(retransfer_s=20, cooldown_s=15)
    for site, every in ((often, 0.07), (seldom, 30.0)):
        for turn in (site.plant.cut_mains, site.plant.return_mains):
            turn()
            for _ in range(round(30 / every)):
                site.wait(every)
            site.now = 1000.0 + 30 * round((site.now - 1000) / 30)
            site.wait(0)
    assert often.plant.status() == seldom.plant.status()


TURNS = st.sampled_from(
    ["cut", "return", "refuse", "fire", "stick", "free", "stop", "auto", "manual", "empty", "fill", "start", "cancel"]
)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(TURNS, st.sampled_from([0.1, 0.8, 4.0, 20.0])), max_size=25))
def test_mains_and_generator_never_feed_the_bar_together(story: list[tuple[str, float]]) -> None:
    site = Site(retransfer_s=5, cooldown_s=5)
    plant = site.plant
    turns: dict[str, Callable[[], Any]] = {
        "cut": plant.cut_mains,
        "return": plant.return_mains,
        "refuse": lambda: plant.refuse_start(True),
        "fire": lambda: plant.refuse_start(False),
        "stick": lambda: plant.stick_breaker(True),
        "free": lambda: plant.stick_breaker(False),
        "stop": lambda: plant.set_mode("stop"),
        "auto": lambda: plant.set_mode("auto"),
        "manual": lambda: plant.set_mode("manual"),
        "empty": lambda: plant.set_fuel(0),
        "fill": lambda: plant.set_fuel(90),
        "start": lambda: site.key(START),
        "cancel": lambda: site.key(CANCEL),
    }
    for turn, seconds in [("cut", 12.0), *story]:
        turns[turn]()
        for _ in range(round(seconds / 0.1)):
            site.wait(0.1)
            assert not (plant.genset.breaker_closed and plant.genset.mains_contactor_closed)
            assert 0 <= plant.genset.rpm <= 1500
            assert 0 <= plant.ups.charge <= 100


@pytest.mark.parametrize("bad", [-1, 101, "half", True, None])
def test_a_level_that_is_no_percentage_is_refused(bad: Any) -> None:
    with pytest.raises(ValueError, match="from 0 to 100"):
        Site().plant.set_fuel(bad)


def test_a_plant_at_rest_jumps_to_where_its_steps_would_have_taken_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def lived() -> tuple[list[object], int]:
        plant = Plant(PlantSettings(genset=GensetSettings(retransfer_s=20.0, cooldown_s=10.0)), 0.0)
        acts = [(300.0, plant.cut_mains), (340.0, plant.return_mains), (900.0, plant.cut_mains), (907.3, plant.status)]
        told: list[object] = []
        for at, act in acts:
            plant.step(at)
            told += [plant.status(), round(plant.ups.charge, 6), round(plant.genset.coolant_c, 6)]
            act()
        return told, plant.moves

    jumped, few = lived()
    monkeypatch.setattr(Genset, "rests", lambda *_: False)
    stepped, many = lived()
    assert jumped == stepped
    assert few < many / 4
