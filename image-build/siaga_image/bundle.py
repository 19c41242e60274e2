"""The signed update bundle, and the authority that a box believes.

A real key never lies in the repository and need not lie on the machine that builds: SIAGA_SIGNING names a folder with
`authority.crt`, `signer.crt` and `signer.key`. Without it a throwaway
authority is made below build/cache: enough for tests, and said so loudly.
"""

import os
import shutil
from pathlib import Path

from siaga_image.profile import HERE, Profile
from siaga_image.steps import BuildFailed
from siaga_image.tools import Tools

VARIABLE = "SIAGA_SIGNING"
FILES = ("authority.crt", "signer.crt", "signer.key")
THROWAWAY = "Siaga throwaway authority, for tests"
# Plain: RAUC 1.13 cannot mount its verity bundles on kernels from 6.19 on.
MANIFEST = """[update]
compatible={compatible}
version={version}

[bundle]
format=plain

[image.rootfs]
filename=rootfs.ext4
"""
# Where the firmware starts the kernel itself: its partition is a part of the slot.
WITH_BOOT = """
[image.boot]
filename=boot.vfat
hooks=post-install

[hooks]
filename=hook
"""
HOOK = HERE / "tryboot" / "hook"


def authority(cache: Path, tools: Tools) -> tuple[Path, bool]:
    """The folder of keys to sign with, and whether it is a throwaway one. Raises BuildFailed."""
    if VARIABLE in os.environ:
        folder = Path(os.environ[VARIABLE])
        if missing := [name for name in FILES if not (folder / name).is_file()]:
            raise BuildFailed(
                f"{VARIABLE}={folder}: {', '.join(missing)} is not there. docs/image.md says how to make it."
            )
        return folder, False
    folder = cache / "throwaway-authority"
    if not all((folder / name).is_file() for name in FILES):
        make(folder, THROWAWAY, tools)
    return folder, True


def make(folder: Path, name: str, tools: Tools) -> None:
    """An authority and one signer, ten years. In a person's hands: docs/image.md."""
    work = tools.stage / "authority"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    request = ["openssl", "req", "-x509", "-newkey", "rsa:3072", "-nodes", "-days", "3650"]
    tools.run(
        [
            *request,
            "-keyout",
            "authority.key",
            "-out",
            "authority.crt",
            "-subj",
            f"/CN={name}",
            "-addext",
            "basicConstraints=critical,CA:TRUE",
            "-addext",
            "keyUsage=critical,keyCertSign,cRLSign",
        ],
        cwd="/stage/authority",
    )
    tools.run(
        [
            *request,
            "-CA",
            "authority.crt",
            "-CAkey",
            "authority.key",
            "-keyout",
            "signer.key",
            "-out",
            "signer.crt",
            "-subj",
            f"/CN={name}: signer",
            "-addext",
            "basicConstraints=critical,CA:FALSE",
            "-addext",
            "keyUsage=critical,digitalSignature",
            "-addext",
            "extendedKeyUsage=emailProtection",
        ],
        cwd="/stage/authority",
    )
    folder.mkdir(parents=True, exist_ok=True)
    for file in (*FILES, "authority.key"):
        shutil.copyfile(work / file, folder / file)
    for key in ("signer.key", "authority.key"):
        (folder / key).chmod(0o600)
    shutil.rmtree(work)


def make_bundle(
    tools: Tools, root: str, to: str, profile: Profile, version: str, keys: Path, *, boot: str | None = None
) -> None:
    """`to` from the file systems `root` and, where a slot has one, `boot`; all in the stage."""
    content = tools.stage / "bundle"
    shutil.rmtree(content, ignore_errors=True)
    content.mkdir()
    os.link(tools.stage / root, content / "rootfs.ext4")
    manifest = MANIFEST
    if boot is not None:
        manifest += WITH_BOOT
        os.link(tools.stage / boot, content / "boot.vfat")
        shutil.copy(HOOK, content / "hook")
    (content / "manifest.raucm").write_text(manifest.format(compatible=profile.compatible, version=version))
    signing = tools.stage / "signing"
    shutil.rmtree(signing, ignore_errors=True)
    shutil.copytree(keys, signing)
    (tools.stage / to).unlink(missing_ok=True)
    try:
        tools.run(
            [
                "rauc",
                "bundle",
                "--cert=/stage/signing/signer.crt",
                "--key=/stage/signing/signer.key",
                "--keyring=/stage/signing/authority.crt",
                "--mksquashfs-args=-comp zstd -Xcompression-level 6 -quiet",
                "bundle",
                to,
            ]
        )
    finally:
        shutil.rmtree(signing)
        shutil.rmtree(content)
