"""A person's USB headset, and who wears it: two sound cards, `ear` and `mouth`, that can be pulled and put back.

`python -m drivers.sim.headset --folder FOLDER --knobs PATH` says `ready` when both are there. Two cards, for a null
sink is a loop: with one the person would hear themselves. Mouth and ear are others' programs, `paplay` and `parec`.
"""

import argparse
import asyncio
import contextlib
import signal
import subprocess
import sys
from pathlib import Path

from drivers.sim.knobs import Knobs
from drivers.sim.sound_cards import NoSoundCards, SoundCards, missing
from drivers.sim.sound_pcm import RATE, tone

EAR, MOUTH = "ear", "mouth"
HEAD = 44  # octets of a WAV file before its sound
SAYS_S = 60.0  # longer than any story
RAW = ("--channels=1", "--format=s16le", f"--rate={RATE}", "--latency-msec=20")
ENDS_WITHIN = 5.0  # s


class Headset:
    """`folder` keeps what its wearer says. Every method is a knob."""

    def __init__(self, cards: SoundCards, folder: Path) -> None:
        self._cards, self._said = cards, folder / "said.raw"
        self._programs: list[subprocess.Popen[bytes]] = []

    async def plug(self) -> None:
        for card in (EAR, MOUTH):
            await asyncio.to_thread(self._cards.plug, card)

    async def unplug(self) -> None:
        """The cable is pulled; who wore it hears and says nothing any more."""
        for card in (MOUTH, EAR):
            await asyncio.to_thread(self._cards.unplug, card)
        await self.quiet()

    async def wear(self, hz: float, file: str) -> None:
        """Say a tone, and keep what is heard: 8 kHz behind HEAD octets, as phones' growing WAV files are read."""
        await self.quiet()
        self._programs = await asyncio.to_thread(self._begin, float(hz), Path(file))

    def _begin(self, hz: float, heard: Path) -> "list[subprocess.Popen[bytes]]":
        self._said.write_bytes(tone((hz,), SAYS_S, -12.0))
        heard.write_bytes(bytes(HEAD))
        mouth = ("paplay", "--raw", *RAW, f"--device={MOUTH}", str(self._said))
        ear = ("parec", *RAW, f"--device={EAR}.monitor")
        return [self._cards.started(*mouth), self._cards.started(*ear, to=heard)]

    async def quiet(self) -> None:
        """Take it off."""
        programs, self._programs = self._programs, []
        for program in programs:
            program.terminate()
            await asyncio.to_thread(program.wait, ENDS_WITHIN)


async def run(folder: Path, knobs_path: Path) -> None:
    """Until SIGTERM or SIGINT. Raises NoSoundCards."""
    if why := missing():
        raise NoSoundCards(f"A headset cannot be simulated here: {why}.")
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    cards = SoundCards(folder)
    headset = Headset(cards, folder)
    knobs = Knobs(
        knobs_path,
        {"headset.plug": headset.plug, "headset.unplug": headset.unplug, "headset.wear": headset.wear,
         "headset.quiet": headset.quiet, "status": lambda: {}},
    )  # fmt: skip
    try:
        await asyncio.to_thread(cards.start)
        await headset.plug()
        await knobs.start()
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        await ended.wait()
        await knobs.stop()
    finally:
        with contextlib.suppress(subprocess.TimeoutExpired):
            await headset.quiet()
        await asyncio.to_thread(cards.stop)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m drivers.sim.headset", description=__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="where the cards' files lie")
    parser.add_argument("--knobs", type=Path, required=True, help="the Unix socket of its knobs")
    options = parser.parse_args()
    try:
        asyncio.run(run(options.folder, options.knobs))
    except NoSoundCards as e:
        sys.stderr.write(f"{e}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
