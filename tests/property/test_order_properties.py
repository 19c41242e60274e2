"""Whatever the network and the boxes do, and in whatever order: what must be true of siren orders stays true.

`SIAGA_EXAMPLES=2000 pytest tests/property/test_order_properties.py` looks longer.
"""

import asyncio
import os
import sys
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

sys.path.append(str(Path(__file__).parents[1] / "integration"))

from order_world import CENTRE, STATION, World, play

from appliance.alert_events import DeliveryCalled, OrderAccepted
from appliance.journal_file import read_entries
from appliance.model import DeliveryState

EXAMPLES = int(os.environ.get("SIAGA_EXAMPLES", "25"))
SETTLED = 3000  # s after the last step; by then each order has come to an end, or somebody was called
GRACE = 2.5  # s beyond an order's seconds: whole seconds in the order and in the answer, and the way between
SECONDS = [5, 30, 120]
DOWN = [0.0, 0.3, 4.0, 20.0]  # s
PROVEN = (DeliveryState.ENDED, DeliveryState.CANCELLED)


@dataclass
class Told:
    """What a story did. `lost`: how often an annunciator forgot all; `reset`: whether its core did too."""

    seconds: dict[str, int] = field(default_factory=dict)
    drills: set[str] = field(default_factory=set)
    place: dict[str, str] = field(default_factory=dict)
    lost: dict[str, int] = field(default_factory=lambda: {CENTRE: 0, STATION: 0})
    reset: bool = False


Do = Callable[[World, Told], Awaitable[None]]


def issue(to: str, seconds: int, kind: str) -> Do:
    async def do(w: World, told: Told) -> None:
        if w.centre:
            alert = await w.issue(seconds, to, alert_kind=kind)
            told.seconds[alert], told.place[alert] = seconds, to
            if kind == "drill":
                told.drills.add(alert)

    return do


def phone(knob: str, *values: object) -> st.SearchStrategy[Do]:
    def to(value: object) -> Do:
        async def do(w: World, _told: Told) -> None:
            setattr(w.phone, knob, value)

        return do

    return st.sampled_from(values).map(to)


async def stop_all(w: World, _told: Told) -> None:
    if w.centre:
        await w.stop()


def turn(knob: str, *values: object) -> st.SearchStrategy[Do]:
    def to(value: object) -> Do:
        async def do(w: World, _told: Told) -> None:
            setattr(w.net, knob, value)

        return do

    return st.sampled_from(values).map(to)


def membership(who: str) -> Do:
    async def do(w: World, _told: Told) -> None:
        if w.net.joined[who]:
            w.leave(who)
        else:
            w.join(who)

    return do


def die(who: str, down_s: float) -> Do:
    """A kill -9 of core, and its restart while the story goes on."""

    async def do(w: World, told: Told) -> None:
        if not w.runs(who):
            return
        told.reset |= who == STATION
        await w.kill(who)
        w.later(down_s, w.centre_up if who == CENTRE else w.station_up)

    return do


def lose(who: str, down_s: float, power: bool) -> Do:
    """The annunciator restarts, or only its socket is lost."""

    async def do(w: World, told: Told) -> None:
        box = w.near if who == CENTRE else w.far
        if box.up:
            told.lost[who] += power
            (box.lose_power if power else box.lose_wire)()
            w.later(down_s, box.power if power else box.wire)

    return do


def blackout(down_s: float) -> Do:
    """The whole station goes dark and comes back."""

    async def do(w: World, told: Told) -> None:
        await lose(STATION, down_s, True)(w, told)
        await die(STATION, down_s)(w, told)

    return do


places, spans = st.sampled_from([STATION, STATION, CENTRE]), st.sampled_from(DOWN)
steps = st.one_of(
    st.builds(issue, places, st.sampled_from(SECONDS), st.sampled_from(["actual", "actual", "actual", "drill"])),
    st.just(stop_all),
    st.sampled_from([CENTRE, STATION]).map(membership),
    turn("loses", True, False),
    turn("keeps", True, False),
    turn("sms", True, False),
    turn("swallows", True, False),
    turn("sms_s", 2.0, 20.0, 70.0),
    turn("mqtt_s", 0.05, 2.0, 9.0),
    turn("copies", 1, 2),
    phone("speaks", True, True, False),
    phone("becomes", "heard", "heard", "no_key", "busy", "no_answer", "no_line"),
    phone("lines", 1, 1, 0),
    st.builds(die, st.sampled_from([CENTRE, STATION]), spans),
    st.builds(lose, st.sampled_from([CENTRE, STATION]), spans, st.booleans()),
    st.builds(blackout, spans),
)
waits = st.sampled_from([0.0, 0.02, 0.3, 2.0, 7.0, 40.0])
stories = st.lists(st.tuples(waits, steps), min_size=4, max_size=25)


async def tell(w: World, told: Told, story: list[tuple[float, Do]]) -> None:
    await w.greeted()
    w.phone.speaks = True
    for wait, do in [(0.0, issue(STATION, 30, "actual")), *story]:
        await asyncio.sleep(wait)
        await do(w, told)
    await asyncio.sleep(max(DOWN) + 1)
    w.net.loses = w.net.swallows = False
    w.net.sms, w.net.keeps, w.net.copies = True, True, 1
    for who, joined in list(w.net.joined.items()):
        if not joined:
            w.join(who)
    end = w.clock.now() + SETTLED
    while w.state.open_alerts() and w.clock.now() < end:
        await asyncio.sleep(5)
    await asyncio.sleep(130)


def check(w: World, told: Told) -> None:
    for box, place in ((w.near, CENTRE), (w.far, STATION)):
        assert all(told.place.get(alert) == place for alert, _, _ in box.spans), "a siren without an order"
        assert not told.drills & {alert for alert, _, _ in box.spans}, "a drill sounded"
        assert all(to is not None for _, _, to in box.spans), "it still sounds"
    for alert, seconds in told.seconds.items():
        place = told.place[alert]
        box = w.near if place == CENTRE else w.far
        times = sum(name == alert for name, _, _ in box.spans)
        assert times <= 1 + told.lost[place], "it sounded twice"
        # A station that lost its power before its word got through is woken anew: better twice than not at all.
        whole = 1 + (told.lost[place] if told.reset and place == STATION else 0)
        assert box.sounded(alert) <= (seconds + GRACE) * whole, "it sounded too long"
        kept = w.state.alerts.get(alert)
        assert kept is not None, "an order was lost"
        assert kept.ended is not None, "an order never came to an end"
        for delivery in kept.deliveries.values():
            called = delivery.card or "start" in delivery.spoken
            assert delivery.state in PROVEN or called, f"{delivery.state}, and nobody was called"
    check_calls(w, told)
    for at, row in w.station_rows:
        if isinstance(row, OrderAccepted) and row.action == "stop":
            begun = [span for span in w.far.spans if span[0] == row.alert and span[1] > at + 0.1]
            assert not begun, "it began to sound after the station had taken a stop"
    for entry in read_entries(w.file):
        if entry.kind == "delivery.ended":
            alert, place = entry.subject.split("/")
            box = w.near if place == CENTRE else w.far
            late = [span for span in box.spans if span[0] == alert and span[2] > entry.mono + 0.1]
            assert not late, "it sounded after it was said to have ended"


def check_calls(w: World, told: Told) -> None:
    """What people heard on the phone of each alert."""
    heard: dict[str, list[tuple[float, str]]] = {}
    stopped = {entry.subject: entry.mono for entry in read_entries(w.file) if entry.kind == "alert.stopped"}
    for entry in read_entries(w.file):
        if isinstance(entry.event, DeliveryCalled) and entry.event.call in w.phone.words:
            at, _, words = w.phone.words[entry.event.call]
            heard.setdefault(entry.event.alert, []).append((at, words))
    assert sum(map(len, heard.values())) == len(w.phone.words), "a call of no order"
    for alert, calls in heard.items():
        assert all(words.startswith("Latihan") == (alert in told.drills) for _, words in calls), "a drill unmarked"
        starts = [at for at, words in calls if "Batal." not in words]
        stops = [at for at, words in calls if "Batal." in words]
        assert len(starts) <= 6, "it was called without end"
        if alert in stopped:
            assert all(at <= stopped[alert] + 0.5 for at in starts), "what was stopped was told"
            delivery = w.state.alerts[alert].deliveries[STATION]
            assert not starts or stops or delivery.card or alert in told.drills, "nobody was told that it is over"
        else:
            assert not stops, "what was not stopped was taken back"


@given(stories)
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), print_blob=True)
def test_a_siren_order_is_never_lost_never_invented_and_never_sounds_twice(story: list[tuple[float, Do]]) -> None:
    told = Told()
    with tempfile.TemporaryDirectory() as folder:

        async def whole(w: World) -> None:
            await tell(w, told, story)
            check(w, told)

        play(Path(folder), whole)


def test_the_check_itself_sees_a_siren_that_nobody_ordered(tmp_path: Path) -> None:
    async def story(w: World) -> None:
        await w.greeted()
        await w.far.sound("ab", "siren", "wail", 5)
        await asyncio.sleep(10)
        with pytest.raises(AssertionError, match="without an order"):
            check(w, Told())

    play(tmp_path, story)
