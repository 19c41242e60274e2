"""A station's tables that cannot be right are refused with what to do."""

from typing import Any

import msgspec
import pytest

from appliance.config import Site
from appliance.config_check_station import station_faults

OUTPUTS = {
    "siren": {"pin": 17, "kind": "siren", "max_s": 600}, "hall": {"pin": 18, "kind": "buzzer", "max_s": 60},
    "lamp": {"pin": 22, "kind": "lamp"}, "amber": {"pin": 23, "kind": "light"},
}  # fmt: skip
INPUTS = {"drawn": {"pin": 5, "kind": "contact"}}
ZONE = {"id": "yard", "name": "Halaman", "output": "siren"}


def faults(**own: Any) -> list[str]:
    site = {
        "role": "station", "site": "kota", "id": "damkar", "name": "Damkar", "amber": "amber",
        "annunciator": {"socket": "a.sock", "factory": "mock", "output": OUTPUTS, "input": INPUTS},
        "own": {"id": "damkar", "number": 7, "siren": "siren", **own},
    }  # fmt: skip
    made = msgspec.convert(site, Site)
    assert made.own
    return list(station_faults(made.own, made))


def test_a_station_without_such_tables_and_one_that_is_right_have_no_fault() -> None:
    assert faults() == []
    assert faults(zone=[ZONE], watch={"current": "drawn", "lamp": "lamp"}) == []


@pytest.mark.parametrize(
    ("own", "fault"),
    [
        ({"zone": [ZONE, ZONE]}, "two zones 'yard'"),
        ({"zone": [{**ZONE, "output": "lamp"}]}, "'lamp' is no siren or buzzer"),
        ({"zone": [{**ZONE, "output": "hall"}]}, "longer than annunciator.output.hall.max_s"),
        ({"zone": [{**ZONE, "id": f"z{n}"} for n in range(17)]}, "16 zones"),
        ({"zone": [{**ZONE, "speaks": True}]}, "speaks needs a sound card"),
        ({"watch": {"tamper": "lid"}}, "own.watch.tamper: there is no input 'lid'; there is drawn"),
        ({"watch": {"lamp": "siren"}}, "there is no light 'siren'"),
        ({"watch": {"lamp": "amber"}}, "shows something else already"),
        ({"watch": {"microphone": True}}, "[sound.headset]"),
    ],
)
def test_each_fault_is_named_with_its_key(own: dict[str, Any], fault: str) -> None:
    [found] = faults(**own)
    assert fault in found
