"""What a run of a test is called in the list: of what was left out nothing is said to have passed."""

from types import SimpleNamespace
from typing import Any

import pytest

from appliance.alert_state import StationTest
from appliance.config import ZONES
from appliance.stamp import Stamp
from web.calendar_page import run_row
from web.words import Words, load_texts

AT = Stamp(seq=1, wall=1.0, mono=1.0, boot="b")


@pytest.mark.parametrize(
    ("good", "skipped", "told"),
    [(3, 0, "all passed"), (1, 2, "what was tested passed"), (0, 3, "nothing was tested, by rule")],
)
def test_what_a_rule_left_out_has_not_passed(good: int, skipped: int, told: str) -> None:
    words = Words("en", load_texts("en"), ZONES["WIT"])
    scene: Any = SimpleNamespace(words=words, name=str, clock=lambda at: "10:00:00", site=SimpleNamespace(station=[]))
    run = StationTest("1", "sounding", "", ("a", "b", "c"), ("siren",), AT)
    run.good, run.skipped, run.ended = good, skipped, AT
    assert run_row(scene, run).mark.word == told
