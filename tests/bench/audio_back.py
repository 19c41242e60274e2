"""How long a call has no sound when the audio process is killed: the real process, a modem's pty, a browser's socket.

`python -m tests.bench.audio_back` prints the rows.
"""

import asyncio
import sys
import tempfile
from pathlib import Path

from appliance.events import CallAnswered, CallRinging
from drivers.clock import Clock
from tests.bench.table import Row, at_most, percentile, plain, text
from tests.integration.audio_world import BROWSER_RATE, LINE_RATE, Voice, browser, caller, until, world

KILLS = 5
MOST = 1.0  # s until both hear each other again
REST = 2.0  # s of talk between
CALL, KEY = "aaaa0001", "k1"
CALLER_HZ, PERSON_HZ = 1000.0, 1700.0


async def rows(folder: Path) -> list[Row]:
    """Seconds from each `kill -9` until either hears 100 ms of the other. Raises AssertionError when never."""
    folder.mkdir(exist_ok=True)
    loop = asyncio.get_running_loop()
    them, person = Voice(LINE_RATE, CALLER_HZ), Voice(BROWSER_RATE, PERSON_HZ)

    def both_hear() -> bool:
        return person.hears(CALLER_HZ, 0.1) and them.hears(PERSON_HZ, 0.1)

    took = []
    async with (
        world(folder) as there,
        caller(folder / "pcm-l1", them),
        browser(there.places.audio_stream, KEY, person),
    ):
        core = there.core()
        core.append(CallRinging(line="l1", call=CALL, number="+62000000100"))
        core.append(CallAnswered(line="l1", call=CALL))
        core.sound.talk(CALL, KEY, "operator")
        for _ in range(KILLS):
            await until("both hear", both_hear)
            await asyncio.sleep(REST)
            died = loop.time()
            there.audio.kill()
            await until("it is gone", lambda: not core.sound.link.up)
            them.deaf()
            person.deaf()
            await until("both hear", both_hear)
            took.append(loop.time() - died)
    return [
        at_most(f"sound: back after kill -9 of the audio process, worst of {KILLS}", max(took), "s", MOST),
        plain("  p50", percentile(took, 50), "s"),
    ]


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="siaga-sound-") as folder:
        print(text(Clock(1.0).run(rows(Path(folder)))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
