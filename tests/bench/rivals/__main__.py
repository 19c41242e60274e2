"""`make bench-rivals`: installs other programs into build/rivals, measures them, and writes build/rivals.json.

`make bench` prints its rows beside ours. Figures of another machine, or of another hour of this one, do not compare.
"""

import asyncio
import signal
import sys
import tempfile
from pathlib import Path

import msgspec

from drivers.sim.broker import BrokerUnavailable
from tests.bench.noise import Noise
from tests.bench.rivals import codec, node_red, sms
from tests.bench.rivals.names import FILE, FOLDER
from tests.bench.table import Row, plain, text


async def measure() -> list[Row]:
    noise = Noise()
    with tempfile.TemporaryDirectory(prefix="siaga-rivals-") as folder:
        rows = await node_red.measure(FOLDER, Path(folder))
        sys.stderr.write("measuring who takes messages, beside ours; some five minutes ...\n")
        rows += await sms.measure(Path(folder))
    return [*rows, plain("other programs' CPU while rivals were measured", noise.read(), "% of a core")]


def main() -> int:
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a kill ends what we started, as Ctrl-C does
    FOLDER.mkdir(parents=True, exist_ok=True)
    try:
        print("installing Node-RED and two SMS codecs into build/rivals ...", flush=True)
        node_red.install(FOLDER)
        codec.install()
        print("measuring Node-RED, some two minutes; make bench measures the codecs beside ours ...", flush=True)
        rows = asyncio.run(measure())
    except (node_red.NotInstalled, codec.NotInstalled, sms.NotStarted, sms.Unheard, BrokerUnavailable) as e:
        print(e, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    FILE.write_bytes(msgspec.json.format(msgspec.json.encode(rows)) + b"\n")
    print(text(rows))
    print(f"Written to {FILE}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
