"""Makes what a bridge's end is: a modem's or headset's device, a browser's stream, a file, a text, a tone."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

from appliance.audio_protocol import EndKind, Serial, Speech, Stream, Tone, Usb, Wav
from drivers.audio.endpoint import Endpoint
from drivers.audio.portaudio import PortAudio
from drivers.audio.serial_pcm import SerialPcm
from drivers.audio.speech import Playing, rest, spoken
from drivers.audio.stream import Streams
from drivers.audio.tones import Humming, tone
from drivers.audio.wav import read_wav


class Ends:
    """`streams` is where browsers connect. USB devices are looked for only when the first one is asked for."""

    def __init__(self, streams: Streams, portaudio: PortAudio) -> None:
        self._streams, self._portaudio = streams, portaudio

    @property
    def devices(self) -> tuple[str, ...]:
        return self._portaudio.names

    async def made(self, what: EndKind) -> Endpoint:
        """A device that is away is an end that is lost, and comes back by itself. Raises AudioError for the rest."""
        match what:
            case Usb(device=device, rate=rate, output=output):
                return await self._portaudio.open(device, rate, output)
            case Serial(port=port, rate=rate):
                return SerialPcm(Path(port), rate)
            case Stream(key=key):
                return self._streams.endpoint(key)
            case Wav():
                return Playing([await asyncio.to_thread(read_wav, Path(what.file))], what.times, what.rest_s)
            case Speech():
                return await _speech(what)
            case Tone(hz=hz, seconds=seconds, level_dbfs=level):
                return Playing([tone(hz, seconds, level)], 1, 0.0) if seconds else Humming(hz, level)
