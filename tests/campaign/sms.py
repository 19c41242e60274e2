"""`make sms-campaign`: thousands of messages through two simulated modems that misbehave, and a core that is killed.

In: the network knows what it was given, the journal what was told: every message once, on its line. Out: the journal's
word on each message agrees with what the network got. One line's modem stores what comes in, the other's hands it over.
All is random by a seed that is printed; what goes wrong when is not repeatable to the millisecond: processes race.
"""

import argparse
import asyncio
import contextlib
import sys
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from random import Random, randrange
from typing import NamedTuple

import msgspec

from appliance.journal import follow_chain
from appliance.journal_file import read_entries
from drivers.clock import Clock
from drivers.jsonsocket import Client, Gone, Refusal
from tests.campaign.core_box import CoreBox
from tests.campaign.given import SENDERS, Account, text
from tests.campaign.mishaps import AT_ONCE, LASTING, Mishaps
from tests.campaign.sent import Outbox
from tests.integration.lines_box import NUMBERS, Network

WAITING_MOST = 40  # parts that wait in the network for one modem: kills and faults meet bursts, not one long queue
LOOK = 2.0  # s of the scaled clock between two looks
STALLED = 1200.0  # s of it without anything new: what is missing then does not come any more
OUT = 0.4  # of all messages; the reports of these come in
OUTSIDE = "+62855"  # and seven digits: each message that goes out has a recipient of its own
LIFETIME = 600  # s
ANSWER = 20.0  # s of the scaled clock
DIRECT = "simcom_sim7600"  # of the second line


class Plan(NamedTuple):
    """`kinds` are of `mishaps`, `rest` is how many scaled seconds a modem works between two of them."""

    messages: int
    kills: int
    kinds: Sequence[str] = (*LASTING, *AT_ONCE)
    rest: tuple[float, float] = (5.0, 90.0)
    speed: float = 10.0
    confirmed: bool = True  # wait for the network's reports too, and for those that do not come until they are overdue
    retry: float = 20.0  # scaled s; a real network rests a minute or more, and the campaign as often as a modem refuses


# A few seconds of it, for the tests: nothing that costs a sweep's minute or the network's minute of rest.
SHORT = Plan(150, 3, ("modem.split", "modem.late", "modem.reset_in"), (10.0, 40.0), 10.0, confirmed=False, retry=2.0)


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """How a campaign went; `faults` is empty when every message is accounted for."""

    seed: int
    given: int
    told: int
    ordered: int
    ends: dict[str, int]
    twice: int  # of these sent twice, each marked
    kills: int
    mishaps: dict[str, int]
    damaged: int  # what came in pieces over a bad wire and was brought again
    seconds: float
    faults: list[str]

    def text(self) -> str:
        did = _counted(self.mishaps)
        head = (
            f"seed {self.seed}: {self.kills} x kill -9, {self.seconds:.0f} s\n"
            f"in: {self.given} given, {self.told} told, {self.damaged} damaged on the wire\n"
            f"out: {self.ordered} ordered, {_counted(self.ends)}, {self.twice} sent twice\nmishaps: {did}"
        )
        return "\n".join([head, *(self.faults[:50] or ["every message accounted for, none lost, none twice unmarked"])])


def _counted(what: dict[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(what.items()))


class Campaign:
    """The network lives on this loop, core in a process of its own. Made on the running loop."""

    def __init__(self, folder: Path, clock: Clock, plan: Plan, seed: int) -> None:
        self._clock, self._plan, self._seed = clock, plan, seed
        self._random = Random(seed)
        self._network = Network(folder, clock)
        self._box = CoreBox(folder, {name: folder / name for name in NUMBERS}, clock, direct=(DIRECT,))
        self._mishaps = [
            Mishaps(name, Random(f"{seed} {name}"), self._network.turn, plan.kinds, plan.rest) for name in NUMBERS
        ]
        self._account, self._outbox = Account(), Outbox()
        self._read_to = self._fetched_to = 0
        self._killed = 0

    async def run(self) -> Summary:
        began = self._clock.unscaled()
        await self._network.until_ready()
        await self._network.turn("network.delay", seconds=0.2, radio=0.1, retry=self._plan.retry)
        self._box.start()
        try:
            async with self._misbehaving():
                await self._give()
            await self._until_told()
        finally:
            self._box.stop()
            await self._network.stop()
        self._look()
        faults = [*self._account.faults(), *self._outbox.faults()]
        if broken := follow_chain(read_entries(self._box.journal)):
            faults.append(f"journal: {broken}")
        done: Counter[str] = sum((mishaps.done for mishaps in self._mishaps), Counter())
        return Summary(
            seed=self._seed, given=len(self._account.given), told=self._account.told.total(),
            ordered=len(self._outbox.told), ends=dict(self._outbox.ends), twice=self._outbox.twice, kills=self._killed,
            mishaps=dict(done), damaged=self._account.unreadable, seconds=self._clock.unscaled() - began, faults=faults,
        )  # fmt: skip

    @contextlib.asynccontextmanager
    async def _misbehaving(self) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(mishaps.run()) for mishaps in self._mishaps]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        for mishaps in self._mishaps:
            await mishaps.heal()

    async def _give(self) -> None:
        """All messages, as fast as the network takes them; at random ones core is killed."""
        kills = sorted(self._random.sample(range(self._plan.messages), self._plan.kills))
        for number in range(self._plan.messages):
            if self._random.random() < OUT:
                await self._order(number)
            else:
                await self._deliver(number)
            if number % 100 == 0:
                await self._fetch()
            if kills and number >= kills[0]:
                del kills[0]
                await self._kill()

    async def _deliver(self, number: int) -> None:
        """The network is given a message for one of the lines."""
        one = self._random.choice(list(NUMBERS)), self._random.choice(SENDERS), text(self._random, number)
        await self._room(one[0])
        await self._network.turn("sms.from", to=one[0], number=one[1], text=one[2])
        self._account.given.append(one)

    async def _order(self, number: int) -> None:
        """Core is told to send a message. One that dies before it answers may have taken it on or not."""
        what, deadline, tries = text(self._random, number), self._clock.now() + STALLED, 0
        while self._clock.now() < deadline:
            tries += 1  # one asked for again, since core died over it, is another message
            order = {"do": "sms.send", "number": f"{OUTSIDE}{tries % 100:02d}{number:05d}", "text": what}
            client = Client(self._box.control)
            try:
                await client.connect()
                taken = await client.request({**order, "lifetime_s": LIFETIME}, timeout=ANSWER)
            except Gone:
                await asyncio.sleep(LOOK / 4)
            except Refusal as e:
                if e.code != "full":
                    raise
                await asyncio.sleep(LOOK)
            else:
                if taken["durable"]:
                    self._outbox.ordered[taken["message"]] = (order["number"], order["text"])
                return
            finally:
                client.close()

    async def _room(self, line: str) -> None:
        while (await self._network.turn("status"))["modems"][line]["held_by_network"] > WAITING_MOST:
            await asyncio.sleep(LOOK / 4)

    async def _kill(self) -> None:
        """In a moment in which messages are on their way, whenever one can be had."""
        await self._fetch()
        before = self._look()
        deadline = self._clock.now() + 60.0
        while self._look() == before and self._clock.now() < deadline:
            await asyncio.sleep(LOOK / 20)
        await asyncio.sleep(self._random.uniform(0.0, 1.0))
        self._box.kill()
        self._killed += 1
        self._box.start()

    def _look(self) -> int:
        """Read on in the journal; how many texts it tells."""
        if self._box.journal.exists():
            for entry in read_entries(self._box.journal, after=self._read_to):
                self._read_to = entry.seq
                if entry.kind.startswith("sms."):
                    self._account.read(entry)
                    self._outbox.read(entry)
        return self._account.told.total()

    async def _fetch(self) -> None:
        """What modems sent; the network remembers the last thousand."""
        sent = await self._network.turn("sms.outbox", after=self._fetched_to)
        self._fetched_to = self._outbox.arrived(sent) or self._fetched_to

    async def _until_told(self) -> None:
        """Until nothing is under way any more, or nothing moves."""
        moved, last = self._clock.now(), (-1, -1)
        while self._clock.now() - moved < STALLED:
            told = self._look()
            left = self._outbox.open if self._plan.confirmed else self._outbox.waiting
            now = told, left
            await self._fetch()
            if now != last:
                moved, last = self._clock.now(), now
            if not self._account.missing and not left and not await self._under_way():
                await self._fetch()
                return
            await asyncio.sleep(LOOK)

    async def _under_way(self) -> int:
        """Messages that wait in the network or lie in a modem: what is there twice would still be told."""
        modems = (await self._network.turn("status"))["modems"].values()
        return sum(modem["held_by_network"] + sum(modem["stored"].values()) for modem in modems)


def campaign(folder: Path, plan: Plan, seed: int) -> Summary:
    """Play it. The files stay in `folder`."""
    clock = Clock(plan.speed)

    async def played() -> Summary:
        return await Campaign(folder, clock, plan, seed).run()

    return clock.run(played())


def main() -> int:
    parser = argparse.ArgumentParser(prog="make sms-campaign", description=__doc__)
    parser.add_argument("--messages", type=int, default=10_000)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=randrange(1_000_000))
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="siaga-sms-"))
    sys.stdout.write(f"seed {options.seed}; files in {folder}\n")
    sys.stdout.flush()
    done = campaign(folder, Plan(options.messages, options.kills), options.seed)
    sys.stdout.write(done.text() + "\n")
    return 1 if done.faults else 0


if __name__ == "__main__":
    sys.exit(main())
