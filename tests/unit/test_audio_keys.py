"""Telephone keys in the sound: ITU-T Q.24, and no key where nobody pressed one."""

import numpy as np
import pytest

from drivers.audio.dtmf import KeyDetector, key_tone, key_tones, twisted_tone
from drivers.audio.endpoint import BRIDGE_RATE, Pcm
from drivers.audio.speech import Speaker

ALL = "0123456789*#ABCD"
FRAME = 320


def silence(seconds: float) -> Pcm:
    return np.zeros(round(seconds * BRIDGE_RATE), np.int16)


def noise(seconds: float, dbfs: float, seed: int = 1) -> Pcm:
    samples = np.random.default_rng(seed).standard_normal(round(seconds * BRIDGE_RATE))
    return np.clip(samples * 32768 * 10 ** (dbfs / 20), -32768, 32767).astype(np.int16)


def heard(*parts: Pcm, at_once: int = FRAME) -> str:
    detector, sound = KeyDetector(), np.concatenate([*parts, silence(0.1)])
    return "".join(detector.hear(sound[at : at + at_once]) for at in range(0, len(sound), at_once))


@pytest.mark.parametrize("at_once", [1, 57, FRAME, 100_000])
def test_every_key_is_heard_once_in_whatever_pieces_it_comes(at_once: int) -> None:
    keys = ALL if at_once > 1 else "5#"
    assert heard(key_tones(keys, 0.08, 0.08), at_once=at_once) == keys


@pytest.mark.parametrize("offset", range(0, FRAME, 20))
def test_40_ms_of_tone_and_40_of_gap_are_enough_wherever_they_begin(offset: int) -> None:
    assert heard(silence(0)[:0], np.zeros(offset, np.int16), key_tones("1199#D", 0.04, 0.04)) == "1199#D"


def test_20_ms_are_no_key_and_a_hole_of_10_ms_does_not_make_two() -> None:
    for offset in range(0, FRAME, 20):
        before = np.zeros(offset, np.int16)
        assert heard(before, key_tone("5", 0.02)) == ""
        assert heard(before, key_tone("5", 0.06), silence(0.01), key_tone("5", 0.06)) == "5"


@pytest.mark.parametrize(
    ("low", "high", "key"),
    [(-12, -19, "7"), (-16, -13, "7"), (-12, -22, ""), (-19, -12, ""), (-34, -34, "7"), (-50, -50, "")],
)
def test_twist_of_8_db_one_way_and_4_the_other_is_allowed_and_no_more(low: float, high: float, key: str) -> None:
    assert heard(twisted_tone("7", 0.1, low, high)) == key


def test_a_key_1_5_percent_off_is_heard_and_one_3_5_percent_off_is_none() -> None:
    for key in ALL:
        for off in (-0.015, 0.015):
            assert heard(twisted_tone(key, 0.1, -13, -13, off)) == key
        for off in (-0.035, 0.035):
            assert heard(twisted_tone(key, 0.1, -13, -13, off)) == ""


def test_keys_are_heard_through_noise_15_db_below_them() -> None:
    keys = key_tones(ALL, 0.06, 0.06)
    assert heard((keys + noise(len(keys) / BRIDGE_RATE, -28)).astype(np.int16)) == ALL


def test_noise_of_any_loudness_and_single_tones_are_no_keys() -> None:
    for dbfs in (-50, -30, -12):
        assert heard(noise(10.0, dbfs)) == ""
    assert heard(twisted_tone("1", 0.5, -10, -90), twisted_tone("1", 0.5, -90, -10)) == ""


async def test_speech_is_no_key() -> None:
    spoken = await Speaker().say(
        [
            ("id", "Selamat malam, ada kebakaran di jalan Merdeka nomor lima, tolong kirim pemadam secepatnya. " * 4),
            ("en", "Hello, there is a fire in the market, seven people are hurt, please come at once. " * 4),
            ("id", "nol satu dua tiga empat lima enam tujuh delapan sembilan sepuluh iya iya oh aduh " * 4),
        ]
    )
    assert len(spoken) > 50 * BRIDGE_RATE
    for faster in (1.0, 1.6):  # a deep and a high voice
        places = np.arange(0, len(spoken) - 1, faster)
        voice = np.interp(places, np.arange(len(spoken)), spoken).astype(np.int16)
        assert heard(voice) == ""


def test_what_is_no_key_is_refused() -> None:
    for key in ("", "E", "11", "p"):
        with pytest.raises(ValueError, match="no telephone key"):
            key_tone(key)
