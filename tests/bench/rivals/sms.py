"""Messages that come in, taken by others' programs and by ours in one run: how long, and which are lost.

`python -m tests.bench.rivals.sms` prints the rows. Each has a modem of the same making (`tests.bench.sms_modem`); they
take turns. Theirs is done when a file or a callback has the text; ours also once it is on disk and acknowledged.
"""

import argparse
import asyncio
import contextlib
import random
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from drivers.clock import Clock
from tests.bench.rivals import codec
from tests.bench.rivals.sms_peers import Callback, GammuSmsd, NotStarted, Ours, Peer, gammu_is_there
from tests.bench.sms_inbound import Unheard, message
from tests.bench.table import Row, beside, exactly, missing, percentile, plain, summary, text

ROUNDS, QUICK = 8, 10  # rounds; in each one message for who takes seconds, and so many for each who takes milliseconds
PAUSE = (0.02, 0.06)  # s
WITHIN = 45.0  # s; half as long again as gammu-smsd ever took
EACH, BURST = 5, 10  # messages in each losing case
GAP = 1.0  # s between the messages of a case
LEVEL, FASTER = 1.0, 0.01  # of a rival's time, at most
CASES = ("burst of 10", "+CMTI inside an answer", "+CMT, though told to store", "modem restarted")


class Numbers:
    """Each message has a number of its own."""

    def __init__(self) -> None:
        self._last = 0

    def some(self, count: int) -> list[int]:
        self._last += count
        return list(range(self._last - count + 1, self._last + 1))


async def _heard(peer: Peer, numbers: Sequence[int]) -> int:
    """How many of these, once all are there or the time is over."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(WITHIN):
            while not peer.heard.keys() >= set(numbers):
                await asyncio.sleep(0.02)
    return len(peer.heard.keys() & set(numbers))


async def _one(peer: Peer, number: int) -> None:
    peer.modem.do("deliver", tpdu=message(number))
    if not await _heard(peer, [number]):
        raise Unheard(f"{peer.name} did not take message {number} within {WITHIN:g} s.")


async def _latency(slow: Peer | None, quick: Sequence[Peer], numbers: Numbers) -> None:
    source = random.Random(ROUNDS)
    for number in range(ROUNDS):
        sys.stderr.write(f"messages in, round {number + 1} of {ROUNDS} ...\n")
        await asyncio.sleep(source.uniform(0.0, 3.0))  # whoever polls is met at any phase
        waits = asyncio.create_task(_one(slow, numbers.some(1)[0])) if slow else None
        for _ in range(QUICK):
            for peer in quick:
                await _one(peer, numbers.some(1)[0])
                await asyncio.sleep(source.uniform(*PAUSE))
        if waits:
            await waits


async def _case(case: str, peer: Peer, numbers: Sequence[int]) -> int:
    """How many were lost."""
    for number in numbers:
        tpdu = message(number)
        match case:
            case "burst of 10":
                peer.modem.do("deliver", tpdu=tpdu)
                continue
            case "+CMTI inside an answer":
                peer.modem.do("inside", command=peer.asks, tpdu=tpdu)
                await peer.ask()
                await peer.modem.said(tpdu, WITHIN)
            case "+CMT, though told to store":
                peer.modem.do("hand_over", tpdu=tpdu)
            case "modem restarted":
                if number == numbers[0]:
                    peer.modem.do("power_up")
                peer.modem.do("deliver", tpdu=tpdu)
        await asyncio.sleep(GAP)
    lost = len(numbers) - await _heard(peer, numbers)
    peer.modem.do("forget")
    return lost


def _took(peer: Peer) -> list[float]:
    return [(heard - peer.modem.story(message(number)).said) * 1e3 for number, heard in sorted(peer.heard.items())]


@contextlib.asynccontextmanager
async def _running(peers: Sequence[Peer]) -> AsyncIterator[None]:
    async with contextlib.AsyncExitStack() as stack:
        for peer in peers:
            await peer.start()
            stack.push_async_callback(peer.stop)
        yield


async def measure(folder: Path) -> list[Row]:
    """All rows; some five minutes, which are gammu-smsd's. Raises NotStarted, Unheard."""
    numbers = Numbers()
    gammu = GammuSmsd(folder / "gammu") if gammu_is_there() else None
    callback, ours = Callback(folder / "callback"), Ours(folder / "ours")
    peers: list[Peer] = [peer for peer in (gammu, callback, ours) if peer is not None]
    async with _running(peers):
        for peer in peers:  # started, and through with what they do first
            await _one(peer, numbers.some(1)[0])
            peer.heard.clear()
        await _latency(gammu, (callback, ours), numbers)
        took = {peer.name: _took(peer) for peer in peers}
        durable = [
            (story.acknowledged - story.said) * 1e3
            for story in (ours.modem.story(message(number)) for number in ours.heard)
        ]
        lost: dict[tuple[str, str], int] = {}
        for case in CASES:
            sys.stderr.write(f"{case} ...\n")
            some = {peer.name: numbers.some(BURST if case == CASES[0] else EACH) for peer in peers}
            for peer, count in zip(
                peers, await asyncio.gather(*(_case(case, peer, some[peer.name]) for peer in peers)), strict=True
            ):
                lost[peer.name, case] = count
    return [*_latency_rows(took, durable), *_lost_rows(peers, lost)]


def _latency_rows(took: dict[str, list[float]], durable: Sequence[float]) -> list[Row]:
    names = {
        GammuSmsd.name: "SMS in, gammu-smsd with its defaults, until its file",
        Callback.name: "SMS in, python-gsmmodem-new, until its callback",
        Ours.name: "SMS in, ours, until the page's socket has it",
    }
    rows = [
        plain(f"{names[name]}, {word}", percentile(values, percent), "ms")
        for name, values in took.items()
        for word, percent in (("p50", 50), ("worst", 100))
    ]
    told, kept = percentile(took[Ours.name], 50), percentile(durable, 50)
    rows.append(plain("SMS in, ours, until durable and acknowledged, p50", kept, "ms"))
    if GammuSmsd.name in took:
        rows.append(
            beside("SMS in until durable, p50 (gammu-smsd)", kept, "ms", percentile(took[GammuSmsd.name], 50), FASTER)
        )
    else:
        rows.append(missing("SMS in beside gammu-smsd", "ms", "not installed: apt-get install gammu-smsd"))
    theirs = percentile(took[Callback.name], 50)
    rows.append(beside("SMS in until told, p50 (python-gsmmodem-new's callback)", told, "ms", theirs, LEVEL))
    return [*rows, beside("SMS in until durable, p50 (python-gsmmodem-new's callback)", kept, "ms", theirs)]


def _lost_rows(peers: Sequence[Peer], lost: dict[tuple[str, str], int]) -> list[Row]:
    rows = []
    for case in CASES:
        given = BURST if case == CASES[0] else EACH
        for peer in peers:
            name, count = f"lost of {given}, {case}: {peer.name}", lost[peer.name, case]
            rows.append(
                exactly(name, count, "messages", 0) if isinstance(peer, Ours) else plain(name, count, "messages")
            )
    return rows


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.rivals.sms", description=__doc__)
    parser.add_argument("--install", action="store_true", help="install python-gsmmodem-new first")
    try:
        if parser.parse_args().install or not codec.PYTHON.exists():
            codec.install()
        with tempfile.TemporaryDirectory(prefix="siaga-rivals-") as folder:
            rows = Clock(1.0).run(measure(Path(folder)))
    except (codec.NotInstalled, NotStarted, Unheard) as e:
        print(e, file=sys.stderr)
        return 1
    print(text(rows))
    print(summary(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
