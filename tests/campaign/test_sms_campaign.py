"""The short form of `make sms-campaign`, and that its account would see a loss, a repetition and a stranger."""

import importlib
from pathlib import Path
from random import Random
from types import ModuleType

import pytest

from appliance.entry import Entry
from appliance.event import Event
from appliance.events import SmsReceived, encode_event

PROJECT = Path(__file__).parents[2]
SEED = 112


@pytest.fixture
def sms(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(PROJECT))
    return importlib.import_module("tests.campaign.sms")


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(PROJECT))
    return importlib.import_module("tests.campaign.given")


def test_every_message_is_told_once_though_core_is_killed_and_modems_misbehave(sms: ModuleType, tmp_path: Path) -> None:
    done = sms.campaign(tmp_path, sms.SHORT, SEED)
    assert done.faults == [], done.text()
    assert (done.given, done.told, done.kills) == (sms.SHORT.messages, sms.SHORT.messages, sms.SHORT.kills)


def told(*texts: str) -> list[Entry]:
    def row(number: int, event: Event) -> Entry:
        return Entry.after(
            Entry.before_first(), wall=0.0, mono=0.0, boot="b", quality="ntp", kind=event.kind, subject=event.subject,
            actor="", cause=None, body=encode_event(event),
        )  # fmt: skip

    messages = (SmsReceived(line="l1", message="00000000", number="+62811", text=text, parts=1) for text in texts)
    return [row(number, event) for number, event in enumerate(messages)]


@pytest.mark.parametrize(
    ("texts", "fault"),
    [
        (("satu", "dua"), ""),
        (("satu",), "lost: ('l1', '+62811', 'dua')"),
        (("satu", "dua", "dua"), "told 2 times: ('l1', '+62811', 'dua')"),
        (("satu", "dua", "tiga"), "never given: ('l1', '+62811', 'tiga')"),
    ],
)
def test_the_account_names_what_is_not_as_it_was_given(given: ModuleType, texts: tuple[str, ...], fault: str) -> None:
    account = given.Account(given=[("l1", "+62811", "satu"), ("l1", "+62811", "dua")])
    account.read(told(*texts))
    assert account.faults() == ([fault] if fault else [])


def test_no_text_of_a_campaign_is_given_twice_and_a_seed_gives_the_same(given: ModuleType) -> None:
    texts = [given.text(random, number) for random in [Random(SEED)] for number in range(2000)]
    assert len(set(texts)) == 2000
    again = Random(SEED)
    assert [given.text(again, number) for number in range(2000)] == texts
