"""Charts in a real browser: what the file of minutes says is drawn and said in words, gaps and absence too."""

import math
from pathlib import Path

import pytest
from page_box import Tab, until

from appliance.telemetry_collector import BLOCK, MINUTE, Blocks, Point
from appliance.telemetry_file import DAY, TelemetryFile
from appliance.telemetry_slots import QUALITIES, Slot
from drivers.clock import Clock

pytestmark = pytest.mark.asyncio(loop_scope="module")

GOOD = QUALITIES.index("good")
HOURS = 6  # of history; the rest of the day is a gap
PLACE = """
(points) => {
  const place = document.createElement("div");
  place.className = "chart";
  place.dataset.points = points;
  document.querySelector("main").prepend(place);
}
"""
SCRIPTS = ("vendor/uPlot.iife.min.js", "charts.js")
# How many columns of the canvas have ink inside the axes: a gap has none.
INKED = """
() => {
  const canvas = document.querySelector(".chart canvas");
  const { width, height } = canvas;
  const seen = canvas.getContext("2d").getImageData(0, 0, width, height).data;
  let columns = 0;
  for (let x = 70; x < width; x++) {
    let dark = 0;
    for (let y = 0; y < height - 60; y++) {
      const at = (y * width + x) * 4;
      if (seen[at + 3] > 200 && seen[at] + seen[at + 1] + seen[at + 2] < 200) dark++;
    }
    if (dark) columns++;
  }
  return columns / (width - 70);
}
"""


def write(path: Path) -> None:
    """Six hours of fuel and load up to now."""
    now = int(Clock().wall() // MINUTE)
    fuel, load = Point("genset/g1/fuel_level", "%", "number"), Point("ups/u1/load", "%", "number")
    blocks: Blocks = {}
    for minute in range(now - HOURS * 60, now):
        value = 80 - (minute - now + HOURS * 60) / 12
        wave = 40 + 8 * math.sin(minute / 25)
        block = blocks.setdefault(minute - minute % BLOCK, {fuel: {}, load: {}})
        block[fuel][minute % BLOCK] = Slot(value - 1, value, value + 1, GOOD)
        block[load][minute % BLOCK] = Slot(wave - 3, wave, wave + 4, GOOD)
    file = TelemetryFile(path)
    file.write(blocks, now // DAY)
    file.close()


async def draw(tab: Tab, points: str) -> None:
    await tab.page.evaluate(PLACE, points)
    await tab.page.add_style_tag(url="/static/charts.css")
    await tab.page.add_style_tag(url="/static/vendor/uPlot.min.css")
    for name in SCRIPTS:
        await tab.page.add_script_tag(url=f"/static/{name}")


async def test_a_chart_draws_what_was_known_says_it_in_words_and_leaves_the_gap(tab: Tab) -> None:
    write(tab.box.where.telemetry)
    await tab.open(login=False)
    await draw(tab, "genset/g1/fuel_level,ups/u1/load")
    await tab.shows(".chart-legend", "Bahan bakar · g1 50")
    said = await tab.page.get_attribute(".chart-lines", "aria-label") or ""
    assert "terendah 49" in said
    assert "tertinggi 81" in said
    part = await tab.page.evaluate(INKED)
    assert 0.15 < part < 0.40, f"six of 24 hours have ink, not {part:.2f} of the width"

    await tab.page.click(".chart-span button:last-child")
    await until(
        lambda: tab.page.evaluate(
            "() => performance.getEntriesByType('resource').some((e) => e.name.includes('last=2592000'))"
        )
    )
    await tab.shows(".chart-span [aria-pressed=true]", "30 hari")
    assert tab.faults == []


async def test_a_point_without_history_says_so(tab: Tab) -> None:
    await tab.open(login=False)
    await draw(tab, "meter/m1/power_w")
    await tab.shows(".chart-said", "belum ada riwayat")
    assert tab.faults == []
