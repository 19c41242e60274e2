"""Short forms of `make power-campaign`: outages and flickers on a bus with bad frames, in virtual time."""

import pytest

from appliance.power import mains_machine
from appliance.power.mains_machine import MainsWatch, Witness
from tests.campaign import power
from tests.campaign.byte_line import byte_bus


def test_on_a_noisy_bus_no_outage_is_missed_made_up_or_told_late() -> None:
    summary = power.play(days=0.02, seed=4, every_s=20.0)
    assert summary.faults == []
    assert summary.outages >= 2
    assert summary.noise.bad > 100


def test_so_it_is_over_real_frames_with_bits_turned_on_the_way() -> None:
    summary = power.play(days=0.003, seed=9, every_s=20.0, bus=byte_bus, flickers=0.0)
    assert summary.faults == []
    assert summary.outages >= 1
    assert summary.noise.bad > 15


def flickers_only() -> str:
    """What the campaign finds wrong with a plant that meets nothing but flickers."""
    return "\n".join(power.play(days=0.012, seed=5, every_s=20.0, flickers=1.0).faults)


def test_a_flicker_is_no_outage_to_the_plant_as_it_is() -> None:
    assert flickers_only() == ""


def test_the_campaign_catches_a_plant_that_believes_too_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mains_machine.Held, "lasts", lambda held, _seconds: held._samples > 0)
    assert "an outage that was none" in flickers_only()


def test_the_campaign_catches_a_plant_that_counts_its_witnesses_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    once = MainsWatch.step

    def twice(watch: MainsWatch, witnesses: list[Witness], turning: bool) -> object:
        return once(watch, [*witnesses, *(Witness(f"other-{w.name}", w.present, w.at) for w in witnesses)], turning)

    monkeypatch.setattr(MainsWatch, "step", twice)
    assert "an outage that was none" in flickers_only()


def test_the_campaign_catches_a_plant_that_is_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mains_machine, "BOTH_S", 2.5)
    monkeypatch.setattr(mains_machine, "ALONE_S", 6.0)
    faults = power.play(days=0.004, seed=9, every_s=20.0, flickers=0.0).faults
    assert any("told after" in fault for fault in faults)
