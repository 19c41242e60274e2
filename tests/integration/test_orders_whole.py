"""Stories that random ones found, each told by itself; and that the account of a story sees what it is there for."""

import asyncio
from pathlib import Path

from order_world import STATION
from whole_account import Account
from whole_story import Told
from whole_world import Whole, play_whole


def test_a_station_whose_only_issuer_is_revoked_believes_nobody_behind_its_restart(tmp_path: Path) -> None:
    async def story(w: Whole) -> None:
        await w.greeted()
        w.revoke_at_station()
        await w.kill(STATION)
        w.station_up()
        await asyncio.sleep(1)
        alert = await w.issue(30)
        await asyncio.sleep(120)
        assert not w.far.spans
        assert w.delivery(alert).card

    play_whole(tmp_path, story)


def test_the_account_sees_a_siren_that_nobody_ordered(tmp_path: Path) -> None:
    async def story(w: Whole) -> None:
        await w.greeted()
        await w.far.sound("ab", "siren", "wail", 5)
        await asyncio.sleep(10)
        assert any("without an order" in fault for fault in Account(w, Told()).faults())

    play_whole(tmp_path, story)
