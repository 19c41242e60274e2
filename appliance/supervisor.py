"""Starts the processes of a simulated site, starts those again that die, and ends them all. systemd's part in a demo.

Children die with this process, however it dies, and their words go to one log file each.
"""

import asyncio
import contextlib
import ctypes
import logging
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import msgspec

PR_SET_PDEATHSIG = 1  # prctl(2)
READY_WITHIN = 30.0  # s of real life on a busy machine; a simulator prints its ready line within one
RESTART_AFTER = 0.3  # s of the scaled clock
LOOKS = 300
STOP_WITHIN = 5.0  # s, then it is killed

log = logging.getLogger("siaga.supervisor")


class NotStarted(Exception):
    """A process ended, or did not say that it is ready. The text ends with its last words."""


class Child:
    """One process. `keep` starts it again when it dies without having been told to."""

    def __init__(
        self, name: str, argv: Sequence[str], folder: Path, environment: Mapping[str, str], *, keep: bool = True
    ) -> None:
        self.name, self._argv, self._keep = name, list(argv), keep
        self._environment = dict(os.environ) | dict(environment)
        self.log = folder / f"{name.replace('/', '-')}.log"
        self.starts = 0
        self._process: asyncio.subprocess.Process | None = None
        self._wanted = False
        self._watcher: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process and self._process.returncode is None else None

    async def start(self, *, ready_line: bool = False) -> dict[str, object]:
        """Start it; with `ready_line`, wait for its first line on standard output and return it if it is JSON."""
        self._wanted = True
        line = await self._launch(ready_line)
        if self._watcher is None:
            self._watcher = asyncio.create_task(self._watch())
        return line

    async def _launch(self, ready_line: bool) -> dict[str, object]:
        self.starts += 1
        with self.log.open("ab") as out:
            self._process = await asyncio.create_subprocess_exec(
                *self._argv,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE if ready_line else out,
                stderr=out,
                env=self._environment,
                start_new_session=True,  # Ctrl-C is for the supervisor, which ends them in order
                preexec_fn=_die_with_parent,
            )
        if not ready_line:
            return {}
        assert self._process.stdout is not None
        try:
            async with asyncio.timeout(READY_WITHIN):
                said = await self._process.stdout.readline()
        except TimeoutError:
            said = b""
        if not said:
            raise NotStarted(f"{self.name} did not start. Its last words ({self.log}):\n{self.last_words()}")
        with contextlib.suppress(msgspec.DecodeError):
            decoded = msgspec.json.decode(said)
            return decoded if isinstance(decoded, dict) else {}
        return {}

    async def _watch(self) -> None:
        while True:
            assert self._process is not None
            code = await self._process.wait()
            if not self._wanted:
                return
            log.warning("%s ended with code %s", self.name, code)
            if not self._keep:
                return
            await asyncio.sleep(RESTART_AFTER)
            if not self._wanted:
                return
            await self._launch(False)

    def kill(self, number: int = signal.SIGKILL) -> None:
        """Send a signal; the watcher starts it again."""
        if self._process and self._process.returncode is None:
            self._process.send_signal(number)

    async def stop(self) -> None:
        """End it and leave it ended."""
        self._wanted = False
        if self._process and self._process.returncode is None:
            self._process.terminate()
            try:
                await asyncio.wait_for(self._process.wait(), STOP_WITHIN * _speed())
            except TimeoutError:
                self._process.kill()
                await self._process.wait()
        if self._watcher:
            self._watcher.cancel()
            self._watcher = None

    def last_words(self, lines: int = 12) -> str:
        """The end of its log."""
        try:
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])
        except OSError:
            return ""


def _speed() -> float:
    return float(os.environ.get("SIAGA_SPEED", "1"))


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def python(module: str, *args: str | Path) -> list[str]:
    """The command line of one of our own modules."""
    return [sys.executable, "-m", module, *map(str, args)]


async def until(what: str, so: Callable[[], bool], within: float) -> None:
    """Wait for a condition, looking again and again; NotStarted names it when it does not come `within` s."""
    for _ in range(LOOKS):
        if so():
            return
        await asyncio.sleep(within / LOOKS)
    raise NotStarted(f"{what} did not come within {within:g} s.")
