"""Who is told of alarms by SMS and when: gathered, escalated, capped, never a flood and never none; and the buzzer."""

import asyncio
from collections.abc import Callable

import pytest
from alarm_desk import Desk

from appliance import alarm_events as ae
from appliance import alert_events as al
from appliance import events as ev
from appliance import power_events as pw
from appliance.alarm_words import load_alarm_words
from appliance.alarms.buzzer import Buzzer
from appliance.alarms.notice_text import MOST, Told, notice_text
from appliance.alarms.notifier import Notifier
from appliance.alarms.rota_machine import Level, Person, rota
from appliance.config_alarms import Duty, Notify
from appliance.event import Event
from appliance.sms_events import SmsQueued, SmsUndelivered
from drivers.jsonsocket import Gone, Refusal

LOST, RETURNED = pw.MainsLost(witnesses=2, by=("a", "b")), pw.MainsReturned(by=("a",))
FAILED = pw.GensetFailedToStart(genset="g1", reason="deadline")
BUDI = Duty(name="Budi", number="+62000000101")
SITI = Duty(name="Siti", number="+62000000102", level=2, language="en")
START = 31.0  # s: the quiet start is over


def offline(station: str) -> al.StationOffline:
    return al.StationOffline(station=station, silent_s=9.0)


class Sms:
    """A desk whose notifier runs: the texts that went out, and the lines' no."""

    def __init__(self, *duty: Duty, notify: Notify | None = None) -> None:
        self.desk = Desk(duty=duty, notify=notify)
        self.texts: list[tuple[float, str, str]] = []
        self.keys: set[str] = set()
        self.refuses: Refusal | None = None
        self.restarted = True
        self.restart()

    def restart(self) -> None:
        """Core begins again: only the journal and its fold are left."""
        self.desk.start()
        self.notifier = Notifier(
            site=self.desk.site, state=self.desk.state, clock=self.desk.clock, append=self.desk.append,
            rows=self.desk.alarms.rows, since=self.desk.alarms.since, quiet=self.desk.alarms.quiet, give=self.give,
        )  # fmt: skip
        self.restarted = True

    async def give(self, number: str, text: str, *, lifetime_s: int, key: str) -> str:
        if self.refuses:
            raise self.refuses
        assert key not in self.keys
        self.keys.add(key)
        name = f"{len(self.texts):08x}"
        self.desk.append(
            SmsQueued(message=name, number=number, purpose="notice", text=text, parts=2, line="", lifetime_s=lifetime_s)
        )
        who = next(d.name for d in self.desk.site.duty if d.number == number)
        self.texts.append((self.desk.clock.now(), who, text))
        return name

    @property
    def told(self) -> list[str]:
        return [who for _, who, _ in self.texts]

    def play(self, *steps: tuple[float, Callable[[], object]], until: float) -> "Sms":
        """Do each at its second."""

        async def story() -> None:
            running: list[asyncio.Task[None]] = []
            for at, do in ((0.0, lambda: None), *steps, (until, lambda: None)):
                await asyncio.sleep(at - self.desk.clock.now())
                do()
                if self.restarted or at == until:
                    for task in running:
                        task.cancel()
                    await asyncio.gather(*running, return_exceptions=True)
                if self.restarted:
                    running = [asyncio.create_task(self.desk.alarms.run()), asyncio.create_task(self.notifier.run())]
                    self.restarted = False

        self.desk.clock.run(story())
        return self


def happens(sms: Sms, *events: Event) -> Callable[[], object]:
    return lambda: sms.desk.happens(*events)


def test_what_comes_together_is_one_text_that_says_the_state_first_and_then_what_to_do() -> None:
    sms = Sms(BUDI)
    sms.play((40, happens(sms, LOST)), (43, happens(sms, FAILED)), until=100)
    [(at, _, text)] = sms.texts
    assert at == pytest.approx(49, abs=2), "an urgent one waits for 5 s only"
    assert text.startswith("Pusat ")
    assert "P1 Genset gagal hidup (g1); P2 Listrik PLN padam. Gelap bila baterai habis." in text
    assert text.endswith("Akui di layar pusat.")


def test_what_is_over_before_it_was_told_needs_no_text() -> None:
    sms = Sms(BUDI)
    assert sms.play((40, happens(sms, LOST)), (60, happens(sms, RETURNED)), until=900).texts == []


def test_what_nobody_acknowledges_at_night_goes_to_the_next_level_and_an_acknowledgement_ends_it() -> None:
    sms = Sms(BUDI, SITI)
    sms.play((40, happens(sms, FAILED)), until=700)
    assert sms.told == ["Budi", "Siti"]
    at, _, text = sms.texts[1]
    assert at == pytest.approx(645, abs=5)
    assert "NOT ACKNOWLEDGED: P1 Generator failed to start" in text
    seen = Sms(BUDI, SITI)
    seen.play(
        (40, happens(seen, FAILED)), (300, lambda: seen.desk.acknowledge("genset.fail_to_start", "g1")), until=5000
    )
    assert seen.told == ["Budi"]


def test_an_urgent_alarm_that_all_levels_know_is_told_again_each_hour() -> None:
    sms = Sms(BUDI, SITI)
    sms.play((40, happens(sms, FAILED)), until=2 * 3600)
    assert sms.told == ["Budi", "Siti", "Siti"]


def test_a_text_that_did_not_arrive_is_told_again_and_to_the_next_level_at_once() -> None:
    sms = Sms(BUDI, SITI)
    lost = SmsUndelivered(message="00000000", number=BUDI.number, purpose="notice", reason="expired")
    sms.play((40, happens(sms, FAILED)), (100, happens(sms, lost)), until=110)
    assert sorted(sms.told) == ["Budi", "Budi", "Siti"]
    assert {e.what for e in sms.desk.told if isinstance(e, ae.AlarmNotified)} == {"raised", "again", "escalated"}


def test_texts_wait_until_the_lines_take_them_and_a_wrong_number_is_told_once_and_passed_over() -> None:
    sms = Sms(BUDI, SITI)
    sms.refuses = Refusal("full", "full")

    def lines_are_back() -> None:
        sms.refuses = None

    sms.play((40, happens(sms, FAILED)), (400, lines_are_back), until=410)
    assert sms.told == ["Budi"]
    wrong = Sms(BUDI)
    wrong.refuses = Refusal("bad_number", "no")
    wrong.play((40, happens(wrong, FAILED)), until=200)
    assert [e.why for e in wrong.desk.told if isinstance(e, ae.AlarmNotified)] == ["bad_number"]


def test_forty_alarms_are_a_handful_of_texts_and_an_urgent_one_among_them_goes_out_at_once() -> None:
    sms = Sms(BUDI)
    steps = [(40.0 + n * 20, happens(sms, offline(f"s{n}"))) for n in range(40)]
    sms.play(*steps, (845.0, happens(sms, FAILED)), until=2400)
    assert len(sms.texts) <= 6 + 4
    told = {key for e in sms.desk.told if isinstance(e, ae.AlarmNotified) for key in e.alarms}
    assert len(told) == 41, "every one is in a text"
    assert min(at for at, _, text in sms.texts if "Genset gagal hidup" in text) < 853


def test_a_restart_tells_nothing_twice_and_its_first_moments_are_silent() -> None:
    sms = Sms(BUDI)
    sms.play(
        (5, happens(sms, LOST)), (10, happens(sms, RETURNED)), (40, happens(sms, FAILED)), (100, sms.restart),
        (101, happens(sms, pw.GensetShutDown(genset="g1", reason="overspeed"))), until=400,
    )  # fmt: skip
    assert [round(at) for at, _, _ in sms.texts] == [45, 130]


def test_who_was_told_of_an_alarm_is_told_when_it_is_over_and_nobody_has_seen_it() -> None:
    sms = Sms(BUDI)
    sms.play((40, happens(sms, FAILED)), (100, happens(sms, pw.GensetRunning(genset="g1"))), until=900)
    assert len(sms.texts) == 2
    assert "SUDAH REDA: P1 Genset gagal hidup" in sms.texts[1][2]


def test_what_stands_under_another_or_on_the_shelf_is_in_no_text() -> None:
    sms = Sms(BUDI)
    shelf = ae.AlarmShelved(alarm="power.mains_lost", about="mains", seconds=600, reason="uji")
    sms.play(
        (40, happens(sms, ev.LinkLost(link="broker", reason="x"), offline("s1"), LOST)), (42, happens(sms, shelf)),
        until=400,
    )  # fmt: skip
    [notified] = [e for e in sms.desk.told if isinstance(e, ae.AlarmNotified)]
    assert notified.alarms == ("broker.link_lost/broker",)


WEEK = frozenset(range(7))
NIGHT = Person("malam", 1, frozenset({4}), 20 * 60, 6 * 60)  # Friday's
DAYTIME = Person("siang", 1, WEEK, 6 * 60, 20 * 60)
CHIEF = Person("kepala", 2, WEEK, 0, 0)


@pytest.mark.parametrize(
    ("weekday", "hour", "on"),
    [
        (4, 21, [Level(1, ("malam",)), Level(2, ("kepala",))]),
        (5, 3, [Level(1, ("malam",)), Level(2, ("kepala",))]),
        (5, 6, [Level(1, ("siang",)), Level(2, ("kepala",))]),
        (5, 21, [Level(2, ("kepala",))]),
        (4, 3, [Level(2, ("kepala",))]),
    ],
)
def test_a_night_shift_belongs_to_the_day_on_which_it_begins(weekday: int, hour: int, on: list[Level]) -> None:
    assert rota((NIGHT, DAYTIME, CHIEF), (weekday, hour * 60)) == on


def test_when_nobody_is_on_duty_or_the_time_is_not_known_everybody_is() -> None:
    assert rota((NIGHT,), (0, 0)) == [Level(1, ("malam",))]
    assert rota((NIGHT, DAYTIME), None) == [Level(1, ("malam", "siang"))]


@pytest.mark.parametrize("language", ["id", "en"])
def test_a_text_fits_two_parts_of_plain_letters_for_every_alarm(language: str) -> None:
    words = load_alarm_words(language)
    for code in Desk().alarms.rows:
        alarms = [Told(code, "Genset belakang kantor walikota lama", 1)] * 9
        text = notice_text(
            "escalated", "Pusat 112 Kota Ambon dan sekitarnya", "22/11 03:04 WIT", alarms, language, words
        )
        assert len(text) <= MOST
        assert text.isascii(), text
        assert words["alarm", code] in text


class Wall:
    """The annunciator's end of the buzzer's wire."""

    def __init__(self) -> None:
        self.heard: list[tuple[float, str, float]] = []
        self.stopped: list[str] = []
        self.away = False

    def on(self, desk: Desk) -> Buzzer:
        async def sound(order: str, output: str, pattern: str, seconds: float) -> None:
            if self.away:
                raise Gone("no annunciator")
            assert int(order, 16) > 0
            self.heard.append((desk.clock.now(), pattern, seconds))

        async def stop(orders: list[str]) -> None:
            self.stopped += orders

        return Buzzer("buzzer", 120.0, desk.clock, desk.alarms.audible, sound, stop)


def listen(desk: Desk, wall: Wall, *steps: tuple[float, Callable[[], object]], until: float) -> None:
    async def story() -> None:
        task = asyncio.create_task(wall.on(desk).run())
        for at, do in steps:
            await asyncio.sleep(at - desk.clock.now())
            do()
        await asyncio.sleep(until - desk.clock.now())
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    desk.clock.run(story())


def test_the_buzzer_sounds_without_a_pause_for_an_urgent_alarm_and_now_and_then_for_another() -> None:
    desk, wall = Desk(), Wall()
    listen(desk, wall, (40, lambda: desk.happens(LOST)), (110, lambda: desk.happens(FAILED)), until=240)
    assert [pattern for _, pattern, _ in wall.heard] == ["steady"] * 3 + ["pulse"] * 3
    assert wall.heard[4][0] - wall.heard[3][0] == pytest.approx(60, abs=1)


def test_the_buzzer_is_quiet_at_once_when_it_is_silenced_and_sounds_for_the_next_one() -> None:
    desk, wall = Desk(), Wall()
    listen(
        desk, wall, (40, lambda: desk.happens(FAILED)), (50, lambda: desk.desk.silence("button:quiet")),
        (300, lambda: desk.happens(LOST)), until=310,
    )  # fmt: skip
    assert len(wall.stopped) == 1
    assert [round(at) for at, _, _ in wall.heard] == [40, 300]


def test_the_buzzer_sounds_when_the_annunciator_is_back() -> None:
    desk, wall = Desk(), Wall()
    wall.away = True

    def back() -> None:
        wall.away = False

    listen(desk, wall, (40, lambda: desk.happens(FAILED)), (100, back), until=102)
    assert len(wall.heard) == 1
