"""What documents say that the code says too: links, words of the page, alarms, knobs, operations, stories."""

import functools
import re
from pathlib import Path

import msgspec
import pytest

from appliance.alarms.catalogue import CATALOGUE, load_catalogue
from appliance.alarms.service import NO_CATALOGUE
from appliance.annunciator_protocol import Request
from appliance.commands import NAMES
from appliance.model import ContactState, DeliveryState, OutgoingState
from appliance.power_view import Stage
from appliance.scenario import SIGHTS, VERBS, load_story
from web.words import load_texts

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *ROOT.glob("*/README.md")])
LINK = re.compile(r"\]\(([^)#\s]*)(?:#([^)\s]+))?\)")
KNOB = re.compile(r"\"([a-z_]+\.[a-z_]+)\": ")
STORY = re.compile(r"^```toml\n(title = .*?)^```$", re.MULTILINE | re.DOTALL)
PICTURE_MOST = 250_000  # bytes; everyone who clones fetches it


def document(name: str) -> str:
    return (ROOT / "docs" / name).read_text()


texts = functools.cache(load_texts)


def word(language: str, key: str) -> str:
    """A text of the page by its dotted key."""
    return texts(language)[key]


def anchors(text: str) -> set[str]:
    """GitHub's: small letters, digits, - and _ of each heading."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", h.lower()).replace(" ", "-") for h in headings}


@pytest.mark.parametrize("file", DOCUMENTS, ids=lambda f: str(f.relative_to(ROOT)))
def test_every_link_leads_somewhere(file: Path) -> None:
    for path, anchor in LINK.findall(file.read_text()):
        if "://" in path:
            continue
        target = file.parent / path if path else file
        assert target.exists(), path
        assert not anchor or anchor in anchors(target.read_text()), f"{path}#{anchor}"


def test_the_picture_is_small() -> None:
    assert (ROOT / "docs" / "page.png").stat().st_size <= PICTURE_MOST


@pytest.mark.parametrize("language", ["id", "en"])
def test_the_handbook_explains_every_alarm_in_the_pages_words(language: str) -> None:
    half = document("operator-alarms.md").partition("# Alarms")[0 if language == "id" else 2]
    for code in [*(row.code for row in load_catalogue(CATALOGUE)), NO_CATALOGUE]:
        assert f"| {word(language, f'alarm.{code}')} |" in half, code


@pytest.mark.parametrize("language", ["id", "en"])
def test_the_handbook_explains_every_stage_of_an_outage_in_the_pages_words(language: str) -> None:
    half = document("operator-power.md").partition("# Power")[0 if language == "id" else 2]
    for stage in set(Stage) - {Stage.UNKNOWN, Stage.NORMAL}:
        assert f"| `{word(language, f'power.stage.{stage}')}` |" in half, stage


@pytest.mark.parametrize("language", ["id", "en"])
def test_the_handbook_explains_every_state_of_a_delivery_in_the_pages_words(language: str) -> None:
    half = document("operator.md").partition("# Operators' handbook")[0 if language == "id" else 2]
    for state in DeliveryState:
        assert f"| `{word(language, f'delivery.{state}')}" in half, state


@pytest.mark.parametrize("language", ["id", "en"])
def test_the_handbook_explains_every_state_of_a_contact_and_what_a_crew_reads_in_the_pages_words(language: str) -> None:
    half = document("operator-alerting.md").partition("# Orders, stations and tests")[0 if language == "id" else 2]
    for state in ContactState:
        assert f"| `{word(language, f'contact.{state}')}` |" in half, state
    for key in (
        "own.order",
        "own.test",
        "own.locked",
        "own.acknowledge",
        "stations_page.unconfirmed",
        "stations_page.unlock",
    ):
        assert f"`{word(language, key)}`" in half, key


@pytest.mark.parametrize("language", ["id", "en"])
def test_the_handbook_explains_every_state_of_a_text_and_every_bearer_in_the_pages_words(language: str) -> None:
    half = document("operator.md").partition("# Operators' handbook")[0 if language == "id" else 2]
    half += document("operator-texts.md").partition("# Texts")[0 if language == "id" else 2]
    for state in OutgoingState:
        assert f"| `{word(language, f'outgoing.{state}')}" in half, state
    again = "`" + word(language, "message.again") + "`"
    assert again in half
    for bearer in ("volte", "2g", "sms_only", "none"):
        assert f"`{word(language, f'bearer.{bearer}')}`" in half, bearer
    for key in ("write.open", "write.send", "message.reply", "message.resend", "messages.all", "lines.open"):
        assert f"`{word(language, key)}`" in half, key


def test_every_knob_is_explained() -> None:
    sources = [*(ROOT / "drivers" / "sim").glob("*.py"), ROOT / "appliance" / "demo.py"]
    knobs = {knob for source in sources for knob in KNOB.findall(source.read_text())}
    assert len(knobs) > 30
    assert {k for k in knobs if f"`{k}`" not in document("simulators.md")} == set()


def test_every_operation_of_both_sockets_is_explained() -> None:
    annunciator = {str(r.__struct_config__.tag) for r in Request.__args__}
    for operations, file in ((NAMES, "sockets.md"), (annunciator, "annunciator.md")):
        told = document(file)
        assert {do for do in operations if f"`{do}`" not in told} == set()


def test_every_deed_and_sight_of_a_scenario_is_explained() -> None:
    told = document("scenarios.md")
    assert {word for word in VERBS | SIGHTS if f"| `{{ {word} = " not in told} == set()


def test_the_example_stories_are_stories(tmp_path: Path) -> None:
    examples = STORY.findall(document("scenarios.md"))
    assert len(examples) == 8
    for number, text in enumerate(examples):
        file = tmp_path / f"{number}.toml"
        file.write_text(text)
        assert load_story(file).step


def test_the_mqtt_page_names_every_topic() -> None:
    topics = msgspec.json.decode((ROOT / "docs" / "mqtt-schemas.json").read_bytes())
    told = re.sub(r"<\w+>", "+", document("mqtt.md"))
    assert {t for t in topics if f"`{t}`" not in told} == set()
