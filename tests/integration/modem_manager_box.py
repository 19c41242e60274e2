"""ModemManager with a message bus, a polkit and a world of its own, in which a simulated modem hangs on a USB port.

It knows modems by what the kernel tells of them, and a pty has no such thing: in a mount namespace of its own the
daemon sees a /sys with one USB modem in it and a /dev with its port, and nothing else.
"""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from private_bus import PATIENCE_S, daemon, missing, no_namespace, system_bus

POLKITD = Path("/usr/lib/polkit-1/polkitd")
PORT = "ttyUSB2"  # of the four serial ports of a Quectel the one for AT commands
DEVICE = {
    "idVendor": "2c7c",
    "idProduct": "0125",
    "bcdDevice": "0318",
    "manufacturer": "Quectel",
    "product": "EG25-G",
    "bConfigurationValue": "1",
}
INTERFACE = {
    "bInterfaceClass": "ff",
    "bInterfaceSubClass": "00",
    "bInterfaceProtocol": "00",
    "bInterfaceNumber": "02",
}
ENTER = """set -e
mount --bind "$0/sys" /sys
mount -t tmpfs none "$0/dev"
mkdir "$0/dev/pts"
mount --bind /dev/pts "$0/dev/pts"
for name in null zero urandom; do touch "$0/dev/$name"; mount --bind "/dev/$name" "$0/dev/$name"; done
ln -s "$1" "$0/dev/$2"
mount --rbind "$0/dev" /dev
shift 2
exec "$@"
"""


def why_not() -> str:
    """Why it cannot run here, or an empty string."""
    return missing("ModemManager", "mmcli", "dbus-daemon", "unshare", str(POLKITD)) or no_namespace()


def make_sys(root: Path) -> None:
    """What Linux shows of a Quectel EG25-G with one of its ports."""
    device = root / "devices/platform/usb1/1-1"
    interface = device / "1-1:1.2"
    port = interface / PORT / "tty" / PORT
    driver = root / "bus/usb/drivers/option1"
    for folder in (port, driver, root / "bus/usb-serial", root / "class/tty"):
        folder.mkdir(parents=True)
    for name, text in DEVICE.items():
        (device / name).write_text(f"{text}\n")
    for name, text in INTERFACE.items():
        (interface / name).write_text(f"{text}\n")
    for link, to in (
        (device / "subsystem", root / "bus/usb"),
        (interface / "subsystem", root / "bus/usb"),
        (interface / "driver", driver),
        (interface / PORT / "subsystem", root / "bus/usb-serial"),
        (port / "subsystem", root / "class/tty"),
        (root / "class/tty" / PORT, port),
    ):
        link.symlink_to(os.path.relpath(to, link.parent))


class ModemManager:
    """The running daemon, asked by mmcli."""

    def __init__(self, environment: dict[str, str], log: Path) -> None:
        self._environment, self._log = environment, log

    def mmcli(self, *words: str) -> str:
        """What it says. Fails when it says no."""
        ran = self._run(*words)
        assert ran.returncode == 0, f"mmcli {' '.join(words)}: {ran.stdout}{ran.stderr}\n{self.log()}"
        return ran.stdout

    def _run(self, *words: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            ["mmcli", *words], env=self._environment, capture_output=True, text=True, timeout=PATIENCE_S, check=False
        )

    def until_says(self, wanted: str, *words: str) -> str:
        """Ask until `wanted` is in the answer."""
        end = time.monotonic() + PATIENCE_S
        while wanted not in (said := self._run(*words).stdout):
            assert time.monotonic() < end, f"mmcli {' '.join(words)}: {said}\n{self.log()}"
            time.sleep(0.1)
        return said

    def log(self) -> str:
        return "\n".join(self._log.read_text(errors="replace").splitlines()[-40:])


@contextmanager
def modem_manager(folder: Path, pty: Path) -> Iterator[ModemManager]:
    """Run it with the modem at `pty`."""
    events, world, log = folder / "events", folder / "world", folder / "modemmanager.log"
    events.write_text(f"action=add,name={PORT},subsystem=tty\n")
    make_sys(world / "sys")
    (world / "dev").mkdir()
    folder.chmod(0o755)  # polkitd gives up being root before it connects
    command = ["ModemManager", "--debug", "--no-auto-scan", f"--initial-kernel-events={events}"]
    command += ["--test-no-udev", "--test-no-suspend-resume", "--test-no-qrtr"]
    entered = ["unshare", "-m", "sh", "-c", ENTER, str(world), os.path.relpath(os.path.realpath(pty), "/dev"), PORT]
    with log.open("w") as out:
        said = out.fileno()
        with (
            system_bus(folder, said) as environment,
            daemon([str(POLKITD)], environment, said),
            daemon([*entered, *command], environment, said),
        ):
            yield ModemManager(environment, log)
