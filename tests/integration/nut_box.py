"""The real upsd in a folder of its own, with dummy-ups or the simulated UPS as its driver, and NUT's own clients."""

import asyncio
import os
import pwd
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

NUT = Path("/lib/nut")  # Debian's; /usr/sbin/upsd is a script that obeys /etc/nut/nut.conf
STARTS_WITHIN_S = 10.0
USER, PASSWORD = "siaga", 'a "b\\c'

UPSD_USERS = """
[siaga]
  password = "a \\"b\\\\c"
  instcmds = ALL
[reader]
  password = "x"
"""


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


class NutBox:
    """One folder: configuration, state and sockets of NUT. Programs that it starts end with it."""

    def __init__(self, folder: Path, drivers: dict[str, str], port: int) -> None:
        self.folder, self.port = folder, port
        self._stack = ExitStack()
        self._upsd: subprocess.Popen[bytes] | None = None
        folder.mkdir(mode=0o700, exist_ok=True)
        self._write("ups.conf", "".join(f"[{ups}]\n  driver = {d}\n  port = {ups}.dev\n" for ups, d in drivers.items()))
        self._write("upsd.conf", f"LISTEN 127.0.0.1 {self.port}\nMAXAGE 5\n")
        self._write("upsd.users", UPSD_USERS)

    def _write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.write_text(text)
        path.chmod(0o600)

    @property
    def environment(self) -> dict[str, str]:
        here = str(self.folder)
        return os.environ | {"NUT_CONFPATH": here, "NUT_STATEPATH": here, "NUT_ALTPIDPATH": here}

    def socket(self, driver: str, ups: str) -> Path:
        return self.folder / f"{driver}-{ups}"

    def start(self, program: str, *arguments: str) -> "subprocess.Popen[bytes]":
        user = pwd.getpwuid(os.getuid()).pw_name
        command = [str(NUT / program), *arguments, "-F", "-u", user]
        process = subprocess.Popen(
            command, env=self.environment, cwd=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self._stack.callback(_end, process)
        return process

    def write_dummy(self, ups: str, variables: dict[str, str]) -> None:
        """What dummy-ups serves; it reads the file again when that has changed."""
        self._write(f"{ups}.dev", "".join(f'{name}: "{value}"\n' for name, value in variables.items()))

    def start_dummy(self, ups: str, variables: dict[str, str]) -> "subprocess.Popen[bytes]":
        self.write_dummy(ups, variables)
        process = self.start("dummy-ups", "-a", ups)
        _wait(lambda: self.socket("dummy-ups", ups).exists())
        return process

    def start_upsd(self) -> None:
        self._upsd = self.start("upsd")
        _wait(self._listens)

    def stop_upsd(self) -> None:
        assert self._upsd is not None
        _end(self._upsd)

    def _listens(self) -> bool:
        with socket.socket() as sock:
            return sock.connect_ex(("127.0.0.1", self.port)) == 0

    async def upsc(self, ups: str) -> dict[str, str]:
        """What NUT's own client prints of a UPS; nothing when upsd has nothing."""
        process = await asyncio.create_subprocess_exec(
            "upsc", f"{ups}@127.0.0.1:{self.port}", stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        async with asyncio.timeout(STARTS_WITHIN_S):
            printed, _ = await process.communicate()
        return dict(line.split(": ", 1) for line in printed.decode().splitlines() if ": " in line)

    def close(self) -> None:
        self._stack.close()


@contextmanager
def nut_box(folder: Path, **drivers: str) -> Iterator[NutBox]:
    box = NutBox(folder, drivers, free_port())
    try:
        yield box
    finally:
        box.close()


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.kill()
    process.wait(STARTS_WITHIN_S)


def _wait(so: Callable[[], object]) -> None:
    until = time.monotonic() + STARTS_WITHIN_S
    while not so():
        assert time.monotonic() < until
        time.sleep(0.02)
