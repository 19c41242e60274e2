"""The simulated building as a process: plant, RTU line on a pty, Modbus TCP on loopback, and the knobs to turn.

`python -m drivers.sim.building --rtu-port PATH --tcp-port 0 --knobs PATH` says on one line of JSON when it is ready.
Both devices answer on both: the line and the TCP port tell them apart by unit.
"""

import argparse
import asyncio
import json
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import wraps
from pathlib import Path
from typing import Any

from drivers.clock import Clock
from drivers.sim.bus_knobs import BusKnobs
from drivers.sim.families import GENSETS, METERS, UPS
from drivers.sim.knobs import Knob, Knobs
from drivers.sim.modbus_rtu import RtuLine
from drivers.sim.modbus_slave import Slave
from drivers.sim.modbus_tcp import TcpPort
from drivers.sim.plant import Plant, PlantSettings, switch
from drivers.sim.plant_genset import GensetSettings
from drivers.sim.plant_ups import UpsSettings
from drivers.sim.plant_wires import PlantWires
from drivers.sim.pty_port import PtyPort
from drivers.sim.ups_riello import RielloRegisters

GENSET_UNIT, UPS_UNIT = 10, 1  # as both leave the factory
METER_UNIT = 20
BAUD = 9600
TICK_S = 0.5  # s; keeps the plant from having hours to catch up on when nobody asks
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


@dataclass(frozen=True)
class BuildingConfig:
    rtu_port: Path
    tcp_port: int = 0  # 0: any free one
    baud: int = BAUD
    genset_unit: int = GENSET_UNIT
    ups_unit: int = UPS_UNIT
    genset: str = "dse_7320_mk2"
    ups: str = "apc_smart_ups"
    meter: str = ""  # none
    meter_unit: int = METER_UNIT
    plant: PlantSettings = field(default_factory=PlantSettings)
    pins: Path | None = None  # knobs of the box's simulated pins; None: nothing is wired to it
    contacts: tuple[tuple[str, str], ...] = ()  # contact, input
    start: str = ""  # the output that is wired to the remote start


class Building:
    """The plant and everything that reaches it, on the running loop."""

    def __init__(self, config: BuildingConfig, knobs_path: Path, wall: Callable[[], float]) -> None:
        now = asyncio.get_running_loop().time
        self._config, self._now = config, now
        self.plant = Plant(config.plant, now())
        genset = Slave(GENSETS[config.genset](self.plant, now, wall))
        ups = Slave(UPS[config.ups](self.plant, now))
        self._slaves = {"genset": genset, "ups": ups}
        units = {config.genset_unit: genset, config.ups_unit: ups}
        if config.meter:
            self._slaves["meter"] = units[config.meter_unit] = Slave(METERS[config.meter](self.plant, now))
        self._bus_knobs = BusKnobs(self._slaves)
        self._wires: asyncio.Task[None] | None = None
        self._pty = PtyPort(config.rtu_port, lambda data: self._line.received(data))
        self._line = RtuLine(units, self._pty.write, config.baud)
        self._tcp = TcpPort(units)
        self._knobs = Knobs(knobs_path, self._all_knobs())

    @property
    def tcp_port(self) -> int:
        return self._tcp.port

    async def start(self) -> None:
        """Open the ports and the knobs. Raises OSError when one of them is taken."""
        self._pty.open()
        await self._tcp.start(self._config.tcp_port)
        await self._knobs.start()
        if self._config.pins is not None:
            contacts, start = dict(self._config.contacts), self._config.start
            wires = PlantWires(self.plant, self._now, self._config.pins, contacts, start)
            self._wires = asyncio.create_task(wires.run())

    def step(self) -> None:
        """Let the time that has passed happen. Raises what ended the wires to the box, were they ever to end."""
        if self._wires is not None and self._wires.done():
            self._wires.result()
        self.plant.step(self._now())

    async def stop(self) -> None:
        if self._wires is not None:
            self._wires.cancel()
            await asyncio.gather(self._wires, return_exceptions=True)
        await self._knobs.stop()
        await self._tcp.stop()
        self._line.cut()
        self._pty.close()

    def _all_knobs(self) -> dict[str, Knob]:
        plant = self.plant
        knobs: dict[str, Knob] = {
            "mains.cut": plant.cut_mains,
            "mains.return": plant.return_mains,
            "mains.flicker": plant.flicker_mains,
            "genset.refuse": plant.refuse_start,
            "genset.mode": plant.set_mode,
            "genset.breaker_stuck": plant.stick_breaker,
            "genset.fuse": plant.blow_genset_fuse,
            "meter.fuse": plant.blow_meter_fuse,
            "fuel.set": plant.set_fuel,
            "fuel.leak": plant.leak_fuel,
            "ups.charge": plant.set_charge,
            "ups.test": plant.ups.start_test,
            "ups.breaker": plant.trip_ups_breaker,
            "ups.lose_card": self._lose_card,
            **self._bus_knobs.knobs(),
            "bus.unplug": self._unplug,
            "bus.plug": self._pty.reappear,
            "status": self.status,
        }
        return {name: self._after_step(knob) for name, knob in knobs.items()}

    def _after_step(self, knob: Knob) -> Knob:
        """The same knob; but what happened until it is turned happens without it."""

        @wraps(knob)
        def turned(*args: Any, **kwargs: Any) -> Any:
            self.plant.step(self._now())
            return knob(*args, **kwargs)

        return turned

    def _lose_card(self, on: bool = True) -> None:
        """The card that answers for the UPS has lost it, and repeats what it knew."""
        registers = self._slaves["ups"].registers
        if not isinstance(registers, RielloRegisters):
            raise ValueError(f"a {self._config.ups} answers for itself; only a riello_netman has such a card")
        registers.card_lost = switch(on)

    def _unplug(self) -> None:
        self._line.cut()
        self._pty.vanish()

    def status(self) -> dict[str, Any]:
        """The model and the bus in words and numbers."""
        return {
            **self.plant.status(),
            "bus": {
                "plugged": self._pty.present,
                **self._bus_knobs.status(),
            },
        }


async def run(config: BuildingConfig, knobs_path: Path, wall: Callable[[], float] | None = None) -> None:
    """Serve until SIGTERM, SIGINT or cancellation; prints the ready line. `wall` gives Unix seconds."""
    done = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in STOP_SIGNALS:
        loop.add_signal_handler(number, done.set)
    building = Building(config, knobs_path, wall or Clock().wall)
    try:
        await building.start()
        ready = {
            "ready": True,
            "tcp_port": building.tcp_port,
            "rtu_port": str(config.rtu_port),
            "units": {"genset": config.genset_unit, "ups": config.ups_unit}
            | ({"meter": config.meter_unit} if config.meter else {}),
        }
        sys.stdout.write(json.dumps(ready) + "\n")
        sys.stdout.flush()
        while not done.is_set():
            building.step()
            await _within(done, TICK_S)
    finally:
        await building.stop()
        for number in STOP_SIGNALS:
            loop.remove_signal_handler(number)


async def _within(event: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return


def _arguments() -> argparse.ArgumentParser:
    genset, ups = GensetSettings(), UpsSettings()
    parser = argparse.ArgumentParser(prog="python -m drivers.sim.building", description="A building's power, simulated")
    add = parser.add_argument
    add("--rtu-port", type=Path, required=True, help="symlink to make to the pty of the RTU line")
    add("--tcp-port", type=int, default=0, help="Modbus TCP on 127.0.0.1; 0 is any free port")
    add("--knobs", type=Path, required=True, help="Unix socket of the knobs")
    add("--baud", type=int, default=BAUD)
    add(
        "--genset",
        choices=sorted(GENSETS),
        default="dse_7320_mk2",
        help="make of the controller, as its profile is named",
    )
    add("--genset-unit", type=int, default=GENSET_UNIT)
    add("--ups-unit", type=int, default=UPS_UNIT)
    add("--ups", choices=sorted(UPS), default="apc_smart_ups", help="make of the UPS, as its profile is named")
    add("--meter", choices=["", *sorted(METERS)], default="", help="make of a meter on the mains; none without")
    add("--meter-unit", type=int, default=METER_UNIT)
    add("--pins", type=Path, help="knobs of the box's simulated pins, to which contacts and start relay are wired")
    add("--contact", action="append", default=[], type=_wire, metavar="CONTACT=INPUT", help="a wire to the box")
    add("--start-relay", default="", help="the box's output at the set's remote start input")
    add("--retransfer", type=float, default=genset.retransfer_s, help="s of good mains before the load goes back")
    add("--cooldown", type=float, default=genset.cooldown_s, help="s the engine runs without load before it stops")
    add("--start-delay", type=float, default=genset.start_delay_s, help="s from mains lost to the start")
    add("--crank", type=float, default=genset.crank_s, help="s of one crank")
    add("--rest", type=float, default=genset.rest_s, help="s between cranks")
    add("--cranks", type=int, default=genset.cranks)
    add("--runtime", type=float, default=ups.runtime_s, help="s that the full UPS battery carries its load")
    return parser


def _wire(text: str) -> tuple[str, str]:
    contact, _, name = text.partition("=")
    return contact, name


def main(argv: Sequence[str] | None = None) -> None:
    """Run the building as this process, by the clock that SIAGA_SPEED asks for."""
    args = _arguments().parse_args(argv)
    genset = GensetSettings(
        retransfer_s=args.retransfer,
        cooldown_s=args.cooldown,
        start_delay_s=args.start_delay,
        crank_s=args.crank,
        rest_s=args.rest,
        cranks=args.cranks,
    )
    config = BuildingConfig(
        rtu_port=args.rtu_port,
        tcp_port=args.tcp_port,
        baud=args.baud,
        genset_unit=args.genset_unit,
        ups_unit=args.ups_unit,
        genset=args.genset,
        ups=args.ups,
        meter=args.meter,
        meter_unit=args.meter_unit,
        plant=PlantSettings(genset=genset, ups=UpsSettings(runtime_s=args.runtime)),
        pins=args.pins,
        contacts=tuple(args.contact),
        start=args.start_relay,
    )
    clock = Clock.from_environment()
    clock.run(run(config, args.knobs, clock.wall))


if __name__ == "__main__":
    main()
