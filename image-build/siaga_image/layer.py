"""Makes Debian's tree a box's: the repository's configuration in its place, units on, and no trace of the build left.

What lies in firmware-config/ and systemd/ is copied by the rules below; a new file there needs no change here.
"""

import re
import shutil
from pathlib import Path

from siaga_image import layout, tryboot
from siaga_image.profile import HERE, ROOT, Profile
from siaga_image.steps import BuildFailed, Steps

# File in the repository: where it goes. A place that ends in / is a folder; the first rule that fits counts.
PLACES: tuple[tuple[str, str], ...] = (
    ("firmware-config/udev/*.rules", "usr/lib/udev/rules.d/"),
    ("firmware-config/audio/asound.conf", "etc/asound.conf"),
    ("firmware-config/audio/*.conf", "etc/modprobe.d/"),
    ("firmware-config/chrony/chrony.conf", "etc/chrony/chrony.conf"),
    ("firmware-config/chrony/service.conf", "etc/systemd/system/chrony.service.d/siaga.conf"),
    ("firmware-config/nftables/nftables.conf", "etc/nftables.conf"),
    ("firmware-config/journald/*.conf", "etc/systemd/journald.conf.d/"),
    ("firmware-config/sysctl/*.conf", "etc/sysctl.d/"),
    ("firmware-config/mosquitto/siaga.conf", "etc/mosquitto/conf.d/siaga.conf"),
    ("firmware-config/mosquitto/service.conf", "etc/systemd/system/mosquitto.service.d/siaga.conf"),
    ("systemd/*.service", "usr/lib/systemd/system/"),
    ("systemd/*.target", "usr/lib/systemd/system/"),
    ("systemd/*.timer", "usr/lib/systemd/system/"),
    ("systemd/*.path", "usr/lib/systemd/system/"),
    ("systemd/*.socket", "usr/lib/systemd/system/"),
    ("systemd/sysusers.d/*.conf", "usr/lib/sysusers.d/"),
    ("systemd/tmpfiles.d/*.conf", "usr/lib/tmpfiles.d/"),
    ("systemd/*.d/*.conf", "etc/systemd/system/"),
)
# Debian's own that a box wants, and those it does not: a read-only box installs nothing and waits for nothing.
ENABLE = ("systemd-networkd.service", "systemd-resolved.service", "chrony.service", "nftables.service", "ssh.service")
MASK = (
    "apt-daily.timer", "apt-daily-upgrade.timer", "dpkg-db-backup.timer", "e2scrub_all.timer", "fstrim.timer",
    "systemd-networkd-wait-online.service", "systemd-firstboot.service", "systemd-remount-fs.service",
    "systemd-machine-id-commit.service", "rauc-mark-good.service", "sshd-keygen.service", "nut-monitor.service",
    "nut.target", "nut-driver-enumerator.service", "wpa_supplicant.service", "man-db.timer", "alsa-restore.service",
    "alsa-state.service", "ldconfig.service", "systemd-journal-catalog-update.service",
)  # fmt: skip
# Only of boards with a screen for the page; a box without one would fail at each start.
OPTIONAL = ("siaga-kiosk.service", "siaga-kiosk-reload.timer")
# It asks for a virtual machine's socket and says at each start that there is none.
NO_GENERATORS = ("systemd-ssh-generator",)
MOUNT_POINTS = ("data", "boot/firmware", "boot/slot", "etc/siaga", "var/lib/siaga", "var/lib/siaga-time",
                "var/log/journal", "etc/mosquitto/siaga", "var/lib/mosquitto", "var/lib/chrony",
                "var/lib/systemd")  # fmt: skip
STALE = ("var/lib/apt/lists", "var/cache/apt", "var/cache/debconf", "var/log", "var/tmp", "tmp", "run", "var/backups",
         "etc/apt/sources.list.d", "etc/pip.conf", "root/.cache", "var/lib/systemd", "var/cache/ldconfig")  # fmt: skip

# Debian's own programs that know the name of Debian's servers, whatever mirror was used.
THEIR_OWN = ("usr/lib/dpkg/methods/apt/*", "usr/lib/*/libapt-pkg.so*")


def place(source: Path) -> str | None:
    """Where a file of the repository goes, as a path in the tree; None where no rule names it."""
    relative = source.relative_to(ROOT)
    for pattern, to in PLACES:
        if relative.match(pattern) and len(relative.parts) == len(Path(pattern).parts):
            if pattern == "systemd/*.d/*.conf":
                return f"{to}{relative.parent.name}/{relative.name}"
            return to + relative.name if to.endswith("/") else to
    return None


def apply(tree: Path, profile: Profile, steps: Steps) -> None:
    """Change `tree` in place."""
    for folder in ("firmware-config", "systemd"):
        for source in sorted((ROOT / folder).rglob("*")):
            if source.is_file() and (to := place(source)):
                _copy(source, tree / to)
    for own in (HERE / "root", HERE / profile.boot / "root"):  # of all images, and of those that start this way
        for source in sorted(own.rglob("*")):
            if source.is_file():
                _copy(source, tree / source.relative_to(own))
    for name in MOUNT_POINTS:
        (tree / name).mkdir(parents=True, exist_ok=True)
    for path, text in written(profile).items():
        (tree / path).parent.mkdir(parents=True, exist_ok=True)
        (tree / path).write_text(text)
    steps.run(["systemd-sysusers", f"--root={tree}"], next="Next: look at systemd/sysusers.d.")
    _units(tree, steps)


def written(profile: Profile) -> dict[str, str]:
    """What depends on the profile."""
    return {
        "etc/hostname": "siaga\n",
        "etc/hosts": "127.0.0.1 localhost siaga\n::1 localhost ip6-localhost ip6-loopback\n",
        "etc/machine-id": "",
        "etc/modules-load.d/siaga.conf": "".join(f"{module}\n" for module in profile.modules),
        **boot_files(profile),
        "etc/apt/sources.list": "# A box is updated as a whole, by a signed bundle: docs/image.md of Siaga.\n",
    }


def boot_files(profile: Profile) -> dict[str, str]:
    """What RAUC is told of the disk, and where the boot state is."""
    if profile.boot == "tryboot":
        return {"etc/rauc/system.conf": tryboot.rauc(profile)}
    return {"etc/rauc/system.conf": layout.rauc(profile), **layout.boot_state_files(profile)}


def _copy(source: Path, to: Path) -> None:
    to.parent.mkdir(parents=True, exist_ok=True)
    to.unlink(missing_ok=True)
    shutil.copy(source, to)


def _units(tree: Path, steps: Steps) -> None:
    # Scripts of another init: nobody runs them, and systemctl would run Debian's own programs of the box for each.
    for name in ("etc/init.d", *(f"etc/rc{level}.d" for level in "0123456S")):
        shutil.rmtree(tree / name, ignore_errors=True)
    units = sorted((tree / "usr/lib/systemd/system").glob("siaga*"))
    ours = [unit.name for unit in units if unit.is_file() and "\n[Install]" in unit.read_text()]
    wanted = [*ENABLE, *(name for name in ours if name not in OPTIONAL)]
    again = "Next: see that each of these units is in the tree, or change ENABLE in image-build/siaga_image/layer.py."
    steps.run(["systemctl", f"--root={tree}", "--quiet", "enable", *wanted], next=again)
    steps.run(["systemctl", f"--root={tree}", "--quiet", "mask", *MASK], next=again)
    for name in NO_GENERATORS:
        mask = tree / "etc/systemd/system-generators" / name
        mask.parent.mkdir(exist_ok=True)
        mask.symlink_to("/dev/null")
    steps.run(["systemctl", f"--root={tree}", "--quiet", "set-default", "multi-user.target"], next=again)


def scrub(tree: Path, epoch: int) -> None:
    """Take out what the build left: secrets, logs, addresses, times that differ from build to build."""
    for name in STALE:
        path = tree / name
        if path.is_dir():
            for child in path.iterdir():
                shutil.rmtree(child) if child.is_dir() and not child.is_symlink() else child.unlink()
        else:
            path.unlink(missing_ok=True)
    for pattern in ("etc/ssh/ssh_host_*", "var/lib/dpkg/*-old", "etc/*-", "boot/*.old", "etc/.pwd.lock"):
        for path in tree.glob(pattern):
            path.unlink()
    for name in MOUNT_POINTS:
        (tree / name).mkdir(parents=True, exist_ok=True)
    resolv = tree / "etc/resolv.conf"
    resolv.unlink(missing_ok=True)
    resolv.symlink_to("../run/systemd/resolve/stub-resolv.conf")
    # The day a password was set is the day of the build.
    for name in ("etc/shadow",):
        lines = (tree / name).read_text().splitlines()
        days = str(epoch // 86400)
        (tree / name).write_text("".join(re.sub(r"^([^:]*:[^:]*):\d+:", rf"\1:{days}:", line) + "\n" for line in lines))


def check_addresses(tree: Path, hosts: list[str]) -> None:
    """Raises BuildFailed where a file names a host that packages were taken from."""
    found, own = [], {path for pattern in THEIR_OWN for path in tree.glob(pattern)}
    for path in tree.rglob("*"):
        if path.is_symlink() or not path.is_file() or path in own or path.is_relative_to(tree / "usr/share/doc"):
            continue
        octets = path.read_bytes()
        found += [f"{path.relative_to(tree)}: {host}" for host in hosts if host.encode() in octets]
    if found:
        raise BuildFailed(
            "The tree names where its packages came from:\n" + "\n".join(found[:20]) + "\nNext: layer.scrub."
        )
