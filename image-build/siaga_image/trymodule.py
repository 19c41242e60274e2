"""The kernel module that asks a Pi's firmware for a trial, compiled for the kernel that is in the tree."""

import os
import re
import shutil
from pathlib import Path

from siaga_image import mirror
from siaga_image.base import Base
from siaga_image.profile import HERE, MACHINES, Profile
from siaga_image.steps import BuildFailed, Steps
from siaga_image.tools import NETWORK, Tools

SOURCE = HERE / "tryboot"
NAME = "siaga_tryboot.ko"
# Unpacked, not installed: the box gets the module alone.
HOOK = (
    'set -e; mkdir -p "{to}/debs"; cd "{to}/debs";'
    " APT_CONFIG=$MMDEBSTRAP_APT_CONFIG apt-get download {names};"
    ' for deb in *.deb; do dpkg-deb -x "$deb" ..; done'
)


def install(tree: Path, profile: Profile, base: Base, cache: Path, tools: Tools, steps: Steps) -> None:
    """Put it where the box's script looks for it. `tree` is below the tools' stage."""
    release, version = kernel(tree, base.stanzas.read_text())
    headers = fetch(release, version, profile, cache, steps)
    with steps.step("The kernel module for tryboot"):
        work = tools.stage / "tryboot"
        shutil.rmtree(work, ignore_errors=True)
        shutil.copytree(headers / "usr", work / "usr", symlinks=True)
        here = work / "usr/src" / f"linux-headers-{release}"
        for file in (here / "Makefile", here / ".kernelvariables"):
            file.write_text(re.sub(r"([ =])/usr/src/", r"\1/stage/tryboot/usr/src/", file.read_text()))
        (here / "vmlinux").unlink(missing_ok=True)  # only for type information (BTF), and the tools have no pahole
        (work / "module").mkdir()
        for name in ("Kbuild", "siaga_tryboot.c"):
            shutil.copyfile(SOURCE / name, work / "module" / name)
        make = ["/stage/tryboot/usr/bin/make", "-C", f"/stage/{here.relative_to(tools.stage)}"]
        tools.run([*make, "M=/stage/tryboot/module", "modules"])
        tools.run([f"{profile.machine}-linux-gnu-objcopy", "--strip-debug", NAME], cwd="/stage/tryboot/module")
        to = tree / "usr/lib/modules" / release / "siaga"
        to.mkdir()
        shutil.copyfile(work / "module" / NAME, to / NAME)
        shutil.rmtree(work)


def kernel(tree: Path, stanzas: str) -> tuple[str, str]:
    """`7.3.4+deb13-arm64`, and the version of the package it is from."""
    releases = sorted(path.name for path in (tree / "usr/lib/modules").iterdir())
    if len(releases) != 1:
        raise BuildFailed(f"The tree has {len(releases)} kernels, not one: {', '.join(releases)}. Next: the base.")
    found = re.search(rf"^Package: linux-image-{re.escape(releases[0])}\n(?:.+\n)*?Version: (\S+)", stanzas, re.M)
    if not found:
        raise BuildFailed(f"apt said nothing of linux-image-{releases[0]}. Next: the base's list of packages.")
    return releases[0], found[1]


def fetch(release: str, version: str, profile: Profile, cache: Path, steps: Steps) -> Path:
    """The kernel's headers, its build programs for this machine, and make. Cached. Raises BuildFailed."""
    host = next(arch for arch, machine in MACHINES.items() if machine == os.uname().machine)
    folder = cache / f"headers-{release}-{version}".replace("~", "-")
    if (folder / "whole").exists():
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    kind = release.removesuffix(f"-{profile.arch}")
    names = [f"linux-headers-{release}:{profile.arch}={version}", f"linux-headers-{kind}-common={version}"]
    names += [f"linux-kbuild-{kind}:{host}={version}", f"make:{host}"]
    empty = folder / "empty"
    command = ["mmdebstrap", "--mode=root", "--variant=extract", "--format=directory"]
    command += [f"--architectures={','.join(dict.fromkeys((host, profile.arch)))}"]
    command += [f"--extract-hook={HOOK.format(to=folder, names=' '.join(names))}", mirror.SUITE, str(empty), "-"]
    with steps.step("The kernel's headers, once"):
        folder.mkdir()
        again = (
            f"{NETWORK} If the mirror has no headers of {version} any more: remove build/cache/base-{profile.arch}-*."
        )
        steps.run(command, next=again, input=mirror.sources().encode())
    shutil.rmtree(empty)
    (folder / "whole").touch()
    return folder
