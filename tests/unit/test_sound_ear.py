"""Whether a caller speaks: levels of half seconds as telephones have them."""

import itertools

from appliance.sound.ear_machine import Ear

NOISE, WORDS, STREET = -60.0, -28.0, -38.0


def quiet_after(*levels: float | None) -> float | None:
    """Seconds of quiet when these half seconds have been heard."""
    ear, now = Ear(), 0.0
    for level in levels:
        now += 0.5
        ear.hear(level, now)
    return ear.quiet_s(now)


def test_a_line_that_only_hums_is_quiet_from_the_first() -> None:
    assert quiet_after(*[NOISE] * 21) == 10.0


def test_a_word_ends_the_quiet() -> None:
    assert quiet_after(*[NOISE] * 20, WORDS) == 0.0
    assert quiet_after(*[NOISE] * 20, WORDS, *[NOISE] * 6) == 3.0


def test_who_talks_from_the_first_half_second_on_is_heard() -> None:
    words = itertools.islice(itertools.cycle([WORDS, WORDS, NOISE, WORDS, -33.0]), 40)
    assert (quiet_after(*words) or 0.0) <= 1.0


def test_a_street_is_not_taken_for_words_once_it_is_known_and_words_stand_out_of_it() -> None:
    assert (quiet_after(*[STREET] * 40) or 0.0) >= 14.0
    assert quiet_after(*[STREET] * 40, WORDS) == 0.0


def test_a_mute_line_tells_nothing_of_its_caller() -> None:
    assert quiet_after() is None
    assert quiet_after(*[None] * 10) is None
    assert quiet_after(*[NOISE] * 20, None) is None
    assert quiet_after(*[NOISE] * 20, None, NOISE) == 0.0


def test_levels_that_stop_coming_are_no_quiet() -> None:
    ear = Ear()
    ear.hear(NOISE, 1.0)
    assert ear.quiet_s(2.0) == 1.0
    assert ear.quiet_s(3.5) is None
