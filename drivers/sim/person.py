"""People at the box, as a process: each speaks and listens where a browser's sound would come, by a key of its own.

`python -m drivers.sim.person --stream AUDIO_STREAM.sock --knobs PATH` says `ready`. It keeps real time, as sound does.
"""

import argparse
import asyncio
import contextlib
import signal
import sys
from pathlib import Path
from typing import Any

import msgspec

from drivers.sim.knobs import Knobs
from drivers.sim.phone_voice import PhoneVoice
from drivers.sim.sound_knobs import say
from drivers.sim.sound_pcm import FRAME_S, SILENCE, Stretch

WIDE = 2.0  # samples at the box, 16 kHz, for each that a voice here has
OCTETS = 640  # of 20 ms at 16 kHz
AGAIN_S = 0.1  # between attempts: nothing is there until a call has this key's end
ANSWER_S = 2.0
BEHIND_MOST = 10  # frames that are made up for at once
PEOPLE = 8


class Person:
    """Comes back whenever it is cut off; what it has to say waits meanwhile."""

    def __init__(self, stream: Path, key: str) -> None:
        self._stream, self._key = stream, key
        self.voice = PhoneVoice(lambda: None)
        self.joined = False

    async def run(self) -> None:
        while True:
            with contextlib.suppress(OSError, EOFError, TimeoutError):
                await self._once()
            self.joined = False
            await asyncio.sleep(AGAIN_S)

    async def _once(self) -> None:
        reader, writer = await asyncio.open_unix_connection(str(self._stream))
        try:
            writer.write(msgspec.json.encode({"key": self._key}) + b"\n")
            async with asyncio.timeout(ANSWER_S):
                said = msgspec.json.decode(await reader.readline() or b"{}")
            if "ok" not in said:
                return
            self.joined = True
            speaking = asyncio.create_task(self._speak(writer))
            try:
                await self._listen(reader)
            finally:
                speaking.cancel()
        finally:
            writer.close()

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        narrow = Stretch(1 / WIDE)
        while True:
            self.voice.hear(narrow.more(await reader.readexactly(OCTETS)))

    async def _speak(self, writer: asyncio.StreamWriter) -> None:
        loop, wide = asyncio.get_running_loop(), Stretch(WIDE)
        due = loop.time()
        while True:
            writer.write(wide.more(self.voice.speak() or SILENCE))
            due = max(due + FRAME_S, loop.time() - BEHIND_MOST * FRAME_S)
            await asyncio.sleep(max(0.0, due - loop.time()))


class People:
    """Everybody whose key was named at a knob, from then on."""

    def __init__(self, stream: Path, tasks: asyncio.TaskGroup) -> None:
        self._stream, self._tasks = stream, tasks
        self._people: dict[str, Person] = {}

    def person(self, key: str) -> Person:
        if key not in self._people:
            if len(self._people) >= PEOPLE:
                raise ValueError(f"there are {PEOPLE} people already: {', '.join(self._people)}")
            self._people[key] = Person(self._stream, key)
            self._tasks.create_task(self._people[key].run())
        return self._people[key]

    async def say(self, key: str, **what: Any) -> dict[str, float]:
        return await say(self.person(key).voice, **what)

    def record(self, key: str, file: str) -> None:
        """What it hears from now on goes into a WAV file."""
        self.person(key).voice.record(Path(file))

    def quiet(self, key: str) -> None:
        self.person(key).voice.fall_silent()

    def status(self) -> dict[str, Any]:
        return {key: {"joined": one.joined, "heard": one.voice.heard} for key, one in self._people.items()}


async def run(stream: Path, knobs_path: Path) -> None:
    """Until SIGTERM or SIGINT."""
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    async with asyncio.TaskGroup() as tasks:
        people = People(stream, tasks)
        knobs = Knobs(
            knobs_path,
            {
                "person.say": people.say,
                "person.record": people.record,
                "person.quiet": people.quiet,
                "status": people.status,
            },
        )
        await knobs.start()
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        await ended.wait()
        await knobs.stop()
        raise asyncio.CancelledError


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m drivers.sim.person", description=__doc__)
    parser.add_argument("--stream", type=Path, required=True, help="audio-stream.sock of the audio process")
    parser.add_argument("--knobs", type=Path, required=True, help="the Unix socket of its knobs")
    options = parser.parse_args()
    with contextlib.suppress(asyncio.CancelledError):
        asyncio.run(run(options.stream, options.knobs))


if __name__ == "__main__":
    main()
