"""The built image, and a card written with it: files on its FAT partition and on /data, as a technician or a boot puts
them there."""

import dataclasses
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
IMAGES = ROOT / "build" / "image"
MIB = 1024 * 1024
# tests/unit/test_image_layout.py holds these to the build's own.
BOOT_START, ROOT_START, DATA_START = 4 * MIB, 260 * MIB, 2308 * MIB


@dataclasses.dataclass(frozen=True)
class Image:
    """What `make image` made of one profile, newest first."""

    disk: Path
    arch: str
    kernel: Path | None = None
    initrd: Path | None = None
    bundle: Path | None = None

    @classmethod
    def newest(cls, profile: str) -> "Image | None":
        name = profile if profile.endswith("amd64") else f"{profile}-arm64"
        disks = sorted(IMAGES.glob(f"siaga-*-{name}.img"), key=lambda path: path.stat().st_mtime)
        if not disks:
            return None
        stem = disks[-1].name.removesuffix(".img")

        def beside(suffix: str) -> Path | None:
            path = IMAGES / f"{stem}.{suffix}"
            return path if path.exists() else None

        arch = name.rpartition("-")[2]
        return cls(disks[-1], arch, beside("vmlinuz"), beside("initrd.img"), beside("raucb"))

    def file(self, path: str, to: Path) -> Path:
        """Copy a file of slot A's root file system to `to`."""
        _debugfs(self.disk, ROOT_START, f"dump {path} {to}")
        return to

    def listing(self, path: str) -> list[str]:
        """Names in a folder of slot A."""
        rows = _debugfs(self.disk, ROOT_START, f"ls -p {path}").splitlines()
        return [row.split("/")[5] for row in rows if row.count("/") > 5]


class Card:
    """A disk of its own for one machine. It is larger than the image, as every card is."""

    def __init__(self, image: Image, path: Path, *, size: int = 4 * 1000**3) -> None:
        """`size` in octets."""
        self.image, self.path = image, path
        subprocess.run(["cp", "--sparse=always", str(image.disk), str(path)], check=True)
        with path.open("r+b") as disk:
            disk.truncate(size)

    def put(self, name: str, text: str) -> None:
        """A file on the FAT partition, as any PC writes it."""
        into = f"{self.path}@@{BOOT_START}"
        subprocess.run(["mcopy", "-o", "-i", into, "-", f"::{name}"], input=text.encode(), check=True)

    def read(self, name: str) -> str:
        """A file of the FAT partition."""
        source = f"{self.path}@@{BOOT_START}"
        return subprocess.run(["mtype", "-i", source, f"::{name}"], capture_output=True, text=True, check=True).stdout

    def on_data(self, path: str, to: Path) -> Path:
        """Copy a file of /data to `to`; the machine is off."""
        _debugfs(self.path, DATA_START, f"dump {path} {to}")
        return to


def _debugfs(disk: Path, start: int, command: str) -> str:
    read = ["debugfs", "-R", command, f"{disk}?offset={start}"]
    return subprocess.run(read, capture_output=True, text=True, check=True).stdout
