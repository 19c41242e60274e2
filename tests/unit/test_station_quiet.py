"""Quiet hours and what is spoken: levels over midnight, gains, words that no test can be mistaken by."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from appliance.alerting.wire_text import NOTICES, TextAbout
from appliance.audio_protocol import LONGEST_TEXT
from appliance.config_alerting import Quiet
from appliance.incident_codes import INCIDENTS as CODES
from appliance.model import AlertKind, Language
from appliance.sound.phrases import LANGUAGES
from appliance.station import words as spoken
from appliance.station.quiet import SOFTEST_DB, gain_db, level

WIT = ZoneInfo("Asia/Jayapura")
NIGHT, NOON = Quiet(begins="22:00", ends="05:00", level=40), Quiet(begins="12:00", ends="13:30", level=10)


@pytest.mark.parametrize(
    ("quiet", "at", "percent"),
    [
        (NIGHT, "21:59", 100),
        (NIGHT, "22:00", 40),
        (NIGHT, "00:00", 40),
        (NIGHT, "04:59", 40),
        (NIGHT, "05:00", 100),
        (NOON, "11:59", 100),
        (NOON, "12:00", 10),
        (NOON, "13:30", 100),
        (None, "02:00", 100),
    ],
)
def test_quiet_hours_begin_and_end_on_their_minute_of_the_sites_time(
    quiet: Quiet | None, at: str, percent: int
) -> None:
    wall = datetime.strptime(f"2026-11-26 {at}", "%Y-%m-%d %H:%M").replace(tzinfo=WIT).timestamp()
    assert level(quiet, wall, WIT, time_known=True) == percent
    assert level(quiet, wall, WIT, time_known=False) == 100


def test_half_the_loudness_is_six_decibels_less_and_nothing_is_softer_than_the_sound_process_takes() -> None:
    assert gain_db(100) == 0.0
    assert round(gain_db(50), 1) == -6.0
    assert gain_db(1) == SOFTEST_DB


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_kind_of_incident_has_a_word_and_fits_what_is_spoken(language: Language) -> None:
    for code, name in CODES.items():
        said = spoken.words(language, AlertKind.ACTUAL, code, "x" * 160, (), TextAbout.ANNOUNCE)
        assert spoken.INCIDENTS[language][name] in said
        assert len(said) < LONGEST_TEXT
        assert spoken.TEST[language] not in said


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("about", [about for about in TextAbout if about not in (*NOTICES, TextAbout.LOCKOUT)])
@pytest.mark.parametrize("kind", [kind for kind in AlertKind if kind is not AlertKind.ACTUAL])
def test_whatever_is_said_of_a_test_begins_and_ends_with_the_word_that_it_is_one(
    language: Language, about: TextAbout, kind: AlertKind
) -> None:
    said = spoken.words(language, kind, 1, "Jalan Yos Sudarso", ("Aula",), about)
    assert said.startswith(spoken.TEST[language])
    assert said.endswith(spoken.TEST_OVER[language])


def test_a_code_that_has_no_name_is_not_read_out_as_a_number() -> None:
    assert "999" not in spoken.words("id", AlertKind.ACTUAL, 999, "", (), TextAbout.ANNOUNCE)
