"""Wall clocks that are set by hours while an order runs, and a core that is away until its deadlines have passed."""

import asyncio
from pathlib import Path

import pytest
from order_world import CENTRE, STATION, World, play

from appliance.model import DeliveryState
from appliance.model import Path as Way

HOURS = [5.0, -5.0]


def set_clock(w: World, hours: float) -> None:
    """The wall clock of every box; monotonic time goes on as it did."""
    w.clock._start_wall += hours * 3600


@pytest.mark.parametrize("hours", HOURS)
def test_an_order_that_sounds_ends_by_its_seconds_whatever_the_clocks_show(tmp_path: Path, hours: float) -> None:
    async def story(w: World) -> None:
        await w.greeted()
        alert = await w.issue(60)
        await w.until(lambda: w.far.sounds(alert), 2)
        set_clock(w, hours)
        await asyncio.sleep(30)
        assert w.far.sounds(alert)
        assert w.alert(alert).ended is None
        await w.until(lambda: w.alert(alert).ended is not None, 35)
        assert w.far.sounded(alert) == pytest.approx(60, abs=0.5)
        assert len(w.far.spans) == 1
        assert w.delivery(alert).state is DeliveryState.ENDED
        assert w.delivery(alert).card is None

    play(tmp_path, story)


@pytest.mark.parametrize("hours", HOURS)
@pytest.mark.parametrize("way", [Way.MQTT, Way.SMS])
def test_an_order_signed_behind_a_set_clock_is_refused_greeted_and_signed_anew(
    tmp_path: Path, hours: float, way: Way
) -> None:
    """By SMS too, within the lifetime that the order has by monotonic time."""

    async def story(w: World) -> None:
        await w.greeted()
        await asyncio.sleep(30)
        set_clock(w, hours)
        w.net.loses = way is Way.SMS
        alert = await w.issue(60)
        await w.until(lambda: w.far.sounds(alert), 3 if way is Way.MQTT else 90)
        await w.until(lambda: w.delivery(alert).energised is not None, 30)
        assert w.delivery(alert).path == way
        w.net.loses = False
        await w.until(lambda: w.alert(alert).ended is not None, 120)
        assert len(w.far.spans) == 1

    play(tmp_path, story)


@pytest.mark.parametrize("hours", HOURS)
def test_an_order_under_way_by_sms_when_the_clock_is_set_sounds_and_so_ends_its_stop(
    tmp_path: Path, hours: float
) -> None:
    """It was signed by the clock that the station knows; a stop counts whatever the time."""

    async def story(w: World) -> None:
        await w.greeted()
        w.net.loses, w.net.sms_s = True, 40.0
        alert = await w.issue(200)
        sent = [m for m in w.net.sent if m[2] is Way.SMS]
        await w.until(lambda: any(m[2] is Way.SMS for m in w.net.sent[len(sent) :]), 40)
        set_clock(w, hours)
        await w.until(lambda: w.far.sounds(alert), 45)
        await w.stop(alert)
        await w.until(lambda: not w.far.sounds(alert), 60)
        await w.until(lambda: w.alert(alert).ended is not None, 120)
        assert len(w.far.spans) == 1

    play(tmp_path, story)


def test_a_deaf_station_brings_the_card_and_the_end_after_the_same_seconds(tmp_path: Path) -> None:
    took: dict[float, tuple[float, float, DeliveryState]] = {}

    def told(hours: float) -> None:
        async def story(w: World) -> None:
            await w.greeted()
            w.net.loses = w.net.swallows = True
            began = w.clock.now()
            alert = await w.issue(60)
            await asyncio.sleep(1)
            set_clock(w, hours)
            await w.until(lambda: w.delivery(alert).card is not None, 120)
            card = w.clock.now() - began
            await w.until(lambda: w.delivery(alert).over, 1200)
            assert w.far.spans == []
            took[hours] = card, w.clock.now() - began, w.delivery(alert).state

        folder = tmp_path / f"{hours}"
        folder.mkdir()
        play(folder, story)

    for hours in (0.0, *HOURS):
        told(hours)
    card, over, state = took[0.0]
    assert 10 < card <= 61
    assert over >= 300
    for hours in HOURS:
        assert took[hours][:2] == pytest.approx((card, over), abs=0.5)
        assert took[hours][2] is state


def test_an_order_recorded_before_the_clock_went_back_is_never_fresh_again(tmp_path: Path) -> None:
    async def story(w: World) -> None:
        await w.greeted()
        w.net.loses, w.net.sms = True, False
        alert = await w.issue(60)
        await w.stop(alert)
        recorded = [octets for _, to, _, octets in w.net.sent if to == STATION and octets[2] == 1]
        await asyncio.sleep(3600)
        w.net.loses = False
        set_clock(w, -1.0)
        await w.issue(5, alert_kind="silent_test")  # the station learns of the clock
        await asyncio.sleep(60)
        assert recorded
        for octets in recorded:
            w._hand(STATION, octets, Way.MQTT)
        await asyncio.sleep(60)
        assert w.far.spans == []

    play(tmp_path, story)


@pytest.mark.parametrize("away_s", [120.0, 900.0])
def test_a_centre_that_was_away_until_its_deadlines_passed_repeats_nothing_and_tells_a_person(
    tmp_path: Path, away_s: float
) -> None:
    """Killed with two orders open, one of a siren that sounds and one of a station that is deaf."""

    async def story(w: World) -> None:
        await w.greeted()
        sounds = await w.issue(60)
        await w.until(lambda: w.delivery(sounds).energised is not None, 2)
        w.net.loses, w.net.sms = True, False
        deaf = await w.issue(30)
        await asyncio.sleep(0.5)
        await w.kill(CENTRE)
        await asyncio.sleep(away_s)
        assert w.far.sounded(sounds) == pytest.approx(60, abs=0.5)
        w.centre_up()
        await w.until(lambda: w.delivery(deaf).card is not None, 2)
        w.net.loses, w.net.sms = False, True
        w.join(STATION)
        await w.until(lambda: w.alert(sounds).ended is not None, 400)
        await w.until(lambda: w.alert(deaf).ended is not None or w.delivery(deaf).over, 400)
        assert [span[0] for span in w.far.spans].count(sounds) == 1
        assert w.delivery(sounds).over
        if away_s > w.site.ladder.lifetime_s:
            assert not w.far.sounded(deaf)
            assert w.delivery(deaf).state in (DeliveryState.EXPIRED, DeliveryState.FAILED)

    play(tmp_path, story)
