"""Starts the processes of a simulated site, starts those again that die, and ends them all. systemd's part in a demo.

Children end with this process, however it dies, and their words go to one log file each.
"""

import asyncio
import contextlib
import ctypes
import logging
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

import msgspec

from drivers.clock import SPEED_VARIABLE

PR_SET_PDEATHSIG = 1  # prctl(2)
READY_WITHIN = 30.0  # s of real life on a busy machine; a simulator prints its ready line within one
RESTART_AFTER = 0.3  # s of the scaled clock
LOOKS = 300
STOP_WITHIN = 5.0  # s of real life, then it is killed

log = logging.getLogger("siaga.supervisor")


class NotStarted(Exception):
    """A process ended, or did not say that it is ready. The text ends with its last words."""


class Child:
    """One process. `keep` starts it again when it dies without having been told to. `orphaned` is the signal that it
    gets when this supervisor is killed: SIGTERM for one that has processes of its own to end."""

    def __init__(
        self, name: str, argv: Sequence[str], folder: Path, environment: Mapping[str, str], *, keep: bool = True,
        orphaned: signal.Signals = signal.SIGKILL,
    ) -> None:  # fmt: skip
        self.name, self._argv, self._keep, self._orphaned = name, list(argv), keep, orphaned
        self._environment = dict(os.environ) | dict(environment)
        self._speed = float(self._environment.get(SPEED_VARIABLE, "1"))
        self.log = folder / f"{name.replace('/', '-')}.log"
        self.starts = 0
        self._process: asyncio.subprocess.Process | None = None
        self._wanted = False
        self._watcher: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process and self._process.returncode is None else None

    async def start(self, *, ready_line: bool = False) -> dict[str, object]:
        """Start it; with `ready_line`, wait for its first line on standard output and return it if it is JSON.

        One that runs already, or that the watcher is about to start again, is left to itself.
        """
        if self.pid or (self._keep and self._wanted and self._watched):
            return {}
        self._wanted = True
        line = await self._launch(ready_line)
        if not self._watched:
            self._watcher = asyncio.create_task(self._watch())
        return line

    @property
    def _watched(self) -> bool:
        return self._watcher is not None and not self._watcher.done()

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
                preexec_fn=partial(_follow_parent, self._orphaned),
            )
        if not ready_line:
            return {}
        assert self._process.stdout is not None
        try:
            async with asyncio.timeout(READY_WITHIN * self._speed):
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
            _end_group(self._process.pid)
            if not self._wanted:
                return
            log.warning("%s ended with code %s", self.name, code)
            if not self._keep:
                return
            await self._restart()

    async def _restart(self) -> None:
        while True:
            await asyncio.sleep(RESTART_AFTER)
            try:
                await self._launch(False)
            except OSError as e:
                log.error("%s cannot be started: %s", self.name, e)
            else:
                return

    def kill(self, number: int = signal.SIGKILL) -> None:
        """Send a signal; the watcher starts it again."""
        if self._process and self._process.returncode is None:
            self._process.send_signal(number)

    async def stop(self) -> None:
        """End it and leave it ended."""
        self._wanted = False
        if self._watcher:
            self._watcher.cancel()
            await asyncio.wait({self._watcher})  # it may be starting the process again
            self._watcher = None
        if self._process and self._process.returncode is None:
            self._process.terminate()
            try:
                await asyncio.wait_for(self._process.wait(), STOP_WITHIN * self._speed)
            except TimeoutError:
                self._process.kill()
                await self._process.wait()
            _end_group(self._process.pid)

    def last_words(self, lines: int = 12) -> str:
        """The end of its log."""
        try:
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])
        except OSError:
            return ""


def _end_group(leader: int) -> None:
    """What a dead process had started itself (the broker's simulator: mosquitto) ends with it."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)


def _follow_parent(number: signal.Signals) -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, number)


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
