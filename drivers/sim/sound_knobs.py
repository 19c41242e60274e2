"""The knobs of sound: what phones outside say and keep, and what is wrong with a modem's sound."""

import asyncio
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from drivers.sim.knobs import Knob
from drivers.sim.mobile_arguments import a_number, a_switch, find_modem, one_of
from drivers.sim.modem import SimModem
from drivers.sim.modem_sound import DRIFT_MOST, WAYS, ModemSound
from drivers.sim.network import MobileNetwork
from drivers.sim.phone_voice import PhoneVoice
from drivers.sim.sound_pcm import read_wav, tone

SECONDS_MOST = 600.0  # s of a tone
HZ_LEAST, HZ_MOST = 50.0, 3900.0  # what 8 kHz can carry
TEXT_MOST = 1000  # characters
SPEAKING_S = 30.0  # s in which espeak-ng must be done
LANGUAGES = ("id", "en")


class Saying(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A tone, a WAV file or a text (espeak-ng); outside a call it waits for one."""

    hz: float = 0.0
    wav: str = ""
    text: str = ""
    language: str = "id"
    seconds: float = 1.0
    level_dbfs: float = -12.0
    over_and_over: bool = False


class SoundKnobs:
    """`number` is a phone outside, of `call.from` or `phone.place`; `name` a modem's name or number."""

    def __init__(self, network: MobileNetwork, modems: Mapping[str, SimModem]) -> None:
        self._network, self._modems = network, modems

    def knobs(self) -> dict[str, Knob]:
        return {
            "phone.say": self.say,
            "phone.record": self.record,
            "phone.quiet": lambda number: self._network.voice(number).fall_silent(),
            "modem.pcm_silent": lambda name, on=True: setattr(self._sound(name), "silent", a_switch(on)),
            "modem.pcm_one_way": self.one_way,
            "modem.pcm_drift": self.drift,
            "modem.second_call_mute": self.second_call_mute,
            "modem.pcm_unplug": lambda name: self._sound(name).plug(False),
            "modem.pcm_plug": lambda name: self._sound(name).plug(True),
        }

    async def say(self, number: str, **what: Any) -> dict[str, float]:
        """`what` is a Saying."""
        return await say(self._network.voice(number), **what)

    def record(self, number: str, file: str = "") -> dict[str, Any]:
        """What it hears goes into a WAV file until its call ends; without a file it ends now."""
        voice = self._network.voice(number)
        if file:
            voice.record(Path(file))
        else:
            voice.stop_recording()
        return {"frames_heard": voice.heard}

    def one_way(self, name: str, deaf: str) -> None:
        """Who does not hear: host, network, both, or nobody by an empty word."""
        self._sound(name).deaf_way = one_of("deaf", deaf, WAYS)

    def drift(self, name: str, ppm: float) -> None:
        """Its sound's clock is fast by so much; below 0 it is slow."""
        self._sound(name).drift(a_number("ppm", ppm, -DRIFT_MOST, DRIFT_MOST))

    def second_call_mute(self, name: str, on: bool = True) -> None:
        """From the second call after a start on AT+CPCMREG=1 is refused once and then taken, and no sound comes."""
        self._sound(name).second_call_mute = a_switch(on)

    def _sound(self, name: str) -> ModemSound:
        return find_modem(self._modems, name).voice


async def say(voice: PhoneVoice, **what: Any) -> dict[str, float]:
    """`what` is a Saying; it comes behind what the voice says already. Raises ValueError."""
    try:
        told = msgspec.convert(what, Saying)
    except msgspec.ValidationError as e:
        raise ValueError(str(e)) from e
    if sum(map(bool, (told.hz, told.wav, told.text))) != 1:
        raise ValueError("give one of hz, wav and text")
    if told.hz:
        length = a_number("seconds", told.seconds, 0.02, SECONDS_MOST)
        level = a_number("level", told.level_dbfs, -60.0, 0.0)
        pcm = tone((a_number("hz", told.hz, HZ_LEAST, HZ_MOST),), length, level)
    elif told.wav:
        pcm = read_wav(Path(told.wav))
    else:
        pcm = await _spoken(told.text, one_of("language", told.language, LANGUAGES))
    voice.say(pcm, over_and_over=told.over_and_over)
    return {"seconds": len(pcm) / 16000}


async def _spoken(text: str, language: str) -> bytes:
    """Raises ValueError when espeak-ng is not there, fails or hangs."""
    if not isinstance(text, str) or len(text) > TEXT_MOST:
        raise ValueError(f"a text has at most {TEXT_MOST} characters")
    with tempfile.TemporaryDirectory(prefix="siaga-said-") as folder:
        path = Path(folder) / "said.wav"
        try:
            child = await asyncio.create_subprocess_exec("espeak-ng", "-v", language, "-w", str(path), "--", text)
        except OSError as e:
            raise ValueError(f"espeak-ng cannot be started ({e.strerror}); install it, or give a wav") from e
        try:
            async with asyncio.timeout(SPEAKING_S):
                await child.wait()
        except TimeoutError as e:
            raise ValueError(f"espeak-ng was not done within {SPEAKING_S:g} s") from e
        finally:
            if child.returncode is None:
                child.kill()
                await child.wait()
        return read_wav(path)
