"""What hangs on the board's USB sockets, simulated outside of the machine: a modem in socket 1, the generator's RS-485
line in socket 3. QEMU has one kind of serial adapter, FTDI's; it hands the octets over to a pty here."""

import asyncio
import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from drivers.sim.knobs import turn
from tests.image.card import ROOT

NUMBER = "+62000000001"  # the SIM's, as in the site file


class Outside:
    """Both simulators' processes. `usb` is what QEMU is to be told."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._links = {1: folder / "modem", 3: folder / "rs485"}
        self._processes: list[subprocess.Popen[bytes]] = []

    @property
    def usb(self) -> list[str]:
        words = ["-device", "qemu-xhci,id=usb"]
        for socket, link in self._links.items():
            words += ["-chardev", f"serial,id=usb{socket},path={link}"]
            words += ["-device", f"usb-serial,bus=usb.0,chardev=usb{socket},port={socket}"]
        return words

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Both ports are there, until the end. Raises TimeoutError."""
        try:
            self._start()
            yield
        finally:
            self._stop()

    def _start(self) -> None:
        config = self._folder / "mobile.json"
        modem = {"name": "l1", "port": str(self._links[1]), "number": NUMBER, "model": "sim7600"}
        config.write_text(json.dumps({"modems": [modem]}))
        self._run("drivers.sim.mobile", "--config", config, "--knobs", self._folder / "mobile.sock")
        self._run("drivers.sim.building", "--rtu-port", self._links[3], "--knobs", self._folder / "building.sock")
        end = time.monotonic() + 60
        while not all(path.exists() for path in (*self._links.values(), self._folder / "mobile.sock")):
            if time.monotonic() > end or any(process.poll() is not None for process in self._processes):
                raise TimeoutError(f"A simulator did not start; see {self._folder}/*.log.")
            time.sleep(0.05)

    def _run(self, module: str, *arguments: object) -> None:
        with (self._folder / f"{module}.log").open("wb") as log:
            words = [sys.executable, "-m", module, *map(str, arguments)]
            self._processes.append(subprocess.Popen(words, cwd=ROOT, stdout=log, stderr=log))

    def mobile(self, do: str, **args: Any) -> Any:
        """Turn a knob of the mobile network."""
        return asyncio.run(turn(self._folder / "mobile.sock", do, **args))

    def building(self, do: str, **args: Any) -> Any:
        """Turn a knob of the building."""
        return asyncio.run(turn(self._folder / "building.sock", do, **args))

    def _stop(self) -> None:
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            process.wait(10)
