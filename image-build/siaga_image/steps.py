"""Runs what a build runs: commands into a log, and on the screen what runs, for how long, and how long it took."""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

TAIL = 25  # lines of the log shown with a failure
MOST_SHOWN = 300  # characters of a line; the log has it whole


class BuildFailed(Exception):
    """A step did not work. The text says what, and what a person should do next."""


class Steps:
    """One build's log and times. Steps do not nest."""

    def __init__(self, log: Path) -> None:
        self.log = log
        self.times: list[tuple[str, float]] = []
        self._title = ""
        self._began = 0.0
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text("")

    @contextlib.contextmanager
    def step(self, title: str) -> Iterator[None]:
        """Names what is done inside, and tells its time at the end."""
        self._title, self._began = title, time.monotonic()
        print(f"  {title} ... ", end="", flush=True)
        try:
            yield
        except BaseException:
            print("failed")
            raise
        took = time.monotonic() - self._began
        self.times.append((title, took))
        print(f"\r  {title} ... {took:.1f} s  " if sys.stdout.isatty() else f"{took:.1f} s", flush=True)

    def run(self, command: Sequence[str | Path], *, next: str, input: bytes | None = None, **more: object) -> None:
        """Run `command` with its output into the log. `more`: cwd, and environment as `environment`.

        Raises BuildFailed with the log's tail and `next`, what a person should do."""
        environment = more.get("environment", {})
        assert isinstance(environment, Mapping)
        cwd = more.get("cwd")
        assert cwd is None or isinstance(cwd, Path)
        words = [str(word) for word in command]
        with self.log.open("a") as log:
            log.write(f"\n$ {' '.join(words)}\n")
            log.flush()
            began = self.log.stat().st_size
            try:
                process = subprocess.Popen(
                    words,
                    cwd=cwd,
                    stdin=subprocess.DEVNULL if input is None else subprocess.PIPE,
                    stdout=log,
                    stderr=log,
                    env={**os.environ, **environment},
                )
            except FileNotFoundError:
                raise BuildFailed(f"{words[0]} is missing.\n{next}") from None
            if input is not None and process.stdin is not None:
                process.stdin.write(input)
                process.stdin.close()
            code = self._wait(process)
        if code != 0:
            lines = self.log.read_bytes()[began:].decode(errors="replace").splitlines()[-TAIL:]
            tail = "\n".join(f"    {line[:MOST_SHOWN]}" for line in lines)
            raise BuildFailed(
                f"{tail}\n\n{words[0]} ended with code {code}. What it was told and said: {self.log}\n{next}"
            )

    def _wait(self, process: "subprocess.Popen[bytes]") -> int:
        try:
            while True:
                try:
                    return process.wait(1.0)
                except subprocess.TimeoutExpired:
                    if sys.stdout.isatty():
                        print(f"\r  {self._title} ... {time.monotonic() - self._began:.0f} s ", end="", flush=True)
        except BaseException:
            process.terminate()
            process.wait()
            raise
