"""A short form of `make power-campaign`: outages and flickers on a bus with bad frames, in virtual time."""

import pytest

from appliance.power.mains_machine import Held, MainsWatch
from tests.campaign import power


def test_on_a_noisy_bus_no_outage_is_missed_and_none_is_made_up() -> None:
    summary = power.play(days=0.012, seed=3, every_s=20.0)
    assert summary.faults == []
    assert summary.outages >= 1
    assert summary.bad > 20
    assert summary.quantile(1.0) <= 8.0


def test_over_a_real_line_that_garbles_bytes_too() -> None:
    summary = power.play(days=0.0025, seed=3, every_s=20.0, wire=True)
    assert summary.faults == []
    assert summary.outages == 1
    assert summary.bad > 10
    assert summary.quantile(1.0) <= 8.0


def test_a_box_that_believes_one_witness_at_once_fails_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Held, "lasts", lambda held, seconds: held._samples >= 1)
    summary = power.play(days=0.012, seed=3, every_s=20.0)
    assert any("an outage that was none" in fault for fault in summary.faults)


def test_a_box_that_never_believes_them_fails_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MainsWatch, "_outage", lambda *_: [])
    summary = power.play(days=0.005, seed=3, every_s=20.0)
    assert any("an outage that was not told" in fault for fault in summary.faults)
