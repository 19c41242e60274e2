"""The mobile network as a process: modems on ptys, the network between them, and its knobs.

`python -m drivers.sim.mobile --config FILE.json --knobs PATH` says `ready` when the ports are there.
"""

import argparse
import asyncio
import contextlib
import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

import msgspec

from drivers.clock import Clock
from drivers.sim.knobs import Knobs
from drivers.sim.mobile_knobs import MobileKnobs
from drivers.sim.modem import SimModem
from drivers.sim.network import MobileNetwork


class ModemConfig(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """`port` is the symlink that appears; `number` is international, as +62811...."""

    name: str
    port: str
    number: str
    model: Literal["eg25g", "sim7600", "sim800", "huawei"]
    operator: str = "TELKOMSEL"
    imei: str = "867698040000000"
    pcm_port: str = ""  # a symlink too: SIMCom's port of sound, Quectel's NMEA port
    usb_sound: str = ""  # a symlink too: what would be the modem's USB sound card, raw, 8 kHz


class MobileConfig(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    modems: list[ModemConfig]


async def run(config: MobileConfig, knobs_path: Path, wall: Callable[[], float] = time.time) -> None:
    """Simulate until cancelled. Raises ValueError when the configuration contradicts itself."""
    network = MobileNetwork(wall)
    modems: dict[str, SimModem] = {}
    for c in config.modems:
        if c.name in modems:
            raise ValueError(f"modems: the name {c.name!r} is there twice")
        pcm, usb = (Path(path) if path else None for path in (c.pcm_port, c.usb_sound))
        modems[c.name] = SimModem(c.name, Path(c.port), c.number, c.model, c.operator, c.imei, network, pcm, usb)
    knobs = Knobs(knobs_path, MobileKnobs(network, modems).knobs())
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(network.run())
        for modem in modems.values():
            tasks.create_task(modem.run())
        await knobs.start()
        try:
            for modem in modems.values():
                await modem.ready.wait()
            sys.stdout.write("ready\n")
            sys.stdout.flush()
            await asyncio.get_running_loop().create_future()
        finally:
            await knobs.stop()


async def _run_until_told(config: MobileConfig, knobs_path: Path, wall: Callable[[], float]) -> None:
    running = asyncio.ensure_future(run(config, knobs_path, wall))
    for told in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(told, running.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await running


def main(argv: Sequence[str] | None = None) -> int:
    """The process. Exit code 2 when the configuration is wrong, or a port or the socket cannot be had."""
    parser = argparse.ArgumentParser(prog="drivers.sim.mobile", description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="JSON: {modems: [{name, port, number, model, ...}]}")
    parser.add_argument("--knobs", type=Path, required=True, help="path of the Unix socket of the knobs")
    options = parser.parse_args(argv)
    clock = Clock.from_environment()
    wrong: list[str] = []
    try:
        config = msgspec.json.decode(options.config.read_bytes(), type=MobileConfig)
        clock.run(_run_until_told(config, options.knobs, clock.wall))
    except* (msgspec.DecodeError, ValueError, OSError) as group:
        wrong = [str(e) for e in _leaves(group)]
    for reason in wrong:
        sys.stderr.write(f"{options.config}: {reason}\n")
    return 2 if wrong else 0


def _leaves(error: BaseException) -> list[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        return [leaf for inner in error.exceptions for leaf in _leaves(inner)]
    return [error]


if __name__ == "__main__":
    sys.exit(main())
