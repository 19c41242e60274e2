"""USB sound by real PortAudio over ALSA, on cards of a private PulseAudio that come and go."""

import asyncio
import contextlib
import subprocess
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest
from sound_box import SoundBox, sound_box
from sound_measure import Pcm, frequency, level_dbfs, loud_from, share_of, tone

from drivers.audio.endpoint import FRAME_S
from drivers.audio.errors import Stuck
from drivers.audio.portaudio import DEVICE_FILES, PortAudio
from drivers.audio.usb_endpoint import UsbEndpoint

RATE = 8000
HZ = 1000.0
PATIENCE = 20.0
AHEAD = 5  # frames
TRIES = 6  # a machine that does much else lets a card's 40 ms run dry now and then, not always


@pytest.fixture(scope="module")
def sound() -> Iterator[SoundBox]:
    with sound_box("headset", "modem0") as box:
        yield box


@asynccontextmanager
async def portaudio(device_files: Path = DEVICE_FILES) -> AsyncIterator[PortAudio]:
    made = PortAudio(device_files)
    running = asyncio.create_task(made.run())
    try:
        yield made
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running


async def until(done: Callable[[], object], what: str) -> float:
    """How long it took."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    while not done():
        assert loop.time() - began < PATIENCE, f"never {what}"
        await asyncio.sleep(0.01)
    return loop.time() - began


async def through(speaker: UsbEndpoint, microphone: UsbEndpoint, pcm: Pcm, seconds: float) -> Pcm:
    """Give it in time, a tenth of a second ahead of what plays, and all that was heard meanwhile."""
    loop = asyncio.get_running_loop()
    frame = int(speaker.rate * FRAME_S)
    began, heard, at = loop.time(), [microphone.take()][:0], 0
    while loop.time() - began < seconds:
        due = int((loop.time() - began) / FRAME_S + AHEAD) * frame
        while at < min(due, len(pcm)):
            speaker.give(pcm[at : at + frame])
            at += frame
        await asyncio.sleep(0.005)
        heard.append(microphone.take())
    return np.concatenate(heard)


async def test_a_tone_comes_out_of_another_card_as_it_went_in(sound: SoundBox) -> None:
    async with portaudio() as usb:
        end = await usb.open("headset_mic", RATE, output="headset")
        assert not end.lost
        await until(lambda: min(end.beats) > 2, "heard anything")
        for _ in range(TRIES):
            end.take()
            heard = await through(end, end, tone(HZ, 0.45, RATE), 0.9)
            begins = loud_from(heard, RATE)
            middle = heard[begins + RATE // 10 : begins + RATE * 4 // 10]
            if len(middle) and share_of(middle, RATE, HZ) > 0.99:
                break
        assert share_of(middle, RATE, HZ) > 0.99, "no gap, no crackle"
        assert frequency(middle, RATE) == pytest.approx(HZ, abs=2)
        assert level_dbfs(middle) == pytest.approx(-12.0, abs=0.5)
        assert begins / RATE < 0.3, "the cards' own buffers"
        assert end.waiting_s < 0.1
    assert end.lost == "closed"


async def test_a_stranger_measures_what_a_card_plays(sound: SoundBox, tmp_path: Path) -> None:
    """parecord takes it from PulseAudio, sox says what it is."""
    path = tmp_path / "heard.wav"
    async with portaudio() as usb:
        end = await usb.open("modem0_mic", 16000, output="modem0")
        recorder = sound.started(
            "parecord", "--device=modem0.monitor", "--rate=16000", "--channels=1", "--latency-msec=20",
            "--file-format=wav", str(path),
        )  # fmt: skip
        try:
            await until(lambda: path.exists() and path.stat().st_size > 1000, "recorded")
            await through(end, end, tone(440.0, 1.0, 16000, -6.0), 1.2)
        finally:
            recorder.terminate()
            recorder.wait(10)
    assert await asyncio.to_thread(rough_frequency, path) == pytest.approx((440, 0.5), rel=0.1)


def rough_frequency(path: Path) -> tuple[float, float]:
    """Frequency and peak, by sox, of what is no silence."""
    said = subprocess.run(
        ["sox", str(path), "-n", "silence", "1", "0.01", "1%", "trim", "0.2", "0.5", "stat"],
        capture_output=True, text=True, timeout=20, check=True,
    ).stderr  # fmt: skip
    figures = dict(line.split(":") for line in said.splitlines() if line.count(":") == 1)
    return float(figures["Rough   frequency"]), float(figures["Maximum amplitude"])


async def test_a_card_whose_call_is_over_before_it_is_open_is_let_go(sound: SoundBox) -> None:
    async with portaudio() as usb:
        (await usb.open("headset_mic", RATE, output="headset")).close()
        for turns in range(1, 6):
            opening = asyncio.create_task(usb.open("headset_mic", RATE, output="headset"))
            for _ in range(turns):
                await asyncio.sleep(0.003)  # the thread is somewhere between the microphone and the speaker
            opening.cancel()
            await asyncio.wait({opening})
            if not opening.cancelled():  # on a busy machine it was open first: then whoever asked closes it
                opening.result().close()
        last = await usb.open("headset_mic", RATE, output="headset")
        await until(lambda: min(last.beats) > 2, "heard")
        last.close()
        await until(lambda: not sound.run("pactl", "list", "short", "source-outputs").strip(), "let go")


async def test_an_unplugged_headset_is_lost_within_two_seconds_and_comes_back(sound: SoundBox) -> None:
    async with portaudio() as usb:
        headset = await usb.open("headset_mic", RATE, output="headset")
        modem = await usb.open("modem0_mic", RATE, output="modem0")
        await until(lambda: min(headset.beats) > 2, "heard")
        sound.unplug("headset")
        assert await until(lambda: headset.lost, "lost") < 2.0
        await until(lambda: headset.lost == "unplugged", "unplugged")
        before = list(modem.beats)
        await until(lambda: min(modem.beats) > max(before) + 5, "the other one goes on")
        assert not modem.lost
        sound.plug("headset")
        assert await until(lambda: not headset.lost, "back") < 2.0
        await until(lambda: len(headset.take()), "heard again")
        headset.take()
        heard = await through(headset, headset, tone(HZ, 0.6, RATE), 1.0)
        begins = loud_from(heard, RATE)
        assert frequency(heard[begins + 800 : begins + 4000], RATE) == pytest.approx(HZ, abs=10)


async def test_a_card_that_came_after_the_count_is_found_and_the_others_talk_on(
    sound: SoundBox, tmp_path: Path
) -> None:
    async with portaudio(tmp_path) as usb:
        modem = await usb.open("modem0_mic", RATE, output="modem0")
        later = await usb.open("later_mic", RATE, output="later")
        assert later.lost == "missing"
        assert "later" not in usb.names
        sound.plug("later")
        (tmp_path / "pcmC1D0c").touch()  # as udev makes it
        assert await until(lambda: not later.lost, "found") < 5.0
        assert "later" in usb.names
        before = list(modem.beats)
        await until(lambda: min(modem.beats) > max(before) + 5, "the other one goes on")
        assert not modem.lost
    sound.unplug("later")


async def test_a_closed_end_lets_the_next_have_the_card_at_once(sound: SoundBox) -> None:
    async with portaudio() as usb:
        first = await usb.open("headset_mic", RATE, output="headset")
        first.close()
        first.close()
        second = await usb.open("headset_mic", RATE, output="headset")
        assert (first.lost, second.lost) == ("closed", "")
        first.give(tone(HZ, 0.1, RATE))
        assert first.waiting_s == 0.0


async def test_the_libraries_complaints_are_held_back(sound: SoundBox, capfd: pytest.CaptureFixture[str]) -> None:
    async with portaudio() as usb:
        assert not (await usb.open("headset_mic", RATE, output="headset")).lost
    said = capfd.readouterr().err
    assert "ALSA lib" not in said
    assert "jack" not in said.lower()


async def test_a_rate_that_a_card_does_not_do_and_a_name_that_is_none_are_told_apart(sound: SoundBox) -> None:
    async with portaudio() as usb:
        assert (await usb.open("headset_mic", 500_000, output="headset")).lost == "unfit"
        assert (await usb.open("no such card", RATE)).lost == "missing"


async def test_a_library_that_hangs_is_told_and_never_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    free = threading.Event()
    monkeypatch.setattr("drivers.audio.portaudio.STUCK_S", 0.1)
    monkeypatch.setattr("drivers.audio.portaudio.start", free.wait)
    try:
        with pytest.raises(Stuck, match="must be started again"):
            await PortAudio().open("headset", RATE)
    finally:
        free.set()
