"""Update bundles, good and bad, on a disk that the box is given: made by this machine's RAUC."""

import re
import shutil
import subprocess
from pathlib import Path

from tests.image.card import MIB, ROOT, ROOT_START, Image

KEYS = ROOT / "build/cache/throwaway-authority"
PROGRAMS = {"rauc": "rauc", "mksquashfs": "squashfs-tools", "openssl": "openssl", "mke2fs": "e2fsprogs"}
ROOT_SIZE = 1024 * MIB
BROKEN = 'raise SystemExit("a test broke this program")\n'


def missing(image: Image | None) -> str:
    """Why no bundle can be made here; empty where it can."""
    for program, package in PROGRAMS.items():
        if not shutil.which(program):
            return f"{program} is missing. Next: apt-get install {package}"
    if not (KEYS / "signer.key").exists():
        return "the image is not signed by the throwaway authority: its bundles cannot be made anew here"
    return "" if image and image.bundle else "this image has no bundle"


def disk(image: Image, folder: Path) -> Path:
    """A file system with good.raucb, stranger.raucb, tampered.raucb and unhealthy.raucb on it."""
    assert image.bundle
    content = folder / "bundles"
    content.mkdir()
    shutil.copyfile(image.bundle, content / "good.raucb")
    _signed_by_a_stranger(image.bundle, content / "stranger.raucb", folder)
    shutil.copyfile(image.bundle, content / "tampered.raucb")
    with (content / "tampered.raucb").open("r+b") as bundle:
        middle = image.bundle.stat().st_size // 2
        bundle.seek(middle)
        octet = bundle.read(1)
        bundle.seek(middle)
        bundle.write(bytes([octet[0] ^ 0x10]))
    _unhealthy(image, content / "unhealthy.raucb", folder)
    made = folder / "bundles.img"
    size = sum(path.stat().st_size for path in content.iterdir()) // MIB * 11 // 10 + 64
    _run("mke2fs", "-q", "-t", "ext4", "-d", content, made, f"{size}M")
    shutil.rmtree(content)
    return made


def _signed_by_a_stranger(bundle: Path, to: Path, folder: Path) -> None:
    key, certificate = folder / "stranger.key", folder / "stranger.crt"
    request = ["openssl", "req", "-x509", "-newkey", "rsa:3072", "-nodes", "-subj", "/CN=stranger", "-days", "30"]
    _run(*request, "-addext", "extendedKeyUsage=emailProtection", "-keyout", key, "-out", certificate)
    trusted = ["--keyring", KEYS / "authority.crt", "--signing-keyring", certificate]
    _run("rauc", "resign", "--cert", certificate, "--key", key, *trusted, bundle, to)


def _unhealthy(image: Image, to: Path, folder: Path) -> None:
    """A later version whose core ends as soon as it starts; all else works."""
    content = folder / "unhealthy"
    content.mkdir()
    root, broken, release = content / "rootfs.ext4", folder / "core.py", folder / "os-release"
    _run("dd", f"if={image.disk}", f"of={root}", "bs=1M", f"skip={ROOT_START // MIB}", "count=1024", "conv=sparse")
    broken.write_text(BROKEN)
    image.file("/usr/lib/os-release", release)
    release.write_text(re.sub("(?m)^IMAGE_VERSION=.*$", "IMAGE_VERSION=broken", release.read_text()))
    for file, path in ((broken, "/opt/siaga/appliance/core.py"), (release, "/usr/lib/os-release")):
        for command in (f"rm {path}", f"write {file} {path}"):
            _run("debugfs", "-w", "-R", command, root)
    for name in image.listing("/opt/siaga/appliance/__pycache__"):
        if name.startswith("core.cpython"):
            _run("debugfs", "-w", "-R", f"rm /opt/siaga/appliance/__pycache__/{name}", root)
    said = subprocess.run(["rauc", "info", "--keyring", KEYS / "authority.crt", image.bundle], **TEXT).stdout
    compatible = next(line.split("'")[1] for line in said.splitlines() if line.startswith("Compatible:"))
    (content / "manifest.raucm").write_text(
        f"[update]\ncompatible={compatible}\nversion=broken\n\n[bundle]\nformat=plain\n\n"
        "[image.rootfs]\nfilename=rootfs.ext4\n"
    )
    keys = ["--cert", KEYS / "signer.crt", "--key", KEYS / "signer.key", "--keyring", KEYS / "authority.crt"]
    _run("rauc", "bundle", *keys, "--mksquashfs-args=-comp zstd -Xcompression-level 1 -quiet", content, to)
    shutil.rmtree(content)


TEXT = {"capture_output": True, "text": True, "check": True}


def _run(*words: object) -> None:
    subprocess.run([str(word) for word in words], check=True, capture_output=True)
