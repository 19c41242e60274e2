"""The trunk's witnesses and the verdict on it: a packet that got lost changes nothing; whose fault it is, is found."""

import pytest

from appliance.event import Event
from appliance.events import TrunkLost, TrunkRestored
from appliance.model import Standing, Trunk
from appliance.trunk.verdict_machine import Seen, Verdict, VerdictMachine, verdict
from appliance.trunk.witness_machine import (
    ANSWERED,
    GOODS_TO_RESTORE,
    LEAST_COUNTED,
    MISSES_TO_LOSE,
    WINDOW,
    LossMachine,
    WitnessMachine,
)
from appliance.trunk_events import TrunkBlamed, TrunkDegraded, TrunkSteady


def after(story: str, why: str = "no_answer") -> WitnessMachine:
    """`.` is an answer, `x` a miss."""
    machine = WitnessMachine()
    for now, mark in enumerate(story):
        machine.probed(ANSWERED if mark == "." else why, float(now))
    return machine


@pytest.mark.parametrize(
    ("story", "standings"),
    [
        (".", "?"),
        ("..", "?+"),
        ("..x.x.xx.xx.x", "?++++++++++++"),
        ("..xxx", "?+++-"),
        ("..xxxxxxx", "?+++-----"),
        ("xxx", "??-"),
        ("x.xx.xx", "???????"),
        ("xxx.x.x.x", "??-------"),
        ("xxx.x..", "??----+"),
        (".xxx..xxx", "???--+++-"),
    ],
)
def test_only_so_many_in_a_row_change_what_is_believed(story: str, standings: str) -> None:
    marks = {Standing.UNKNOWN: "?", Standing.UP: "+", Standing.LOST: "-"}
    assert "".join(marks[after(story[:n]).standing] for n in range(1, len(story) + 1)) == standings


def test_the_last_miss_says_why_and_an_answer_forgets_it() -> None:
    machine = after("..xx")
    machine.probed("status_503", 4.0)
    assert (machine.standing, machine.why, machine.since) == (Standing.LOST, "status_503", 4.0)
    machine.probed(ANSWERED, 5.0)
    assert machine.why == "status_503"  # it is still lost
    machine.probed(ANSWERED, 6.0)
    assert (machine.why, machine.since) == ("", 6.0)


def test_a_witness_that_may_not_be_asked_says_nothing() -> None:
    machine = after("xxx")
    machine.probed("forbidden", 9.0)
    assert (machine.standing, machine.why, machine.doubtful) == (Standing.UNKNOWN, "forbidden", False)


@pytest.mark.parametrize(
    ("story", "doubts"), [("", False), ("..", False), ("..x", True), ("..x.", False), ("xxx", False), ("xxx.", True)]
)
def test_a_witness_doubts_while_its_last_probe_speaks_against_what_is_believed(story: str, doubts: bool) -> None:
    assert after(story).doubtful is doubts


def test_a_single_lost_packet_cannot_count_whatever_the_numbers_are_set_to() -> None:
    assert MISSES_TO_LOSE >= 2
    assert GOODS_TO_RESTORE >= 2


def lossy_after(machine: LossMachine, lost_of_ten: int, datagrams: int) -> bool:
    for n in range(datagrams):
        machine.counted(1, 1 if n % 10 < lost_of_ten else 0, float(n))
    return machine.lossy


def test_loss_is_a_share_of_a_window_and_ends_at_half_of_where_it_began() -> None:
    machine = LossMachine(10.0)
    assert not lossy_after(machine, 5, LEAST_COUNTED - 1)
    assert machine.percent is None
    assert lossy_after(machine, 2, WINDOW)
    assert machine.percent == 20.0
    for n in range(WINDOW):  # 7 of 100: below the limit, above its half
        machine.counted(1, int(n % 14 == 0), float(n))
    assert machine.lossy
    assert not lossy_after(machine, 0, WINDOW)


@pytest.mark.parametrize("lost", [0, 1, 2])
def test_one_or_two_lost_packets_are_no_loss_however_small_the_limit(lost: int) -> None:
    machine = LossMachine(1.0)
    machine.counted(LEAST_COUNTED, lost, 0.0)
    assert not machine.lossy


def test_the_window_holds_so_many_and_no_more() -> None:
    machine = LossMachine(10.0)
    machine.counted(10 * WINDOW, 10 * WINDOW, 0.0)
    machine.counted(WINDOW, 0, 1.0)
    assert machine.percent == 0.0
    machine.counted(50, 50, 2.0)
    machine.forget()
    assert (machine.lossy, machine.percent) == (False, None)


UP, LOST, UNKNOWN = Seen(Standing.UP), Seen(Standing.LOST, "no_answer"), Seen(Standing.UNKNOWN)
NAMELESS = Seen(Standing.LOST, "no_address")


@pytest.mark.parametrize(
    ("seen", "needs", "standing", "layer"),
    [
        ({}, (), "unknown", ""),
        ({"trunk": UNKNOWN}, (), "unknown", ""),
        ({"trunk": UNKNOWN, "route": UP, "dns": LOST}, (), "unknown", ""),
        ({"trunk": UP}, (), "up", ""),
        ({"trunk": UP, "route": UNKNOWN, "carrier": UP}, (), "up", ""),
        ({"trunk": LOST}, (), "down", "trunk"),
        ({"trunk": LOST, "route": UP, "carrier": UP, "dns": UP}, (), "down", "trunk"),
        ({"trunk": LOST, "route": LOST, "carrier": LOST, "dns": LOST}, (), "down", "route"),
        ({"trunk": LOST, "route": UP, "carrier": LOST, "dns": LOST}, (), "down", "carrier"),
        ({"trunk": LOST, "carrier": UP, "dns": LOST}, (), "down", "trunk"),  # its address was known
        ({"trunk": NAMELESS, "carrier": UP, "dns": LOST}, (), "down", "dns"),
        ({"trunk": NAMELESS, "dns": UP}, (), "down", "trunk"),  # the name is wrong, not the resolver
        ({"trunk": UP, "carrier": LOST}, (), "degraded", "carrier"),
        ({"trunk": UP, "dns": LOST, "route": LOST}, (), "degraded", "route"),
        ({"trunk": UP, "carrier": LOST}, ("carrier",), "down", "carrier"),  # a PBX answers; behind it is nothing
        ({"trunk": UP, "dns": LOST}, ("carrier",), "degraded", "dns"),
        ({"carrier": LOST, "dns": UP}, (), "down", "carrier"),  # no gateway is named: what carries packets decides
        ({"dns": LOST, "carrier": UP}, (), "degraded", "dns"),
        ({"carrier": UP}, (), "up", ""),
    ],
)
def test_the_layer_at_fault_is_named(seen: dict[str, Seen], needs: tuple[str, ...], standing: str, layer: str) -> None:
    told = verdict(seen, lossy=False, needs=needs)
    assert (told.standing, told.layer) == (standing, layer)


def test_loss_degrades_only_what_else_is_well() -> None:
    assert verdict({"trunk": UP}, lossy=True) == Verdict(Trunk.DEGRADED, "loss", "loss")
    assert verdict({"trunk": LOST}, lossy=True).layer == "trunk"
    assert verdict({"trunk": UP, "dns": LOST}, lossy=True).layer == "dns"


def told(*verdicts: Verdict) -> list[Event]:
    machine = VerdictMachine("gw")
    return [event for one in verdicts for event in machine.judged(one)]


NOTHING, GOOD = Verdict(), Verdict(Trunk.UP)
DOWN = Verdict(Trunk.DOWN, "trunk", "no_answer")
CUT = Verdict(Trunk.DOWN, "route", "no_default")
SLOW = Verdict(Trunk.DEGRADED, "loss", "loss")
BACK = TrunkRestored(trunk="gw")
GONE = TrunkLost(trunk="gw", reason="no_answer", layer="trunk")
WORN = TrunkDegraded(trunk="gw", layer="loss", reason="loss")


@pytest.mark.parametrize(
    ("verdicts", "events"),
    [
        ([NOTHING, NOTHING], []),
        ([NOTHING, GOOD, GOOD], [BACK]),
        ([GOOD, DOWN, DOWN, GOOD], [BACK, GONE, BACK]),
        ([DOWN, CUT, DOWN], [GONE, TrunkBlamed(trunk="gw", layer="route", reason="no_default"),
                             TrunkBlamed(trunk="gw", layer="trunk", reason="no_answer")]),
        ([DOWN, DOWN._replace(reason="status_503")], [GONE]),  # the same fault in other words is no news
        ([GOOD, SLOW, GOOD], [BACK, WORN, TrunkSteady(trunk="gw")]),
        ([SLOW, DOWN, SLOW], [BACK, WORN, GONE, BACK, WORN]),
        ([GOOD, NOTHING, GOOD], [BACK]),
    ],
)  # fmt: skip
def test_each_change_is_told_once(verdicts: list[Verdict], events: list[Event]) -> None:
    assert told(*verdicts) == events
