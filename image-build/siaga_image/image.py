"""The whole way from a base to the files in build/image."""

import datetime
import hashlib
import json
import shutil
from pathlib import Path

from siaga_image import (
    bootfiles,
    bootstate,
    bundle,
    disk,
    layer,
    layout,
    lock,
    mirror,
    program,
    records,
    trydisk,
    trymodule,
)
from siaga_image.base import Base
from siaga_image.profile import ROOT, Profile
from siaga_image.steps import Steps
from siaga_image.tools import Tools


def build(
    profile: Profile,
    base: Base,
    version: str,
    epoch: int,
    cache: Path,
    tools: Tools,
    steps: Steps,
    *,
    compress: bool = True,
) -> list[Path]:
    """Files for a person, in build/image."""
    out = ROOT / "build" / "image"
    name = f"siaga-{version}-{profile.name}"
    if not name.endswith(profile.arch):
        name += f"-{profile.arch}"
    keys, throwaway = bundle.authority(cache, tools)
    tree = tree_of(profile, base, version, epoch, cache, keys, tools, steps)
    with steps.step("The root file system"):
        disk.pack(tree, tools.stage / "root.tar", epoch, steps)
        disk.ext4(tools, "root.tar", "root.ext4", layout.ROOTS[0], epoch)
        tree_hash = sha256(tools.stage / "root.ext4")
    with steps.step("The disk"):
        if profile.boot == "tryboot":
            trydisk.make(tools, "root.ext4", f"{name}.img", profile, tree, epoch)
        else:
            _disk(tools, f"{name}.img", profile, tree, epoch)
        tools.run(["bmaptool", "create", "-o", f"{name}.img.bmap", f"{name}.img"])
    if compress:
        with steps.step("Compressed"):
            tools.run(["zstd", "-q", "-f", "-T0", "-12", f"{name}.img", "-o", f"{name}.img.zst"])
    if profile.boot != "direct":
        with steps.step("The update bundle"):
            boot = "slot.fat" if profile.boot == "tryboot" else None
            bundle.make_bundle(tools, "root.ext4", f"{name}.raucb", profile, version, keys, boot=boot)
    with steps.step("Lists, checks"):
        downloaded = program.download(profile, program.python_of(tree), cache, steps)  # from the cache
        _records(profile, base, version, epoch, tree_hash, name, tools, downloaded)
        if profile.boot == "direct":
            for file in ("vmlinuz", "initrd.img"):
                shutil.copyfile((tree / "boot" / file).resolve(), tools.stage / f"{name}.{file}")
        made = [path for path in sorted(tools.stage.glob(f"{name}*")) if path.name != f"{name}.img"]
        (tools.stage / f"{name}.root.sha256").write_text(f"{tree_hash}  root.ext4\n")
        for path in [*made, tools.stage / f"{name}.root.sha256", tools.stage / f"{name}.img"]:
            path.replace(out / path.name)
        sums = "".join(f"{sha256(out / path.name)}  {path.name}\n" for path in made)
        (out / f"{name}.sha256").write_text(sums)
    shutil.rmtree(tree)
    if throwaway:
        print(f"  Signed by a throwaway authority: for tests. {bundle.VARIABLE} names the real one (docs/image.md).")
    return [out / path.name for path in made]


def _disk(tools: Tools, to: str, profile: Profile, tree: Path, epoch: int) -> None:
    disk.ext4(tools, None, "data.ext4", layout.DATA, epoch)
    folder = disk.empty(tools.stage / "boot")
    bootfiles.fill(folder, profile, tree, tools, epoch)
    disk.fat(tools, "boot", "boot.fat", layout.BOOT, epoch)
    parts = [(layout.BOOT, "boot.fat"), (layout.ROOTS[0], "root.ext4"), (layout.DATA, "data.ext4")]
    disk.assemble(tools, to, parts, bootstate.encode(bootstate.FIRST))


def tree_of(
    profile: Profile, base: Base, version: str, epoch: int, cache: Path, keys: Path, tools: Tools, steps: Steps
) -> Path:
    """Base, program and configuration as a folder below the tools' stage."""
    tree = disk.empty(tools.stage / f"tree-{profile.name}")
    with steps.step("Debian unpacked"):
        unpack = ["tar", "--numeric-owner", "--xattrs", "--xattrs-include=*", "-xpf", str(base.tar), "-C", str(tree)]
        steps.run(unpack, next="Next: is the disk full? df -h build.")
    downloaded = program.download(profile, program.python_of(tree), cache, steps)
    with steps.step("Siaga and its Python packages"):
        program.install(tree, profile, downloaded, version, tools, steps)
    if profile.boot == "tryboot":
        trymodule.install(tree, profile, base, cache, tools, steps)
    with steps.step("Configuration"):
        layer.apply(tree, profile, steps)
        (tree / "etc/rauc").mkdir(exist_ok=True)
        shutil.copyfile(keys / "authority.crt", tree / "etc/rauc/keyring.pem")
        with (tree / "usr/lib/os-release").open("a") as release:
            release.write(f"IMAGE_ID=siaga-{profile.name}\nIMAGE_VERSION={version}\n")
        for kind in ("vmlinuz", "initrd.img"):
            newest = sorted((tree / "boot").glob(f"{kind}-*"))[-1]
            (tree / "boot" / kind).unlink(missing_ok=True)
            (tree / "boot" / kind).symlink_to(newest.name)
        for stale in ("vmlinuz", "vmlinuz.old", "initrd.img", "initrd.img.old"):
            (tree / stale).unlink(missing_ok=True)
        layer.scrub(tree, epoch)
        layer.check_addresses(tree, hosts())
    return tree


def hosts() -> list[str]:
    """Names of the machines that packages came from."""
    return sorted({line.split()[1].split("/")[2] for line in mirror.sources().splitlines()})


def _records(
    profile: Profile, base: Base, version: str, epoch: int, tree: str, name: str, tools: Tools, downloaded: Path
) -> None:
    files = {sha256(path): path.name for path in downloaded.iterdir()}
    parts = records.debian(base.stanzas.read_text())
    if profile.firmware:
        parts += records.firmware((tools.root / "firmware/SHA256SUMS").read_text())
    parts += records.python(lock.read(ROOT / "requirements.lock"), files)
    vendored = json.loads((ROOT / "package.json").read_text())["dependencies"]
    parts += records.scripts((ROOT / "package-lock.json").read_text(), vendored)
    time = datetime.datetime.fromtimestamp(epoch, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    (tools.stage / f"{name}.packages.txt").write_text(records.listing(parts))
    bill = records.bill(parts, version=version, profile=profile.name, time=time, tree=tree)
    (tools.stage / f"{name}.cdx.json").write_text(bill)


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
