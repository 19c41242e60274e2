"""Contacts of an alert: reached in writing or by voice, asked in sequence, told of the end; nobody is left unknown."""

from asyncio import sleep
from pathlib import Path

from contact_box import ALERT, CODE, NUMBERS, Box, a_site, play

from appliance import alert_events as al
from appliance.call_events import CallKey
from appliance.config_alerting import Contact
from appliance.model import About


def test_a_text_that_is_reported_as_delivered_is_enough_for_who_need_not_accept(tmp_path: Path) -> None:
    async def story(box: Box) -> None:
        box.issue(contacts=("rsud",), text="Kebakaran di Passo")
        await sleep(100.0)
        assert box.states() == {"rsud": "delivered"}
        assert box.said == []
        ((number, text),) = box.sent
        assert number == NUMBERS["rsud"]
        assert text == f"PERINGATAN dari PK 112. Kebakaran di Passo Balas YA {CODE} jika diterima."
        assert box.alert.settled

    play(tmp_path, story)


def test_a_text_that_is_not_delivered_in_time_is_spoken_and_a_key_accepts(tmp_path: Path) -> None:
    async def story(box: Box) -> None:
        box.texts[NUMBERS["rsud"]] = "silent"
        box.issue(contacts=("rsud",))
        await sleep(40.0)
        assert box.said == []
        await sleep(40.0)
        assert box.said == [("+62911000001", "PERINGATAN dari PK 112.")]
        assert box.states() == {"rsud": "accepted"}
        assert (box.contact("rsud").path, box.contact("rsud").by) == ("voice", "key")

    play(tmp_path, story)


def test_who_no_way_reaches_is_told_to_a_person_with_the_reason(tmp_path: Path) -> None:
    async def story(box: Box) -> None:
        box.texts[NUMBERS["rsud"]] = box.texts[NUMBERS["pmi"]] = "undelivered"
        box.calls["+62911000001"] = "no_answer"
        box.issue(contacts=("rsud", "pmi"))
        await sleep(10.0)
        assert [(e.contact, e.reason) for e in box.all(al.ContactUnreached)] == [("pmi", "refused")]
        await sleep(300.0)
        assert len(box.said) == 2
        assert [(e.contact, e.reason) for e in box.all(al.ContactUnreached)][1:] == [("rsud", "no_answer")]
        assert box.alert.settled

    play(tmp_path, story)


def test_a_line_that_is_never_free_is_a_way_that_has_failed(tmp_path: Path) -> None:
    async def story(box: Box) -> None:
        box.lines = 0
        box.issue(contacts=("rsal",))
        await sleep(299.0)
        assert box.states() == {"rsal": "queued"}
        await sleep(5.0)
        assert box.states() == {"rsal": "unreached"}
        assert box.contact("rsal").reason == "no_line"

    play(tmp_path, story)


def test_a_line_is_for_a_station_that_has_not_got_its_order_before_it_is_for_a_contact(tmp_path: Path) -> None:
    async def story(box: Box) -> None:
        box.issue(stations=("sta",), contacts=("rsal",))
        await sleep(60.0)
        assert box.said == []
        box.append(al.DeliveryEnergised(alert=ALERT, station="sta", path="sms", remaining_s=50))
        await sleep(3.0)
        assert len(box.said) == 1

    play(tmp_path, story)


def test_a_sequence_asks_one_after_the_other_and_the_first_who_accepts_has_it(tmp_path: Path) -> None:
    async def story(box: Box) -> None:
        box.calls["+62911000001"] = "no_answer"
        box.calls["+62911000002"] = "declined"
        box.issue(groups=("hospitals",), text="3 korban")
        await sleep(3.0)
        assert box.states() == {"rsud": "asked", "rsal": "queued", "pmi": "queued"}
        assert box.sent[0][1].endswith(f"Balas YA {CODE} jika sanggup, TIDAK {CODE} jika tidak.")
        await sleep(55.0)
        assert box.states()["rsal"] == "queued"  # the first one has 60 s
        await sleep(10.0)
        assert box.states() == {"rsud": "delivered", "rsal": "asked", "pmi": "queued"}
        assert box.said[-1] == ("+62911000002", "ALERT from PK 112. 3 korban")
        await sleep(18.0)  # it declines, and the next one is asked at once
        assert box.states() == {"rsud": "delivered", "rsal": "declined", "pmi": "delivered"}
        box.reply("pmi", f"Ya {CODE}")
        await sleep(10.0)
        assert box.states() == {"rsud": "spared", "rsal": "declined", "pmi": "accepted"}
        assert box.alert.taken == {"hospitals": "pmi"}
        assert box.sent[-1] == (
            NUMBERS["rsud"],
            f"SUDAH ADA yang menyanggupi peringatan {CODE} dari PK 112. Anda tidak diperlukan lagi.",
        )
        assert box.contact("rsud").notes["taken"].reached
        assert box.alert.settled

    play(tmp_path, story)


def test_who_was_not_asked_yet_hears_nothing_when_another_accepts(tmp_path: Path) -> None:
    async def story(box: Box) -> None:
        box.issue(groups=("hospitals",))
        await sleep(30.0)
        assert box.states() == {"rsud": "accepted", "rsal": "spared", "pmi": "spared"}
        await sleep(100.0)
        assert len(box.sent) == len(box.said) == 1

    play(tmp_path, story)


def test_a_sequence_in_which_nobody_accepts_is_told_to_a_person_and_a_late_yes_still_counts(tmp_path: Path) -> None:
    async def story(box: Box) -> None:
        box.calls["+62911000001"] = box.calls["+62911000002"] = "no_answer"
        box.issue(groups=("hospitals",))
        await sleep(181.0)
        assert not box.all(al.SequenceExhausted)
        await sleep(60.0)  # a second call to one of them rings yet
        assert len(box.all(al.SequenceExhausted)) == 1
        assert set(box.states().values()) == {"unreached"}
        assert box.alert.settled
        box.reply("pmi", "OK")
        await sleep(10.0)
        assert box.states()["pmi"] == "accepted"
        assert box.alert.taken == {"hospitals": "pmi"}

    play(tmp_path, story)


def test_who_accepted_and_then_declines_leaves_nobody_and_a_person_is_told(tmp_path: Path) -> None:
    async def story(box: Box) -> None:
        box.issue(groups=("hospitals",))
        await sleep(30.0)
        assert box.alert.taken == {"hospitals": "rsud"}
        box.reply("rsud", f"TIDAK {CODE}")
        await sleep(2.0)
        assert box.states()["rsud"] == "declined"
        assert box.alert.taken == {"hospitals": ""}
        assert len(box.all(al.SequenceExhausted)) == 1

    play(tmp_path, story)


def test_an_answer_to_two_alerts_counts_only_with_its_number(tmp_path: Path) -> None:
    async def story(box: Box) -> None:
        other = "00000000000000ab"
        for alert in (ALERT, other):
            box.issue(alert, contacts=("pmi",))
        await sleep(10.0)
        box.reply("pmi", "ya")
        await sleep(2.0)
        assert not box.all(al.ContactAccepted)
        box.reply("pmi", "YA 271.")
        await sleep(2.0)
        assert [e.alert for e in box.all(al.ContactAccepted)] == [other]
        box.reply("pmi", "ya")  # one alone waits now
        await sleep(2.0)
        assert [e.alert for e in box.all(al.ContactAccepted)] == [other, ALERT]

    play(tmp_path, story)


def test_what_is_neither_yes_nor_no_or_of_a_stranger_changes_nothing(tmp_path: Path) -> None:
    async def story(box: Box) -> None:
        box.issue(groups=("all",))
        await sleep(10.0)
        box.reply("pmi", "Yang mana? YA atau TIDAK")
        box.reply("rsal", "YA")  # its number for texts is not in the site file
        await sleep(2.0)
        assert not box.all(al.ContactAccepted)

    play(tmp_path, story)


def test_all_clear_goes_to_who_was_asked_and_each_is_tracked(tmp_path: Path) -> None:
    async def story(box: Box) -> None:
        box.issue(groups=("hospitals",))
        await sleep(30.0)
        assert (await box.tell(About.ALL_CLEAR, "Api padam"))["repeated"] is False
        assert (await box.tell(About.ALL_CLEAR, "Api padam"))["repeated"] is True
        await sleep(20.0)
        assert box.alert.stopped
        assert box.sent[-1] == (NUMBERS["rsud"], f"AMAN: peringatan {CODE} dari PK 112 selesai. Api padam")
        assert len(box.sent) == 2
        assert box.contact("rsud").notes["all_clear"].path == "sms"
        assert box.contact("rsal").notes == {}
        assert box.states()["rsud"] == "accepted"

    play(tmp_path, story)


def test_a_false_alarm_by_voice_is_understood_by_the_key_and_an_unreached_one_is_told(tmp_path: Path) -> None:
    async def story(box: Box) -> None:
        box.issue(contacts=("rsal",))
        await sleep(30.0)
        box.calls["+62911000002"] = "no_answer"
        await box.tell(About.FALSE_ALARM)
        await sleep(60.0)
        assert box.said[-1][1] == "FALSE ALARM: disregard alert 2 7 0 from PK 112."
        assert not box.all(al.ContactUnreached)
        await sleep(200.0)
        assert [(e.about, e.reason) for e in box.all(al.ContactUnreached)] == [("false_alarm", "no_answer")]

    play(tmp_path, story)


def test_a_stop_ends_the_asking_and_the_call_under_way(tmp_path: Path) -> None:
    async def story(box: Box) -> None:
        box.issue(groups=("hospitals",))
        await sleep(5.0)
        box.append(al.AlertStopped(alert=ALERT, via="page"))
        await sleep(100.0)
        assert len(box.hung_up) == len(box.said) == 1
        assert box.states() == dict.fromkeys(("rsud", "rsal", "pmi"), "cancelled")
        assert box.alert.settled
        assert not box.all(al.SequenceExhausted)

    play(tmp_path, story)


def test_a_restart_in_a_call_ends_it_and_takes_the_key_that_was_pressed_in_it(tmp_path: Path) -> None:
    async def story(box: Box) -> None:
        box.issue(contacts=("rsal",))
        await sleep(8.0)
        await _killed(box, key="1")
        await sleep(5.0)
        assert box.states() == {"rsal": "accepted"}
        assert len(box.hung_up) == 1

    play(tmp_path, story)


def test_a_restart_in_a_call_without_a_key_makes_another_call_and_no_second_text(tmp_path: Path) -> None:
    async def story(box: Box) -> None:
        box.issue(groups=("hospitals",))
        await sleep(8.0)
        await _killed(box)
        await sleep(30.0)
        assert [t[3] for t in box.contact("rsud").tries] == ["restarted", "delivered"]
        assert len(box.sent) == 1
        await sleep(70.0)
        assert box.states() == {"rsud": "spared", "rsal": "accepted", "pmi": "spared"}

    play(tmp_path, story)


async def _killed(box: Box, key: str = "") -> None:
    """Core dies: what it would have said or hung up is not."""
    call = box.contact("rsud" if "rsud" in box.alert.contacts else "rsal").tries[-1][1]
    if key:
        box.append(CallKey(line="l1", call=call, key=key, source="sound"))
    box.hang_up = _nothing  # type: ignore[method-assign]
    await box.end()
    del box.hang_up
    box._live = 0
    box.start()


async def _nothing(line: str, call: str, actor: str) -> object:
    return {}


def test_after_a_reboot_nobody_is_asked_any_more_and_a_person_is_told(tmp_path: Path) -> None:
    async def story(box: Box) -> None:
        box.lines = 0
        box.issue(groups=("hospitals",), contacts=("rsal",))
        await sleep(3.0)
        await box.end()
        box.boot, box.lines = "boot2", 1
        box.start()
        await sleep(10.0)
        assert box.said == []
        assert box.states() == {"rsal": "unreached", "rsud": "unreached", "pmi": "unreached"}
        assert len(box.all(al.SequenceExhausted)) == 1
        assert box.contact("pmi").reason == "restarted"

    play(tmp_path, story)


def test_tests_and_drills_say_so_first_and_last(tmp_path: Path) -> None:
    async def story(box: Box) -> None:
        box.issue(contacts=("pmi",), alert_kind="silent_test", text="Kebakaran")
        await sleep(5.0)
        assert box.sent[0][1] == (
            f"UJI COBA. UJI COBA. PERINGATAN dari PK 112. Kebakaran Balas YA {CODE} jika diterima. "
            "Ini hanya UJI COBA, bukan keadaan darurat."
        )

    play(tmp_path, story)


def test_a_contact_that_left_the_site_file_is_unreached_not_forgotten(tmp_path: Path) -> None:
    async def story(box: Box) -> None:
        box.issue(contacts=("pmi",))
        await box.end()
        box.site = a_site(contact=(Contact(id="rsud", name="R", sms="+62811000009"),), group=())
        box.start()
        await sleep(3.0)
        assert box.states() == {"pmi": "unreached"}
        assert box.contact("pmi").reason == "no_number"

    play(tmp_path, story)
