"""Orders to a UPS behind the real upsd, through core's own room."""

import asyncio
from pathlib import Path

import pytest
from orders_box import BOOT, PROFILES
from test_nut import simulated

from appliance.annunciator_config import AnnunciatorConfig
from appliance.config import Site
from appliance.config_power import Ups
from appliance.entry import Entry
from appliance.fold import apply
from appliance.journal import Journal
from appliance.model import Role
from appliance.power.orders import Orders
from appliance.power.service import Power
from appliance.power_commands import OrderPlant, PlantCommand
from appliance.state import State
from drivers.clock import Clock
from drivers.jsonsocket import Gone


async def away(_output: str, _on: bool) -> bool:
    raise Gone("no annunciator")


@pytest.mark.parametrize(("login", "end"), [(r'siaga "a \"b\\c"', ("proven", "")), ("reader x", ("failed", "refused"))])
async def test_an_order_through_nut_is_proven_or_refused_by_upsd(
    tmp_path: Path, login: str, end: tuple[str, str]
) -> None:
    async with simulated(tmp_path) as (box, _, driver):
        file = tmp_path / "nut.login"
        file.write_text(login)
        clock, state, kinds = Clock(), State(), []

        def on_entry(entry: Entry) -> None:
            apply(state, entry)
            kinds.append(entry.kind)

        site = Site(
            role=Role.CENTRE, site="ambon", id="pusat", name="Pusat",
            annunciator=AnnunciatorConfig(socket="a.sock", factory="mock"),
            ups=(Ups(id="u1", name="UPS", nut=f"ups1@127.0.0.1:{box.port}", nut_login=str(file), poll_s=0.2),),
        )  # fmt: skip
        journal = Journal(tmp_path / "journal.db", clock, BOOT, lambda: "ntp", on_entry)
        journal.open()
        power = Power(
            site=site, profiles=PROFILES, state=state, clock=clock, append=journal.append, on_changed=lambda: None
        )
        orders = Orders(
            site=site, state=state, clock=clock, append=journal.append, view=power.view, orderable=power.orderable,
            role_of=lambda actor: "technician", hold=away, boot=BOOT,
        )  # fmt: skip
        running = [asyncio.create_task(power.run()), asyncio.create_task(orders.run())]
        try:
            async with asyncio.timeout(10):
                while state.mains != "present" or "battery" in orders.onto(power.view()).offers[0].why:
                    await asyncio.sleep(0.05)
                given = OrderPlant(device="ups/u1", command=PlantCommand.SELF_TEST, confirm=True, name="UPS")
                told = await orders.order(given, "tia")
                order = state.plant_orders.orders[told["order"]]
                while not order.over:
                    await asyncio.sleep(0.05)
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
            journal.close()
        assert (order.state, order.why) == end
        assert driver.ordered == (["test.battery.start.quick"] if end[0] == "proven" else [])
        assert ("power.order_sent" in kinds) is (end[0] == "proven")
