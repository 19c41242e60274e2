"""What `siaga audio` costs while nobody calls, in one call and in eight: the process itself, modems' sound on ptys.

`python -m tests.bench.audio_process` prints the rows.
"""

import asyncio
import contextlib
import os
import sys
import tempfile
import tty
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import msgspec
import numpy as np
import tomli_w

from appliance.audio_client import AudioLink
from appliance.audio_protocol import End, Open, Serial, Stream
from appliance.config import Places, load_site, places
from appliance.supervisor import Child, python
from drivers.clock import Clock
from drivers.jsonsocket import Gone, Refusal
from tests.bench.cost import idle_cpu, memory
from tests.bench.table import Row, at_most, plain, text

CALLS = 8
SECONDS = 10.0
SETTLE = 3.0  # s until buffers and steering are in their stride
MOST_IDLE, MOST_BUSY = 0.5, 40.0  # % of a core
MOST_MEMORY = 60.0  # MB PSS, in eight calls
UP_WITHIN = 20.0  # s
TICK = 0.02
LINE_RATE, BROWSER_RATE = 8000, 16000


class Unready(Exception):
    """The process does not do what is to be measured; the text says what is missing."""


def _noise(rate: int, seed: int) -> bytes:
    return bytes((np.random.default_rng(seed).standard_normal(rate // 50) * 2000).astype("<i2").tobytes())


@contextlib.asynccontextmanager
async def _modem(path: Path, seed: int) -> AsyncIterator[None]:
    """A modem's port of sound in a call: a frame each 20 ms, and what comes is thrown away."""
    ours, theirs = os.openpty()
    tty.setraw(theirs)
    path.symlink_to(os.ttyname(theirs))
    os.set_blocking(ours, False)
    loop, frame = asyncio.get_running_loop(), _noise(LINE_RATE, seed)

    def read() -> None:
        with contextlib.suppress(BlockingIOError):
            os.read(ours, 4096)

    def write() -> None:
        with contextlib.suppress(BlockingIOError):
            os.write(ours, frame)

    loop.add_reader(ours, read)
    speaking = asyncio.create_task(_each_tick(write))
    try:
        yield
    finally:
        speaking.cancel()
        loop.remove_reader(ours)
        os.close(ours)
        os.close(theirs)


@contextlib.asynccontextmanager
async def _browser(socket: Path, key: str, seed: int) -> AsyncIterator[None]:
    reader, writer = await asyncio.open_unix_connection(str(socket))
    writer.write(msgspec.json.encode({"key": key}) + b"\n")
    if b"ok" not in await reader.readline():
        raise Unready(f"the stream {key} was not taken.")
    frame = _noise(BROWSER_RATE, seed)
    speaking = asyncio.create_task(_each_tick(lambda: writer.write(frame)))

    async def read() -> None:
        while await reader.read(4096):
            pass

    hearing = asyncio.create_task(read())
    try:
        yield
    finally:
        speaking.cancel()
        hearing.cancel()
        writer.close()


async def _each_tick(do: Callable[[], object]) -> None:
    loop = asyncio.get_running_loop()
    at = loop.time()
    while True:
        do()
        at += TICK
        await asyncio.sleep(max(0.0, at - loop.time()))


def _site(folder: Path) -> tuple[Path, Places]:
    file = folder / "site.toml"
    line = {"id": "l1", "name": "l1", "port": "l1", "number": "+62000000001",
            "sound": {"kind": "serial", "port": str(folder / "pcm-0")}}  # fmt: skip
    site = {"role": "centre", "site": "s", "id": "c", "name": "C", "line": [line],
            "annunciator": {"socket": "a.sock", "factory": "mock"}}  # fmt: skip
    file.write_text(tomli_w.dumps(site))
    return file, places(load_site(file), file)


async def _cost(pid: int, name: str, most: float | None) -> list[Row]:
    await asyncio.sleep(SETTLE)
    [used] = await idle_cpu([pid], SECONDS)
    cpu = f"siaga audio, {name}, CPU"
    return [
        plain(cpu, used, "% of a core") if most is None else at_most(cpu, used, "% of a core", most),
        plain("  memory, PSS", memory([pid]).pss, "MB"),
    ]


async def rows(folder: Path) -> list[Row]:
    """All rows. Raises OSError, Unready, NotStarted."""
    folder.mkdir(exist_ok=True)
    file, there = _site(folder)
    audio = Child("audio", python("appliance.cli", "audio", "--config", file), folder, {})
    link = AudioLink(there.audio)
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(audio.stop)
        await audio.start()
        linking = asyncio.create_task(link.run())
        stack.callback(linking.cancel)
        deadline = asyncio.get_running_loop().time() + UP_WITHIN
        while not link.up:
            if asyncio.get_running_loop().time() > deadline:
                raise Unready(f"it does not answer; see {folder}.")
            await asyncio.sleep(0.05)
        assert audio.pid is not None
        found = await _cost(audio.pid, "no call", MOST_IDLE)
        for number in range(CALLS):
            await stack.enter_async_context(_modem(folder / f"pcm-{number}", number))
            await _call(link, there, folder, number)
            await stack.enter_async_context(_browser(there.audio_stream, f"k{number}", 100 + number))
            if number == 0:
                found += await _cost(audio.pid, "one call", None)
        found += await _cost(audio.pid, f"{CALLS} calls", MOST_BUSY)
        used = memory([audio.pid]).pss
        return [*found, at_most("siaga audio, PSS in eight calls", used, "MB", MOST_MEMORY)]


async def _call(link: AudioLink, there: Places, folder: Path, number: int) -> None:
    line = End("line", Serial(str(folder / f"pcm-{number}")), side="line", keys=True, watched=True)
    person = End("person", Stream(f"k{number}"), side="person")
    try:
        await link.open(Open(f"call{number}", (line, person), str(there.calls / f"{number}.flac.part")))
    except (Refusal, Gone) as e:
        raise Unready(str(e)) from e
    await asyncio.sleep(0.2)


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="siaga-audio-") as folder:
        print(text(Clock(1.0).run(rows(Path(folder)))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
