"""Sound of simulated modems and phones: what goes in at one end is measured at the other."""

import asyncio
import wave
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from modem_world import Host
from sound_measure import Pcm, frequency, level_dbfs, loud_from, share_of, tone

from drivers.clock import VirtualClock
from drivers.sim.knobs import turn
from drivers.sim.mobile import MobileConfig, ModemConfig, run
from drivers.sim.network import MobileNetwork
from drivers.sim.sound_knobs import SoundKnobs

QUECTEL, SIMCOM, OUTSIDE = "+628111111111", "+628222222222", "+6281299990000"
FRAME_S = 0.02


class PcmHost(Host):
    """What reads and writes a modem's sound."""

    rate = 8000

    def pcm(self) -> Pcm:
        """All that was heard since."""
        octets, self.heard = self.heard.encode("latin-1"), ""
        return np.frombuffer(octets, dtype="<i2")

    async def listen(self, seconds: float) -> Pcm:
        self.heard = ""
        await asyncio.sleep(seconds)
        return self.pcm()

    async def play(self, pcm: Pcm) -> None:
        """In time."""
        frame = int(self.rate * FRAME_S)
        for at in range(0, len(pcm), frame):
            self.type(pcm[at : at + frame].astype("<i2").tobytes().decode("latin-1"))
            await asyncio.sleep(FRAME_S)


@dataclass
class Talk:
    folder: Path
    quectel: Host
    simcom: Host
    quectel_nmea: PcmHost
    quectel_usb: PcmHost
    simcom_pcm: PcmHost

    async def turn(self, do: str, **args: Any) -> Any:
        return await turn(self.folder / "knobs", do, timeout=300, **args)

    async def sound_of(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = (await self.turn("status"))["modems"][name]["sound"]
        return found

    async def answer(self, number: str = OUTSIDE) -> None:
        """A call from outside, answered by the SIMCom."""
        await self.turn("call.from", number=number, to="simcom")
        await self.simcom.until("RING")
        assert await self.simcom.ask("ATA") == "VOICE CALL: BEGIN\nOK"

    async def talk(self, number: str = OUTSIDE) -> None:
        await self.answer(number)
        await asyncio.sleep(0.15)
        assert await self.simcom.ask("AT+CPCMREG=1") == "OK"

    async def hang_up(self) -> None:
        await self.simcom.ask("AT+CPCMREG=0")
        assert "VOICE CALL: END" in await self.simcom.ask("AT+CHUP")


@asynccontextmanager
async def talking(folder: Path) -> AsyncIterator[Talk]:
    config = MobileConfig(
        [
            ModemConfig(
                "quectel", str(folder / "quectel"), QUECTEL, "eg25g",
                pcm_port=str(folder / "quectel-nmea"), usb_sound=str(folder / "quectel-usb"),
            ),
            ModemConfig("simcom", str(folder / "simcom"), SIMCOM, "sim7600", pcm_port=str(folder / "simcom-pcm")),
        ]
    )  # fmt: skip
    running = asyncio.ensure_future(run(config, folder / "knobs"))
    hosts = [Host(folder / "quectel"), Host(folder / "simcom")]
    pcm = [PcmHost(folder / name) for name in ("quectel-nmea", "quectel-usb", "simcom-pcm")]
    try:
        async with asyncio.timeout(60):
            while not (folder / "knobs").exists():
                await asyncio.sleep(0.1)
        for host in (*hosts, *pcm):
            host.open()
        for host in hosts:
            assert (await host.ask("ATE0")).endswith("OK")
        yield Talk(folder, *hosts, *pcm)
    finally:
        for host in (*hosts, *pcm):
            host.close()
        running.cancel()
        await asyncio.wait([running])


def read(path: Path) -> Pcm:
    with wave.open(str(path), "rb") as file:
        assert file.getparams()[:3] == (1, 2, 8000)
        return np.frombuffer(file.readframes(file.getnframes()), dtype="<i2")


def told(story: Callable[[Talk], Coroutine[Any, Any, None]]) -> Callable[[Path], None]:
    """The test that lets it happen in a time of its own."""

    def test(tmp_path: Path) -> None:
        async def main() -> None:
            async with talking(tmp_path) as there:
                await story(there)

        VirtualClock().run(main())

    return test


@told
async def test_the_simcom_gives_its_sound_only_in_a_call_and_not_in_its_first_tenth_of_a_second(talk: Talk) -> None:
    assert await talk.simcom.ask("AT+CPCMREG=1") == "ERROR"
    await talk.answer()
    assert await talk.simcom.ask("AT+CPCMREG=1") == "ERROR"
    await asyncio.sleep(0.15)
    assert await talk.simcom.ask("AT+CPCMREG=1") == "OK"
    assert await talk.simcom.ask("AT+CPCMREG?") == "+CPCMREG: 1\nOK"
    heard = await talk.simcom_pcm.listen(1.0)
    assert len(heard) == pytest.approx(8000, abs=160)
    assert 0 < np.abs(heard).max() < 100, "a caller who says nothing: the hiss of a network, and no zeros"
    await talk.hang_up()
    assert len(await talk.simcom_pcm.listen(1.0)) == 0
    assert await talk.simcom.ask("AT+CPCMREG?") == "+CPCMREG: 0\nOK"


@told
async def test_a_caller_is_heard_and_hears(talk: Talk) -> None:
    await talk.turn("phone.record", number=OUTSIDE, file=str(talk.folder / "heard.wav"))
    await talk.talk()
    await talk.turn("phone.say", number="0812-99990000", hz=1000, seconds=3)
    heard, _ = await asyncio.gather(talk.simcom_pcm.listen(1.0), talk.simcom_pcm.play(tone(440, 1.0, 8000, -20)))
    assert frequency(heard[-4000:], 8000) == pytest.approx(1000, abs=1)
    assert level_dbfs(heard[-4000:]) == pytest.approx(-12, abs=0.1)
    assert share_of(heard[-4000:], 8000, 1000) > 0.999
    await talk.hang_up()
    kept = read(talk.folder / "heard.wav")
    begins = loud_from(kept, 8000)
    assert frequency(kept[begins + 800 : begins + 6400], 8000) == pytest.approx(440, abs=1)
    assert level_dbfs(kept[begins + 800 : begins + 6400]) == pytest.approx(-20, abs=0.1)
    assert (await talk.sound_of("simcom"))["lost"] == 0


@told
async def test_wide_band_is_twice_the_octets_and_the_same_tone(talk: Talk) -> None:
    await talk.simcom.ask("AT+CPCMFRM=1")
    await talk.talk()
    talk.simcom_pcm.rate = 16000
    await talk.turn("phone.say", number=OUTSIDE, hz=800, seconds=2)
    await asyncio.sleep(0.1)
    heard = await talk.simcom_pcm.listen(1.0)
    assert len(heard) == pytest.approx(16000, abs=320)
    assert frequency(heard, 16000) == pytest.approx(800, abs=1)
    assert level_dbfs(heard) == pytest.approx(-12, abs=0.7)


@told
async def test_the_quectel_speaks_on_its_nmea_port_once_gps_has_left_it_or_on_its_sound_card(talk: Talk) -> None:
    assert await talk.quectel.ask("AT+QPCMV=1,0") == "ERROR"
    assert await talk.quectel.ask('AT+QGPSCFG="outport","none"') == "OK"
    assert await talk.quectel.ask("AT+QPCMV=1,0") == "OK"
    await talk.turn("phone.place", number=OUTSIDE, does="answer", after_s=1)
    await talk.turn("phone.say", number=OUTSIDE, hz=700, seconds=60)
    await talk.quectel.ask('AT+QINDCFG="ccinfo",1,0')
    await talk.quectel.ask(f"ATD{OUTSIDE};")
    await talk.quectel.until(r'ccinfo",2,0,0,[^\r]*\r\n')
    heard = await talk.quectel_nmea.listen(0.5)
    assert frequency(heard[-2000:], 8000) == pytest.approx(700, abs=2)
    assert not talk.quectel_usb.heard
    assert await talk.quectel.ask("AT+QPCMV=1,2") == "OK"
    assert await talk.quectel.ask("AT+QPCMV?") == "+QPCMV: 1,2\nOK"
    heard = await talk.quectel_usb.listen(0.5)
    assert frequency(heard[-2000:], 8000) == pytest.approx(700, abs=2)
    assert len(await talk.quectel_nmea.listen(0.5)) == 0


@told
async def test_two_modems_hear_each_other_and_a_third_tone_is_nowhere(talk: Talk) -> None:
    await talk.quectel.ask("AT+QPCMV=1,2")
    await talk.quectel.ask(f"ATD{SIMCOM};")
    await talk.simcom.until("RING")
    await talk.simcom.ask("ATA")
    await asyncio.sleep(0.2)
    await talk.simcom.ask("AT+CPCMREG=1")
    at_simcom, at_quectel, *_ = await asyncio.gather(
        talk.simcom_pcm.listen(1.0),
        talk.quectel_usb.listen(1.0),
        talk.simcom_pcm.play(tone(600, 1.0, 8000)),
        talk.quectel_usb.play(tone(1500, 1.0, 8000)),
    )
    assert share_of(at_simcom[-4000:], 8000, 1500) > 0.999
    assert share_of(at_quectel[-4000:], 8000, 600) > 0.999


@told
async def test_keys_are_tones_in_the_sound_too(talk: Talk) -> None:
    await talk.simcom.ask("AT+DDET=1")
    await talk.talk()
    talk.simcom_pcm.heard = ""
    await talk.turn("call.press", to="simcom", keys="5", how="tones")
    heard = await talk.simcom_pcm.listen(0.4)
    begins = loud_from(heard, 8000)
    key = heard[begins + 80 : begins + 720]
    assert share_of(key, 8000, 770) > 0.4
    assert share_of(key, 8000, 1336) > 0.4
    assert "RXDTMF" not in talk.simcom.heard
    await talk.turn("call.press", to="simcom", keys="7")
    await talk.simcom.until(r"\+RXDTMF: 7\r\n")
    await talk.turn("phone.record", number=OUTSIDE, file=str(talk.folder / "keys.wav"))
    await talk.simcom.ask("AT+VTS=1")
    await asyncio.sleep(0.3)
    await talk.hang_up()
    kept = read(talk.folder / "keys.wav")
    begins = loud_from(kept, 8000)
    assert share_of(kept[begins + 80 : begins + 720], 8000, 1209) > 0.4


@told
async def test_a_silent_port_sends_zeros_and_one_way_sound_goes_one_way(talk: Talk) -> None:
    await talk.talk()
    await talk.turn("phone.say", number=OUTSIDE, hz=500, seconds=1, over_and_over=True)
    assert (await talk.simcom_pcm.listen(0.2)).any()
    await talk.turn("modem.pcm_silent", name="simcom")
    await asyncio.sleep(0.05)
    heard = await talk.simcom_pcm.listen(0.5)
    assert len(heard) == pytest.approx(4000, abs=320)
    assert not heard.any()
    await talk.turn("modem.pcm_silent", name="simcom", on=False)
    await talk.turn("modem.pcm_one_way", name="simcom", deaf="network")
    await talk.turn("phone.record", number=OUTSIDE, file=str(talk.folder / "heard.wav"))
    heard, _ = await asyncio.gather(talk.simcom_pcm.listen(0.5), talk.simcom_pcm.play(tone(440, 0.5, 8000)))
    assert heard[-800:].any()
    await talk.turn("phone.quiet", number=OUTSIDE)
    await talk.hang_up()
    assert not read(talk.folder / "heard.wav").any()


@told
async def test_the_second_call_is_mute_until_the_modem_is_reset(talk: Talk) -> None:
    await talk.turn("modem.second_call_mute", name="simcom")
    await talk.talk()
    await talk.turn("phone.say", number=OUTSIDE, hz=500, seconds=1, over_and_over=True)
    assert (await talk.simcom_pcm.listen(0.3)).any()
    await talk.hang_up()
    await talk.answer()
    await talk.turn("phone.say", number=OUTSIDE, hz=500, seconds=1, over_and_over=True)
    await asyncio.sleep(0.2)
    assert await talk.simcom.ask("AT+CPCMREG=1") == "ERROR"
    assert await talk.simcom.ask("AT+CPCMREG=1") == "OK"
    heard = await talk.simcom_pcm.listen(0.5)
    assert len(heard)
    assert not heard.any()
    await talk.hang_up()
    await talk.simcom.ask("AT+CRESET")
    async with asyncio.timeout(60):
        while not (talk.simcom.gone and talk.simcom.link.is_symlink()):
            await asyncio.sleep(0.1)
    for host in (talk.simcom, talk.simcom_pcm):
        host.close()
        host.open()
    async with asyncio.timeout(60):
        while (await talk.turn("status"))["modems"]["simcom"]["registration"] != 1:
            await asyncio.sleep(0.1)
    await talk.simcom.ask("ATE0")
    await talk.talk()
    await talk.turn("phone.say", number=OUTSIDE, hz=500, seconds=1)
    assert (await talk.simcom_pcm.listen(0.3)).any()


@told
async def test_a_fast_clock_gives_and_wants_more_samples(talk: Talk) -> None:
    await talk.turn("modem.pcm_drift", name="simcom", ppm=5000)
    await talk.talk()
    await talk.turn("phone.say", number=OUTSIDE, hz=1000, seconds=10)
    await asyncio.sleep(0.1)
    heard = await talk.simcom_pcm.listen(4.0)
    assert len(heard) == pytest.approx(8040 * 4, abs=180)
    assert frequency(heard[-16000:], 8000) == pytest.approx(995, abs=0.5), "the host's clock counts them as slower"
    gaps = (await talk.sound_of("simcom"))["gaps"]
    await talk.simcom_pcm.play(tone(440, 10.0, 8000))
    assert (await talk.sound_of("simcom"))["gaps"] > gaps, "a host at 8000 Hz runs dry"


@told
async def test_a_sound_port_that_is_unplugged_takes_no_call_with_it(talk: Talk) -> None:
    await talk.talk()
    await talk.turn("modem.pcm_unplug", name="simcom")
    async with asyncio.timeout(10):
        while not talk.simcom_pcm.gone:
            await asyncio.sleep(0.1)
    assert (await talk.turn("call.status"))["active"]
    assert not talk.simcom_pcm.link.is_symlink()
    await talk.turn("modem.pcm_plug", name="simcom")
    talk.simcom_pcm.close()
    talk.simcom_pcm.open()
    await talk.turn("phone.say", number=OUTSIDE, hz=500, seconds=1)
    assert (await talk.simcom_pcm.listen(0.3)).any()


@told
async def test_a_held_caller_neither_hears_nor_is_heard_and_a_conference_hears_all(talk: Talk) -> None:
    other = "+6281299990001"
    await talk.simcom.ask("AT+CCWA=1")
    await talk.turn("phone.record", number=other, file=str(talk.folder / "other.wav"))
    await talk.talk()
    await talk.turn("call.from", number=other, to="simcom")
    await talk.simcom.until("CCWA")
    assert (await talk.simcom.ask("AT+CHLD=2")).endswith("OK")
    await talk.turn("phone.say", number=OUTSIDE, hz=600, seconds=1, over_and_over=True)
    await talk.turn("phone.say", number=other, hz=1500, seconds=1, over_and_over=True)
    await asyncio.sleep(0.1)
    assert share_of(await talk.simcom_pcm.listen(0.5), 8000, 1500) > 0.999
    assert (await talk.simcom.ask("AT+CHLD=3")).endswith("OK")
    await asyncio.sleep(0.1)
    heard = await talk.simcom_pcm.listen(0.5)
    assert share_of(heard, 8000, 1500) == pytest.approx(0.5, abs=0.05)
    assert share_of(heard, 8000, 600) == pytest.approx(0.5, abs=0.05)
    await talk.turn("phone.record", number=other)
    kept = read(talk.folder / "other.wav")
    assert not kept[: 8000 // 2].any(), "while the first was held"
    assert share_of(kept[-3200:], 8000, 600) > 0.999, "what the first caller says, in the conference"


async def test_a_phone_speaks_a_text(tmp_path: Path) -> None:
    network = MobileNetwork(lambda: 0.0)
    knobs = SoundKnobs(network, {})
    try:
        told = await knobs.say(OUTSIDE, text="Ada kebakaran di Jalan Diponegoro", language="id")
    except ValueError as e:
        pytest.skip(str(e))
    assert 1.0 < told["seconds"] < 6.0
    voice = network.voice(OUTSIDE)
    said = np.frombuffer(b"".join(voice.speak() for _ in range(100)), dtype="<i2")
    assert level_dbfs(said) > -35
    with pytest.raises(ValueError, match="one of hz, wav and text"):
        await knobs.say(OUTSIDE, hz=1000, text="x")
    with pytest.raises(ValueError, match=r"none\.wav"):
        await knobs.say(OUTSIDE, wav=str(tmp_path / "none.wav"))
