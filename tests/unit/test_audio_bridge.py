"""The bridge of a call: who hears whom, how late, with clocks that drift and frames that come late."""

import numpy as np
import pytest
from clocked_device import Device, calls, mouth_to_ear, sine
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.audio.beat import MOST_AT_ONCE, Beat
from drivers.audio.bridge import Bridge, Happened
from drivers.audio.dtmf import key_tones
from drivers.audio.endpoint import BRIDGE_RATE, Pcm
from drivers.audio.jitter import FRAME, MOST_HELD, Hearing
from drivers.audio.player import Player
from drivers.audio.resample import Resampler
from drivers.audio.tones import Humming, tone

QUARTER = BRIDGE_RATE // 4


class Listener:
    """Not live, at the bridge's rate: it keeps what it is given, and says what it is told to say."""

    live, waiting_s, finished = False, 0.0, False

    def __init__(self, says: Pcm | None = None, rate: int = BRIDGE_RATE) -> None:
        self.rate, self.lost, self.closed = rate, "", False
        self._says = np.zeros(0, np.int16) if says is None else says
        self._heard: list[Pcm] = []

    def take(self) -> Pcm:
        count = self.rate // 50
        said, self._says = self._says[:count], self._says[count:]
        return said

    def give(self, pcm: Pcm) -> None:
        assert pcm.dtype == np.int16
        self._heard.append(pcm)

    def heard(self) -> Pcm:
        return np.concatenate(self._heard)

    def close(self) -> None:
        self.closed = True


class Kept:
    """A tape in memory."""

    failed = ""

    def __init__(self) -> None:
        self.sides: list[Pcm] = []

    def write(self, line: Pcm, person: Pcm) -> None:
        self.sides.append(np.stack((line, person)))


def power_at(pcm: Pcm, hz: float, rate: int = BRIDGE_RATE) -> float:
    """dBFS of a sine of this frequency."""
    turns = np.exp(-2j * np.pi * hz * np.arange(len(pcm)) / rate)
    return 20 * np.log10(abs(pcm.astype(float) @ turns) * 2 / len(pcm) / 32768 / np.sqrt(2) + 1e-9)


def run(bridge: Bridge, ticks: int) -> list[Happened]:
    return [what for _ in range(ticks) for what in bridge.tick()]


def talk(bridge: Bridge, devices: list[Device], seconds: float, *, from_s: float = 0.0, hears: bool = True) -> None:
    random = np.random.default_rng(5)
    for tick in range(round(from_s * 50), round((from_s + seconds) * 50)):
        for device in devices:
            device.pass_to(tick * 0.02 + float(random.random()) * 0.004, hears=hears)
        bridge.tick()


def test_each_hears_all_others_and_never_itself() -> None:
    bridge, hz = Bridge(), {"a": 500.0, "b": 900.0, "c": 1700.0}
    ends = {name: Listener(tone((one,), 1.0, -20.0)) for name, one in hz.items()}
    for name, end in ends.items():
        bridge.add(name, end)
    run(bridge, 50)
    for name, end in ends.items():
        for other, one in hz.items():
            level = power_at(end.heard()[QUARTER:-QUARTER], one)
            assert level == pytest.approx(-20.0, abs=0.5) if other != name else level < -80


def test_narrow_and_wide_band_ends_hear_each_other_at_the_right_pitch_and_level() -> None:
    bridge, far = Bridge(), Listener(rate=8000)
    bridge.add("near", Listener(tone((1000.0,), 1.0, -20.0)))
    bridge.add("far", far)
    run(bridge, 50)
    assert len(far.heard()) == 8000
    assert power_at(far.heard()[2000:-2000], 1000.0, 8000) == pytest.approx(-20.0, abs=0.3)


def test_a_muted_end_is_heard_by_nobody_nor_recorded_but_its_level_shows() -> None:
    bridge, other, tape = Bridge(), Listener(), Kept()
    bridge.add("person", Humming((700.0,)), mute=True, side="person")
    bridge.add("line", other, side="line")
    bridge.record(tape)
    run(bridge, 30)
    person, line = bridge.figures()
    assert not other.heard().any()
    assert not np.concatenate(tape.sides, axis=1).any()
    assert person.heard_dbfs == pytest.approx(-12.0, abs=0.3)
    assert line.given_dbfs is None
    bridge.change("person", mute=False, gain_db=-6.0)
    run(bridge, 30)
    assert bridge.figures()[1].given_dbfs == pytest.approx(-18.0, abs=0.3)


def test_the_line_is_recorded_left_and_the_person_right() -> None:
    bridge, tape = Bridge(), Kept()
    bridge.add("line", Humming((500.0,), -20.0), side="line")
    bridge.add("person", Humming((1500.0,), -20.0), side="person")
    bridge.add("greeting", Humming((2500.0,), -20.0))
    bridge.record(tape)
    run(bridge, 50)
    left, right = np.concatenate(tape.sides, axis=1)
    assert power_at(left, 500.0) > -21 > -70 > power_at(left, 1500.0)
    assert power_at(right, 1500.0) > -21 > -70 > power_at(right, 500.0)
    assert power_at(left, 2500.0) < -70


def test_a_tape_that_fails_is_told_once_and_the_call_goes_on() -> None:
    bridge, other, tape = Bridge(), Listener(), Kept()
    bridge.add("line", Humming((500.0,)), side="line")
    bridge.add("person", other)
    bridge.record(tape)
    assert run(bridge, 3) == []
    tape.failed = "disk_error"
    assert run(bridge, 10) == [Happened("", "record_failed", "disk_error")]
    assert power_at(other.heard(), 500.0) > -15


def test_five_loud_voices_together_are_turned_down_and_never_wrap_round() -> None:
    bridge, other = Bridge(), Listener()
    for number in range(5):
        bridge.add(f"loud{number}", Humming((400.0 + 10 * number,), -3.0))
    bridge.add("ear", other)
    run(bridge, 50)
    heard = other.heard().astype(int)[160:]  # all begin at once
    assert 15_000 < abs(heard).max() <= 30_000
    assert abs(np.diff(heard)).max() < 12_000  # a wrap is a step of 65,000


def test_keys_are_told_with_the_end_they_came_from() -> None:
    bridge = Bridge()
    bridge.add("line", Listener(key_tones("112#")), keys=True)
    bridge.add("person", Listener(key_tones("5")))
    assert run(bridge, 50) == [Happened("line", "key", key) for key in "112#"]


def test_a_watched_end_that_falls_silent_is_told_within_two_seconds_and_when_it_is_back() -> None:
    bridge, device = Bridge(), Device(8000, sine(8000, 700.0))
    bridge.add("line", device, watched=True)
    happened: list[tuple[float, Happened]] = []
    for tick in range(500):
        device.pass_to(tick * 0.02, hears=not 100 <= tick < 300)
        happened += [(tick * 0.02, what) for what in bridge.tick()]
    assert [what for _, what in happened] == [Happened("line", "silent"), Happened("line", "heard")]
    assert 3.0 < happened[0][0] <= 4.0
    assert 6.0 < happened[1][0] <= 6.3


def test_an_end_that_is_lost_and_back_is_told_once_each_and_given_nothing_meanwhile() -> None:
    bridge, other = Bridge(), Listener()
    bridge.add("tone", Humming((500.0,)))
    bridge.add("headset", other)
    run(bridge, 5)
    before = len(other.heard())
    other.lost = "unplugged"
    assert run(bridge, 5) == [Happened("headset", "lost", "unplugged")]
    assert len(other.heard()) == before
    assert bridge.figures()[1].lost == "unplugged"
    other.lost = ""
    assert run(bridge, 5) == [Happened("headset", "back")]
    assert len(other.heard()) > before


def test_a_sound_is_played_as_often_as_asked_with_rests_and_then_told_finished() -> None:
    bridge, other = Bridge(), Listener()
    bridge.add("text", Player(np.full(1000, 5000, np.int16), times=2, rest_s=0.1))
    bridge.add("line", other)
    assert run(bridge, 50) == [Happened("text", "finished")]
    loud = np.flatnonzero(other.heard())
    assert len(loud) == 2000
    assert loud[1000] - loud[0] == 1000 + 1600


def test_a_removed_end_is_closed_and_a_ninth_or_second_of_a_name_refused() -> None:
    bridge, ends = Bridge(), [Listener() for _ in range(8)]
    for number, end in enumerate(ends):
        bridge.add(str(number), end)
    with pytest.raises(ValueError, match="at most 8"):
        bridge.add("9", Listener())
    bridge.remove("3")
    assert ends[3].closed
    with pytest.raises(ValueError, match="already"):
        bridge.add("4", Listener())
    bridge.close()
    assert all(end.closed for end in ends)
    assert bridge.tick() == []


def test_ten_minutes_of_clocks_that_drift_apart_leave_no_gap_and_no_delay() -> None:
    bridge = Bridge()
    line = Device(8000, calls(8000), ppm=300.0, late_s=0.008, seed=1)
    person = Device(8000, calls(8000), ppm=-300.0, late_s=0.008, seed=2)
    bridge.add("line", line)
    bridge.add("person", person)
    talk(bridge, [line, person], 600.0)
    figures = bridge.figures()
    assert [(one.gaps, one.starved, one.trims) for one in figures] == [(0, 0, 0)] * 2
    assert figures[0].drift_ppm == pytest.approx(300, abs=120)
    assert figures[1].drift_ppm == pytest.approx(-300, abs=120)
    assert max(line.most_waiting_s, person.most_waiting_s) < 0.1
    assert line.ran_dry + person.ran_dry < 5  # before anything was given
    late = [one for pair in ((line, person), (person, line)) for one in mouth_to_ear(*pair, 600.0, every=20)]
    assert max(late) < 0.15


def test_lumps_of_60_ms_cost_some_gaps_at_first_and_none_later() -> None:
    bridge, device = Bridge(), Device(8000, sine(8000, 700.0), frame_s=0.06, late_s=0.03)
    bridge.add("line", device)
    talk(bridge, [device], 20.0)
    before = bridge.figures()[0].gaps
    talk(bridge, [device], 20.0, from_s=20.0)
    assert bridge.figures()[0].gaps == before < 6
    assert bridge.figures()[0].delay_s < 0.15


def test_a_gap_fades_and_does_not_click() -> None:
    bridge, device, other = Bridge(), Device(8000, sine(8000, 300.0)), Listener()
    bridge.add("line", device)
    bridge.add("ear", other)
    talk(bridge, [device], 1.0)
    talk(bridge, [device], 0.3, from_s=1.0, hears=False)
    talk(bridge, [device], 1.0, from_s=1.3)
    heard = other.heard().astype(int)
    assert bridge.figures()[0].gaps == 1
    steepest = abs(np.diff(heard)).max()
    assert steepest < 2 * 8000 * 2 * np.pi * 300 / BRIDGE_RATE
    assert not heard[round(1.15 * BRIDGE_RATE) : round(1.25 * BRIDGE_RATE)].any()
    assert power_at(heard[-QUARTER:], 300.0) > -16


def test_what_piled_up_while_the_machine_slept_is_cut_without_a_click() -> None:
    bridge, device, other = Bridge(), Device(8000, sine(8000, 300.0)), Listener()
    bridge.add("line", device)
    bridge.add("ear", other)
    talk(bridge, [device], 1.0)
    talk(bridge, [device], 1.0, from_s=3.0)
    figures = bridge.figures()[0]
    assert figures.trims >= 1
    assert figures.delay_s < 0.1
    assert abs(np.diff(other.heard().astype(int))).max() < 3 * 8000 * 2 * np.pi * 300 / BRIDGE_RATE


def test_a_device_that_stops_playing_is_not_filled_without_end() -> None:
    bridge, device = Bridge(), Device(8000, sine(8000, 300.0))
    bridge.add("tone", Humming((500.0,)))
    bridge.add("headset", device)
    talk(bridge, [device], 1.0)
    run(bridge, 500)
    assert device.most_waiting_s < 0.35
    talk(bridge, [device], 5.0, from_s=1.0)
    assert device.waiting_s < 0.12


@settings(max_examples=30, deadline=None)
@given(
    lumps=st.lists(st.integers(0, 6000), max_size=60),
    rate=st.sampled_from([8000, 16000, 44100, 48000]),
)
def test_whatever_comes_a_frame_leaves_and_little_stays(lumps: list[int], rate: int) -> None:
    device = Device(rate, sine(rate, 300.0))
    hearing = Hearing(device)
    for lump in lumps:
        device._came.append(np.full(lump, 20_000, np.int16))
        frame = hearing.frame()
        assert frame.shape == (FRAME,)
        assert np.isfinite(frame).all()
        assert abs(frame).max() < 26_000
        assert hearing._store.waiting_s <= MOST_HELD + 6000 / rate


@pytest.mark.parametrize("ppm", [-1000.0, 0.0, 1000.0])
@pytest.mark.parametrize("rates", [(8000, 16000), (16000, 8000), (48000, 16000), (16000, 44100)])
def test_resampling_leaves_a_tone_60_db_cleaner_than_its_errors(rates: tuple[int, int], ppm: float) -> None:
    store, wave = Resampler(*rates), sine(rates[0], 1000.0, 20_000)
    out = []
    for at in range(0, rates[0] // 2, rates[0] // 50):
        store.push(wave(at, rates[0] // 50))
        out.append(store.pull(store.ready(ppm), ppm))
    sound = np.concatenate(out)[rates[1] // 50 :].astype(float)
    time = np.arange(len(sound)) * 2 * np.pi * 1000.0 * (1 + ppm * 1e-6) / rates[1]
    fitted = np.stack((np.sin(time), np.cos(time)), axis=1)
    rest = sound - fitted @ np.linalg.lstsq(fitted, sound, rcond=None)[0]
    assert np.sqrt((sound**2).mean()) == pytest.approx(20_000 / np.sqrt(2), rel=0.01)
    assert 20 * np.log10(np.sqrt((rest**2).mean()) / np.sqrt((sound**2).mean())) < -60


def test_telephone_band_passes_and_what_would_fold_back_does_not() -> None:
    for hz, wanted in ((300.0, 0.0), (3200.0, 0.0), (4900.0, -60.0), (7000.0, -60.0)):
        store = Resampler(16000, 8000)
        store.push(sine(16000, hz, 20_000)(0, 16000))
        out = store.pull(store.ready()).astype(float)[400:-400]
        level = 20 * np.log10(np.sqrt((out**2).mean()) * np.sqrt(2) / 20_000 + 1e-9)
        assert level == pytest.approx(wanted, abs=1.0) if wanted == 0.0 else level < wanted


def test_a_late_loop_catches_up_by_a_few_ticks_and_lets_the_rest_go() -> None:
    beat = Beat(10.0)
    assert [beat.due(10.0), beat.due(10.005), beat.due(10.021), beat.due(10.07)] == [1, 0, 1, 2]
    assert beat.due(60.0) == MOST_AT_ONCE
    assert beat.skipped > 2000
    assert 60.0 < beat.next_at <= 60.02
