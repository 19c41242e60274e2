"""What the processes of a box cost: memory, CPU while nothing happens, and the time until core answers."""

import asyncio
import re
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec
import psutil

from drivers.jsonsocket import Client, Gone

UP_WITHIN = 30.0  # s
LOOK = 0.005  # s between attempts to reach a starting core
ROLLUP = re.compile(r"^(Rss|Pss):\s+(\d+) kB$", re.MULTILINE)


class Memory(msgspec.Struct, frozen=True):
    """MB (10^6 bytes). `rss` counts a page that processes share once for each of them, `pss` once in all."""

    rss: float
    pss: float


def memory(pids: Sequence[int]) -> Memory:
    """Of these processes together."""
    said = [dict(ROLLUP.findall(Path(f"/proc/{pid}/smaps_rollup").read_text())) for pid in pids]
    return Memory(*(sum(int(one[name]) for one in said) * 1024 / 1e6 for name in ("Rss", "Pss")))


async def idle_cpu(pids: Sequence[int], seconds: float) -> list[float]:
    """CPU of each process over the next `seconds`, in percent of one core."""
    processes = [psutil.Process(pid) for pid in pids]
    before, began = [_spent(p) for p in processes], time.monotonic()
    await asyncio.sleep(seconds)
    lasted = time.monotonic() - began
    return [(_spent(p) - b) / lasted * 100 for p, b in zip(processes, before, strict=True)]


def _spent(process: psutil.Process) -> float:
    return float(sum(process.cpu_times()[:2]))


async def start_of_core(site_file: Path, control: Path, log: Path) -> float:
    """Seconds from the start of `siaga core` until its control socket answers; it is ended again."""
    began = time.monotonic()
    with log.open("ab") as out:
        core = await asyncio.create_subprocess_exec(
            str(Path(sys.executable).with_name("siaga")), "core", "--config", str(site_file),
            stdin=asyncio.subprocess.DEVNULL, stdout=out, stderr=out,
        )  # fmt: skip
    try:
        while not await _answers(control):
            if time.monotonic() - began > UP_WITHIN or core.returncode is not None:
                raise TimeoutError(f"core did not answer within {UP_WITHIN:g} s; see {log}.")
            await asyncio.sleep(LOOK)
        return time.monotonic() - began
    finally:
        if core.returncode is None:
            core.terminate()
        await core.wait()


async def _answers(control: Path) -> bool:
    client = Client(control)
    try:
        await client.connect()
        await client.request({"do": "hello"}, timeout=UP_WITHIN)
    except Gone:
        return False
    finally:
        client.close()
    return True
