"""A station whose annunciator was frozen or away: what it sounds late is told as sounding."""

import asyncio
from pathlib import Path

from station_box import Station, play

from appliance.alerting.wire import What
from appliance.station_events import SirenFault


def test_a_siren_that_a_frozen_annunciator_sounds_late_is_told_as_sounding(tmp_path: Path) -> None:
    async def story(s: Station) -> None:
        s.box.frozen = True
        s.start_order()
        await asyncio.sleep(6)
        assert s.said()[-1] is What.REFUSED
        s.box.thaw()
        await asyncio.sleep(0.5)
        assert s.box.on() == {"siren"}
        assert s.said()[-1] is What.ENERGISED
        assert [(e.fault, e.on) for e in s.told(SirenFault)] == [("line", True), ("line", False)]
        await asyncio.sleep(70)
        assert s.said()[-1] is What.ENDED

    play(tmp_path, story)


def test_a_siren_that_sounds_when_the_annunciator_is_back_is_told_as_sounding(tmp_path: Path) -> None:
    async def story(s: Station) -> None:
        s.box.up = False
        order = s.start_order()
        await asyncio.sleep(6)
        assert s.said()[-1] is What.REFUSED
        s.box.sirens["siren"].sound(order.alert.hex(), "wail", 50.0)  # it heard the order and its answer was lost
        s.box.up = True
        s.node.on_standing(s.box.standing())
        await asyncio.sleep(0.5)
        assert s.said()[-1] is What.ENERGISED

    play(tmp_path, story)
