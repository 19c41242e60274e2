"""PortAudio's devices, counted in this thread or in a process of its own: names, and which one is meant by a part.

PortAudio counts once, when it starts, and starting it again takes every open stream of the process. So another
process (`python -m drivers.audio.sound_cards`) counts first, and this one starts anew when what is missing is there.
"""

import sys
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import pyaudio

from drivers.audio.quiet import quiet

NUMBERED = "(hw:"  # in a device's name: known to ALSA by a number that the next card in the socket may get


class Device(msgspec.Struct, frozen=True):
    """`index` is PortAudio's, until it counts again."""

    index: int
    name: str
    inputs: int
    outputs: int

    def hears(self) -> bool:
        return self.inputs > 0

    def speaks(self) -> bool:
        return self.outputs > 0

    @property
    def numbered(self) -> bool:
        return NUMBERED in self.name


Devices = tuple[Device, ...]


def start() -> pyaudio.PyAudio:
    """PortAudio, started: a new count when nothing else of it is open. Takes some 0.3 s."""
    with quiet():
        return pyaudio.PyAudio()


def counted(portaudio: pyaudio.PyAudio) -> Devices:
    found: list[dict[str, Any]] = [
        portaudio.get_device_info_by_index(index) for index in range(portaudio.get_device_count())
    ]
    return tuple(
        Device(int(d["index"]), str(d["name"]), int(d["maxInputChannels"]), int(d["maxOutputChannels"])) for d in found
    )


def named(devices: Sequence[Device], name: str, fits: Callable[[Device], bool]) -> Device | None:
    """The device of this name, else the first whose name has it as a part; only what `fits`."""
    fitting = [device for device in devices if fits(device)]
    exact = [device for device in fitting if device.name == name]
    return next(iter([*exact, *(device for device in fitting if name in device.name)]), None)


if __name__ == "__main__":
    sys.stdout.buffer.write(msgspec.json.encode(counted(start())))
