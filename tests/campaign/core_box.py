"""A real `siaga core` with some lines and nothing else, as a process that may be killed and started again."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tomli_w

from drivers.clock import Clock

ROOT = Path(__file__).parents[2]
NUMBERS = ("+62000000001", "+62000000002")
END_WITHIN = 10.0  # s


class CoreBox:
    """`ports` are the serial ports by line; `direct` are the lines' modem makes that are to hand messages over."""

    def __init__(
        self, folder: Path, ports: Mapping[str, Path | str], clock: Clock, *, direct: tuple[str, ...] = ()
    ) -> None:
        self.folder, self._clock = folder, clock
        self.file, self.log = folder / "site.toml", folder / "core.log"
        self.control, self.journal = folder / "run" / "control.sock", folder / "state" / "journal.db"
        self._process: subprocess.Popen[bytes] | None = None
        profiles = folder / "profiles"
        shutil.copytree(ROOT / "firmware-config" / "modems", profiles / "modems")
        for make in direct:
            file = profiles / "modems" / f"{make}.toml"
            file.write_text(f'delivery = "direct"\n{file.read_text()}')
        site: dict[str, Any] = {
            "role": "centre", "site": "campaign", "id": "pusat", "name": "Pusat", "profiles": str(profiles),
            "sms": {"per_hour": 3600, "burst": 500},
            "annunciator": {"socket": "run/annunciator.sock", "factory": "mock"},
            "line": [
                {"id": name, "name": name, "port": str(port), "number": number}
                for (name, port), number in zip(ports.items(), NUMBERS, strict=False)
            ],
        }  # fmt: skip
        self.file.write_text(tomli_w.dumps(site))

    def start(self) -> None:
        with self.log.open("ab") as out:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "appliance.cli", "core", "--config", str(self.file)],
                cwd=ROOT, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                env={**os.environ, **self._clock.environment()},
            )  # fmt: skip

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def runs(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def kill(self) -> None:
        """As a loss of power ends a program: at once, in the middle of whatever it does."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()

    def stop(self) -> None:
        """As systemd ends it."""
        if self._process is None or not self.runs:
            return
        self._process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(END_WITHIN)
        if self.runs:
            self.kill()
