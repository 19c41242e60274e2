"""The page of a box that cannot start: real processes, a real port, a real lamp's annunciator on mock pins."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
import tomli_w
from boot_card import APPLIANCE, PASSWORD, WIFI_PASSWORD, Card

from appliance.fault_led import blink
from appliance.fault_page import LAMP, TEXTS, page
from drivers.sim.knobs import turn

WITHIN = 15.0  # s for a process to start on a busy machine


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as made:
        return int(made.getsockname()[1])


class Running:
    def __init__(self, *arguments: object) -> None:
        command = [sys.executable, "-m", "appliance.cli", *map(str, arguments)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def end(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(WITHIN)
        assert self.process.stdout
        self.process.stdout.close()
        return code


@pytest.fixture
def card(tmp_path: Path) -> Card:
    card = Card(tmp_path)
    card.write(APPLIANCE.replace('role = "station"', 'role = "<boss>"').replace("192.168.112.11/24", "192.168.112.11"))
    return card


def first_boot(card: Card) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "appliance.cli", "first-boot"]
    command += ["--boot", str(card.boot), "--data", str(card.data), "--run", str(card.run)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


async def answer(url: str) -> httpx.Response:
    """As soon as somebody answers."""
    async with httpx.AsyncClient() as client, asyncio.timeout(WITHIN):
        while True:
            try:
                return await client.get(url)
            except httpx.ConnectError:
                await asyncio.sleep(0.05)


async def test_the_page_says_what_is_wrong_in_both_languages_and_nothing_secret(card: Card) -> None:
    said = first_boot(card)
    assert said.returncode == 1
    assert "baris 4" in said.stderr
    assert "line 4" in said.stderr
    port = free_port()
    served = Running("fault-page", "--run", card.run, "--host", "127.0.0.1", "--port", port)
    try:
        html = (await answer(f"http://127.0.0.1:{port}/")).text
        report = (await answer(f"http://127.0.0.1:{port}/fault.json")).json()
    finally:
        assert served.end() == 0
    assert [row["line"] for row in report["faults"]] == [4, 9]
    assert "&lt;boss&gt;" in html
    assert "<boss>" not in html
    assert TEXTS["id"]["title"] in html
    assert TEXTS["en"]["title"] in html
    for row in report["faults"]:
        assert row["id"][0].split(":")[0] in html
        assert row["en"][0].split(":")[0] in html
    for secret in (PASSWORD, WIFI_PASSWORD):
        assert secret not in html + said.stdout + said.stderr


async def test_a_repaired_card_boots_and_the_page_has_nothing_to_say(card: Card) -> None:
    assert first_boot(card).returncode == 1
    card.write(APPLIANCE)
    told = first_boot(card)
    assert (told.returncode, told.stderr) == (0, "")
    assert not (card.run / "first-boot/fault.json").exists()
    assert TEXTS["en"]["good"] in page(None)


async def test_who_asks_too_much_or_nothing_is_not_answered_and_others_are(card: Card) -> None:
    first_boot(card)
    port = free_port()
    served = Running("fault-page", "--run", card.run, "--host", "127.0.0.1", "--port", port)
    try:
        await answer(f"http://127.0.0.1:{port}/")
        silent = [await asyncio.open_connection("127.0.0.1", port) for _ in range(5)]
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\n" + b"x" * 20_000)
        assert await asyncio.wait_for(reader.read(), WITHIN) == b""
        assert (await answer(f"http://127.0.0.1:{port}/anything")).status_code == 200
        async with httpx.AsyncClient() as client:
            assert (await client.post(f"http://127.0.0.1:{port}/")).status_code == 405
        for _, one in [*silent, (reader, writer)]:
            one.close()
    finally:
        assert served.end() == 0


async def test_the_lamp_is_lit_while_there_is_a_fault(card: Card, tmp_path: Path) -> None:
    first_boot(card)
    socket_file, knobs = tmp_path / "a.sock", tmp_path / "k.sock"
    wired = {"socket": str(socket_file), "factory": "mock", "knobs": str(knobs), "uids": [os.getuid()]}
    wired["output"] = {LAMP: {"pin": 23, "kind": "lamp"}}
    (tmp_path / "lamp.toml").write_text(tomli_w.dumps({"annunciator": wired}))
    owner = Running("annunciator", "--config", tmp_path / "lamp.toml")
    served = Running(
        "fault-page", "--run", card.run, "--host", "127.0.0.1", "--port", free_port(), "--lamp", socket_file
    )
    try:
        async with asyncio.timeout(WITHIN + 5):
            while True:
                if knobs.exists():
                    pins = await turn(knobs, "pins.read")
                    if pins[LAMP]:
                        break
                await asyncio.sleep(0.1)
    finally:
        assert served.end() == 0
        assert owner.end() == 0


def test_the_boards_own_led_blinks(tmp_path: Path) -> None:
    for name in ("mmc0::", "ACT"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "trigger").write_text("none [mmc0] timer heartbeat")
    assert blink(tmp_path) == "ACT"
    assert (tmp_path / "ACT/trigger").read_text() == "timer"
    assert (tmp_path / "ACT/delay_on").read_text() == "100"
    assert blink(tmp_path / "nothing") == ""


def test_the_report_is_whole_json_in_utf8(card: Card) -> None:
    first_boot(card)
    report = json.loads((card.run / "first-boot/fault.json").read_text("utf-8"))
    assert report["faults"][0]["key"] == "box.role"
