"""`/power/history.json`: what it refuses, what it says in the viewer's language, and beside a file that is broken."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from appliance.config import ZONES
from appliance.telemetry_collector import BLOCK, MINUTE, Point
from appliance.telemetry_file import DAY, TelemetryFile
from appliance.telemetry_slots import QUALITIES, Slot
from drivers.clock import VirtualClock
from web.chart_data import Charts
from web.words import Words, load_texts

FUEL = "genset/g1/fuel_level"
GOOD = QUALITIES.index("good")


class Site:
    def __init__(self, folder: Path) -> None:
        self.clock = VirtualClock()
        self.path = folder / "telemetry.db"
        words = Words("id", load_texts("id"), ZONES["WIT"])
        self.app = Starlette(
            routes=[Route("/h", Charts(self.path, "Asia/Jayapura", self.clock, lambda _: words).answer)]
        )

    def write(self, minutes: int) -> None:
        """The last so many, at 60 %."""
        now = int(self.clock.wall() // MINUTE)
        file = TelemetryFile(self.path)
        slot, point = Slot(60.0, 60.0, 60.0, GOOD), Point(FUEL, "%", "number")
        for start in range(now - minutes, now, BLOCK):
            file.write({start - start % BLOCK: {point: dict.fromkeys(range(BLOCK), slot)}}, now // DAY)
        file.close()


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


@pytest.fixture
async def client(site: Site) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=site.app), base_url="http://box") as client:
        yield client


async def asked(client: httpx.AsyncClient, **query: Any) -> Any:
    answer = await client.get("/h", params={"point": FUEL, **query})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_chart_gets_its_points_names_and_words(site: Site, client: httpx.AsyncClient) -> None:
    site.write(60)
    told = await asked(client, last=7200)
    assert told["step"] == 60
    assert told["count"] in (120, 121)
    assert sum(value == 60.0 for value in told["points"][FUEL]["mean"]) == 60
    assert told["names"] == {FUEL: "Bahan bakar · g1"}
    assert told["words"]["day"] == "24 jam"
    assert told["zone"] == "Asia/Jayapura"


async def test_a_month_is_asked_in_quarters_of_an_hour_and_has_this_day_too(
    site: Site, client: httpx.AsyncClient
) -> None:
    site.write(60)
    told = await asked(client, last=30 * 86_400)
    assert told["step"] == 900
    assert sum(value == 60.0 for value in told["points"][FUEL]["mean"]) == 4


async def test_a_box_without_a_history_yet_has_none(client: httpx.AsyncClient) -> None:
    told = await asked(client)
    assert told["points"][FUEL]["mean"] == []


@pytest.mark.parametrize(
    "query",
    [
        {"point": []},
        {"point": ["../people.json"]},
        {"point": [f"genset/g1/p{i}" for i in range(13)]},
        {"from": "now"},
        {"from": 10, "to": 5},
        {"last": "nan"},
        {"last": "-1"},
        {"to": "inf"},
    ],
)
async def test_a_question_that_makes_no_sense_is_refused(client: httpx.AsyncClient, query: dict[str, Any]) -> None:
    answer = await client.get("/h", params={"point": FUEL, **query})
    assert answer.status_code == 400
    assert answer.json()["code"] == "question"


async def test_a_broken_file_is_said_in_words(site: Site, client: httpx.AsyncClient) -> None:
    site.path.write_bytes(b"no database at all, but long enough to be taken for one" * 50)
    answer = await client.get("/h", params={"point": FUEL})
    assert answer.status_code == 503
    assert answer.json()["text"].startswith("Riwayat tidak dapat dibaca")
