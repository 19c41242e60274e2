"""The root file system before Siaga is in it: Debian alone, as a tar file in the cache, with its packages."""

import dataclasses
import hashlib
from pathlib import Path

from siaga_image import binfmt, mirror
from siaga_image.profile import HERE, Profile, names
from siaga_image.steps import BuildFailed, Steps
from siaga_image.tools import NETWORK

INITRAMFS = {
    "hook": "/etc/initramfs-tools/hooks/siaga",
    "data": "/etc/initramfs-tools/scripts/local-bottom/siaga",
    "initramfs.conf": "/etc/initramfs-tools/conf.d/siaga",
}
# The kernel and what installs it come from backports, everything else from stable.
PREFERENCES = """Package: src:linux src:linux-signed-arm64 src:linux-signed-amd64
Pin: version {kernel}
Pin-Priority: 700

Package: src:linux-base
Pin: release n=trixie-backports
Pin-Priority: 700
"""


@dataclasses.dataclass(frozen=True)
class Base:
    """`tar`: the tree. `stanzas`: apt's description of each installed package, with the hash of its file."""

    tar: Path
    stanzas: Path


def key(profile: Profile) -> str:
    """One digest over all that decides what is in the tree, but not over what the mirror has today."""
    parts = [profile.arch, *sorted(profile.packages), *names(HERE / "packages" / "leave-out.list")]
    parts += [preferences(profile), STANZAS, mirror.SUITE]
    parts += [(HERE / "initramfs" / name).read_text() + to for name, to in INITRAMFS.items()]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:12]


def preferences(profile: Profile) -> str:
    return PREFERENCES.format(kernel=profile.kernel)


def prepare(profile: Profile, cache: Path, host_arch: str, epoch: int, steps: Steps) -> Base:
    """The cached tree, or a new one: a minute for this machine's own kind, some ten under emulation."""
    name = f"base-{profile.arch}-{key(profile)}"
    base = Base(cache / f"{name}.tar", cache / f"{name}.packages")
    if base.tar.exists() and base.stanzas.exists():
        return base
    setup = cache / f"{name}.setup"
    setup.mkdir(parents=True, exist_ok=True)
    (setup / "preferences").write_text(preferences(profile))
    unfinished = base.tar.with_suffix(".new.tar")
    command = ["mmdebstrap", "--mode=root", "--variant=minbase", "--format=tar", f"--architectures={profile.arch}"]
    command += [f"--include={','.join(profile.packages)}"]
    command += [f"--dpkgopt=path-exclude={pattern}" for pattern in names(HERE / "packages" / "leave-out.list")]
    hooks = [(setup / "preferences", "/etc/apt/preferences.d/siaga", "0644")]
    hooks += [
        (HERE / "initramfs" / file, to, "0644" if file.endswith(".conf") else "0755") for file, to in INITRAMFS.items()
    ]
    command += [f'--setup-hook=install -D -m {mode} "{file}" "$1{to}"' for file, to, mode in hooks]
    command += [f"--customize-hook={STANZAS.format(to=base.stanzas)}", mirror.SUITE, str(unfinished), "-"]
    title = f"Debian {mirror.SUITE} for {profile.arch}, once"
    with steps.step(title), binfmt.registered(profile.arch, host_arch):
        steps.run(command, next=NETWORK, input=mirror.sources().encode(), environment={"SOURCE_DATE_EPOCH": str(epoch)})
    if f"\nVersion: {profile.kernel.rstrip('*')}" not in _stanza(
        base.stanzas.read_text(), f"linux-image-{profile.arch}"
    ):
        raise BuildFailed(
            f"The mirror has no kernel {profile.kernel} any more. Next: see what {mirror.SUITE}-backports has now,"
            " change `kernel` in image-build/profiles/*.toml, and run make image-test before the image is used."
        )
    unfinished.replace(base.tar)
    return base


def _stanza(text: str, package: str) -> str:
    return next((part for part in text.split("\n\n") if part.startswith(f"Package: {package}\n")), "")


# apt knows the hash of each file it fetched; dpkg does not keep it.
STANZAS = (
    'set -e; dpkg-query --admindir="$1/var/lib/dpkg" --show'
    " --showformat '${{Package}}:${{Architecture}}=${{Version}} ' |"
    " sed 's/:all=/=/g' | APT_CONFIG=$MMDEBSTRAP_APT_CONFIG xargs apt-cache show > {to}"
)
