"""The wires between the simulated building and the box's pins: dry contacts to its inputs, its start relay to the set.

They end at the knobs of the simulated pins. While the box's annunciator is not there its relay is open.
"""

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path

from drivers.jsonsocket import Client, Gone, Refusal
from drivers.sim.plant import DEAD_V, Plant
from drivers.sim.plant_genset import RATED_RPM

LOOK_S = 0.2  # s between looks at both ends; relays and auxiliary contacts take a tenth of that
PATIENCE_S = 5.0  # s for one answer

CONTACTS: dict[str, Callable[[Plant], bool]] = {  # closed while it is so
    "mains_present": lambda plant: plant.mains_v > DEAD_V,
    "genset_present": lambda plant: plant.genset.volts > DEAD_V,
    "on_mains": lambda plant: plant.genset.mains_contactor_closed,
    "on_genset": lambda plant: plant.genset.breaker_closed,
    "running": lambda plant: plant.genset.rpm > 0.9 * RATED_RPM,
}


class PlantWires:
    """`contacts`: the box's input by the contact that is wired to it. `start`: the output at the remote start input."""

    def __init__(
        self, plant: Plant, now: Callable[[], float], pins: Path, contacts: Mapping[str, str], start: str = ""
    ) -> None:
        """Raises ValueError for a contact that the building does not have."""
        if unknown := sorted(contacts.keys() - CONTACTS.keys()):
            raise ValueError(f"there is no contact {unknown[0]!r}; contacts: {', '.join(CONTACTS)}")
        self._plant, self._now, self._pins = plant, now, pins
        self._contacts, self._start = dict(contacts), start
        self._told: dict[str, bool] = {}

    async def run(self) -> None:
        """For ever; a box that is not there yet, or no more, is waited for."""
        while True:
            client = Client(self._pins)
            try:
                await client.connect()
                while True:
                    await self._carry(client)
                    await asyncio.sleep(LOOK_S)
            except (Gone, Refusal):  # refused: its pins are not set up yet
                self._told.clear()
                self._plant.genset.remote_start = False
            finally:
                client.close()
            await asyncio.sleep(LOOK_S)

    async def _carry(self, client: Client) -> None:
        self._plant.step(self._now())
        for contact, name in self._contacts.items():
            closed = CONTACTS[contact](self._plant)
            if self._told.get(name) != closed:
                do = "input.press" if closed else "input.release"
                await client.request({"do": do, "args": {"name": name}}, timeout=PATIENCE_S)
                self._told[name] = closed
        if self._start:
            levels = await client.request({"do": "pins.read", "args": {}}, timeout=PATIENCE_S)
            self._plant.genset.remote_start = bool(levels.get(self._start))
