"""The short form of `make sms-campaign`, and that its account would see a loss, a repetition and a stranger."""

import importlib
from pathlib import Path
from random import Random
from types import ModuleType

import pytest

from appliance.entry import Entry
from appliance.event import Event
from appliance.events import SmsReceived, encode_event
from appliance.sms_events import SmsDelivered, SmsFailed, SmsQueued, SmsSending, SmsSent, SmsUndelivered

PROJECT = Path(__file__).parents[2]
SEED = 112


@pytest.fixture
def sms(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(PROJECT))
    return importlib.import_module("tests.campaign.sms")


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(PROJECT))
    return importlib.import_module("tests.campaign.sent")


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(PROJECT))
    return importlib.import_module("tests.campaign.given")


def test_every_message_is_told_once_though_core_is_killed_and_modems_misbehave(sms: ModuleType, tmp_path: Path) -> None:
    done = sms.campaign(tmp_path, sms.SHORT, SEED)
    assert done.faults == [], done.text()
    assert done.kills == sms.SHORT.kills
    assert done.given == done.told > 40
    assert done.ends["sms.delivered"] > 10


def row(event: Event) -> Entry:
    return Entry.after(
        Entry.before_first(), wall=0.0, mono=0.0, boot="b", quality="ntp", kind=event.kind, subject=event.subject,
        actor="", cause=None, body=encode_event(event),
    )  # fmt: skip


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
    for text in texts:
        account.read(row(SmsReceived(line="l1", message="00000000", number="+62811", text=text, parts=1)))
    assert account.faults() == ([fault] if fault else [])


def test_no_text_of_a_campaign_is_given_twice_and_a_seed_gives_the_same(given: ModuleType) -> None:
    texts = [given.text(random, number) for random in [Random(SEED)] for number in range(2000)]
    assert len(set(texts)) == 2000
    again = Random(SEED)
    assert [given.text(again, number) for number in range(2000)] == texts


OUT = {"message": "00000001", "number": "+62855", "purpose": "text"}
LINE = OUT | {"line": "l1"}
QUEUED = SmsQueued(**OUT, text="satu dua", parts=2)
SENDING, AGAIN = (SmsSending(**LINE, parts=2, again=again) for again in (False, True))
SENT = SmsSent(**LINE, references=(1, 2))
UNKNOWN = SmsFailed(**LINE, reason="restarted", certain=False)
DELIVERED, UNDELIVERED = SmsDelivered(**LINE), SmsUndelivered(**OUT, reason="expired")


@pytest.mark.parametrize(
    ("events", "parts", "fault"),
    [
        ((QUEUED, SENDING, SENT, DELIVERED), (1, 2), ""),
        ((QUEUED, SENDING, UNKNOWN, AGAIN, SENT, DELIVERED), (1, 2, 1, 2), ""),
        ((QUEUED, SENDING, UNKNOWN, UNDELIVERED), (1, 2), ""),
        ((QUEUED, UNDELIVERED), (), ""),
        ((QUEUED, SENDING, SENT, DELIVERED), (1,), "the network never got it"),
        ((QUEUED, SENDING), (1, 2), "without an end"),
        ((QUEUED, SENDING, SENT, UNKNOWN), (1, 2), "without an end"),
        ((QUEUED, SENDING, SENT, DELIVERED), (1, 2, 2), "sent twice, unmarked"),
        ((QUEUED, SENDING, UNDELIVERED), (1, 2), "the network got it all, and nothing says so"),
        ((), (1, 2), "never ordered"),
    ],
)
def test_the_outbox_names_what_the_journal_and_the_network_do_not_agree_on(
    sent: ModuleType, events: tuple[Event, ...], parts: tuple[int, ...], fault: str
) -> None:
    outbox = sent.Outbox()
    for event in events:
        outbox.read(row(event))
    outbox.arrived({"count": n, "to": "+62855", "header": {"00": f"0702{part:02x}"}} for n, part in enumerate(parts, 1))
    assert [found.partition(":")[0] for found in outbox.faults()] == ([fault] if fault else [])
