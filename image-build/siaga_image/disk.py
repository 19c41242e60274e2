"""Files become file systems and file systems a disk, by the build's own tools; nothing is mounted."""

import errno
import json
import os
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

from siaga_image import layout
from siaga_image.steps import Steps
from siaga_image.tools import Tools

# What U-Boot's driver reads, and no journal: it is never written.
ROOT_FEATURES = "^has_journal,^metadata_csum,^metadata_csum_seed,^orphan_file"
ROOT_UUID, DATA_UUID = "51a6a000-0000-4000-8000-000000000001", "51a6a000-0000-4000-8000-000000000002"


def pack(tree: Path, to: Path, epoch: int, steps: Steps) -> None:
    """`tree` as a tar file that is the same each time: by name, by number, no age later than the commit's."""
    command = ["tar", "--sort=name", "--numeric-owner", "--format=posix", "--clamp-mtime", f"--mtime=@{epoch}"]
    command += ["--pax-option=exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime", "--xattrs", "--xattrs-include=*"]
    steps.run([*command, "-C", str(tree), "-cf", str(to), "."], next="Next: is the disk full? df -h build.")


def ext4(tools: Tools, tar: str | None, to: str, partition: layout.Partition, epoch: int) -> None:
    """Make `to` in the stage from `tar` in it; without one it is empty."""
    root = partition.name.startswith("root")
    command = ["mke2fs", "-q", "-F", "-t", "ext4", "-b", "4096", "-m", "0" if root else "1"]
    command += ["-L", "siaga-root" if root else "siaga-data", "-U", ROOT_UUID if root else DATA_UUID]
    command += ["-E", f"hash_seed={ROOT_UUID},lazy_itable_init=0,lazy_journal_init=0,nodiscard,root_owner=0:0"]
    if root:
        command += ["-O", ROOT_FEATURES, "-N", "65536"]
    else:
        # Room in the tables to grow online from 64 MB to a card of 1 TB.
        command[command.index("-E") + 1] += ",resize=268435456"
    if tar is not None:
        command += ["-d", tar]
    (tools.stage / to).unlink(missing_ok=True)
    tools.run([*command, to, f"{partition.size}M"], SOURCE_DATE_EPOCH=str(epoch))


def fat(
    tools: Tools,
    folder: str,
    to: str,
    partition: layout.Partition,
    epoch: int,
    *,
    label: str = "SIAGA-BOOT",
    serial: int = layout.DISK_ID + 1,
) -> None:
    """Make `to` with all that is in `folder`, both in the stage."""
    (tools.stage / to).unlink(missing_ok=True)
    size = partition.size * 1024
    command = ["mkfs.vfat", "--invariant", "-F", "32", "-i", f"{serial:08x}", "-n", label, "-C", to]
    tools.run([*command, str(size)])
    for path in sorted((tools.stage / folder).rglob("*")):
        os.utime(path, (epoch, epoch))
    entries = sorted(path.name for path in (tools.stage / folder).iterdir())
    tools.run(
        ["mcopy", "-s", "-m", "-Q", "-i", f"../{to}", *entries, "::"],
        cwd=f"/stage/{folder}",
        SOURCE_DATE_EPOCH=str(epoch),
        TZ="UTC",
    )


def assemble(
    tools: Tools,
    to: str,
    parts: Iterable[tuple[layout.Partition, str]],
    states: bytes,
    *,
    table: str = layout.sfdisk(),
    mib: int = layout.DISK_MIB,
) -> None:
    """The disk: table, partitions from files of the stage, both copies of the boot state if it has one. Sparse."""
    path = tools.stage / to
    path.unlink(missing_ok=True)
    with path.open("wb") as file:
        file.truncate(mib * layout.MIB)
    tools.run(["sfdisk", "--quiet", "--no-reread", "--no-tell-kernel", to], input=table.encode())
    with path.open("r+b") as disk:
        for offset in layout.STATE_OFFSETS:
            disk.seek(offset)
            disk.write(states)
        for partition, name in parts:
            with (tools.stage / name).open("rb") as source:
                _copy_sparse(source.fileno(), disk.fileno(), partition.start * layout.MIB)


def _copy_sparse(source: int, to: int, at: int) -> None:
    """What a file system holds, not its holes."""
    end, offset = os.fstat(source).st_size, 0
    while offset < end:
        try:
            offset = os.lseek(source, offset, os.SEEK_DATA)
        except OSError as e:
            if e.errno == errno.ENXIO:  # nothing but a hole is left
                return
            raise
        hole = os.lseek(source, offset, os.SEEK_HOLE)
        while offset < hole:
            octets = os.pread(source, min(layout.MIB, hole - offset), offset)
            os.pwrite(to, octets, at + offset)
            offset += len(octets)


def table(image: Path) -> list[tuple[int, int]]:
    """Start and size in octets of each partition, as sfdisk reads them back."""
    read = subprocess.run(["sfdisk", "--json", str(image)], capture_output=True, text=True, check=True).stdout
    rows = json.loads(read)["partitiontable"]["partitions"]
    return [(row["start"] * layout.SECTOR, row["size"] * layout.SECTOR) for row in rows]


def empty(folder: Path) -> Path:
    """`folder`, with nothing in it."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder
