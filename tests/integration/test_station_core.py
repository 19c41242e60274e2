"""A station's core: zones, lockout and words."""

import asyncio
from pathlib import Path

import pytest
from station_box import ZONES, Station, play

from appliance.alert_events import OrderAccepted
from appliance.alerting.wire import Action, Kind, Pattern, Reason, What
from appliance.alerting.wire_health import Fault
from appliance.alerting.wire_text import Language, TextAbout
from appliance.annunciator_protocol import Barred
from appliance.local import Local
from appliance.model import AlertKind
from appliance.model import Path as Way
from appliance.station_events import (
    Announced,
    LockoutEnded,
    LockoutSet,
    NoticeTaken,
    OrderEnded,
    SirenFault,
    TextTaken,
)


def test_an_order_to_a_zone_sounds_there_and_nowhere_else(tmp_path: Path) -> None:
    async def story(s: Station) -> None:
        s.start_order(zones=2)
        await asyncio.sleep(0.1)
        assert s.box.on() == {"hall"}
        assert s.told(OrderAccepted)[0].zones == ("hall",)
        s.start_order(alert=b"alert..2")
        await asyncio.sleep(0.1)
        assert s.box.on() == {"hall", "siren"}
        assert [a.what for a in s.answers()].count(What.ENERGISED) == 2

    play(tmp_path, story, zone=ZONES)


@pytest.mark.parametrize("zones", [4, 5])
def test_an_order_that_names_a_zone_that_is_not_here_wakes_the_whole_station(tmp_path: Path, zones: int) -> None:
    async def story(s: Station) -> None:
        s.start_order(zones=zones)
        await asyncio.sleep(0.1)
        assert s.box.on() == {"siren", "hall"}
        assert s.told(OrderAccepted)[0].zones == ()

    play(tmp_path, story, zone=ZONES)


def test_one_zone_whose_line_fails_leaves_the_other_sounding_and_is_a_fault(tmp_path: Path) -> None:
    async def story(s: Station) -> None:
        s.box.relays["hall"].broken = True
        s.start_order()
        await asyncio.sleep(6)
        assert s.box.on() == {"siren"}
        assert What.ENERGISED in s.said()
        assert What.REFUSED not in s.said()
        assert [(e.output, e.fault, e.on) for e in s.told(SirenFault) if e.fault == "line"] == [("hall", "line", True)]
        assert s.healths()[-1].faults & Fault.SIREN_LINE

    play(tmp_path, story, zone=ZONES)


def test_a_locked_siren_stays_silent_through_a_restart_until_its_time_is_over(tmp_path: Path) -> None:
    async def story(s: Station) -> None:
        s.lock(60)
        await asyncio.sleep(0.1)
        assert s.said()[-1] is What.LOCKED
        order = s.start_order()
        await asyncio.sleep(0.1)
        assert s.answers()[-1].reason is Reason.LOCKED_OUT
        s.give(order)  # its copy by another path
        await asyncio.sleep(0.1)
        assert s.answers()[-1].reason is Reason.LOCKED_OUT
        s.start_order(alert=b"alert..2", kind=Kind.SILENT_TEST)
        await asyncio.sleep(0.1)
        assert s.said()[-2:] == [What.RECEIVED, What.ENDED]
        await asyncio.sleep(1800)
        await s.kill()
        await s.start()
        assert s.state.own.lockout is not None
        s.start_order(alert=b"alert..3")
        await asyncio.sleep(4)
        assert s.answers()[-1].reason is Reason.LOCKED_OUT or s.said()[-1] is What.REFUSED
        assert s.box.on() == set()
        assert s.healths()[-1].lock_minutes == 30
        await asyncio.sleep(1800)
        assert [e.why for e in s.told(LockoutEnded)] == ["time"]
        s.greet()
        s.start_order(alert=b"alert..4")
        await asyncio.sleep(0.1)
        assert s.box.on() == {"siren"}

    play(tmp_path, story)


def test_behind_a_power_cut_a_clock_that_nobody_vouches_for_does_not_shorten_a_lockout(tmp_path: Path) -> None:
    async def story(s: Station) -> None:
        s.lock(60)
        await asyncio.sleep(1800)
        await s.kill()
        s.boot, s.time_known = "boot2", False
        await s.start()
        await asyncio.sleep(3)
        assert s.healths()[-1].lock_minutes == 60
        s.unlock()
        await asyncio.sleep(0.1)
        assert s.said()[-1] is What.UNLOCKED
        s.start_order()
        await asyncio.sleep(0.1)
        assert s.box.on() == {"siren"}

    play(tmp_path, story)


def test_a_lock_ends_what_sounds_and_only_its_own_unlock_ends_it(tmp_path: Path) -> None:
    async def story(s: Station) -> None:
        s.start_order()
        await asyncio.sleep(1)
        s.lock()
        await asyncio.sleep(0.1)
        assert s.box.on() == set()
        assert s.told(OrderEnded)[-1].why == "stopped"
        s.unlock(b"lock...9")
        await asyncio.sleep(0.1)
        s.start_order(alert=b"alert..2")
        await asyncio.sleep(0.1)
        assert s.box.on() == set()
        s.unlock()
        await asyncio.sleep(0.1)
        assert s.state.own.lockout is None
        assert [type(e) for e in s.events if isinstance(e, LockoutSet | LockoutEnded)] == [LockoutSet, LockoutEnded]

    play(tmp_path, story)


def test_a_stop_is_told_and_written_once_whoever_says_first_that_it_is_silent(tmp_path: Path) -> None:
    async def story(s: Station) -> None:
        s.start_order()
        await asyncio.sleep(1)
        s.give(s.order(Action.STOP), Way.SMS)  # each answer by SMS costs the line its time
        await asyncio.sleep(5)
        assert s.box.on() == set()
        assert len(s.sms) == 1
        assert [e.why for e in s.told(OrderEnded)] == ["stopped"]

    play(tmp_path, story)


def test_an_order_that_a_lock_cuts_short_is_told_as_locked_out_and_not_as_over(tmp_path: Path) -> None:
    async def story(s: Station) -> None:
        s.start_order()
        await asyncio.sleep(1)
        s.lock()
        await asyncio.sleep(0.1)
        assert s.said().count(What.REFUSED) == 1
        assert What.ENDED not in s.said()
        assert s.answers()[-1].reason is Reason.LOCKED_OUT
        assert len(s.told(OrderEnded)) == 1
        s.start_order()  # asked again by a centre that restarted
        await asyncio.sleep(0.1)
        assert s.answers()[-1].reason is Reason.LOCKED_OUT
        s.give(s.order(Action.STOP))
        await asyncio.sleep(0.1)
        assert s.said()[-1] is What.ENDED

    play(tmp_path, story)


def test_a_lock_that_the_annunciator_hears_late_is_told_as_such(tmp_path: Path) -> None:
    async def story(s: Station) -> None:
        s.start_order()
        await asyncio.sleep(1)
        s.box.up = False
        s.lock()
        await asyncio.sleep(10)
        s.box.up = True
        s.node.on_standing(s.box.standing())
        await asyncio.sleep(0.1)
        assert s.box.on() == set()
        assert What.ENDED not in s.said()
        assert s.answers()[-1].reason is Reason.LOCKED_OUT

    play(tmp_path, story)


def test_a_lock_ends_what_sounds_since_before_a_restart(tmp_path: Path) -> None:
    async def story(s: Station) -> None:
        s.start_order()
        await asyncio.sleep(1)
        await s.kill()
        await s.start()
        assert s.box.on() == {"siren"}
        s.lock()
        await asyncio.sleep(0.1)
        assert s.box.on() == set()
        assert (s.answers()[-1].reason, s.answers()[-1].alert) == (Reason.LOCKED_OUT, b"alert..1")

    play(tmp_path, story)


def test_words_that_come_before_their_order_are_spoken_with_it_and_behind_the_siren(tmp_path: Path) -> None:
    async def story(s: Station) -> None:
        s.words("Jalan Yos Sudarso 12")
        await asyncio.sleep(20)
        s.start_order(incident=1)
        await asyncio.sleep(3)
        assert s.box.on() == {"siren"}
        assert s.voice.said == []
        await asyncio.sleep(5)
        [(language, text, gain)] = s.voice.said
        assert (language, gain) == ("id", 0.0)
        assert text == "Perhatian. Perintah berangkat. Kebakaran. Jalan Yos Sudarso 12."
        assert [e.text for e in s.told(TextTaken)] == ["Jalan Yos Sudarso 12"]
        assert s.told(Announced)[0].outcome == "spoken"
        s.words("Somewhere else")  # only the first counts
        s.words("All clear", TextAbout.ALL_CLEAR, language=Language.EN)
        await asyncio.sleep(1)
        assert [said[1] for said in s.voice.said[1:]] == ["Attention. All clear. All clear."]
        assert s.state.own.orders[b"alert..1".hex()].about == "all_clear"

    play(tmp_path, story)


def test_words_that_come_late_are_spoken_then_and_none_for_an_order_that_is_over(tmp_path: Path) -> None:
    async def story(s: Station) -> None:
        s.start_order(seconds=30)
        await asyncio.sleep(10)
        s.words("Pasar Mardika")
        await asyncio.sleep(1)
        assert [said[1] for said in s.voice.said] == [
            "Perhatian. Perintah berangkat.",
            "Perhatian. Perintah berangkat. Pasar Mardika.",
        ]
        await asyncio.sleep(30)
        s.start_order(alert=b"alert..2")
        s.give(s.order(Action.STOP, alert=b"alert..2"))
        s.words("Terminal", alert=b"alert..2")
        await asyncio.sleep(20)
        assert len(s.voice.said) == 2

    play(tmp_path, story)


def test_words_for_another_session_or_station_or_long_before_an_order_say_nothing(tmp_path: Path) -> None:
    async def story(s: Station) -> None:
        s.words("Satu", session=b"another.")
        s.words("Dua", station=8)
        s.words("Tiga")
        await asyncio.sleep(61)
        s.start_order()
        await asyncio.sleep(10)
        assert [said[1] for said in s.voice.said] == ["Perhatian. Perintah berangkat."]
        assert not s.told(TextTaken)

    play(tmp_path, story)


def test_a_press_at_the_wall_means_what_sounded_and_no_silent_test_also_behind_a_restart(tmp_path: Path) -> None:
    async def story(s: Station) -> None:
        s.start_order(kind=Kind.SILENT_TEST)
        s.start_order(alert=b"alert..2")
        await asyncio.sleep(0.1)
        assert s.node.on_acknowledge() == [b"alert..2".hex()]
        s.start_order(kind=Kind.SILENT_TEST, alert=b"alert..3")
        await asyncio.sleep(0.1)
        await s.kill()
        await s.start()
        assert s.node.on_acknowledge() == []

    play(tmp_path, story)


def test_a_sounding_test_says_that_it_is_one_and_a_silent_test_says_nothing(tmp_path: Path) -> None:
    async def story(s: Station) -> None:
        s.start_order(kind=Kind.SOUNDING_TEST)
        s.start_order(kind=Kind.SILENT_TEST, alert=b"alert..2")
        s.start_order(kind=Kind.DRILL, alert=b"alert..3")
        await asyncio.sleep(10)
        [(_, text, _)] = s.voice.said
        assert text.startswith("Uji coba. Uji coba. Ini bukan keadaan darurat.")
        assert text.endswith("Ini hanya uji coba.")
        assert [more["kind"] for _, _, more in s.box.asked] == [AlertKind.SOUNDING_TEST]
        assert s.box.asked[0][2]["priority"] == 3

    play(tmp_path, story, sounding_test=True)


def test_an_announcement_is_spoken_only_where_a_meant_zone_speaks_and_its_failure_costs_no_siren(
    tmp_path: Path,
) -> None:
    async def story(s: Station) -> None:
        s.voice.fails = True
        s.start_order(zones=1)
        await asyncio.sleep(10)
        assert s.voice.said == []
        s.start_order(alert=b"alert..2", zones=2, pattern=Pattern.YELP)
        await asyncio.sleep(10)
        assert [said[1] for said in s.voice.said] == ["Perhatian. Perintah berangkat. Untuk Aula."]
        assert [(e.zones, e.outcome) for e in s.told(Announced)] == [(("hall",), "no_sound")]
        assert s.box.on() == {"siren", "hall"}

    play(tmp_path, story, zone=ZONES)


def test_quiet_hours_lower_sirens_that_can_be_and_the_voice(tmp_path: Path) -> None:
    async def story(s: Station) -> None:
        s.start_order()
        await asyncio.sleep(10)
        assert s.box.asked[0][2]["level"] == 25
        assert round(s.voice.said[0][2], 1) == -12.0
        s.time_known = False
        s.start_order(alert=b"alert..2")
        await asyncio.sleep(1)
        assert s.box.asked[1][2]["level"] == 100

    play(tmp_path, story, quiet={"begins": "00:00", "ends": "23:59", "level": 25})


def test_a_lockout_is_confirmed_only_when_the_red_button_is_barred_too(tmp_path: Path) -> None:
    async def story(s: Station) -> None:
        s.box.up = False
        s.lock(60)
        await asyncio.sleep(1)
        answer = s.answers()[-1]
        assert (answer.what, answer.reason) == (What.REFUSED, Reason.HARDWARE)
        s.box.up = True
        await asyncio.sleep(4)
        assert s.box.locked, "it is told as soon as the annunciator is there"
        s.lock(60)
        await asyncio.sleep(1)
        assert s.said()[-1] is What.LOCKED
        s.box.locked = {}  # it restarted, and has no database
        s.node.on_standing(s.box.standing())
        await asyncio.sleep(1)
        assert s.box.locked["siren"] > 3500
        s.unlock()
        await asyncio.sleep(1)
        assert s.box.locked == {}
        assert s.said()[-1] is What.UNLOCKED

    play(tmp_path, story)


def test_a_press_that_sounded_nothing_is_told_to_the_centre_at_once_and_is_over_after_ten_minutes(
    tmp_path: Path,
) -> None:
    async def story(s: Station) -> None:
        local = Local(s.site, s.state, s.clock, s._journal.append)
        lights = asyncio.create_task(local.run(s.box))  # type: ignore[arg-type]
        local.on_barred(Barred(1, "red", s.clock.now()))
        await asyncio.sleep(4)
        assert s.healths()[-1].faults == Fault.PRESS_BARRED
        await asyncio.sleep(620)
        assert not s.healths()[-1].faults & Fault.PRESS_BARRED
        lights.cancel()

    play(tmp_path, story)


def test_words_about_a_test_are_shown_without_an_order_until_an_hour_behind_its_end_and_never_spoken(
    tmp_path: Path,
) -> None:
    async def story(s: Station) -> None:
        s.words("UJI COBA sirene 10:00", TextAbout.NOTICE, alert=b"test...1")
        s.words("UJI COBA sirene 10:00", TextAbout.NOTICE, alert=b"test...1")
        await asyncio.sleep(60)
        notice = s.node.view().notice
        assert notice is not None
        assert (notice.text, notice.over) == ("UJI COBA sirene 10:00", False)
        assert len(s.told(NoticeTaken)) == 1
        await s.kill()
        await s.start()
        assert s.node.view().notice is not None
        s.words("Selesai", TextAbout.NOTICE_OVER, alert=b"test...1")
        notice = s.node.view().notice
        assert notice is not None
        assert notice.over
        await asyncio.sleep(3700)
        assert s.node.view().notice is None
        assert not s.voice.said
        s.words("X", TextAbout.NOTICE, alert=b"test...2", session=b"another.")
        assert s.node.view().notice is None

    play(tmp_path, story)
