"""A disk from a tiny tree by the image's own code, read back by sfdisk, mtools and debugfs."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
from siaga_image import bootstate, disk, layout

NEEDED = ("sfdisk", "mkfs.vfat", "mcopy", "mdir", "mke2fs", "debugfs")
MISSING = [name for name in NEEDED if not shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:/sbin")]
pytestmark = pytest.mark.skipif(bool(MISSING), reason=f"not on this machine: {', '.join(MISSING)}")
EPOCH = 1_700_000_000


class HereTools:
    """The machine's own programs in place of the build's."""

    def __init__(self, stage: Path) -> None:
        self.root = self.stage = stage

    def run(
        self, command: Sequence[str], *, cwd: str = "/stage", input: bytes | None = None, **environment: str
    ) -> None:
        path = f"{os.environ['PATH']}:/usr/sbin:/sbin"
        where = self.stage / cwd.removeprefix("/stage").lstrip("/")
        subprocess.run(
            command, cwd=where, input=input, env={"PATH": path, **environment}, check=True, capture_output=True
        )


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    stage = tmp_path_factory.mktemp("image")
    (stage / "tree/boot").mkdir(parents=True)
    (stage / "tree/boot/vmlinuz").write_text("a kernel")
    (stage / "boot").mkdir()
    (stage / "boot/boot.scr").write_text("a script")
    tools = HereTools(stage)
    disk.ext4(tools, "tree", "root.ext4", layout.ROOTS[0], EPOCH)  # type: ignore[arg-type]
    disk.ext4(tools, None, "data.ext4", layout.DATA, EPOCH)  # type: ignore[arg-type]
    disk.fat(tools, "boot", "boot.fat", layout.BOOT, EPOCH)  # type: ignore[arg-type]
    parts = [(layout.BOOT, "boot.fat"), (layout.ROOTS[0], "root.ext4"), (layout.DATA, "data.ext4")]
    disk.assemble(tools, "card.img", parts, bootstate.encode(bootstate.FIRST))  # type: ignore[arg-type]
    return stage / "card.img"


def said(*command: str) -> str:
    environment = {**os.environ, "PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin"}
    return subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout


def test_other_programs_read_the_disk_as_it_was_meant(image: Path) -> None:
    wanted = [(part.start * layout.MIB, part.size * layout.MIB) for part in layout.PARTITIONS]
    assert disk.table(image) == wanted
    assert "boot     scr" in said("mdir", "-i", f"{image}@@{layout.BOOT.start}M", "::")
    at = f"{image}?offset={layout.ROOTS[0].start * layout.MIB}"
    assert said("debugfs", "-R", "cat /boot/vmlinuz", at) == "a kernel"
    features = said("debugfs", "-R", "features", at)
    assert "has_journal" not in features
    assert "metadata_csum" not in features, "U-Boot must read it"
    assert "has_journal" in said("debugfs", "-R", "features", f"{image}?offset={layout.DATA.start * layout.MIB}")


def test_both_boot_states_lie_outside_all_partitions_and_the_disk_is_sparse(image: Path) -> None:
    with image.open("rb") as card:
        for offset in layout.STATE_OFFSETS:
            card.seek(offset)
            assert bootstate.decode(card.read(layout.STATE_SIZE)) == bootstate.FIRST
    assert image.stat().st_blocks * 512 < image.stat().st_size / 10
