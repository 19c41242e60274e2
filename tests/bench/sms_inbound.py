"""How long an SMS takes from the modem's last byte until it is on disk and acknowledged, over a real pty.

`python -m tests.bench.sms_inbound` prints the rows. The modem is a process of its own (`sms_modem`), its clock the only
one; it answers at once, and its turnaround is in the figure. Under test is a real `siaga core` with one line.
"""

import argparse
import asyncio
import json
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from drivers.clock import Clock
from drivers.jsonsocket import Client, Gone
from drivers.sim.sms_pdu import deliver
from drivers.sim.sms_text import text_parts
from tests.bench.table import Row, at_most, exactly, percentile, plain, summary, text
from tests.campaign.core_box import CoreBox

MODEM = Path(__file__).with_name("sms_modem.py")
SENDER, SENT_AT, ZONE = "+6281234567890", 1_767_225_600.0, 9 * 3600
PAUSE = (0.02, 0.06)  # s between messages; a SIM's memory takes no more a second over any radio
WITHIN = 30.0  # s
WARM = 20
AIMS = {50: 5.0, 99: 20.0}  # ms


class Unheard(Exception):
    """The modem did not see in time what it waits for."""


@dataclass
class Story:
    """What the modem saw of one message: moments of CLOCK_MONOTONIC."""

    said: float = 0.0
    reads: list[float] = field(default_factory=list)
    acknowledged: float = 0.0
    kept: bool = False


class BenchModem:
    """Handle of the modem's process. `stories` by PDU, `heard` wakes with each."""

    def __init__(self, journal: Path | None = None) -> None:
        command = [sys.executable, str(MODEM), *([str(journal)] if journal else [])]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self._process.stdout is not None
        self.port = self._process.stdout.readline().decode().strip()
        self._told = self._process.stdout.fileno()
        self.stories: dict[str, Story] = {}
        self._rest = b""
        self._heard = asyncio.Event()
        asyncio.get_running_loop().add_reader(self._told, self._readable)

    def do(self, do: str, **args: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"do": do, **args}).encode() + b"\n")
        self._process.stdin.flush()

    def _readable(self) -> None:
        data = os.read(self._told, 65536)
        if not data:
            asyncio.get_running_loop().remove_reader(self._told)
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._happened(json.loads(line))
        self._heard.set()

    def _happened(self, told: dict[str, Any]) -> None:
        story = self.stories.setdefault(told["pdu"], Story())
        match told["what"]:
            case "said":
                story.said = told["said"]
            case "read":
                story.reads.append(told["by"])
            case "acknowledged":
                story.acknowledged, story.kept = told["by"], told["kept"]

    def story(self, tpdu: str) -> Story:
        """Of the message with this TPDU. Raises StopIteration."""
        return next(story for pdu, story in self.stories.items() if pdu.endswith(tpdu))

    async def said(self, tpdu: str, within: float) -> None:
        """Until the modem has said, or stored, this message. Raises Unheard."""
        try:
            async with asyncio.timeout(within):
                while not any(pdu.endswith(tpdu) for pdu in self.stories):
                    self._heard.clear()
                    await self._heard.wait()
        except TimeoutError:
            raise Unheard(f"the modem was not asked anything within {within:g} s.") from None

    async def acknowledged(self, count: int) -> None:
        """Until so many messages are. Raises Unheard."""
        try:
            async with asyncio.timeout(WITHIN):
                while sum(story.acknowledged > 0 for story in self.stories.values()) < count:
                    self._heard.clear()
                    await self._heard.wait()
        except TimeoutError:
            done = sum(story.acknowledged > 0 for story in self.stories.values())
            raise Unheard(f"{done} of {count} messages were acknowledged within {WITHIN:g} s.") from None

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        asyncio.get_running_loop().remove_reader(self._told)
        self._process.stdin.close()
        self._process.wait(10)
        self._process.stdout.close()


def message(number: int) -> str:
    """The TPDU of a message of one part, in hex; none is like another."""
    [data] = text_parts(f"Kebakaran {number:05d} di Pasar Mardika, dua rumah terbakar, air terbatas", 0)
    return deliver(SENDER, data, SENT_AT + number, ZONE).hex().upper()


async def measure(folder: Path, rounds: int, *, direct: bool) -> list[Story]:
    """`rounds` messages, one after the other, in one mode."""
    folder.mkdir()
    clock = Clock(1.0)
    # The modem opens the journal read-only to look whether a message is there, so the journal must be there first.
    box = CoreBox(folder, {"l1": folder / "port"}, clock, direct=("generic",) if direct else ())
    box.start()
    modem: BenchModem | None = None
    try:
        await core_answers(box)
        modem = BenchModem(box.journal)
        (folder / "port").symlink_to(modem.port)
        return await _deliver(modem, rounds)
    finally:
        box.stop()
        if modem is not None:
            modem.close()


async def core_answers(box: CoreBox) -> None:
    async with asyncio.timeout(WITHIN):
        while True:
            client = Client(box.control)
            try:
                await client.connect()
                return
            except Gone:
                await asyncio.sleep(0.02)
            finally:
                client.close()


async def _deliver(modem: BenchModem, rounds: int) -> list[Story]:
    source = random.Random(rounds)
    for number in range(rounds + WARM):
        modem.do("deliver", tpdu=message(number))
        await modem.acknowledged(number + 1)
        await asyncio.sleep(source.uniform(*PAUSE))
    return list(modem.stories.values())[WARM:]


def rows_of(how: str, stories: Sequence[Story]) -> list[Row]:
    took = [(story.acknowledged - story.said) * 1e3 for story in stories]
    name = f"SMS in, {how}, until durable and acknowledged"
    rows = [at_most(f"{name}, p{percent}", percentile(took, percent), "ms", most) for percent, most in AIMS.items()]
    if all(len(story.reads) >= 2 for story in stories):
        steps = {
            "announced, read": [story.reads[0] - story.said for story in stories],
            "decoded, journalled, synced, looked at": [story.reads[-1] - story.reads[0] for story in stories],
            "deleted": [story.acknowledged - story.reads[-1] for story in stories],
        }
        rows += [plain(f"  of it {step}, p50", percentile(times, 50) * 1e3, "ms") for step, times in steps.items()]
    kept = sum(story.kept for story in stories)
    return [*rows, exactly(f"SMS in, {how}, on disk before acknowledged", kept, "messages", len(stories))]


async def rows(folder: Path, rounds: int) -> list[Row]:
    """All rows. Raises Unheard, TimeoutError."""
    folder.mkdir(exist_ok=True)
    stored = await measure(folder / "stored", rounds, direct=False)
    direct = await measure(folder / "direct", rounds, direct=True)
    return [*rows_of("stored", stored), *rows_of("direct", direct)]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.sms_inbound", description=__doc__)
    parser.add_argument("--rounds", type=int, default=300, help="messages in each mode (default 300)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="siaga-sms-") as folder:
        found = Clock(1.0).run(rows(Path(folder), options.rounds))
    print(text(found))
    print(summary(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
