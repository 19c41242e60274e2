"""What a real broker hands to a dashboard, held against the schemas as they are published."""

import re
from pathlib import Path
from typing import Any

import fastjsonschema
import msgspec
from dashboard_story import full_view
from mqtt_party import Join, Party, until

from appliance.config import load_site
from appliance.control import entry_view
from appliance.dashboards import Dashboards
from appliance.entry import Entry
from appliance.events import encode_event
from appliance.power_events import MainsSuspected
from drivers.clock import Clock

ROOT = Path(__file__).parents[3]
SCHEMAS: dict[str, Any] = msgspec.json.decode((ROOT / "docs/mqtt-schemas.json").read_bytes())
PREFIX = "siaga/ambon/"


def schema_of(topic: str) -> str:
    """The published topic that this one is of."""
    fitting = [name for name in SCHEMAS if re.fullmatch(name.replace("+", "[^/]+"), topic.removeprefix(PREFIX))]
    assert len(fitting) == 1, topic
    return fitting[0]


def dashboards(party: Party) -> Dashboards:
    return Dashboards(
        site=load_site(ROOT / "firmware-config/sites/demo/centre.toml"),
        view=full_view,
        clock=Clock(),
        publish=lambda topic, payload: party.mqtt.publish(topic, payload, retain=True),
        publish_event=lambda topic, payload: party.mqtt.publish(topic, payload, qos=0),
    )


async def test_every_payload_is_as_its_schema_says_and_every_schema_has_a_payload(join: Join) -> None:
    box = await join("box")
    listener = await join("dashboard", PREFIX + "#")
    said = dashboards(box)
    event = MainsSuspected(by="ups")
    entry = Entry.after(
        Entry.before_first(), wall=1, mono=1, boot="b", quality="ntp", kind=event.kind, subject="", actor="",
        cause=None, body=encode_event(event),
    )  # fmt: skip
    said.publish_all()
    said.on_entry(entry)
    await until(lambda: {schema_of(m.topic) for m in listener.messages} == SCHEMAS.keys())
    check = {name: fastjsonschema.compile(schema) for name, schema in SCHEMAS.items()}
    seen = set()
    for message in listener.messages:
        name = schema_of(message.topic)
        check[name](msgspec.json.decode(message.payload))
        seen.add(name)
    assert seen == SCHEMAS.keys()
    assert entry_view(entry).kind == "power.mains_suspected"


async def test_the_schemas_refuse_what_a_dashboard_could_not_use() -> None:
    reading = {"value": "74", "unit": "%", "quality": "good", "age_s": 1.0, "wall": 1.0}
    check = fastjsonschema.compile(SCHEMAS["state/+/reading/+/+"])
    check(reading)
    without = {name: value for name, value in reading.items() if name != "quality"}
    for wrong in ({**reading, "age_s": None}, without, {**reading, "value": []}):
        try:
            check(wrong)
        except fastjsonschema.JsonSchemaException:
            continue
        raise AssertionError(f"taken: {wrong}")


async def test_who_comes_later_finds_everything_as_retained(join: Join) -> None:
    box = await join("box")
    dashboards(box).publish_all()
    late = await join("late", "homeassistant/#")
    await until(lambda: late.messages)
    assert late.messages[0].retain
    found = msgspec.json.decode(late.messages[0].payload)
    topics = {part["state_topic"] for part in found["cmps"].values()}
    listener = await join("listener", PREFIX + "state/#")
    await until(lambda: topics <= {m.topic for m in listener.messages})
