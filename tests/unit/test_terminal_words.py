"""A terminal says what a code means in the page's words; where these are missing, the code itself."""

from pathlib import Path

from appliance.cli_power_words import number
from appliance.cli_status import lines
from appliance.model import Role, Source
from appliance.page_words import load_page_words
from appliance.power_view import Dark, PowerView
from appliance.stamp import Stamp
from appliance.view import View

STAMP = Stamp(1, 0.0, 0.0, "boot", "")


def view(dark: Dark) -> View:
    power = PowerView(
        source=Source.BATTERY, mains="lost", mains_since=STAMP, witnesses=("ups/u1",), dark=dark, gensets={}, ups={},
        genset_devices=[], ups_devices=[],
    )  # fmt: skip
    return View(
        seq=1, head="", at=100.0, wall=0.0, clock_quality="ntp", zone="WIT", speed=1.0, role=Role.CENTRE, site="s",
        id="c", name="C", language="id", version="", power=power, lines=[], trunk=None, trunk_watched=False,
        stations=[], alerts=[], sirens={}, alarms=[], calls=[], messages=[], links={}, disk_failed=None, disk_kept=0,
        last=[],
    )  # fmt: skip


def test_status_says_what_feeds_and_for_how_long_in_words() -> None:
    said = lines(view(Dark(20.4, "ups_observed")))
    assert "fed by  UPS battery; Mains lost (ups/u1)" in said
    assert "dark    20 min until dark, by the rate at which its battery falls" in said
    assert "dark    38 h 54 min until dark, by the fuel at this load" in lines(view(Dark(2334.0, "fuel")))


def test_minutes_that_are_not_known_are_never_a_number() -> None:
    assert "dark    NOT KNOWN" in lines(view(Dark(None, "unknown")))


def test_a_figure_is_told_as_a_person_reads_it() -> None:
    assert [number(v) for v in (66.66796875, 74, True, "auto")] == ["66.7", "74", "yes", "auto"]


def test_without_the_pages_words_codes_stand_for_them(tmp_path: Path) -> None:
    (tmp_path / "en").mkdir()
    (tmp_path / "en" / "torn.toml").write_text("[alarm\n")
    assert load_page_words("en", tmp_path) == {}
