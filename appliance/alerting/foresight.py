"""Answers of many stations: their signatures are verified by another process while core works on those before them.

Nothing depends on it. Where it is not there, slow or dead, core verifies each answer itself when its turn comes.
"""

import asyncio
import contextlib
import logging
import sys
from collections import deque
from collections.abc import Iterable

from appliance.alerting.verifying import piece
from appliance.alerting.wire import answer_claim
from appliance.alerting.wire_codec import Claim, Stations

MANY = 100  # stations from which it is worth a process
FEW = 8  # messages that core verifies sooner than it has asked
MOST_ASKED = 4  # pieces without a verdict; then the process hangs
WITHIN = 0.25  # s for a verdict; then it is not waited for any more
MOST_PROVEN = 400  # messages; each is used once, and a flood of repetitions is bounded

log = logging.getLogger("siaga.alerting")


class Foresight:
    """`run` it. `proven` is what `decode_answer` asks."""

    def __init__(self, stations: Stations) -> None:
        self._stations = stations
        self._process: asyncio.subprocess.Process | None = None
        self._asked: deque[tuple[list[Claim], asyncio.Future[None]]] = deque()
        self.proven: dict[bytes, bytes] = {}

    async def run(self) -> None:
        """One life of the process; its owner starts it again."""
        command = (sys.executable, "-m", "appliance.alerting.verifying")
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe)
        assert process.stdout is not None
        self._process = process
        try:
            while self._read(await process.stdout.read(1 << 16)):
                pass
            log.warning("the process that verifies signatures ended; core verifies them meanwhile")
        finally:
            self._process = None
            self._give_up()
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
            await process.wait()

    def look_ahead(self, messages: Iterable[bytes]) -> asyncio.Future[None] | None:
        """Begin with these; done when what is right of them is in `proven`, or it takes too long. None: too few."""
        if self._process is None or self._process.stdin is None:
            return None
        if len(self._asked) >= MOST_ASKED:
            self._process.kill()
            return None
        claims = [claim for message in messages if (claim := answer_claim(message, self._stations))]
        if len(claims) < FEW:
            return None
        self._process.stdin.write(piece([(c.key, c.signed, c.signature) for c in claims]))
        loop = asyncio.get_running_loop()
        done = loop.create_future()
        self._asked.append((claims, done))
        loop.call_later(WITHIN, self._end, done)
        return done

    def _read(self, told: bytes) -> bool:
        """Verdicts come in the order of the claims; False at the end."""
        for verdict in told:
            claims, done = self._asked[0]
            claim = claims.pop(0)
            if verdict == 1:
                self.proven[claim.message] = claim.key
                if len(self.proven) > MOST_PROVEN:
                    del self.proven[next(iter(self.proven))]
            if not claims:
                self._asked.popleft()
                self._end(done)
        return bool(told)

    def _give_up(self) -> None:
        while self._asked:
            self._end(self._asked.popleft()[1])

    @staticmethod
    def _end(done: asyncio.Future[None]) -> None:
        if not done.done():
            done.set_result(None)
