"""Orders to the plant on real bytes: interlocks, one write, proof or alarm, the relay, and a restart in the middle."""

import asyncio
from pathlib import Path

import pytest
from orders_box import RELAY_LASTS, OrderBox, play

from appliance.model import Source
from appliance.power_order_events import PlantOrderFailed, PlantOrderRefused, StartRelayReleased
from drivers.jsonsocket import Refusal

WAY = ["order_requested", "order_sent", "order_proven"]


async def refused(box: OrderBox, command: str, device: str = "genset/g1", *, by: str = "budi", **said: object) -> str:
    with pytest.raises(Refusal) as no:
        await box.order(command, device, by=by, **said)
    return no.value.code


def test_a_start_is_written_down_sent_once_and_proven_and_so_is_its_cancel(tmp_path: Path) -> None:
    async def story(box: OrderBox) -> None:
        await box.until_calm()
        order = await box.order("start", key="k1")
        again = await box.order("start", key="k1")
        assert again.id == order.id
        await box.until(lambda: order.state == "sent")
        assert order.due is not None
        assert box.offer("start") == "busy"
        await box.ended(order)
        assert (order.state, order.proof, order.way, order.actor) == (
            "proven",
            "engine_state=running",
            "modbus",
            "budi",
        )
        assert (box.told, box.written) == (WAY, ["genset"])
        assert box.offer("start") == "runs"
        assert box.view().source is Source.MAINS
        cancelled = await box.ended(await box.order("cancel_start"))
        assert cancelled.state == "proven"
        assert box.written == ["genset", "genset"]
        await box.until(lambda: box.view().gensets["g1"].ready)
        assert [o.command for o in box.view().orders] == ["cancel_start", "start"]

    play(tmp_path, story)


def test_a_start_without_effect_fails_at_its_deadline_and_was_sent_once(tmp_path: Path) -> None:
    async def story(box: OrderBox) -> None:
        await box.until_calm()
        await box.turn("genset.refuse", on=True)
        order = await box.ended(await box.order("start"))
        assert (order.state, order.why) == ("failed", "not_observed")
        assert order.proof.startswith("engine_state=")
        assert box.written == ["genset"]
        await box.until(lambda: box.offer("start") == "fault")  # the controller holds its failed start

    play(tmp_path, story)


def test_only_who_may_and_has_read_the_devices_name_orders_and_a_refusal_is_on_record(tmp_path: Path) -> None:
    async def story(box: OrderBox) -> None:
        await box.until_calm()
        assert await refused(box, "start", by="ope") == "role"
        assert await refused(box, "start", by="nobody") == "role"
        assert await refused(box, "start", confirm=False) == "not_confirmed"
        assert await refused(box, "start", name="Genset depan") == "not_confirmed"
        assert await refused(box, "start", "genset/g2") == "no_device"
        assert await refused(box, "self_test", by="tia") == "no_command"
        told = [(e["command"], e["why"]) for e in box.of(PlantOrderRefused)]
        assert told[:2] == [("start", "role"), ("start", "not_confirmed")]
        assert (box.written, box.state.plant_orders.orders) == ([], {})

    play(tmp_path, story)


def test_nothing_is_ordered_on_what_is_not_fresh_or_not_so(tmp_path: Path) -> None:
    async def story(box: OrderBox) -> None:
        await box.until_calm()
        await box.turn("genset.mode", mode="manual")
        await box.until(lambda: box.offer("start") == "not_auto")
        assert await refused(box, "start") == "not_auto"
        assert await refused(box, "start_relay") == "not_auto"
        assert (await box.ended(await box.order("auto"))).state == "proven"
        assert box.offer("auto") == "already"
        await box.turn("genset.mode", mode="stop")
        await box.until(lambda: box.offer("auto") == "by_hand")
        await box.turn("genset.mode", mode="auto")
        await box.until(lambda: box.offer("start") == "")
        await box.turn("bus.mute", device="genset")
        await box.until(lambda: box.offer("start") == "no_link")
        assert await refused(box, "start") == "no_link"
        assert box.written == ["genset"]

    play(tmp_path, story)


def test_a_set_is_tested_on_load_and_put_back_to_auto_though_its_proof_is_still_awaited(tmp_path: Path) -> None:
    async def story(box: OrderBox) -> None:
        await box.until_calm()
        test = await box.ended(await box.order("test_on_load", by="tia"))
        assert test.state == "proven"
        await box.until(lambda: box.view().source is Source.GENSET)
        assert box.offer("cancel_start") == "not_auto"
        assert (await box.ended(await box.order("auto"))).state == "proven"
        await box.until(lambda: box.view().gensets["g1"].ready)
        assert "power.mains_lost" not in box.kinds
        assert box.written == ["genset", "genset"]

    play(tmp_path, story)


def test_a_ups_tests_itself_only_while_mains_is_there_and_it_is_on_line(tmp_path: Path) -> None:
    async def story(box: OrderBox) -> None:
        await box.until_calm()
        order = await box.ended(await box.order("self_test", "ups/u1"))
        assert (order.state, order.proof.split("=")[0]) == ("proven", "self_test")
        await box.until(lambda: box.offer("self_test", "ups/u1") == "testing")
        await box.until(lambda: box.offer("self_test", "ups/u1") == "")
        await box.turn("mains.cut")
        await box.until(lambda: box.offer("self_test", "ups/u1") in ("on_battery", "outage"))
        await box.until(lambda: box.view().source is Source.GENSET)
        assert await refused(box, "self_test", "ups/u1") in ("outage", "mains_unknown")
        assert await refused(box, "cancel_start") == "outage"
        assert box.written == ["ups"]

    play(tmp_path, story)


def test_the_relay_starts_the_set_whose_controller_is_not_heard_and_its_cancel_lets_go(tmp_path: Path) -> None:
    async def story(box: OrderBox) -> None:
        await box.until_calm()
        await box.turn("bus.mute", device="genset")
        await box.until(lambda: box.offer("start") == "no_link")
        order = await box.order("start_relay", by="tia")
        await box.until(lambda: order.state == "accepted")
        assert await box.relay_closed()
        assert box.offer("start_relay") == "busy"
        await box.pin("input.press", name="running")
        assert (await box.ended(order)).proof == "running_contact=True"
        assert (order.way, order.state) == ("relay", "proven")
        assert box.offer("start_relay") == "relay_held"
        assert box.state.plant_orders.relays["g1"].order == order.id
        cancel = await box.order("cancel_start")
        await box.until(lambda: cancel.state == "accepted")
        assert not await box.relay_closed()
        assert [e["why"] for e in box.of(StartRelayReleased)] == ["cancelled"]
        await box.pin("input.release", name="running")
        assert (await box.ended(cancel)).proof == "running_contact=False"
        assert box.written == []

    play(tmp_path, story)


def test_a_relay_that_starts_nothing_is_a_failed_order_and_stays_closed_until_its_time_is_over(tmp_path: Path) -> None:
    async def story(box: OrderBox) -> None:
        await box.until_calm()
        order = await box.order("start_relay")
        await box.until(lambda: order.state == "accepted")
        began = box.clock.now()
        await box.ended(order)
        assert (order.state, order.why, order.proof) == ("failed", "not_observed", "engine_state=stopped")
        assert 59 < box.clock.now() - began < 62
        assert await box.relay_closed()
        await box.until(lambda: "power.relay_released" in box.kinds, most=RELAY_LASTS)
        assert [e["why"] for e in box.of(StartRelayReleased)] == ["limit"]
        assert not await box.relay_closed()
        assert box.written == []

    play(tmp_path, story)


def test_when_core_dies_the_relay_lets_go_and_the_next_core_pulls_it_no_more(tmp_path: Path) -> None:
    async def orders(box: OrderBox) -> None:
        await box.until_calm()
        order = await box.order("start_relay")
        await box.until(lambda: order.state == "accepted")
        assert await box.relay_closed()

    async def after(box: OrderBox) -> None:
        assert not await box.relay_closed()
        await box.until(lambda: bool(box.of(PlantOrderFailed)) and box.orders.relays.up)
        assert [e["why"] for e in box.of(PlantOrderFailed)] == ["restarted"]
        assert [e["why"] for e in box.of(StartRelayReleased)] == ["core_left"]
        await asyncio.sleep(30)
        assert not await box.relay_closed()
        assert box.offer("start_relay") == ""

    play(tmp_path, orders, after)


@pytest.mark.parametrize(("refuses", "end"), [(False, ("proven", "")), (True, ("failed", "restarted"))])
def test_a_restart_in_the_middle_sends_nothing_again_and_looks_what_became_of_it(
    tmp_path: Path, refuses: bool, end: tuple[str, str]
) -> None:
    async def orders(box: OrderBox) -> None:
        await box.until_calm()
        await box.turn("genset.refuse", on=refuses)
        order = await box.order("start")
        await box.until(lambda: box.written == ["genset"])
        await asyncio.sleep(0.2)
        assert order.state == "sent"

    async def after(box: OrderBox) -> None:
        (order,) = box.state.plant_orders.orders.values()
        assert order.state == "sent"
        await box.ended(order)
        assert (order.state, order.why) == end
        assert box.written == ["genset"]

    play(tmp_path, orders, after)


def test_a_start_that_is_under_way_can_be_taken_back_and_is_no_failure_then(tmp_path: Path) -> None:
    async def story(box: OrderBox) -> None:
        await box.until_calm()
        start = await box.order("start")
        await box.until(lambda: box.written == ["genset"])
        assert await refused(box, "auto") == "busy"
        cancel = await box.ended(await box.order("cancel_start"))
        assert (start.state, start.why, cancel.state) == ("failed", "cancelled", "proven")
        await asyncio.sleep(95)
        assert box.told.count("order_failed") == 1
        assert box.written == ["genset", "genset"]

    play(tmp_path, story)


def test_a_write_whose_answer_is_lost_is_not_repeated_and_is_proven_by_what_is_measured(tmp_path: Path) -> None:
    async def story(box: OrderBox) -> None:
        await box.until_calm()
        await box.turn("bus.late", device="genset", ms=1500)
        order = await box.order("start")
        await box.until(lambda: box.written == ["genset"] or order.over)
        await box.turn("bus.late", device="genset", ms=0)
        await box.ended(order)
        assert (order.state, box.written) == ("proven", ["genset"])

    play(tmp_path, story)
