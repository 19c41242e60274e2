"""Meters and a transfer switch's contacts as witnesses of the mains, beside controllers and UPSes."""

from appliance import power_events as pw
from appliance.config_power import Contacts
from appliance.event import Event
from appliance.model import Mains
from appliance.power.genset_machine import GensetSeen
from appliance.power.mains_machine import MainsWatch, Witness
from appliance.power.measured import Switch
from appliance.power.plant_machine import SwitchSeen
from appliance.power.seen import by_switch


def watch(seconds: int, **says: bool | None) -> list[Event]:
    """So many polls, a second apart, of witnesses named by kind: `genset`, `ups`, `meter`, `ats`."""
    machine, told = MainsWatch(Mains.PRESENT), list[Event]()
    for at in range(seconds):
        told += machine.step([Witness(f"{kind}/x", present, 100.0 + at) for kind, present in says.items()], False)
    return told


def test_a_meter_and_a_contact_are_two_witnesses() -> None:
    assert watch(2, meter=False, ats=False) == [pw.MainsLost(witnesses=2, by=("meter/x", "ats/x"))]


def test_two_outvote_a_third_that_lies() -> None:
    assert watch(2, meter=False, ats=False, ups=True) == [pw.MainsLost(witnesses=2, by=("meter/x", "ats/x"))]


def test_one_that_lies_is_a_suspicion_and_never_an_outage() -> None:
    assert watch(600, meter=False, ups=True, genset=True) == [pw.MainsSuspected(by="meter/x")]


def test_a_contact_alone_makes_an_outage_after_three_seconds() -> None:
    assert watch(3, ats=False, ups=None) == []
    assert watch(4, ats=False, ups=None) == [pw.MainsLost(witnesses=1, by=("ats/x",))]


def transfer(polls: int, *, ups_lost: int, **others: bool) -> list[Event]:
    """A controller's fuse has blown: it says lost from the first poll on, and its set turns from the sixth. From the
    tenth the UPS is without input for so many polls."""
    machine, told = MainsWatch(Mains.PRESENT), list[Event]()
    for at in range(polls):
        says = {"genset": False, "ups": not 10 <= at < 10 + ups_lost, **others}
        told += machine.step([Witness(f"{k}/x", is_, 100.0 + at) for k, is_ in says.items()], turning=at >= 6)
    return told


def test_a_set_that_takes_the_load_from_a_good_mains_makes_no_outage_of_its_blown_fuse() -> None:
    assert transfer(60, ups_lost=3, meter=True, ats=True) == [pw.MainsSuspected(by="genset/x")]
    assert transfer(60, ups_lost=3) == [pw.MainsSuspected(by="genset/x")]  # nobody else is there


def test_a_mains_that_goes_while_a_set_turns_by_its_blown_fuse_is_an_outage_nevertheless() -> None:
    assert transfer(60, ups_lost=50)[1:] == [pw.MainsLost(witnesses=2, by=("genset/x", "ups/x"))]
    assert transfer(30, ups_lost=20, meter=False)[0] == pw.MainsLost(witnesses=2, by=("genset/x", "meter/x"))


def test_contacts_are_not_known_while_the_annunciator_is_not_there_or_they_are_not_wired() -> None:
    switch = Switch(Contacts(id="ats", name="ATS", mains_present="a", on_genset="b"))
    assert switch.seen(None, 5.0) == SwitchSeen(at=5.0)
    assert switch.seen({"a": True, "b": False}, 5.0) == SwitchSeen(mains=True, on_genset=False, at=5.0)


def test_a_set_feeds_by_current_and_by_its_switch_and_where_they_disagree_it_is_not_known() -> None:
    on, off = SwitchSeen(on_genset=True), SwitchSeen(on_genset=False)
    assert by_switch(GensetSeen(feeding=True), on).feeding is True
    assert by_switch(GensetSeen(feeding=True), off).feeding is None
    assert by_switch(GensetSeen(feeding=None), off).feeding is False
    assert by_switch(GensetSeen(feeding=True, closed=True), off).feeding is True
    assert by_switch(GensetSeen(feeding=True), SwitchSeen()).closed is None
