"""A board with its card in QEMU: the serial console as a text that tests wait in, and a port to its page.

Nothing of the machine that runs the tests is used but loopback and one free port; QEMU ends with the test.
"""

import contextlib
import re
import selectors
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.image.boards import Board
from tests.image.card import ROOT

LOGS = ROOT / "build" / "image-test"
PAGE = 8443
SHELL_WITHIN = 120.0  # s
LOGIN, PROMPT = r"login: root \(automatic login\)", r"root@[\w-]+:\S*#"


class NotSeen(Exception):
    """The console did not say within its time what a test waited for; the text has the console's end."""


class Machine:
    """One virtual machine, and what its console has said so far."""

    def __init__(self, name: str, board: Board, *, network: bool = True, more: Sequence[str] = ()) -> None:
        """`name` is the log's. `more`: what else QEMU is told."""
        self.log = LOGS / f"{name}.log"
        self.page_port = _free_port()
        forward = f"user,id=net0,restrict=on,hostfwd=tcp:127.0.0.1:{self.page_port}-:{PAGE}"
        cable = ["-netdev", forward, "-device", "virtio-net-pci,netdev=net0"] if network else []
        common = ["-display", "none", "-monitor", "none", "-watchdog-action", "reset"]
        self._command = [board.program, *board.command, *common, *cable, *more]
        self.text = ""
        self._read = 0
        self._process: subprocess.Popen[bytes] | None = None
        LOGS.mkdir(parents=True, exist_ok=True)
        self.log.write_bytes(b"")

    @contextlib.contextmanager
    def running(self, console: int = 0) -> Iterator["Machine"]:
        """`start`, and power off at the end, whatever happens."""
        try:
            self.start(console)
            yield self
        finally:
            self.cut()

    def start(self, console: int = 0) -> None:
        """Power on. `console`: which of the board's serial ports it is. Raises FileNotFoundError without QEMU."""
        self._began = time.monotonic()
        serial = ["-serial", "null"] * console + ["-serial", "stdio"]
        self._process = subprocess.Popen(
            [*self._command, *serial], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        assert self._process.stdout
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._process.stdout, selectors.EVENT_READ)

    def wait(self, pattern: str, within: float) -> re.Match[str]:
        """Until the console has said `pattern` behind what was waited for last. Raises NotSeen."""
        assert self._process
        assert self._process.stdout
        end = time.monotonic() + within
        while True:
            if found := re.search(pattern, self.text[self._read :]):
                self._read += found.end()
                return found
            left = end - time.monotonic()
            if left <= 0 or self._process.poll() is not None:
                why = f"QEMU ended with {self._process.returncode}" if left > 0 else f"not within {within:.0f} s"
                raise NotSeen(f"{pattern!r}: {why}. The console's end ({self.log}):\n{self.text[-2000:]}")
            if self._selector.select(min(left, 1.0)):
                octets = self._process.stdout.read1(65536)  # type: ignore[attr-defined]
                with self.log.open("ab") as log:
                    log.write(octets)
                self.text += octets.decode(errors="replace").replace("\r", "")

    def log_in(self, within: float) -> None:
        """The console's own login after a start; what follows is a plain shell."""
        self.wait(LOGIN, within)
        self.wait(PROMPT, SHELL_WITHIN)
        self.run("export TERM=dumb PAGER=cat SYSTEMD_COLORS=0 LANG=C.UTF-8; stty -echo cols 400; dmesg -n 1")

    def add_disk(self, path: Path) -> None:
        """One more, before the start; read only."""
        drive = f"file={path},if=none,id=disk1,format=raw,readonly=on"
        self._command += ["-drive", drive, "-device", "virtio-blk-pci,drive=disk1"]

    def add_stick(self, path: Path) -> None:
        """In a USB socket, before the start."""
        drive = f"file={path},if=none,id=stick,format=raw"
        self._command += ["-drive", drive, "-device", "usb-storage,bus=usb.0,drive=stick,port=4"]

    def listen(self, seconds: float) -> None:
        """What the console says meanwhile goes into `text`."""
        with contextlib.suppress(NotSeen):
            self.wait(r"(?!)", seconds)

    def say(self, line: str) -> None:
        """Type `line`, without waiting for anything."""
        assert self._process
        assert self._process.stdin
        self._process.stdin.write(f"{line}\n".encode())
        self._process.stdin.flush()

    def restart(self) -> None:
        """As a technician does it."""
        self.say("systemctl reboot")

    def run(self, command: str, within: float = 120.0, *, code: int | None = None) -> str:
        """Say `command` at the prompt. What it printed. Raises NotSeen if it ends with another than `code`."""
        mark = f"end-{len(self.text)}"
        end = "" if command.endswith("&") else ";"
        self.say(f"{command}{end} echo {mark[:3]}''{mark[3:]} $?")
        began = self._read
        found = self.wait(rf"{mark} (\d+)\n", within)
        said = self.text[began : self._read].rsplit(f"{mark} {found[1]}", 1)[0]
        said = re.sub(rf"^.*{PROMPT} ?", "", said, count=1, flags=re.DOTALL)
        if code is not None and int(found[1]) != code:
            raise NotSeen(f"{command!r} ended with {found[1]}, not {code}:\n{said}")
        return said

    def until(self, command: str, pattern: str, within: float) -> re.Match[str]:
        """Ask `command` again until its answer has `pattern`. Raises NotSeen."""
        end = time.monotonic() + within
        while True:
            said = self.run(command)
            if found := re.search(pattern, said):
                return found
            if time.monotonic() > end:
                raise NotSeen(f"{command!r} has no {pattern!r} within {within:.0f} s:\n{said}")

    def power(self) -> float:
        """Seconds since power on."""
        return time.monotonic() - self._began

    def cut(self) -> None:
        """Power off, as in a blackout."""
        if self._process:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
            self._selector.close()
            for stream in (self._process.stdin, self._process.stdout):
                assert stream
                stream.close()
            self._process = None


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
