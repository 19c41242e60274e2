"""Makes what a bridge's end is: a modem's or headset's device, a browser's stream, a file, a text, a tone."""

import asyncio
from pathlib import Path

import numpy as np

from appliance.audio_protocol import EndKind, Serial, Speech, Stream, Tone, Usb, Wav
from drivers.audio.endpoint import BRIDGE_RATE, Endpoint, Pcm
from drivers.audio.player import Player
from drivers.audio.portaudio import PortAudio
from drivers.audio.serial_pcm import SerialPcm
from drivers.audio.speech import Speaker, SpeechFailed
from drivers.audio.stream import Streams
from drivers.audio.tones import Humming, tone
from drivers.audio.wav import SoundUnreadable, read_sound

PAUSE_S = 0.3  # between two phrases

FAILURES = (OSError, ValueError, SpeechFailed, SoundUnreadable)  # of an end that plays; devices are lost and come back


class Ends:
    """`streams` is where browsers connect. USB devices are looked for only when the first one is asked for."""

    def __init__(self, streams: Streams, portaudio: PortAudio) -> None:
        self._streams, self._portaudio, self._speaker = streams, portaudio, Speaker()

    @property
    def devices(self) -> tuple[str, ...]:
        return self._portaudio.names

    async def made(self, what: EndKind) -> Endpoint:
        """A device that is away is an end that is lost, and comes back by itself. Raises FAILURES for what plays."""
        match what:
            case Usb(device=device, rate=rate, output=output):
                return await self._portaudio.open(device, rate, output)
            case Serial(port=port, rate=rate):
                return SerialPcm(Path(port), rate)
            case Stream(key=key):
                return self._streams.endpoint(key)
            case Wav(file=file, times=times, rest_s=rest_s):
                return Player(await asyncio.to_thread(read_sound, Path(file)), times, rest_s)
            case Speech(times=times, rest_s=rest_s):
                return Player(await self._said(what), times, rest_s)
            case Tone(hz=hz, seconds=seconds, level_dbfs=level):
                return Player(tone(hz, seconds, level), 1, 0.0) if seconds else Humming(hz, level)

    async def _said(self, speech: Speech) -> Pcm:
        """Its texts; a file instead of a text where one is named and can be read."""
        pause = np.zeros(round(PAUSE_S * BRIDGE_RATE), np.int16)
        parts = []
        for number, text in enumerate(speech.texts):
            file = speech.instead[number] if number < len(speech.instead) else ""
            parts += [await self._one(text, file), pause]
        return np.concatenate(parts) if parts else pause

    async def _one(self, text: tuple[str, str], file: str) -> Pcm:
        if file:
            try:
                return await asyncio.to_thread(read_sound, Path(file))
            except (OSError, SoundUnreadable):
                pass  # a site's own recording that is broken: the text is spoken
        language, words = text
        return await self._speaker.say([("en" if language == "en" else "id", words)])
