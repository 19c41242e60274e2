"""A short form of `make power-campaign`: outages and flickers on a bus with bad frames, in virtual time."""

from tests.campaign import power


def test_on_a_noisy_bus_no_outage_is_missed_and_none_is_made_up() -> None:
    summary = power.play(days=0.012, seed=3, every_s=20.0)
    assert summary.faults == []
    assert summary.outages >= 1
    assert summary.bad > 20
    assert summary.quantile(1.0) <= 8.0
