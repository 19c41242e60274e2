"""What goes to dashboards: quality with every value, nothing private, schemas as published."""

import asyncio
import itertools
from pathlib import Path
from typing import Any

import msgspec

from appliance import events as ev
from appliance import power_events as pw
from appliance.alert_state import Lockout, StationHealth
from appliance.alert_view import StationHealthView, SupervisionView
from appliance.config import load_site
from appliance.dashboard_states import schemas
from appliance.dashboards import Dashboards
from appliance.entry import Entry
from appliance.event import Event
from appliance.events import encode_event
from appliance.figure import Figure
from appliance.model import Role, Source
from appliance.power_state import Genset
from appliance.power_view import Dark, DeviceView, PowerView
from appliance.stamp import Stamp
from appliance.view import View
from drivers.clock import VirtualClock

ROOT = Path(__file__).parents[2]
STATE = "siaga/ambon/state/pusat/"


def view(at: float, fuel_at: float) -> View:
    fuel = Figure(value=74, unit="%", quality="good", at=fuel_at, fresh_s=5)
    power = PowerView(
        Source.MAINS, "present", Stamp(), (), Dark(None, "mains_feeds"), {"genset": Genset()}, {},
        [DeviceView("genset", "Genset", {"fuel_level": fuel}, None, "genset")], [],
    )  # fmt: skip
    return View(
        1, "h", at, 1000 + at, "ntp", "WIT", 1.0, Role.CENTRE, "ambon", "pusat", "Pusat", "id", "0.1", power, [], None,
        False, [], [], {}, [], [], [], {}, None, 0, [],
    )  # fmt: skip


class Listener:
    """A dashboard's end: what was published last on each topic."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.view = view(0, 0)
        self.retained: dict[str, bytes] = {}
        self.events: list[str] = []
        self.dashboards = Dashboards(
            site=load_site(ROOT / "firmware-config/sites/demo/centre.toml"),
            view=lambda: self.view,
            clock=self.clock,
            publish=self.retained.__setitem__,
            publish_event=lambda topic, payload: self.events.append(topic),
        )

    def read(self, topic: str) -> Any:
        return msgspec.json.decode(self.retained[STATE + topic])


def entry(event: Event) -> Entry:
    return Entry.after(
        Entry.before_first(), wall=1, mono=1, boot="b", quality="ntp", kind=event.kind, subject="", actor="",
        cause=None, body=encode_event(event),
    )  # fmt: skip


def test_a_value_that_is_stale_is_null_and_says_so() -> None:
    listener = Listener()
    listener.dashboards.publish_all()
    assert listener.read("reading/genset/fuel_level")["value"] == 74
    listener.view = view(100, 0)
    listener.dashboards.publish_all()
    assert listener.read("reading/genset/fuel_level") == {
        "value": None,
        "unit": "%",
        "quality": "stale",
        "age_s": 100.0,
        "wall": 1000.0,
    }


def test_unchanged_state_is_not_said_each_second_but_often_enough_for_expire_after() -> None:
    listener = Listener()
    said: list[float] = []

    async def story() -> None:
        running = asyncio.create_task(listener.dashboards.run())
        for _ in range(200):
            await asyncio.sleep(1)
            if listener.retained.pop(STATE + "power", None):
                said.append(listener.clock.now())
        running.cancel()

    listener.clock.run(story())
    gaps = [b - a for a, b in itertools.pairwise(said)]
    assert gaps
    assert 20 < min(gaps) <= max(gaps) < 90


def test_texts_callers_and_logins_are_for_no_dashboard() -> None:
    listener = Listener()

    async def told(*events: Event) -> None:
        for event in events:
            listener.dashboards.on_entry(entry(event))
        await asyncio.sleep(0)

    listener.clock.run(
        told(
            ev.SmsReceived(line="l1", message="m", number="+62", text="secret", parts=1),
            ev.CallRinging(line="l1", call="c", number="+62"),
            ev.LoggedIn(name="operator"),
            pw.MainsSuspected(by="ups"),
        )
    )
    assert listener.events == ["siaga/ambon/event/pusat/power.mains_suspected"]


def test_home_assistant_finds_each_figure_with_expiry_and_availability() -> None:
    listener = Listener()
    listener.dashboards.publish_all()
    found = msgspec.json.decode(listener.retained["homeassistant/device/siaga-ambon-pusat/config"])
    fuel = found["cmps"]["genset_fuel_level"]
    assert fuel["state_topic"] == STATE + "reading/genset/fuel_level"
    assert fuel["expire_after"] == 90
    assert found["availability"][0]["topic"] == STATE + "online"
    assert len({part["unique_id"] for part in found["cmps"].values()}) == len(found["cmps"])


def test_the_published_schemas_are_those_of_the_code() -> None:
    assert msgspec.json.decode((ROOT / "docs/mqtt-schemas.json").read_bytes()) == msgspec.json.decode(
        msgspec.json.encode(schemas())
    )


def test_a_stations_health_is_told_with_its_lockout_and_shown_as_diagnostics_that_order_nothing() -> None:
    listener = Listener()
    health = StationHealth(
        Stamp(wall=900.0), ("no_current",), "mqtt", supply="battery", supply_mv=24_100, key_days=12, skew_s=0.4
    )
    lockout = Lockout("damkar", "10c4", 60, 4600.0, "relai", Stamp(wall=1000.0))
    stations = (StationHealthView("damkar", health, (), lockout), StationHealthView("passo", None))
    listener.view.supervision = SupervisionView(stations=stations)
    listener.dashboards.publish_all()
    assert listener.read("station_health/damkar") == {
        "supply": "battery", "supply_v": 24.1, "battery": None, "disk_free": None, "clock_ahead_s": 0.0,
        "key_days": 12, "certificate_days": None, "faults": ["no_current"], "locked_out": True, "locked_until": 4600.0,
        "wall": 900.0,
    }  # fmt: skip
    assert STATE + "station_health/passo" not in listener.retained, "what was never told is no state"
    parts = msgspec.json.decode(listener.retained["homeassistant/device/siaga-ambon-pusat/config"])["cmps"]
    told = {name: part for name, part in parts.items() if "station_health" in part["state_topic"]}
    assert {part["entity_category"] for part in told.values()} == {"diagnostic"}
    assert set(told) == {"station_damkar_fault", "station_damkar_locked_out", "station_damkar_battery"}
    assert not [name for name, part in parts.items() if "command_topic" in part or part["p"] in ("switch", "siren")]
    assert listener.read("alerts")["kinds"] == {}
