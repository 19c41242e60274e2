"""A bus that loses and garbles one frame in a hundred, to simulated registers, without bytes: for weeks at a time.

One bad frame in a thousand passes its checksum with a wrong word in it, far more than a CRC lets by. It takes the time
that the wire would: what was lost or garbled costs its time-out, and the quiet after it.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator
from random import Random
from typing import cast

import msgspec
from pymodbus.pdu import ModbusPDU

from drivers.clock import VirtualLoop
from drivers.modbus.bus import Bus
from drivers.modbus.errors import BadAnswer, NoAnswer
from drivers.modbus.frames import Question
from drivers.modbus.line import Client, SerialLine
from drivers.sim.modbus_slave import Registers

Units = dict[int, Registers]
BAUD = 19_200
BAD = 0.01  # of the frames
UNSEEN = 0.001  # of the bad ones
TURNED_S = 0.01  # that a slave thinks
QUESTION_AND_ANSWER = 13  # characters beside the registers


class Noise:
    """What becomes of frames, and what became of them. `mute` is a unit that does not answer."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.frames = self.bad = self.unseen = 0
        self.mute: int | None = None

    def spoils(self) -> bool:
        """Whether this frame is bad."""
        self.frames += 1
        spoilt = self.random.random() < BAD
        self.bad += spoilt
        return spoilt

    def __str__(self) -> str:
        return f"{self.frames} frames, {self.bad} bad, {self.unseen} of them unseen"


class Answer(msgspec.Struct):
    """What the bus takes from a PDU."""

    registers: list[int]


class NoisyBus(Bus):
    """Turns, tallies and time are the real bus's; pymodbus and the bytes are left out."""

    def __init__(self, units: Units, noise: Noise) -> None:
        super().__init__(SerialLine("/dev/null", baud=BAUD))
        self._units, self._noise = units, noise
        self._clear_at = 0.0
        self._silence_s, self._character_s = self.line.silence_s, self.line.character_s

    async def _transact(
        self, question: Question, send: Callable[[Client], Awaitable[ModbusPDU]], gap_s: float, timeout_s: float
    ) -> ModbusPDU:
        loop, noise = asyncio.get_running_loop(), self._noise
        asked = max(self._clear_at, loop.time() + max(gap_s, self._silence_s))
        took = (QUESTION_AND_ANSWER + 2 * question.count) * self._character_s + TURNED_S
        spoilt, random = noise.spoils(), noise.random
        unseen = spoilt and random.random() < UNSEEN
        if question.unit == noise.mute or (spoilt and not unseen):
            await _until(asked + timeout_s)
            self._clear_at = loop.time() + self.quiet_s
            if question.unit == noise.mute or random.random() < 0.5:
                raise NoAnswer(f"unit {question.unit}: lost")
            raise BadAnswer(f"unit {question.unit}: garbled")
        await _until(asked + took)
        words = self._units[question.unit].read(question.address, question.count)
        if unseen:
            noise.unseen += 1
            words[random.randrange(question.count)] = random.randrange(0x10000)
        self.tallies.took(question.unit, took)
        return cast(ModbusPDU, Answer(words))


@contextlib.contextmanager
def noisy_bus(units: Units, noise: Noise) -> Iterator[Bus]:
    """It needs nothing opened or closed."""
    yield NoisyBus(units, noise)


async def _until(at: float) -> None:
    """A virtual second costs little when nobody else has anything to do in it."""
    loop = asyncio.get_running_loop()
    if not (isinstance(loop, VirtualLoop) and loop.skip(at - loop.time())):
        await asyncio.sleep(at - loop.time())
