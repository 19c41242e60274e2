"""Sounds that are played: files of any kind, spoken texts, tones."""

import asyncio
import wave
from pathlib import Path

import numpy as np
import pytest
import soundfile

from drivers.audio.endpoint import BRIDGE_RATE, Pcm
from drivers.audio.levels import QUIET_DBFS, Level, SilenceWatch, dbfs, mean_square
from drivers.audio.limiter import TOP, Limiter
from drivers.audio.player import Player
from drivers.audio.speech import LONGEST_TEXT, Speaker, SpeechFailed
from drivers.audio.tones import Humming, sines, tone
from drivers.audio.wav import SoundUnreadable, read_sound, write_wav


def loudest_hz(pcm: Pcm) -> float:
    spectrum = np.abs(np.fft.rfft(pcm * np.hanning(len(pcm))))
    return float(spectrum.argmax()) * BRIDGE_RATE / len(pcm)


@pytest.mark.parametrize("rate", [8000, 16000, 22050, 44100, 48000])
@pytest.mark.parametrize(
    ("subtype", "channels"), [("PCM_U8", 1), ("PCM_16", 2), ("PCM_24", 1), ("FLOAT", 2), ("ULAW", 1)]
)
def test_a_file_of_any_rate_width_and_channels_sounds_the_same(
    tmp_path: Path, rate: int, subtype: str, channels: int
) -> None:
    one = 0.25 * np.sin(2 * np.pi * 800 * np.arange(rate) / rate)
    soundfile.write(tmp_path / "a.wav", np.stack([one] * channels, axis=1), rate, subtype=subtype)
    pcm = read_sound(tmp_path / "a.wav")
    assert pcm.dtype == np.int16
    assert len(pcm) == pytest.approx(BRIDGE_RATE, abs=2)
    assert loudest_hz(pcm) == pytest.approx(800, abs=2)
    assert dbfs(mean_square(pcm[1000:-1000])) == pytest.approx(-15.05, abs=0.2)


def test_of_a_long_file_only_the_bounded_beginning_is_read(tmp_path: Path) -> None:
    write_wav(tmp_path / "a.wav", np.ones(10 * BRIDGE_RATE, np.int16))
    assert len(read_sound(tmp_path / "a.wav", longest_s=2.0)) == 2 * BRIDGE_RATE


def test_what_is_written_another_program_reads(tmp_path: Path) -> None:
    pcm = sines((500.0,), 0.1)
    write_wav(tmp_path / "a.wav", pcm)
    with wave.open(str(tmp_path / "a.wav")) as opened:
        assert (opened.getframerate(), opened.getnchannels(), opened.getsampwidth()) == (BRIDGE_RATE, 1, 2)
        assert opened.readframes(10_000) == pcm.tobytes()


def test_a_file_that_is_missing_or_no_sound_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "text.wav").write_text("no sound at all")
    for name in ("missing.wav", "text.wav", "."):
        with pytest.raises(SoundUnreadable, match="Next: put a WAV file there"):
            read_sound(tmp_path / name)


async def test_texts_are_spoken_in_both_languages_and_kept() -> None:
    speaker = Speaker()
    both = await speaker.say([("id", "Mohon tunggu"), ("en", "Please wait")])
    assert 1.0 < len(both) / BRIDGE_RATE < 5.0
    assert -35 < (dbfs(mean_square(both)) or -99) < -12
    assert abs(both.astype(int)).max() <= 16_800
    assert (await speaker.say([("en", "Mohon tunggu")]))[:8000].tolist() != both[:8000].tolist()
    speaker._program = "/nowhere"
    assert (await speaker.say([("id", "Mohon tunggu"), ("en", "Please wait")]) == both).all()


async def test_texts_that_look_like_options_or_are_empty_or_endless_do_no_harm() -> None:
    speaker = Speaker()
    assert len(await speaker.say([("id", "--version")])) > 1000
    assert len(await speaker.say([("id", "")])) < BRIDGE_RATE
    assert len(await speaker.say([])) == 0
    assert len(await speaker.say([("en", "a" * 10 * LONGEST_TEXT)])) < 200 * BRIDGE_RATE


async def test_a_missing_or_mute_or_failing_speaker_says_what_to_do(tmp_path: Path) -> None:
    for program in ("/nowhere/espeak-ng", "true", "false"):
        with pytest.raises(SpeechFailed, match="apt-get install espeak-ng"):
            await Speaker(program).say([("id", "Halo")])


async def test_a_call_off_ends_the_speaking_program(tmp_path: Path) -> None:
    program, mark = tmp_path / "slow", tmp_path / "pid"
    program.write_text(f"#!/bin/sh\necho $$ > {mark}\nexec sleep 100\n")
    program.chmod(0o755)
    task = asyncio.create_task(Speaker(str(program)).say([("id", "Halo")]))
    async with asyncio.timeout(5):
        while not mark.exists() or not mark.read_text():
            await asyncio.sleep(0.01)
    pid = int(mark.read_text())
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not Path(f"/proc/{pid}").exists()


def test_a_tone_has_the_frequencies_and_the_level_asked_for_and_soft_ends() -> None:
    for hz in ((425.0,), (350.0, 440.0)):
        pcm = tone(hz, 1.0, -20.0)
        assert dbfs(mean_square(pcm[200:-200])) == pytest.approx(-20, abs=0.1)
        assert abs(int(pcm[0])) + abs(int(pcm[-1])) < 50
        assert min(abs(loudest_hz(pcm) - one) for one in hz) < 2


def test_an_endless_tone_has_no_seam_between_frames() -> None:
    hum = Humming((425.0,), -10.0)
    pcm = np.concatenate([hum.take() for _ in range(50)])
    assert abs(pcm.astype(int) - sines((425.0,), 1.0, -10.0)).max() <= 1
    hum.close()
    assert hum.finished
    assert not len(hum.take())


def test_a_player_for_ever_never_finishes_until_it_is_closed() -> None:
    player = Player(np.full(100, 7, np.int16), times=0, rest_s=0.0)
    assert (np.concatenate([player.take() for _ in range(10)]) == 7).all()
    assert not player.finished
    player.close()
    assert player.finished
    assert Player(np.zeros(0, np.int16), times=0, rest_s=0.0).finished


def test_what_is_quiet_passes_the_limiter_untouched_and_what_is_loud_stays_under_its_top() -> None:
    limiter, quiet = Limiter(), sines((500.0,), 0.1, -12.0)
    assert (limiter.limit(quiet.astype(np.float32)) == quiet).all()
    loud = sines((500.0,), 1.0, -3.1).astype(np.float32) * 4
    out = np.concatenate([limiter.limit(loud[at : at + 320]) for at in range(0, len(loud), 320)])
    assert abs(out.astype(int)).max() <= TOP
    assert (np.sign(out) == np.sign(np.rint(loud))).mean() > 0.99
    after = [limiter.limit(quiet[:320].astype(np.float32)) for _ in range(120)]
    assert (after[-1] == quiet[:320]).all()


def test_levels_are_of_the_last_half_second_and_digital_silence_has_none() -> None:
    level = Level()
    assert level.dbfs is None
    for _ in range(25):
        level.hear(mean_square(sines((1000.0,), 0.02, -18.0)))
    assert level.dbfs == pytest.approx(-18.0, abs=0.1)
    for _ in range(25):
        level.hear(0.0)
    assert level.dbfs is None


def test_a_codecs_idle_pattern_is_silence_and_a_quiet_room_is_none() -> None:
    idle, room = SilenceWatch(), SilenceWatch()
    pattern = np.tile(np.array([8, -8], np.int16), 160)
    hiss = 32768 * 10 ** ((QUIET_DBFS + 4) / 20)
    assert [idle.hear(mean_square(pattern)) for _ in range(100)].count("silent") == 1
    assert not any(room.hear(hiss**2) for _ in range(500))
