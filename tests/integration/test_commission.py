"""`siaga commission` as a technician meets it: a program on a terminal, an annunciator with mock pins, no core."""

import asyncio
import codecs
import contextlib
import os
import pty
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from appliance.commission_record import Answer, Record, RecordRefused, load, save
from drivers.sim.knobs import turn

ROOT = Path(__file__).resolve().parents[2]
WITHIN = 20.0  # s; two interpreters on a busy machine
SITE = """
role = "station"
site = "ambon"
id = "hutumuri"
name = "Damkar Hutumuri"
language = "en"
state = "state"
run = "run"
[annunciator]
socket = "a.sock"
factory = "mock"
knobs = "k.sock"
[annunciator.output.siren]
pin = 17
kind = "siren"
max_s = 180
[annunciator.output.amber]
pin = 22
kind = "light"
[annunciator.output.local]
pin = 23
kind = "lamp"
[annunciator.input.red]
pin = 24
kind = "button"
[annunciator.input.current]
pin = 5
kind = "current"
of = "siren"
[annunciator.button]
input = "red"
output = "siren"
lamp = "local"
[own]
id = "hutumuri"
number = 12
siren = "siren"
max_s = 180
[[issuer]]
name = "pusat"
sms = ["+62000000001"]
"""
METERS = b"".join(b"0.2\ny\n" for _ in range(10))


class Terminal:
    """A program on a pty; what it printed, as text."""

    def __init__(self, master: int, process: asyncio.subprocess.Process) -> None:
        self.process, self.printed = process, ""
        self._master, self._more, self._from = master, asyncio.Event(), 0
        self._text = codecs.getincrementaldecoder("utf-8")()
        asyncio.get_running_loop().add_reader(master, self._read)

    def _read(self) -> None:
        try:
            octets = os.read(self._master, 65536)
        except OSError:  # Linux: the other side is closed
            octets = b""
        if not octets:
            asyncio.get_running_loop().remove_reader(self._master)
        self.printed += self._text.decode(octets).replace("\r\n", "\n")
        self._more.set()

    async def shows(self, text: str) -> None:
        """Wait for a text behind the one waited for before."""
        try:
            async with asyncio.timeout(WITHIN):
                while (at := self.printed.find(text, self._from)) < 0:
                    self._more.clear()
                    await self._more.wait()
        except TimeoutError:
            raise AssertionError(f"{text!r} does not come behind {self.printed[self._from :]!r}") from None
        self._from = at + len(text)

    def types(self, octets: bytes) -> None:
        os.write(self._master, octets)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "site.toml").write_text(SITE)
    (tmp_path / "state").mkdir()
    (tmp_path / "run").mkdir()
    return tmp_path


@contextlib.asynccontextmanager
async def annunciator(folder: Path) -> AsyncIterator[None]:
    command = [sys.executable, "-m", "appliance.annunciator", "--config", str(folder / "site.toml")]
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stderr=asyncio.subprocess.DEVNULL)
    try:
        async with asyncio.timeout(WITHIN):
            while not (folder / "k.sock").exists():
                await asyncio.sleep(0.02)
        yield
    finally:
        process.terminate()
        await process.wait()


@contextlib.asynccontextmanager
async def commission(folder: Path, *more: str) -> AsyncIterator[Terminal]:
    master, slave = pty.openpty()
    command = [sys.executable, "-m", "appliance.cli", "commission", "--config", str(folder / "site.toml"), *more]
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdin=slave, stdout=slave, stderr=slave)
    os.close(slave)
    try:
        yield Terminal(master, process)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        asyncio.get_running_loop().remove_reader(master)
        os.close(master)


async def press(folder: Path, name: str) -> None:
    await turn(folder / "k.sock", "input.press", name=name, hold_s=0.3)


async def test_every_contact_is_asked_for_and_the_record_is_complete(folder: Path) -> None:
    async with annunciator(folder), commission(folder, "--by", "Rina") as terminal:
        terminal.types(METERS)
        await terminal.shows("Input red")
        await terminal.shows("Close it now")
        await press(folder, "red")
        await terminal.shows("opened")
        terminal.types(b"y\n")
        levels: list[dict[str, int]] = await turn(folder / "k.sock", "pins.record", name="siren")
        assert all(change["value"] == 0 for change in levels)  # the red button was tried, and nothing sounded
        await terminal.shows("Input current")
        await press(folder, "current")
        await terminal.shows("opened")
        terminal.types(b"y\n")
        await terminal.shows("The siren sounds for 2 s")
        await turn(folder / "k.sock", "pins.cut", name="siren")
        terminal.types(b"y\n")
        await terminal.shows("the line was driven, current did NOT close")
        terminal.types(b"n\nfuse was out\n")
        await terminal.shows("Is it lit?")
        assert (await turn(folder / "k.sock", "pins.read"))["amber"] == 1
        terminal.types(b"perhaps\ny\n")
        await terminal.shows("Is it dark now")
        assert (await turn(folder / "k.sock", "pins.read"))["amber"] == 0
        terminal.types(b"y\n")
        await terminal.shows("1 left")
        assert await terminal.process.wait() == 1
    async with annunciator(folder), commission(folder, "--by", "Rina") as terminal:
        await terminal.shows("[1/1] Output siren")  # only what was no is asked again
        terminal.types(b"y\n")
        await terminal.shows("Did it sound")
        terminal.types(b"y\n")
        await terminal.shows("Everything was answered with yes.")
        assert await terminal.process.wait() == 0
    answers = load(folder / "state", "ambon", "hutumuri").answers
    assert {answer.said for answer in answers.values()} == {"yes"}
    assert answers["output.siren"].seen == "the line was driven, current closed"
    assert answers["meter.3"].seen == "0.2"


async def test_who_leaves_in_the_middle_goes_on_there(folder: Path) -> None:
    async with annunciator(folder), commission(folder) as terminal:
        terminal.types(b"0.5\ny\n0.1\nq\n")
        await terminal.shows("What was answered is kept")
        assert await terminal.process.wait() == 1
    assert list(load(folder / "state", "ambon", "hutumuri").answers) == ["meter.1"]


async def test_a_siren_is_not_tried_without_a_yes(folder: Path) -> None:
    save(folder / "state", Record("ambon", "hutumuri", {f"meter.{n}": Answer("yes", "R", 0.0) for n in range(1, 11)}))
    async with annunciator(folder), commission(folder) as terminal:
        for name in ("red", "current"):
            await terminal.shows("Close it now")
            await press(folder, name)
            await terminal.shows("opened")
            terminal.types(b"y\n")
        await terminal.shows("The siren sounds for 2 s")
        terminal.types(b"n\n")
        await terminal.shows("Is it lit?")
        assert load(folder / "state", "ambon", "hutumuri").answers["output.siren"].said == "skipped"
        record = await turn(folder / "k.sock", "pins.record", name="siren")
        assert all(change["value"] == 0 for change in record)


async def test_without_an_annunciator_it_says_what_to_start(folder: Path) -> None:
    async with commission(folder) as terminal:
        await terminal.shows("systemctl start siaga-annunciator")
        assert await terminal.process.wait() == 1


def test_the_record_of_another_box_is_not_gone_on_with(folder: Path) -> None:
    save(folder / "state", Record("ambon", "passo"))
    with pytest.raises(RecordRefused, match="is the record of passo"):
        load(folder / "state", "ambon", "hutumuri")
    (folder / "state" / "commission.json").write_bytes(msgspec.json.encode({"site": 1}))
    with pytest.raises(RecordRefused, match="Move it away"):
        load(folder / "state", "ambon", "hutumuri")
