"""The short form of `make fuzz`, and that it would see what it is there to see."""

import importlib
from pathlib import Path
from types import ModuleType

import pytest

from drivers.modem.answers import AnswerError
from drivers.modem.at import Urc
from drivers.modem.events import CallReported
from drivers.modem.news import events_of

PROJECT = Path(__file__).parents[2]
SHORT = 200_000  # octets; a second


@pytest.fixture
def campaign(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(PROJECT))
    return importlib.import_module("tests.fuzz.campaign")


def test_noise_ends_in_values_and_typed_errors_only_and_nothing_grows(campaign: ModuleType) -> None:
    report = campaign.Campaign(seed=1).run(SHORT)
    assert report.described == []
    assert report.clean
    assert report.octets >= SHORT
    assert min(report.values, report.refused) > 1000


def test_the_same_seed_feeds_the_same_octets(campaign: ModuleType) -> None:
    first, again, other = (campaign.Campaign(seed).run(20_000) for seed in (5, 5, 6))
    assert (first.octets, first.values, first.refused) == (again.octets, again.values, again.refused)
    assert (first.octets, first.values, first.refused) != (other.octets, other.values, other.refused)


def test_an_exception_of_another_kind_is_described_with_what_was_fed(
    campaign: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fragile(octets: bytes, has_smsc: bool) -> None:
        raise KeyError("a decoder's own mistake")

    monkeypatch.setattr(campaign, "direction_of", fragile)
    report = campaign.Campaign(seed=1).run(5_000)
    assert not report.clean
    assert report.foreign > campaign.MOST_KEPT == len(report.described)
    assert 'KeyError: "a decoder\'s own mistake" at ' in report.described[0]
    assert "fed b" in report.described[0]


def test_a_typed_error_where_none_is_due_counts_too(campaign: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    def fragile(urc: Urc) -> None:
        raise AnswerError("not caught where it should be")

    monkeypatch.setattr(campaign, "events_of", fragile)
    assert campaign.Campaign(seed=1).run(5_000).foreign > 0


def test_memory_that_grows_with_the_octets_is_seen(campaign: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[list[int]] = []
    monkeypatch.setattr(campaign, "direction_of", lambda octets, has_smsc: kept.extend([i] for i in range(1000, 1200)))
    assert campaign.Campaign(seed=1).run(SHORT).growth_blocks > campaign.MOST_GROWTH_BLOCKS


def test_a_space_behind_the_name_of_a_vendor_s_call_report_changes_nothing() -> None:
    assert events_of(Urc("^CONF", "^CONF : 1")) == (CallReported("alerting", None, "^CONF", incoming=False, index=1),)
