"""A real mosquitto on a loopback port, with the settings that a box ships; it can be killed and started again.

As a process: `python -m drivers.sim.broker --port 0 --knobs PATH` prints one line `{"ready": true, "port": N}`.
"""

import argparse
import asyncio
import contextlib
import re
import shutil
import signal
import socket
import sys
import tempfile
from pathlib import Path

import msgspec

from drivers.clock import Clock
from drivers.sim.knobs import Knobs

SHIPPED = Path(__file__).parents[2] / "firmware-config/mosquitto/siaga.conf"
LISTENER = ("listener ", "max_connections ", "user ", "pid_file ")  # a box's own; the rest holds here too
START_WITHIN = 60.0  # s; mosquitto takes 30 ms, and this is 3 s of it at twenty-fold speed
LOOK_EVERY = 0.1  # s
STOP_WITHIN = 40.0  # s, then it is killed
RUNNING = re.compile(r"mosquitto version \S+ running")
STARTS = 5  # attempts; a free port may be taken between finding and using it


class BrokerUnavailable(RuntimeError):
    """There is no mosquitto, or it does not start. The text says what to do."""


def mosquitto() -> str:
    """Where the program is. Debian keeps it in /usr/sbin, which is not in a user's PATH."""
    found = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
    if found is None:
        raise BrokerUnavailable(
            "mosquitto is neither in PATH nor in /usr/sbin. Install it: apt-get install mosquitto mosquitto-clients"
        )
    return found


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Broker:
    """mosquitto at 127.0.0.1:`port`, its files in `folder`. It keeps its port when it is started again."""

    def __init__(self, folder: Path, port: int = 0, *, settings: Path = SHIPPED) -> None:
        self._folder, self._settings = folder, settings
        self._port = port
        self._process: asyncio.subprocess.Process | None = None

    @property
    def port(self) -> int:
        """0 until the first start, if none was asked for."""
        return self._port

    @property
    def log(self) -> Path:
        """What mosquitto said since its last start."""
        return self._folder / "mosquitto.log"

    @property
    def pid(self) -> int:
        """While it runs."""
        assert self._process is not None
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.returncode is None

    async def start(self) -> int:
        """Start it and return its port once it listens there. Raises BrokerUnavailable."""
        if self.running:
            return self._port
        asked = self._port
        for _ in range(1 if asked else STARTS):
            port = asked or free_port()
            await self._launch(port)
            if await self._runs():
                self._port = port
                return port
            await self.kill()
        raise BrokerUnavailable(f"mosquitto does not start on port {port}; it said:\n{self.log.read_text()[-2000:]}")

    async def _launch(self, port: int) -> None:
        shipped = self._settings.read_text().splitlines()
        kept = [line for line in shipped if line.strip() and not line.startswith(("#", *LISTENER))]
        config = self._folder / "mosquitto.conf"
        config.write_text("\n".join([*kept, f"listener {port} 127.0.0.1", "log_type information", ""]))
        with self.log.open("wb") as log:
            self._process = await asyncio.create_subprocess_exec(
                mosquitto(), "-c", str(config), stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log
            )

    async def _runs(self) -> bool:
        """It says so itself once its port is open; a connection might meet another program that has the port."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + START_WITHIN
        while self.running and loop.time() < deadline:
            if RUNNING.search(self.log.read_text()):
                return True
            await asyncio.sleep(LOOK_EVERY)
        return False

    async def kill(self) -> None:
        """kill -9, as a power cut does: nobody gets a goodbye."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):  # it ended by itself
                self._process.kill()
            await self._process.wait()
            self._process = None

    async def stop(self) -> None:
        """SIGTERM, as a service manager does, and SIGKILL when that is not enough."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError, TimeoutError):
                self._process.terminate()
                async with asyncio.timeout(STOP_WITHIN):
                    await self._process.wait()
            await self.kill()


async def serve(port: int, knobs_path: Path) -> None:
    """Run the broker and its knobs until SIGTERM or SIGINT."""
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    with tempfile.TemporaryDirectory(prefix="siaga-broker-") as folder:
        broker = Broker(Path(folder), port)
        knobs = Knobs(
            knobs_path,
            {
                "broker.start": broker.start,
                "broker.stop": broker.stop,
                "broker.kill": broker.kill,
                "status": lambda: {"port": broker.port, "running": broker.running},
            },
        )
        try:
            await broker.start()
            await knobs.start()
            sys.stdout.write(msgspec.json.encode({"ready": True, "port": broker.port}).decode() + "\n")
            sys.stdout.flush()
            await ended.wait()
        finally:
            await broker.stop()
            await knobs.stop()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m drivers.sim.broker", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="on 127.0.0.1; 0: any free one")
    parser.add_argument("--knobs", type=Path, required=True, help="the Unix socket of its knobs")
    arguments = parser.parse_args()
    try:
        Clock.from_environment().run(serve(arguments.port, arguments.knobs))
    except BrokerUnavailable as e:
        sys.exit(str(e))


if __name__ == "__main__":
    main()
