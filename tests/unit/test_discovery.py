"""What Home Assistant is told: units that its classes take, components of the right kind, nothing that never was."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from dashboard_story import figure, full_view

from appliance.config import load_site
from appliance.discovery import Discovery

ROOT = Path(__file__).parents[2]
# Home Assistant's own table (sensor device classes and the units that each takes), of what we use.
TAKES = {
    "voltage": {"V", "mV"}, "current": {"A", "mA"}, "frequency": {"Hz"}, "power": {"W", "kW"},
    "apparent_power": {"VA"}, "energy": {"kWh", "Wh"}, "temperature": {"°C", "°F", "K"},
    "pressure": {"kPa", "bar", "Pa", "psi"}, "duration": {"s", "min", "h", "d"}, "signal_strength": {"dBm", "dB"},
    "volume_storage": {"L"}, "battery": {"%"}, "power_factor": {None, "%"},
}  # fmt: skip
BINARY = {"problem", "power", "connectivity", "sound"}


@pytest.fixture
def discovery() -> Discovery:
    return Discovery(load_site(ROOT / "firmware-config/sites/demo/centre.toml"))


def parts(discovery: Discovery) -> dict[str, Any]:
    view = full_view()
    discovery.learn(view)
    found: dict[str, Any] = msgspec.json.decode(discovery.payload(view))["cmps"]
    return found


def test_every_component_is_one_that_home_assistant_takes(discovery: Discovery) -> None:
    found = parts(discovery)
    assert len(found) > 25
    assert len({part["unique_id"] for part in found.values()}) == len(found)
    for key, part in found.items():
        device_class, unit = part.get("device_class"), part.get("unit_of_measurement")
        assert part["expire_after"] == 90, key
        assert part["state_topic"].startswith("siaga/ambon/state/pusat/"), key
        if part["p"] == "binary_sensor":
            assert device_class in BINARY | {None}, key
            assert not {"unit_of_measurement", "state_class"} & part.keys(), key
        else:
            assert part["p"] == "sensor", key
            assert device_class is None or unit in TAKES[device_class], key
            assert unit is None or "state_class" in part, key


def test_units_classes_and_kinds_follow_from_the_figure(discovery: Discovery) -> None:
    found = parts(discovery)
    assert found["g1_generator_v_l1"]["device_class"] == "voltage"
    assert found["g1_energy_kwh"]["state_class"] == "total_increasing"
    assert found["u1_charge"]["device_class"] == "battery"
    assert "device_class" not in found["g1_fuel_level"]
    assert found["g1_mains_failed"]["p"] == "binary_sensor"
    assert found["g1_mains_failed"]["device_class"] == "problem"
    assert "state_class" not in found["g1_mode"]


def test_a_register_that_a_device_does_not_have_never_becomes_an_entity(discovery: Discovery) -> None:
    assert not {"g1_genset_closed", "g1_coolant_temperature", "m1_power_w"} & parts(discovery).keys()


def test_a_first_value_is_news_once(discovery: Discovery) -> None:
    view = full_view()
    assert discovery.learn(view)
    assert not discovery.learn(view)
    assert view.power
    view.power.meter_devices[0].figures["power_w"] = figure(48_000, "W")
    assert discovery.learn(view)
    assert not discovery.learn(view)
    assert msgspec.json.decode(discovery.payload(view))["cmps"]["m1_power_w"]["device_class"] == "power"
