"""Both languages have every text, and a text stands for every code that can come."""

import re
import string
from enum import StrEnum
from pathlib import Path

import pytest

from appliance import model
from appliance.alarms.catalogue import CATALOGUE, load_catalogue
from appliance.alerting.wire import Flaw, Reason
from appliance.events import KINDS
from web.words import LANGUAGES, Words, load_texts

WEB = Path(__file__).parents[2] / "web"
TEXTS = {language: load_texts(language) for language in LANGUAGES}
GROUPS: dict[str, type[StrEnum]] = {
    "kind": model.AlertKind,
    "pattern": model.Pattern,
    "path": model.Path,
    "delivery": model.DeliveryState,
    "power.mains": model.Mains,
    "power.source": model.Source,
    "genset.phase": model.GensetPhase,
    "call.phase": model.CallPhase,
    "role": model.Role,
    "reason": Flaw,
    "outgoing": model.OutgoingState,
    "purpose": model.Purpose,
}


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_both_languages_have_the_same_texts_with_the_same_fields() -> None:
    first, second = (TEXTS[language] for language in LANGUAGES)
    assert first.keys() == second.keys()
    assert {k: fields(v) for k, v in first.items()} == {k: fields(v) for k, v in second.items()}


def test_every_event_has_a_text_that_names_only_what_the_event_holds() -> None:
    for kind, event in KINDS.items():
        text = TEXTS["id"].get(f"event.{kind}")
        assert text is not None, f"no text for {kind}"
        assert fields(text) <= set(event.__struct_fields__), kind
    told = {key.removeprefix("event.") for key in TEXTS["id"] if key.startswith("event.")}
    assert told == set(KINDS)


@pytest.mark.parametrize("group", GROUPS)
def test_every_code_shown_has_a_word(group: str) -> None:
    assert {str(code) for code in GROUPS[group] if f"{group}.{code}" not in TEXTS["id"]} == set()


def test_every_reason_of_a_station_has_a_word() -> None:
    assert [r.name for r in Reason if r is not Reason.NONE and f"reason.{r.name.lower()}" not in TEXTS["id"]] == []


def test_every_alarm_says_what_it_is_what_follows_and_what_to_do() -> None:
    for row in load_catalogue(CATALOGUE):
        for key in (f"alarm.{row.code}", f"alarm_step.{row.code}"):
            assert key in TEXTS["id"], f"no text {key}"


def test_every_text_that_a_template_asks_for_is_there() -> None:
    asked = set()
    for template in (WEB / "templates").rglob("*.html"):
        asked |= set(re.findall(r'\bt\("([a-z_.-]+)"', template.read_text()))
    assert asked
    assert asked <= set(TEXTS["id"])


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (0, "0 dtk"),
        (59.9, "59 dtk"),
        (60, "1 mnt"),
        (206, "3 mnt 26 dtk"),
        (11520, "3 jam 12 mnt"),
        (90000, "1 hari 1 jam"),
    ],
)
def test_a_span_is_told_in_its_two_largest_units(seconds: float, told: str) -> None:
    assert _words("id").span(seconds) == told


def test_figures_are_written_as_people_there_write_them() -> None:
    assert _words("id").number(-9.84, 1) == "−9,8"
    assert _words("en").number(-9.84, 1) == "−9.8"


def _words(language: str) -> Words:
    from appliance.config import ZONES

    return Words(language, TEXTS[language], ZONES["WIT"])
