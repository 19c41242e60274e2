"""Which sound goes where, from what is so."""

from typing import Any

from appliance.audio_protocol import Close, Leave, Open, Serial, Speech, Stream, Usb
from appliance.model import CallPhase
from appliance.sound.sound_machine import BOX, HEADSET, LINE, Now, Rules, steps, wanted
from appliance.stamp import Stamp
from appliance.state import Call

HOLD = Speech((("en", "hold"),), times=0)
WAIT = Speech((("en", "wait"),), times=0)
L1, L2, CUPS = Serial("/dev/l1"), Serial("/dev/l2", 16000), Usb("headset", 48000)
RULES = Rules({"l1": L1, "l2": L2}, CUPS, HOLD)


def call(name: str, line: str = "l1", phase: CallPhase = CallPhase.TALKING, seq: int = 1, **more: Any) -> Call:
    return Call(line, name, "+62000000100", phase, Stamp(seq), Stamp(seq), **more)


def now(people: dict[str, str] | None = None, **more: Any) -> Now:
    return Now(people or {}, more.pop("says", {}), **more)


def ends(open_: Open) -> dict[str, Any]:
    return {end.end: end.what for end in open_.ends}


def test_a_call_that_a_person_took_joins_the_line_with_their_headset_and_is_recorded() -> None:
    bridge = wanted([call("a")], now({"a": HEADSET}, records={"a": "/r/a"}), RULES)["a"]
    assert ends(bridge) == {LINE: L1, HEADSET: CUPS}
    assert [(end.side, end.keys, end.watched) for end in bridge.ends] == [
        ("line", True, True),
        ("person", False, False),
    ]
    assert bridge.record == "/r/a"


def test_ringing_waiting_and_ended_calls_have_no_sound() -> None:
    for phase in (CallPhase.RINGING, CallPhase.WAITING, CallPhase.ENDED, CallPhase.MISSED):
        assert wanted([call("a", phase=phase)], now({"a": HEADSET}), RULES) == {}


def test_who_dials_hears_it_ring_and_its_silence_alarms_nobody() -> None:
    bridge = wanted([call("a", phase=CallPhase.ALERTING)], now({"a": "stream:k"}), RULES)["a"]
    assert ends(bridge) == {LINE: L1, "stream:k": Stream("k")}
    assert not bridge.ends[0].watched


def test_a_line_without_sound_has_no_bridge() -> None:
    assert wanted([call("a", line="l3")], now({"a": HEADSET}), RULES) == {}


def test_the_box_speaks_to_a_greeted_caller_on_the_persons_side_of_the_recording() -> None:
    bridge = wanted([call("a")], now(says={"a": WAIT}), RULES)["a"]
    assert ends(bridge) == {LINE: L1, BOX: WAIT}
    assert bridge.ends[1].side == "person"


def test_a_person_who_is_mute_stays_in_the_bridge() -> None:
    bridge = wanted([call("a")], now({"a": HEADSET}, muted={"a"}), RULES)["a"]
    assert [end.mute for end in bridge.ends] == [False, True]


def test_a_held_caller_hears_the_box_and_the_person_has_left() -> None:
    bridge = wanted([call("a", phase=CallPhase.HELD)], now({"a": HEADSET}), RULES)["a"]
    assert ends(bridge) == {LINE: L1, BOX: HOLD}


def test_a_swap_gives_the_lines_sound_and_the_person_to_the_call_that_is_talked_on() -> None:
    held, active = call("a", phase=CallPhase.HELD), call("b", seq=2)
    people = {"b": HEADSET, "a": HEADSET}
    bridges = wanted([held, active], now(people, records={"a": "/r/a"}), RULES)
    assert ends(bridges["b"]) == {LINE: L1, HEADSET: CUPS}
    assert ends(bridges["a"]) == {}, "its recording goes on, silent"
    assert bridges["a"].record == "/r/a"
    assert list(wanted([held, active], now(people), RULES)) == ["b"], "without a recording nothing is left to keep"


def test_a_device_is_let_go_of_before_another_bridge_takes_it() -> None:
    held, active = call("a", phase=CallPhase.HELD), call("b", seq=2)
    before = wanted([call("a")], now({"a": HEADSET}, records={"a": "/r/a"}), RULES)
    after = wanted([held, active], now({"a": HEADSET, "b": HEADSET}, records={"a": "/r/a"}), RULES)
    told = steps(after, before)
    assert told[:2] == [Leave("a", LINE), Leave("a", HEADSET)]
    assert [type(step) for step in told[2:]] == [Open, Open]


def test_a_conference_is_carried_by_its_oldest_call_with_everyone_in_it() -> None:
    joined = [call("a", phase=CallPhase.JOINED, seq=1), call("b", phase=CallPhase.JOINED, seq=2)]
    bridges = wanted(joined, now({"b": "stream:k"}), RULES)
    assert list(bridges) == ["a"]
    assert ends(bridges["a"]) == {LINE: L1, "stream:k": Stream("k")}
    assert list(wanted(joined[1:], now({"b": "stream:k"}), RULES)) == ["b"], "the first one left"


def test_one_headset_is_in_one_bridge_the_last_it_was_joined_to() -> None:
    bridges = wanted([call("a"), call("b", line="l2", seq=2)], now({"a": HEADSET, "b": HEADSET}), RULES)
    assert HEADSET not in ends(bridges["a"])
    assert ends(bridges["b"]) == {LINE: L2, HEADSET: CUPS}


def test_a_call_that_a_drill_uses_is_left_alone() -> None:
    assert wanted([call("a")], now({"a": HEADSET}, apart={"a"}), RULES) == {}


def test_what_is_so_already_is_not_said_again_and_what_is_over_is_closed() -> None:
    want = wanted([call("a")], now({"a": HEADSET}), RULES)
    assert steps(want, want) == []
    assert steps({}, want) == [Close("a")]


def test_an_end_that_is_opened_anew_is_out_first() -> None:
    want = wanted([call("a")], now({"a": HEADSET}), RULES)
    out = wanted([call("a")], now({"a": HEADSET}, reopening={"a"}), RULES)
    assert steps(out, want)[0] == Leave("a", LINE)
    assert ends(out["a"]) == {HEADSET: CUPS}
