"""Measures: what they say of a path whose faults are known, and what they say of sound that is something else."""

import asyncio
import io

import numpy as np
import pytest
import soundfile
import soxr
from clocked_device import Device

from drivers.audio.bridge import Bridge
from drivers.audio.endpoint import BRIDGE_RATE, Pcm
from drivers.audio.measure import RECOGNISABLE, find, likeness, probe
from drivers.audio.proof import Proof
from drivers.audio.speech import Speaker

PROBE = probe()
ONE = "Anda terhubung dengan layanan darurat. Mohon tunggu, panggilan Anda segera dijawab oleh petugas kami."
OTHER = "Ada kebakaran di jalan Merdeka nomor lima, tolong kirim pemadam secepatnya, api sudah besar sekali."


def through_gsm(pcm: Pcm) -> Pcm:
    """A stranger's codec: GSM 06.10 at 8 kHz, as in libsndfile."""
    narrow = soxr.resample(pcm.astype(np.float32) / 32768, BRIDGE_RATE, 8000)
    file = io.BytesIO()
    soundfile.write(file, np.clip(narrow[: len(narrow) // 160 * 160], -1, 1), 8000, format="WAV", subtype="GSM610")
    file.seek(0)
    back, _ = soundfile.read(file, dtype="float32")
    return np.clip(np.rint(soxr.resample(back, 8000, BRIDGE_RATE) * 32767), -32768, 32767).astype(np.int16)


def late(pcm: Pcm, samples: int, gain_db: float = 0.0) -> Pcm:
    louder = np.rint(pcm * 10 ** (gain_db / 20)).astype(np.int16)
    return np.concatenate((np.zeros(samples, np.int16), louder, np.zeros(4000, np.int16)))


def noise(count: int, size: float) -> Pcm:
    return np.clip(np.random.default_rng(1).standard_normal(count) * size, -32768, 32767).astype(np.int16)


class Line:
    """The network one way: late, weaker, every so many frames one is lost."""

    def __init__(self, rate: int, delay_s: float, gain_db: float = 0.0, hole_every: int = 0) -> None:
        self.frames = [np.zeros(rate // 50, np.int16)] * round(delay_s * 50)
        self._gain, self._hole_every, self._count = 10 ** (gain_db / 20), hole_every, 0

    def put(self, pcm: Pcm) -> None:
        self._count += 1
        lost = self._hole_every and self._count % self._hole_every == 0
        self.frames.append(np.zeros_like(pcm) if lost else np.rint(pcm * self._gain).astype(np.int16))


class Modem:
    """Its clock is the bridge's: each take is a frame, each take plays one."""

    rate, live, lost, finished = 8000, True, "", False

    def __init__(self, out: Line, into: Line) -> None:
        self._out, self._in, self._buffer = out, into, np.zeros(0, np.int16)

    @property
    def waiting_s(self) -> float:
        return len(self._buffer) / self.rate

    def take(self) -> Pcm:
        played, self._buffer = self._buffer[:160], self._buffer[160:]
        self._out.put(np.concatenate((played, np.zeros(160 - len(played), np.int16))))
        return self._in.frames.pop(0)

    def give(self, pcm: Pcm) -> None:
        self._buffer = np.concatenate((self._buffer, pcm))

    def close(self) -> None:
        pass


@pytest.fixture(scope="module")
def texts() -> tuple[Pcm, Pcm]:
    one, other = (asyncio.run(Speaker().say([("id", text)])) for text in (ONE, OTHER))
    return one, other


@pytest.mark.parametrize(("samples", "gain_db"), [(0, 0.0), (1920, -6.0), (32_000, -30.0), (801, 3.0)])
def test_delay_and_level_are_found_as_they_were_made(samples: int, gain_db: float) -> None:
    found = find(late(PROBE, samples, gain_db))
    assert found.heard
    assert found.delay_ms == pytest.approx(samples / BRIDGE_RATE * 1e3, abs=0.2)
    assert found.level_db == pytest.approx(gain_db, abs=0.3)
    assert (found.lost_percent, abs(found.drift_ppm)) == (0.0, 0)


def test_a_codec_of_gsm_and_some_noise_change_little() -> None:
    sound = late(through_gsm(PROBE), 3000)
    found = find((sound + noise(len(sound), 300)).astype(np.int16))
    assert found.delay_ms == pytest.approx(187.5, abs=2)
    assert found.level_db == pytest.approx(0, abs=1.5)
    assert found.lost_percent < 3


@pytest.mark.parametrize("lost", [0, 3, 15, 60])
def test_the_share_of_lost_frames_is_counted(lost: int) -> None:
    sound = late(PROBE, 1000)
    for number in range(lost):
        first = 1000 + 8000 + number * 2 * 320
        sound[first : first + 320] = 0
    assert find(sound).lost_percent == pytest.approx(lost / 150 * 100, abs=0.1)


@pytest.mark.parametrize("slip_ms", [-40, -20, 20, 45, 60])
def test_a_buffer_that_slips_loses_a_frame_and_not_all_that_follows(slip_ms: int) -> None:
    sound, at, slip = late(PROBE, 1000), 30_000, slip_ms * 16
    silence = np.zeros(max(0, slip), np.int16)
    slipped = np.concatenate((sound[:at], silence, sound[at - min(0, slip) :]))
    assert 0 < find(slipped).lost_percent <= 2


def test_six_slips_are_no_bad_line() -> None:
    sound = late(PROBE, 1000)
    for at in range(12_000, 60_000, 8000):
        sound = np.concatenate((sound[:at], np.zeros(480, np.int16), sound[at:]))
    assert find(sound).lost_percent < 6


def test_a_clock_that_is_off_is_measured() -> None:
    slow = np.interp(np.arange(len(PROBE) * 1.0005) / 1.0005, np.arange(len(PROBE)), PROBE).astype(np.int16)
    assert find(late(slow, 500)).drift_ppm == pytest.approx(-500, abs=50)


def test_noise_silence_and_speech_are_no_probe(texts: tuple[Pcm, Pcm]) -> None:
    for sound in (noise(80_000, 3000), np.zeros(80_000, np.int16), texts[0], np.zeros(0, np.int16)):
        assert not find(sound).heard


def test_a_bridge_of_two_late_and_drifting_devices_loses_no_frame_of_the_probe() -> None:
    narrow = soxr.resample(PROBE.astype(np.float32), BRIDGE_RATE, 8000).astype(np.int16)
    padded = np.concatenate((narrow, np.zeros(8000, np.int16)))
    line = Device(8000, lambda at, count: padded[at : at + count], ppm=100, late_s=0.01)
    person = Device(16000, lambda at, count: np.zeros(count, np.int16), ppm=-100, late_s=0.01)
    bridge = Bridge()
    bridge.add("line", line)
    bridge.add("person", person)
    for tick in range(round(len(padded) / 8000 * 50)):
        line.pass_to(tick * 0.02)
        person.pass_to(tick * 0.02)
        bridge.tick()
    found = find(person.played())
    assert found.heard
    assert found.delay_ms < 150
    assert found.level_db == pytest.approx(0, abs=0.5)
    assert found.lost_percent == 0


def test_speech_through_codecs_noise_and_lost_frames_is_recognised(texts: tuple[Pcm, Pcm]) -> None:
    one, _ = texts
    coded = through_gsm(through_gsm(one))
    noisy = (coded + noise(len(coded), float(coded.std()) / 3)).astype(np.int16)  # 10 dB below it
    holed = one.copy()
    for first in range(0, len(holed), 3200):
        holed[first : first + 320] = 0
    for sound in (late(one, 16_000, -20.0), coded, noisy, holed):
        assert likeness(one, sound) > RECOGNISABLE + 0.1


def test_other_speech_noise_tones_and_half_of_it_are_not_recognised(texts: tuple[Pcm, Pcm]) -> None:
    one, other = texts
    halved = one.copy()
    for first in range(0, len(halved), 6400):
        halved[first : first + 3200] = 0
    for sound in (other, one[::-1], noise(len(one), 2000), PROBE, halved, np.zeros_like(one)):
        assert likeness(one, sound) < RECOGNISABLE - 0.1


def test_a_proof_measures_each_way_of_a_path_by_itself() -> None:
    """Two modems in a call: 200 ms there; back 120 ms, 10 dB weaker, and each tenth frame is lost."""
    way_there, way_back = Line(8000, 0.2), Line(8000, 0.12, gain_db=-10.0, hole_every=10)
    one, other = Modem(way_there, way_back), Modem(way_back, way_there)
    proof = Proof(one, other)
    ticks = 1
    while not proof.tick():
        ticks += 1
    assert ticks * 0.02 == pytest.approx(proof.seconds, abs=0.05)
    there, back = proof.result()
    assert 200 <= there.delay_ms < 400  # its buffers begin at their largest
    assert 120 <= back.delay_ms < 320
    assert there.level_db == pytest.approx(0, abs=0.5)
    assert back.level_db == pytest.approx(-10, abs=1)
    assert there.lost_percent == 0
    assert 8 < back.lost_percent < 22


def test_a_proof_of_a_path_that_is_dead_one_way_says_which() -> None:
    way_there, way_back = Line(8000, 0.1), Line(8000, 0.1, gain_db=-120.0)
    proof = Proof(Modem(way_there, way_back), Modem(way_back, way_there))
    while not proof.tick():
        pass
    there, back = proof.result()
    assert there.heard
    assert not back.heard
