"""Orders to a part of a station name its zones by bits; a stop and an order to the whole of it name none."""

from pathlib import Path

import pytest
from order_world import CENTRE, KEYS, STATION, World, play

from appliance.alerting.wire import Action, Order, decode_order
from appliance.keys import key_id
from drivers.jsonsocket import Refusal


def signed(w: World) -> list[Order]:
    public = KEYS[CENTRE].public_key()
    orders = [decode_order(payload, {key_id(public): public}) for _, to, _, payload in w.net.sent if to == STATION]
    return [order for order in orders if order.action is not Action.HELLO]


@pytest.mark.parametrize(("to", "bits"), [("damkar", 0), ("damkar/garasi", 1), ("damkar/barak", 2)])
def test_a_zone_is_the_bit_of_its_place_in_the_site_file(tmp_path: Path, to: str, bits: int) -> None:
    async def story(w: World) -> None:
        await w.greeted()
        alert = await w.issue(60, to)
        await w.stop(alert)
        start, *stops = signed(w)
        assert start.zones == bits
        assert {order.zones for order in stops} == {0}
        assert w.alert(alert).zones == ({STATION: (to.split("/")[1],)} if bits else {})

    play(tmp_path, story)


def test_a_zone_that_is_not_there_is_refused(tmp_path: Path) -> None:
    async def story(w: World) -> None:
        await w.greeted()
        with pytest.raises(Refusal, match="dapur"):
            await w.issue(60, "damkar/dapur")

    play(tmp_path, story)
