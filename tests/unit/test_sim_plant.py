"""The simulated building's power: what happens when, and what its two devices would serve."""

import struct
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.sim.modbus_slave import answer
from drivers.sim.plant import Plant, PlantSettings
from drivers.sim.plant_apc import ApcRegisters
from drivers.sim.plant_dse import DseRegisters
from drivers.sim.plant_genset import Alarm, GensetSettings, Phase, Severity
from drivers.sim.plant_ups import UpsState

UNIX = 1_788_739_200  # 2026-09-07, one year after the first site opened
START, CANCEL, AUTO, STOP = 35732, 35733, 35701, 35700


class Site:
    """A plant with a hand on its clock and the two devices that look at it."""

    def __init__(self, retransfer_s: float = 1800.0, cooldown_s: float = 300.0) -> None:
        self.now = 1000.0
        genset = GensetSettings(retransfer_s=retransfer_s, cooldown_s=cooldown_s)
        self.plant = Plant(PlantSettings(genset=genset), self.now)
        self.dse = DseRegisters(self.plant, lambda: self.now, lambda: UNIX)
        self.apc = ApcRegisters(self.plant, lambda: self.now)

    def wait(self, seconds: float) -> None:
        self.now += seconds
        self.plant.step(self.now)

    def seconds_until(self, true: Callable[[Plant], Any], most: float = 300.0) -> float:
        began = self.now
        while not true(self.plant):
            assert self.now - began < most, f"not within {most} s: {self.plant.status()}"
            self.wait(0.05)
        return self.now - began

    def genset(self, address: int, kind: str = "H") -> int:
        return self._value(self.dse.read, address, kind)

    def ups(self, address: int, kind: str = "H") -> int:
        return self._value(self.apc.read, address, kind)

    def _value(self, read: Callable[[int, int], list[int]], address: int, kind: str) -> int:
        count = struct.calcsize(kind) // 2
        (value,) = struct.unpack(f">{kind}", struct.pack(f">{count}H", *read(address, count)))
        assert isinstance(value, int)
        return value

    def nibble(self, address: int, place: int) -> int:
        return self.genset(address) >> (12 - 4 * place) & 0xF

    def key(self, key: int, check: int | None = None) -> bytes:
        pair = (key, 65535 - key if check is None else check)
        return answer(self.dse, struct.pack(">BHHBHH", 16, 4104, 2, 4, *pair))


def on_load(plant: Plant) -> bool:
    return plant.source == "genset" and plant.ups.state is UpsState.ONLINE


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


def test_telemetry_start_runs_the_set_without_load_and_its_cancel_stops_it_in_auto() -> None:
    site = Site(cooldown_s=15)
    assert site.key(START) == struct.pack(">BHH", 16, 4104, 2)
    site.wait(30)
    assert site.genset(1408) == 3
    assert site.plant.source == "mains"
    site.key(CANCEL)
    site.wait(25)
    assert [site.genset(1408), site.genset(772)] == [0, 1]


def test_the_stop_key_leaves_auto_and_the_auto_key_returns_to_it() -> None:
    site = Site()
    site.key(STOP)
    assert site.genset(772) == 0
    assert site.key(START) == bytes([0x90, 7])
    site.key(AUTO)
    assert site.genset(772) == 1


@pytest.mark.parametrize(
    "pdu",
    [
        struct.pack(">BHHBHH", 16, 4104, 2, 4, START, 65535 - START - 1),
        struct.pack(">BHHBHH", 16, 4104, 2, 4, 35705, 65535 - 35705),
        struct.pack(">BHHBH", 16, 4104, 1, 2, START),
    ],
    ids=["bad check", "unsupported key", "half a pair"],
)
def test_a_key_that_is_not_whole_and_known_answers_exception_7_and_does_nothing(pdu: bytes) -> None:
    site = Site()
    assert answer(site.dse, pdu) == bytes([0x90, 7])
    site.wait(10)
    assert site.genset(1408) == 0


def test_the_advertised_keys_are_those_it_takes() -> None:
    bits = Site().dse.read(4096, 8)
    advertised = [35700 + 16 * i + 15 - b for i, bits16 in enumerate(bits) for b in range(16) if bits16 >> b & 1]
    assert sorted(advertised) == [35700, 35701, 35702, 35732, 35733]


def test_gencomm_answers_sentinels_on_its_pages_and_refuses_others() -> None:
    site = Site()
    assert site.genset(1026) == 0x7FFF
    assert site.genset(1050, "I") == 0xFFFFFFFF
    assert site.dse.read(1200, 2) == [0xFFFF, 0xFFFF]
    assert answer(site.dse, struct.pack(">BHH", 3, 5000, 1)) == bytes([0x83, 2])
    assert answer(site.dse, struct.pack(">BHH", 3, 2300, 10)) == bytes([0x83, 2])  # runs over the end of page 8
    assert answer(site.dse, struct.pack(">BHHBHH", 16, 1030, 2, 4, 0, 0)) == bytes([0x90, 2])


def test_the_smart_ups_answers_zeros_for_registers_that_do_not_exist() -> None:
    site = Site()
    assert site.apc.read(40_000, 5) == [0] * 5
    name = struct.pack(">16H", *site.apc.read(532, 16))
    assert name.decode("ascii").rstrip() == "Smart-UPS SRT 3000"


@pytest.mark.parametrize(
    ("pdu", "said"),
    [
        (struct.pack(">BHH", 4, 1030, 1), bytes([0x84, 1])),
        (struct.pack(">BHH", 6, 4104, 1), bytes([0x86, 1])),
        (struct.pack(">BHH", 3, 1030, 0), bytes([0x83, 3])),
        (struct.pack(">BHH", 3, 1030, 126), bytes([0x83, 3])),
        (struct.pack(">BHH", 3, 0xFFFF, 2), bytes([0x83, 2])),
        (b"\x03\x04", bytes([0x83, 3])),
        (struct.pack(">BHHB", 16, 4104, 2, 3) + b"abc", bytes([0x90, 3])),
        (b"\x2b", bytes([0xAB, 1])),
    ],
)
def test_a_malformed_request_is_answered_with_the_exception_of_the_standard(pdu: bytes, said: bytes) -> None:
    assert answer(Site().dse, pdu) == said


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
    with pytest.raises(ValueError, match="percentage from 0 to 100"):
        Site().plant.set_fuel(bad)
