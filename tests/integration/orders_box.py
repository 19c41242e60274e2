"""Orders to the plant end to end, in virtual time: simulated building, real RTU line, real annunciator on mock pins."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from appliance.annunciator import run as run_annunciator
from appliance.annunciator_client import AnnunciatorLink
from appliance.annunciator_config import AnnunciatorConfig, InputConfig, OutputConfig
from appliance.annunciator_protocol import InputChange, OutputChange, Standing
from appliance.config import Site
from appliance.config_power import Bus, Genset, PowerRules, Ups
from appliance.entry import Entry
from appliance.event import Event
from appliance.fold import apply
from appliance.journal import Journal
from appliance.model import GensetPhase, Role, Source
from appliance.power.orders import Orders
from appliance.power.service import Power
from appliance.power_commands import OrderPlant, PlantCommand
from appliance.power_order_state import PlantOrder
from appliance.power_view import PowerView
from appliance.state import State
from drivers.clock import VirtualClock
from drivers.sim.building import TICK_S, Building, BuildingConfig
from drivers.sim.knobs import turn
from drivers.sim.plant import PlantSettings
from drivers.sim.plant_genset import GensetSettings

PROFILES = Path(__file__).parents[2] / "firmware-config"
QUICK = GensetSettings(retransfer_s=4.0, cooldown_s=3.0, crank_s=3.0, rest_s=2.0)
BOOT = "b" * 16
RELAY_LASTS = 100.0
NAMES = {"genset/g1": "Genset belakang", "ups/u1": "UPS radio"}
Story = Callable[["OrderBox"], Awaitable[None]]


class OrderBox:
    """Core's part of the work, which can be switched off and on again, and a hand on every knob."""

    def __init__(self, folder: Path, clock: VirtualClock, building: Building, wired: AnnunciatorConfig) -> None:
        self.folder, self.clock, self.building = folder, clock, building
        self.roles = {"budi": "supervisor", "tia": "technician", "ope": "operator"}
        self.site = Site(
            role=Role.CENTRE, site="ambon", id="pusat", name="Pusat", annunciator=wired,
            bus=(Bus(id="rtu", kind="rtu", port=str(folder / "rtu")),),
            genset=(
                Genset(id="g1", name=NAMES["genset/g1"], bus="rtu", unit=10, profile="dse_7320_mk2", relay="start",
                       relay_running="running"),
            ),
            ups=(Ups(id="u1", name=NAMES["ups/u1"], bus="rtu", unit=1, profile="apc_smart_ups"),),
            power=PowerRules(start_s=60.0, cooldown_min=1.0),
        )  # fmt: skip
        self.events: list[Event] = []
        self.written: list[str] = []  # the devices to which something was written, as they know it

    @contextlib.asynccontextmanager
    async def on(self) -> AsyncIterator[None]:
        """Core, from what the journal holds; at the end it is gone without a word."""
        self.state = State()
        journal = Journal(self.folder / "journal.db", self.clock, BOOT, lambda: "ntp", self._on_entry)
        journal.open()
        self.clock.busy = lambda: journal.writing
        self.events.clear()
        self.killed = False
        self.link = AnnunciatorLink(
            self.folder / "a.sock", on_up=self._up, on_down=self._down,
            on_output=self._output, on_input=self._input,
        )  # fmt: skip
        self.power = Power(
            site=self.site, profiles=PROFILES, state=self.state, clock=self.clock, append=journal.append,
            on_changed=lambda: None,
        )  # fmt: skip
        self.orders = Orders(
            site=self.site, state=self.state, clock=self.clock, append=journal.append, view=self.power.view,
            orderable=self.power.orderable, role_of=lambda actor: self.roles.get(actor, ""), hold=self.link.hold,
            boot=BOOT,
        )  # fmt: skip
        running = [asyncio.create_task(part()) for part in (self.power.run, self.orders.run, self.link.run)]
        try:
            yield
        finally:
            client, self.killed = self.link._link._client, True
            for task in running:
                task.cancel()
            for ended in await asyncio.gather(*running, return_exceptions=True):
                assert isinstance(ended, asyncio.CancelledError), ended
            if client:
                client.close()
            for order in list(self.orders._tasks.values()):
                order.cancel()
            await asyncio.sleep(0.05)
            journal.close()

    def _on_entry(self, entry: Entry) -> None:
        apply(self.state, entry)
        self.events.append(entry.event)

    def _up(self, standing: Standing) -> None:
        self.orders.relays.on_standing(standing)

    def _down(self) -> None:
        if not self.killed:
            self.orders.relays.on_down()

    def _output(self, change: OutputChange) -> None:
        self.orders.relays.on_output(change)

    def _input(self, change: InputChange) -> None:
        self.orders.relays.on_input(change)

    async def turn(self, knob: str, **args: Any) -> None:
        await turn(self.folder / "knobs", knob, timeout=5.0, **args)

    async def pin(self, knob: str, **args: Any) -> Any:
        return await turn(self.folder / "pins", knob, timeout=5.0, **args)

    async def relay_closed(self) -> bool:
        levels: dict[str, int] = await self.pin("pins.read")
        return bool(levels["start"])

    def view(self) -> PowerView:
        return self.orders.onto(self.power.view())

    def offer(self, command: str, device: str = "genset/g1") -> str:
        """What stands in the way of a command now."""
        return next(o.why for o in self.view().offers if (o.device, o.command) == (device, command))

    async def order(self, command: str, device: str = "genset/g1", *, by: str = "budi", **said: Any) -> PlantOrder:
        given = {"confirm": True, "name": NAMES.get(device, ""), **said}
        told = await self.orders.order(OrderPlant(device=device, command=PlantCommand(command), **given), by)
        return self.state.plant_orders.orders[told["order"]]

    async def until(self, true: Callable[[], object], most: float = 120.0) -> None:
        began = self.clock.now()
        while not true():
            if self.clock.now() - began > most:
                pytest.fail(f"not within {most} s; there was {self.kinds}; {self.state.plant_orders}")
            await asyncio.sleep(0.25)

    async def until_calm(self) -> None:
        await self.until(
            lambda: self.view().source is Source.MAINS and self.view().gensets["g1"].ready and self.orders.relays.up
        )
        self.events.clear()

    async def ended(self, order: PlantOrder) -> PlantOrder:
        await self.until(lambda: order.over)
        return order

    @property
    def kinds(self) -> list[str]:
        return [event.kind for event in self.events]

    @property
    def told(self) -> list[str]:
        """The kinds of what was told of orders and relays."""
        return [k.removeprefix("power.") for k in self.kinds if k.startswith(("power.order_", "power.relay_"))]

    def of(self, kind: type[Event]) -> list[dict[str, Any]]:
        return [msgspec.to_builtins(e) for e in self.events if isinstance(e, kind)]

    def runs(self) -> bool:
        return self.view().gensets["g1"].phase in (GensetPhase.RUNNING, GensetPhase.ON_LOAD)


def play(folder: Path, *stories: Story) -> None:
    """Tell stories of one building and one annunciator, core started anew for each."""
    clock = VirtualClock()
    wired = AnnunciatorConfig(
        socket=str(folder / "a.sock"), factory="mock", knobs=str(folder / "pins"),
        output={"start": OutputConfig(pin=17, kind="start", max_s=RELAY_LASTS), "amber": OutputConfig(22, "light")},
        input={"running": InputConfig(pin=25, kind="contact")},
    )  # fmt: skip

    async def told() -> None:
        building = Building(
            BuildingConfig(rtu_port=folder / "rtu", plant=PlantSettings(genset=QUICK)), folder / "knobs", clock.wall
        )
        box = OrderBox(folder, clock, building, wired)
        _count_writes(building, box.written)
        await building.start()
        stop = asyncio.Event()
        tasks = [asyncio.create_task(_age(building)), asyncio.create_task(run_annunciator(wired, stop))]
        try:
            for story in stories:
                async with box.on():
                    await story(box)
        finally:
            stop.set()
            await tasks[1]
            tasks[0].cancel()
            await asyncio.wait(tasks)
            await building.stop()

    clock.run(told())


def _count_writes(building: Building, written: list[str]) -> None:
    for name, slave in building._slaves.items():
        registers = slave.registers
        write = registers.write

        def counted(address: int, values: list[int], name: str = name, write: Any = write) -> None:
            written.append(name)
            write(address, values)

        registers.write = counted  # type: ignore[method-assign]


async def _age(there: Building) -> None:
    while True:
        there.plant.step(asyncio.get_running_loop().time())
        await asyncio.sleep(TICK_S)
