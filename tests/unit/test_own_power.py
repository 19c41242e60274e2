"""What a station tells of its supply, from what its own power room measured."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from appliance.alerting.wire import Supply
from appliance.alerting.wire_health import DAYS_UNKNOWN
from appliance.config_alerting import Beat, Supervision
from appliance.core_keys import Ages
from appliance.figure import Figure
from appliance.model import Source
from appliance.power_view import DeviceView
from appliance.station.own_power import OwnPower, own_power
from appliance.station_room import StationRoom

NOW = 1000.0


def ups(name: str, at: float = NOW, **points: float | bool) -> DeviceView:
    figures = {point: Figure(value, "", "good", at, 5.0) for point, value in points.items()}
    return DeviceView(name, name, figures, None, "ups")


def view(source: Source, *devices: DeviceView) -> Any:
    return SimpleNamespace(source=source, ups_devices=list(devices))


@pytest.mark.parametrize(
    ("source", "supply"),
    [
        (Source.MAINS, Supply.MAINS), (Source.GENSET, Supply.GENERATOR), (Source.BATTERY, Supply.BATTERY),
        (Source.UNKNOWN, Supply.UNKNOWN),
    ],
)  # fmt: skip
def test_what_feeds_the_building_is_the_stations_supply(source: Source, supply: Supply) -> None:
    assert own_power(view(source), NOW).supply is supply


def test_the_emptiest_battery_counts_with_its_own_voltage() -> None:
    full, empty = ups("u1", charge=99.6, battery_v=27.3), ups("u2", charge=41.2, battery_v=24.1, low_battery=True)
    found = own_power(view(Source.BATTERY, full, empty), NOW)
    assert found == OwnPower(Supply.BATTERY, 41, 24_100, low=True)


def test_a_stale_figure_and_a_voltage_beyond_the_field_are_not_known() -> None:
    assert own_power(view(Source.MAINS, ups("u1", NOW - 60, charge=50, low_battery=True)), NOW) == OwnPower(
        Supply.MAINS
    )
    assert own_power(view(Source.MAINS, ups("u1", charge=50.0, battery_v=218.0)), NOW).supply_mv == 0


def test_ages_of_key_and_certificate_and_the_ups_reach_the_stations_health() -> None:
    room = StationRoom.__new__(StationRoom)
    stands: dict[str, Any] = {
        "_keys": SimpleNamespace(ages=lambda: Ages(1200, None)),
        "_power": lambda: view(Source.MAINS, ups("u", charge=88)),
        "_clock": SimpleNamespace(now=lambda: NOW), "_quality": lambda: "ntp", "_disk_failed": lambda: False,
        "_disk": SimpleNamespace(percent=50), "_site": SimpleNamespace(line=()),
    }  # fmt: skip
    vars(room).update(stands)
    vitals = room._vitals()
    assert (vitals.key_days, vitals.cert_days, vitals.battery, vitals.supply) == (1200, DAYS_UNKNOWN, 88, Supply.MAINS)
    cast(Any, room)._keys = SimpleNamespace(ages=lambda: Ages(12, 70_000))
    assert room._vitals().cert_days == DAYS_UNKNOWN - 1, "very old is not unknown"


def test_a_profile_says_how_often_its_stations_are_heard() -> None:
    rules = Supervision(profile={"vsat": Beat(heartbeat_s=30, lost_s=95)})
    assert rules.beat("vsat").lost_s == 95
    assert rules.beat(None) == rules.beat("gone") == Beat(heartbeat_s=3.0, lost_s=9.0)
