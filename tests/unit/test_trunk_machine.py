"""The trunk: a packet that got lost changes nothing, several in a row do."""

import pytest

from appliance.events import TrunkLost, TrunkRestored
from appliance.lines.trunk_machine import ANSWERED, GOODS_TO_RESTORE, MISSES_TO_LOSE, TrunkMachine

RESTORED = TrunkRestored(trunk="gw:5060")


def lost(reason: str) -> TrunkLost:
    return TrunkLost(trunk="gw:5060", reason=reason)


def told(machine: TrunkMachine, story: str) -> list[TrunkLost | TrunkRestored]:
    """`.` is an answer, `x` a miss."""
    events: list[TrunkLost | TrunkRestored] = []
    for mark in story:
        events += machine.probed(ANSWERED if mark == "." else "no_answer")
    return events


@pytest.mark.parametrize(
    ("story", "events"),
    [
        ("", []),
        (".", []),
        ("..", [RESTORED]),
        ("......", [RESTORED]),
        ("..x.x.xx.xx.x", [RESTORED]),
        ("..xx", [RESTORED]),
        ("..xxx", [RESTORED, lost("no_answer")]),
        ("..xxxxxxx", [RESTORED, lost("no_answer")]),
        ("xxx", [lost("no_answer")]),
        ("x.xx.xx", []),
        ("xxx.x.x.x", [lost("no_answer")]),
        ("xxx.x..", [lost("no_answer"), RESTORED]),
        (".xxx..xxx", [lost("no_answer"), RESTORED, lost("no_answer")]),
    ],
)
def test_only_so_many_in_a_row_change_what_is_believed(story: str, events: list[TrunkLost | TrunkRestored]) -> None:
    assert told(TrunkMachine("gw:5060"), story) == events


def test_the_last_miss_says_why() -> None:
    machine = TrunkMachine("gw:5060")
    assert [*machine.probed("no_answer"), *machine.probed("no_answer"), *machine.probed("status_503")] == [
        lost("status_503")
    ]


def test_what_was_believed_before_is_not_told_again() -> None:
    assert told(TrunkMachine("gw:5060", up=True), "...") == []
    assert told(TrunkMachine("gw:5060", up=False), "xxxxx") == []
    assert told(TrunkMachine("gw:5060", up=False), "..") == [RESTORED]


def test_a_single_lost_packet_cannot_count_whatever_the_numbers_are_set_to() -> None:
    assert MISSES_TO_LOSE >= 2
    assert GOODS_TO_RESTORE >= 2
