"""The built image in QEMU: a disk of its own, the serial console as a text that tests wait in, a port to its page.

Nothing of the machine that runs the tests is used but loopback and one free port; QEMU ends with the test.
"""

import base64
import dataclasses
import re
import selectors
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
IMAGES = ROOT / "build" / "image"
LOGS = ROOT / "build" / "image-test"
MIB = 1024 * 1024
DATA_START, BOOT_START = 2308 * MIB, 4 * MIB  # tests/unit/test_image_layout.py holds these to the build's own
ROOT_START = 260 * MIB
PAGE = 8112
SLOW_UNITS = "[Service]\nTimeoutStartSec=600\nWatchdogSec=120\nLimitRTTIME=infinity\n"


class NotSeen(Exception):
    """The console did not say within its time what a test waited for; the text has the console's end."""


@dataclasses.dataclass(frozen=True)
class Image:
    """Newest build of one profile."""

    disk: Path
    kernel: Path | None
    initrd: Path | None
    firmware: Path | None = None  # U-Boot for QEMU

    @classmethod
    def newest(cls, profile: str) -> "Image | None":
        name = profile if profile.endswith("amd64") else f"{profile}-arm64"
        disks = sorted(IMAGES.glob(f"siaga-*-{name}.img"), key=lambda path: path.stat().st_mtime)
        if not disks:
            return None
        stem = disks[-1].name.removesuffix(".img")
        kernel, initrd = IMAGES / f"{stem}.vmlinuz", IMAGES / f"{stem}.initrd.img"
        u_boot = Path("/usr/lib/u-boot/qemu_arm64/u-boot.bin")
        direct = kernel.exists()
        return cls(disks[-1], kernel if direct else None, initrd if direct else None, None if direct else u_boot)

    def file(self, path: str) -> str:
        """A file of the root file system in slot A."""
        read = ["debugfs", "-R", f"cat {path}", f"{self.disk}?offset={ROOT_START}"]
        return subprocess.run(read, capture_output=True, text=True, check=True).stdout


class Machine:
    """One virtual machine, and what its console has said so far."""

    def __init__(self, image: Image, name: str, folder: Path, *, card_gb: int = 4, more: str = "") -> None:
        """`folder`: where the disk lies; it is removed with the test."""
        self.more = more  # for the kernel, of a profile without U-Boot
        self.image, self.log = image, LOGS / f"{name}.log"
        self.disk = folder / f"{name}.img"
        subprocess.run(["cp", "--sparse=always", str(image.disk), str(self.disk)], check=True)
        with self.disk.open("r+b") as disk:
            disk.truncate(card_gb * 1000**3)  # a card is larger than the image
        self.text = ""
        self.console_times: list[tuple[float, str]] = []
        self._read = 0
        self._process: subprocess.Popen[bytes] | None = None
        self.page_port = _free_port()
        LOGS.mkdir(parents=True, exist_ok=True)
        self.log.write_bytes(b"")

    def give(self, path: str, text: str) -> None:
        """Put a file on /data before the start, as a restored backup or a first boot would."""
        source = self.disk.with_suffix(".given")
        source.write_text(text)
        folders = [str(folder) for folder in reversed(Path(path).parents) if str(folder) != "."]
        commands = "".join(f"mkdir {folder}\n" for folder in folders) + f"write {source} {path}\n"
        where = f"{self.disk}?offset={DATA_START}"
        subprocess.run(["debugfs", "-w", "-f", "-", where], input=commands, capture_output=True, text=True, check=True)
        source.unlink()

    def start(self) -> None:
        """Power on. Raises FileNotFoundError without QEMU."""
        self._began = time.monotonic()
        self._process = subprocess.Popen(
            self._command(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        assert self._process.stdout
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._process.stdout, selectors.EVENT_READ)

    def _command(self) -> list[str]:
        network = f"user,id=net0,restrict=on,hostfwd=tcp:127.0.0.1:{self.page_port}-:{PAGE}"
        disk = ["-drive", f"file={self.disk},if=none,id=disk0,format=raw,cache=unsafe"]
        disk += ["-device", "virtio-blk-pci,drive=disk0", "-device", "virtio-net-pci,netdev=net0", "-netdev", network]
        common = ["-m", "1024", "-nographic", "-no-reboot", "-monitor", "none", "-serial", "stdio", *disk]
        # Emulated, a second of a board takes ten: what would be a fault there is none here. systemd reads drop-ins from
        # the machine's own firmware, so that the image stays as it is.
        slow = base64.b64encode(SLOW_UNITS.encode()).decode()
        credential = f"io.systemd.credential.binary:systemd.unit-dropin.siaga-.service={slow}"
        common += ["-smbios", f"type=11,value={credential}"]
        if self.image.kernel:
            append = f"root=PARTUUID=51a6a000-02 ro console=ttyS0,115200 panic=10 systemd.show_status=1 {self.more}"
            return [
                "qemu-system-x86_64",
                "-machine",
                "pc",
                "-accel",
                "tcg",
                "-cpu",
                "max",
                "-smp",
                "2",
                *common,
                "-kernel",
                str(self.image.kernel),
                "-initrd",
                str(self.image.initrd),
                "-append",
                append,
                "-device",
                "i6300esb",
            ]
        # -no-reboot would end the machine where U-Boot goes back to the other slot.
        common.remove("-no-reboot")
        return [
            "qemu-system-aarch64",
            "-machine",
            "virt",
            "-accel",
            "tcg,thread=multi",
            "-cpu",
            "cortex-a72",
            "-smp",
            "2",
            *common,
            "-bios",
            str(self.image.firmware),
            "-device",
            "i6300esb",
        ]

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

    def run(self, command: str, within: float = 60.0) -> str:
        """Say `command` at the console's prompt. What it printed."""
        assert self._process
        assert self._process.stdin
        mark = f"end-{len(self.text)}"
        self._process.stdin.write(f"{command}; echo {mark[:3]}''{mark[3:]} $?\n".encode())
        self._process.stdin.flush()
        began = self._read
        found = self.wait(rf"{mark} (\d+)\n", within)
        said = self.text[began : self._read]
        return said.split("\n", 1)[-1].rsplit(f"{mark} {found[1]}", 1)[0]

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


def missing(image: Image | None, program: str) -> str:
    """Why a test cannot run here; empty where it can."""
    if image is None:
        return "no image is built: make image, with this profile"
    if not shutil.which(program):
        return f"{program} is missing: apt-get install qemu-system"
    if image.firmware and not image.firmware.exists():
        return f"{image.firmware} is missing: apt-get install u-boot-qemu"
    return ""


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
