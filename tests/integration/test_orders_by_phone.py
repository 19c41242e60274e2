"""Orders that no siren answers: told by phone, in turn, taken back by phone; core killed at each step of it."""

import asyncio
from pathlib import Path

import pytest
from order_phone import Phone
from order_world import CENTRE, PHONE, STATION, World, centre_site, play

from appliance.commands import IssueAlert
from appliance.model import DeliveryState
from appliance.model import Path as Way
from appliance.state import Attempt


def tries(w: World, alert: str, way: Way = Way.VOICE) -> list[Attempt]:
    return [a for a in w.delivery(alert).attempts if a.path is way]


async def deaf(w: World) -> None:
    """The station is away by every path but the phone."""
    w.phone.speaks = True
    w.centre_up()
    w.leave(STATION)
    w.net.sms = False
    await asyncio.sleep(1)


def test_who_is_reached_by_phone_alone_is_told_what_and_acknowledges_by_a_key(tmp_path: Path) -> None:
    async def story(w: World) -> None:
        await w.greeted()
        w.phone.speaks, w.net.loses, w.net.swallows = True, True, True
        issued = w.clock.now()
        alert = await w.issue(60, text="Pasar Remu terbakar", incident_code=7)
        await w.until(lambda: w.delivery(alert).acknowledged is not None, 90)
        ((at, number, words),) = w.phone.said
        assert 30 + w.phone.rings_s <= at - issued <= 31 + w.phone.rings_s
        assert number == PHONE
        assert "Damkar" in words
        assert "Pasar Remu terbakar." in words
        assert "7" in words
        assert "uji coba" not in words.lower()
        assert w.delivery(alert).by == Way.VOICE
        await w.until(lambda: w.delivery(alert).over, 900)
        assert w.delivery(alert).card is None, "a person was told twice"

    play(tmp_path, story)


def test_without_a_key_the_phone_rings_three_times_and_a_person_is_called(tmp_path: Path) -> None:
    async def story(w: World) -> None:
        await deaf(w)
        w.phone.becomes = "no_key"
        alert = await w.issue(60)
        await asyncio.sleep(290)
        assert [a.failed for a in tries(w, alert) if a.failed] == ["no_key"] * 3
        assert len(w.phone.said) == 3
        assert w.delivery(alert).card_reason == "no_proof"

    play(tmp_path, story)


def test_priority_one_goes_by_every_path_at_once_and_a_needless_call_is_hung_up(tmp_path: Path) -> None:
    async def story(w: World) -> None:
        await w.greeted()
        w.phone.speaks = True
        alert = await w.issue(30, priority=1)
        assert {a.path for a in w.delivery(alert).attempts} == {Way.MQTT, Way.SMS, Way.VOICE}
        await w.until(lambda: w.far.sounds(alert), 2)
        await w.until(lambda: not w.phone.live, 3)
        assert w.phone.said == []
        await w.until(lambda: w.alert(alert).ended is not None, 60)
        assert w.delivery(alert).card is None
        assert sum(name == alert for name, _, _ in w.far.spans) == 1

    play(tmp_path, story)


def test_a_test_of_the_phone_alone_says_that_it_is_a_test_and_ends_with_the_key(tmp_path: Path) -> None:
    async def story(w: World) -> None:
        await w.greeted()
        w.phone.speaks = True
        sent = len(w.net.sent)
        alert = await w.issue(60, alert_kind="silent_test", paths=(Way.VOICE,))
        await w.until(lambda: w.alert(alert).ended is not None, 60)
        ((_, _, words),) = w.phone.said
        assert words.lower().startswith("uji coba")
        assert words.lower().rstrip(".").endswith("keadaan darurat")
        assert w.delivery(alert).state is DeliveryState.ENDED
        assert not w.far.spans
        assert not any(to == STATION and len(payload) == 106 for _, to, _, payload in w.net.sent[sent:])

    play(tmp_path, story)


def test_a_test_of_one_path_takes_no_other(tmp_path: Path) -> None:
    async def story(w: World) -> None:
        await w.greeted()
        w.phone.speaks = True
        alert = await w.issue(60, alert_kind="silent_test", paths=(Way.SMS,))
        await w.until(lambda: w.alert(alert).ended is not None, 90)
        assert {a.path for a in w.delivery(alert).attempts} == {Way.SMS}

    play(tmp_path, story)


def test_a_stop_while_it_rings_hangs_up_and_nobody_is_called_again(tmp_path: Path) -> None:
    async def story(w: World) -> None:
        await deaf(w)
        alert = await w.issue(60)
        await w.until(lambda: bool(w.phone.live), 40)
        await w.stop(alert)
        await w.until(lambda: not w.phone.live, 2)
        await w.until(lambda: w.alert(alert).ended is not None, 2)
        await asyncio.sleep(120)
        assert w.phone.said == []
        assert [a.failed for a in tries(w, alert)] == ["", "stopped"]

    play(tmp_path, story)


@pytest.mark.parametrize("after", [1.0, 40.0])
def test_what_a_call_has_told_is_taken_back_by_another_call(tmp_path: Path, after: float) -> None:
    """While the first is talked in, and behind its key."""

    async def story(w: World) -> None:
        await deaf(w)
        alert = await w.issue(600)
        await w.until(lambda: bool(w.phone.said), 60)
        await asyncio.sleep(after)
        await w.stop(alert)
        await w.until(lambda: len(w.phone.said) == 2, 60)
        assert w.phone.said[1][2].startswith("Batal.")
        assert w.alert(alert).ended is None, "the stop call is a part of the order"
        await w.until(lambda: w.alert(alert).ended is not None, 60)
        await asyncio.sleep(100)
        assert len(w.phone.said) == 2
        assert "stop" in w.delivery(alert).spoken

    play(tmp_path, story)


def test_a_stop_that_nobody_on_the_phone_hears_becomes_a_card(tmp_path: Path) -> None:
    async def story(w: World) -> None:
        await deaf(w)
        alert = await w.issue(600)
        await w.until(lambda: "start" in w.delivery(alert).spoken, 90)
        w.phone.becomes = "no_answer"
        await w.stop(alert)
        await w.until(lambda: w.alert(alert).ended is not None, 400)
        assert w.delivery(alert).card_reason == "stop_not_heard"

    play(tmp_path, story)


def test_with_every_line_in_use_the_card_comes_when_the_phone_should_have_rung(tmp_path: Path) -> None:
    async def story(w: World) -> None:
        await w.greeted()
        w.phone.speaks, w.phone.lines, w.net.loses, w.net.swallows = True, 0, True, True
        alert = await w.issue(60)
        await asyncio.sleep(29)
        assert w.delivery(alert).card is None
        await asyncio.sleep(2)
        assert w.delivery(alert).card_reason == "no_line"

    play(tmp_path, story)


def many(w: World, count: int, **more: object) -> tuple[str, ...]:
    names = tuple(f"pos{n}" for n in range(count))
    posts = [
        {"id": name, "number": 10 + n, "name": name, "key": "ab" * 32, "phone": f"+62001{n:02}", **more}
        for n, name in enumerate(names)
    ]
    keys = [s for s in w.site.station if s.local]
    site = centre_site(station=[{"id": CENTRE, "number": 1, "name": "Pusat", "local": True}, *posts])
    assert keys
    w.site = site
    return names


def test_the_plan_says_who_is_called_first_and_who_waits_too_long_gets_a_card_now(tmp_path: Path) -> None:
    async def story(w: World) -> None:
        names = many(w, 4)
        await deaf(w)
        assert w.centre
        wanted = (names[2], names[0], names[3])
        alert = str((await w.centre.issue(IssueAlert(stations=wanted), "test"))["alert"])
        await asyncio.sleep(6)  # no other path: the phone need not wait for its rung
        cards = {d.station: (d.card_reason, d.card_wait_s) for d in w.alert(alert).deliveries.values() if d.card}
        assert cards == {names[0]: ("slow_voice", 60), names[3]: ("slow_voice", 120)}
        await w.until(lambda: len(w.phone.said) == 3, 200)
        assert [number for _, number, _ in w.phone.said] == ["+6200102", "+6200100", "+6200103"]

    play(tmp_path, story)


def test_an_order_of_the_first_priority_is_told_before_those_that_wait(tmp_path: Path) -> None:
    async def story(w: World) -> None:
        names = many(w, 4)
        await deaf(w)
        assert w.centre
        await w.centre.issue(IssueAlert(stations=names[:3]), "test")
        await asyncio.sleep(8)
        await w.centre.issue(IssueAlert(stations=names[3:], priority=1), "test")
        await w.until(lambda: len(w.phone.said) == 4, 300)
        assert [number[-2:] for _, number, _ in w.phone.said] == ["00", "03", "01", "02"]

    play(tmp_path, story)


def test_fifty_stations_by_one_modem_have_cards_for_those_whose_sms_would_come_too_late(tmp_path: Path) -> None:
    async def story(w: World) -> None:
        names = many(w, 50, sms="+6200002", phone=None)
        w.centre_up()
        w.net.swallows = True
        await asyncio.sleep(0.5)
        assert w.centre
        alert = str((await w.centre.issue(IssueAlert(stations=names), "test"))["alert"])
        late = [d for d in w.alert(alert).deliveries.values() if d.card]
        assert {d.card_reason for d in late} == {"slow_sms"}
        assert [d.station for d in late] == list(names[16:]), "60 s of an SMS each 4 s"
        assert late[-1].card_wait_s == 49 * 4

    play(tmp_path, story)


KILLS = [0.05, 4.0, 30.02, 30.3, 36.0, 45.0, 63.0, 64.5, 70.0]


@pytest.mark.parametrize("kill_at", KILLS)
@pytest.mark.parametrize("stops", [False, True])
def test_core_killed_at_any_step_goes_on_tells_once_more_at_most_and_forgets_nothing(
    tmp_path: Path, kill_at: float, stops: bool
) -> None:
    async def story(w: World) -> None:
        await w.greeted()
        w.phone.speaks, w.net.loses, w.net.swallows = True, True, True
        issued = w.clock.now()
        alert = await w.issue(120)
        await asyncio.sleep(kill_at)
        heard = bool(w.phone.said)
        if stops:
            await w.stop(alert)
            await asyncio.sleep(0.02)
        await w.kill(CENTRE)
        await asyncio.sleep(2)
        w.centre_up()
        if not stops:
            await w.until(lambda: "start" in w.delivery(alert).spoken, 120)
            starts = [at for at, _, words in w.phone.said if not words.startswith("Batal")]
            assert 1 <= len(starts) <= 2
            assert starts[0] - issued < 90
        else:
            await asyncio.sleep(90)
            assert ("stop" in w.delivery(alert).spoken) == heard
            assert len([words for _, _, words in w.phone.said if not words.startswith("Batal")]) == heard
        w.net.loses = w.net.swallows = False
        await w.until(lambda: w.alert(alert).ended is not None, 1200)
        assert not w.phone.live, "a call of before the restart stands"
        assert sum(name == alert for name, _, _ in w.far.spans) <= 1

    play(tmp_path, story)


def test_the_played_phone_is_busy_while_it_is_called(tmp_path: Path) -> None:
    async def story(w: World) -> None:
        phone = Phone(w.clock, speaks=True)
        assert phone.free() == 1
        phone.live["x"] = PHONE
        assert phone.free() == 0

    play(tmp_path, story)
