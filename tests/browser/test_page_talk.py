"""A person's voice through a real Chromium: its microphone is a file, what comes is measured at both ends.

The page is open over TLS, in a browser that trusts the box's authority and would trust no other.
"""

import asyncio
import os
import subprocess
import wave
from collections.abc import AsyncIterator
from typing import Any

import httpx
import numpy as np
import pytest
import pytest_asyncio
from fake_core import PASSWORD
from page_box import START_WITHIN, Box, free_port, until
from playwright.async_api import Browser, Error, Page, async_playwright
from talk_peer import TalkPeer, level_at, sine

from web.talk import talk_key

pytestmark = pytest.mark.asyncio(loop_scope="module")

HOST = "pusat.lan"
SPOKEN, TOO_HIGH, HEARD = 1000.0, 10000.0, 440.0  # Hz; the high one would be heard at 6 kHz if it were not filtered
ALIAS = 16000 - TOO_HIGH
LOUD, QUIET = -12.0, -20.0  # dBFS
MICROPHONE_RATE = 44100  # Hz, no multiple of ours
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"]
START = """async (options) => {
  const { Talk } = await import("/static/talk.js");
  const talk = (window.talk = new Talk(options));
  const said = (window.said = []);
  const says = (what) => { said.push(what); sessionStorage.said = JSON.stringify(said); };
  sessionStorage.said = "[]";
  talk.addEventListener("state", (e) => says(e.detail.state + (e.detail.joined ? "+" : "")));
  talk.addEventListener("device", (e) => says(`microphone ${e.detail.state}`));
  talk.addEventListener("level", (e) => (window.level = e.detail));
  await talk.start();
}"""
SAID = "JSON.parse(sessionStorage.said)"
RECORD = """async (seconds) => {
  const context = talk.output.context;
  const analyser = new AnalyserNode(context, { fftSize: 32768 });
  talk.output.connect(analyser);
  await new Promise((r) => setTimeout(r, seconds * 1000));
  const got = new Float32Array(analyser.fftSize);
  analyser.getFloatTimeDomainData(got);
  talk.output.disconnect(analyser);
  return { rate: context.sampleRate, samples: Array.from(got) };
}"""
# A microphone made in the page: silent, until it sounds. The time until it is heard back is the whole way twice.
THERE_AND_BACK = """async () => {
  const context = talk.output.context;
  const analyser = new AnalyserNode(context, { fftSize: 256 });
  talk.output.connect(analyser);
  const block = new Float32Array(256);
  const loud = () => { analyser.getFloatTimeDomainData(block); return block.some((x) => Math.abs(x) > 0.1); };
  const rest = (ms) => new Promise((r) => setTimeout(r, ms));
  const delays = [];
  for (let n = 0; n < 5; n += 1) {
    while (loud()) await rest(10);
    await rest(60 + n * 7);
    window.gate.gain.value = 0.5;
    const began = performance.now();
    while (!loud()) await rest(0);
    delays.push(performance.now() - began);
    window.gate.gain.value = 0;
    await rest(100);
  }
  return { delays, level: window.level };
}"""
OWN_MICROPHONE = """() => {
  const context = new AudioContext();
  const tone = new OscillatorNode(context, { frequency: 700 });
  window.gate = new GainNode(context, { gain: 0 });
  const out = new MediaStreamAudioDestinationNode(context);
  tone.connect(window.gate).connect(out);
  tone.start();
  navigator.mediaDevices.getUserMedia = async () => out.stream.clone();
}"""


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def talk_box(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Box]:
    box = Box(tmp_path_factory.mktemp("talk"), tls=True, tls_port=(port := free_port()), names=[HOST])
    box.url = f"https://{HOST}:{port}/"
    try:
        await box.start_core()
        await box.start_web()
        yield box
    finally:
        await box.stop_web()
        await box.stop_core()


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def speaker(talk_box: Box, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Browser]:
    """A Chromium whose microphone is a file, and which trusts the authority as a technician would install it."""
    home = tmp_path_factory.mktemp("home")
    database = home / ".pki" / "nssdb"
    database.mkdir(parents=True)
    certificate = home / "ca.crt"
    certificate.write_bytes(await authority(talk_box.port))
    certutil = ["certutil", "-d", f"sql:{database}"]
    for command in ["-N", "--empty-password"], ["-A", "-n", "siaga", "-t", "C,,", "-i", str(certificate)]:
        await asyncio.to_thread(subprocess.run, [*certutil, *command], check=True, timeout=20)
    said = sine(SPOKEN, 2, LOUD, MICROPHONE_RATE) + sine(TOO_HIGH, 2, LOUD, MICROPHONE_RATE)
    with wave.open(str(home / "said.wav"), "wb") as file:
        file.setparams((1, 2, MICROPHONE_RATE, 0, "NONE", ""))
        file.writeframes((said * 32767).astype("<i2").tobytes())
    arguments = [
        *ARGUMENTS, "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-audio-capture={home / 'said.wav'}", f"--host-resolver-rules=MAP {HOST} 127.0.0.1",
        "--autoplay-policy=no-user-gesture-required",
    ]  # fmt: skip
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=arguments, env={**os.environ, "HOME": str(home)}
        )
        try:
            yield browser
        finally:
            await browser.close()


async def authority(port: int) -> bytes:
    """Its certificate. Web listens on its plain port a moment before it has one, and answers 503 until then."""
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as person:

        async def offered() -> bool:
            return (await person.get("/ca.crt")).is_success

        await until(offered, START_WITHIN)
        return (await person.get("/ca.crt")).content


@pytest_asyncio.fixture(loop_scope="module")
async def audio(talk_box: Box) -> AsyncIterator[TalkPeer]:
    talk_box.where.sound.mkdir(exist_ok=True)
    peer = TalkPeer(talk_box.where.audio_stream)
    await peer.start()
    try:
        yield peer
    finally:
        await peer.stop()


@pytest_asyncio.fixture(loop_scope="module")
async def page(talk_box: Box, speaker: Browser) -> AsyncIterator[Page]:
    """Logged in; it must have thrown nothing when the test is over."""
    context = await speaker.new_context()
    faults: list[str] = []
    try:
        page = await context.new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda m: faults.append(m.text) if "Security Policy" in m.text else None)
        await page.goto(talk_box.url)
        await page.fill("[name=name]", "budi")
        await page.fill("[name=password]", PASSWORD)
        await page.click(".login button")
        await page.wait_for_selector("#siren")
        yield page
        assert faults == []
    finally:
        await context.close()


async def says(page: Page, what: str, within: float = 10.0) -> None:
    """What its talk said stands in the tab's own storage: a page whose login has ended loads itself anew meanwhile."""

    async def said() -> bool:
        try:
            return what in await page.evaluate(SAID)
        except Error as e:
            if "context was destroyed" in e.message:
                return False
            raise

    try:
        await until(said, within)
    except TimeoutError:
        raise AssertionError(f"{what!r} is not in {await page.evaluate(SAID)}") from None


async def test_what_a_person_says_comes_clean_and_what_the_box_says_is_heard(
    page: Page, audio: TalkPeer, talk_box: Box
) -> None:
    audio.say = (sine(HEARD, 1, QUIET) * 32767).astype(np.int16)
    await page.evaluate(START, {"processing": False})
    await says(page, "open+")
    assert audio.keys == [talk_key(token) for token in talk_box.core.tokens]
    await until(lambda: len(audio.heard) > 10)
    loop = asyncio.get_running_loop()
    began, had = loop.time(), len(audio.heard)

    def said_clean() -> bool:
        up = audio.last(0.5)
        return len(up) == 8000 and abs(level_at(up, SPOKEN) - LOUD) < 1 and level_at(up, ALIAS) < LOUD - 50

    async def heard_clean() -> bool:
        heard = await page.evaluate(RECORD, 0.7)
        down = np.array(heard["samples"])
        everything = 10 * np.log10(2 * np.mean(down**2) + 1e-12)  # the tone, and it is nothing else
        return bool(abs(level_at(down, HEARD, heard["rate"]) - QUIET) < 1 and abs(everything - QUIET) < 1)

    # A half second without a click each way: a busy machine costs some, and each is waited out.
    await until(said_clean)
    await until(heard_clean)
    took, frames = loop.time() - began, len(audio.heard) - had
    assert frames * 0.02 < took + 0.3  # 50 a second at most: none is made up
    await page.evaluate("talk.muted = true")
    await until(lambda: not np.any(audio.last(0.2)))
    assert await page.evaluate("level.microphone") > LOUD - 3  # the meter shows that the microphone works
    await page.evaluate("talk.stop()")
    await says(page, "off")
    await until(lambda: audio.joined == 0, 3.0)


async def test_the_way_there_and_back_is_short(page: Page, audio: TalkPeer) -> None:
    audio.echo = True
    await page.evaluate(OWN_MICROPHONE)
    await page.evaluate(START, {"processing": False})
    await says(page, "open+")
    found: dict[str, Any] = await page.evaluate(THERE_AND_BACK)
    delays = sorted(found["delays"])
    assert delays[len(delays) // 2] < 250, found  # ms; 70 on a free machine, of them 35 wait against jitter


async def test_sound_comes_back_by_itself_when_audio_or_web_was_gone(
    page: Page, audio: TalkPeer, talk_box: Box
) -> None:
    await page.evaluate(START, {"processing": True})
    await says(page, "open+")
    await audio.stop()
    await page.evaluate("window.said.length = 0, sessionStorage.said = '[]'")
    await until(lambda: page.evaluate("!talk.joined"))
    await audio.start()
    await until(lambda: audio.joined == 1, 2.0)
    await talk_box.stop_web()
    await says(page, "lost")
    await talk_box.start_web()
    await until(lambda: audio.joined == 1, 3.0)
    await says(page, "open+")


async def test_the_newest_page_of_a_session_has_the_sound_and_a_logout_ends_it(page: Page, audio: TalkPeer) -> None:
    await page.evaluate(START, {})
    await says(page, "open+")
    other = await page.context.new_page()
    await other.goto(page.url)
    await other.evaluate(START, {})
    await says(page, "elsewhere")
    await says(other, "open+")
    await until(lambda: audio.joined == 1)
    token = await other.evaluate("fetch('/logout', { method: 'POST' }).then((r) => r.ok)")
    assert token
    await says(other, "login")
    await until(lambda: audio.joined == 0)
