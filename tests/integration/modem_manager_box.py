"""ModemManager with a message bus, a polkit and a world of its own, in which a simulated modem hangs on a USB port.

It knows modems by what the kernel tells of them, and a pty has no such thing: in a mount namespace of its own the
daemon sees a /sys with one USB modem in it and a /dev with its port, and nothing else.
"""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

PATIENCE_S = 60.0  # real seconds; it probes for ten and enables for four on a quiet machine
POLKITD = Path("/usr/lib/polkit-1/polkitd")
NEEDED = ("ModemManager", "mmcli", "dbus-daemon", "unshare")
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
BUS = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <listen>unix:path={bus}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/><allow user="*"/>
  </policy>
</busconfig>
"""
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
    places = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
    if missing := [name for name in NEEDED if shutil.which(name, path=places) is None]:
        return f"{', '.join(missing)} not installed (Debian: modemmanager, dbus-daemon)"
    if not POLKITD.exists():
        return "polkitd is not installed"
    if os.geteuid() != 0:
        return "only root may give a process a /sys and a /dev of its own"
    tried = subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False)
    return "" if tried.returncode == 0 else "this machine gives no mount namespaces"


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
    bus, config, events = folder / "bus", folder / "bus.conf", folder / "events"
    world, log = folder / "world", folder / "modemmanager.log"
    config.write_text(BUS.format(bus=bus))
    events.write_text(f"action=add,name={PORT},subsystem=tty\n")
    make_sys(world / "sys")
    (world / "dev").mkdir()
    environment = {**os.environ, "DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={bus}", "LC_ALL": "C.UTF-8"}
    folder.chmod(0o755)  # polkitd gives up being root before it connects
    with ExitStack() as running, log.open("w") as said:
        running.enter_context(
            _daemon(["dbus-daemon", f"--config-file={config}", "--nofork"], environment, said.fileno())
        )
        end = time.monotonic() + PATIENCE_S
        while not bus.exists():
            assert time.monotonic() < end, log.read_text()
            time.sleep(0.02)
        running.enter_context(_daemon([str(POLKITD)], environment, said.fileno()))
        command = ["ModemManager", "--debug", "--no-auto-scan", f"--initial-kernel-events={events}"]
        command += ["--test-no-udev", "--test-no-suspend-resume", "--test-no-qrtr"]
        entered = ["unshare", "-m", "sh", "-c", ENTER, str(world), os.path.relpath(os.path.realpath(pty), "/dev"), PORT]
        running.enter_context(_daemon([*entered, *command], environment, said.fileno()))
        yield ModemManager(environment, log)


@contextmanager
def _daemon(command: list[str], environment: dict[str, str], said: int) -> Iterator[None]:
    environment = {**environment, "PATH": f"{environment.get('PATH', '')}:/usr/sbin:/sbin"}
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=said, stderr=said, env=environment) as running:
        try:
            yield
        finally:
            running.send_signal(signal.SIGTERM)
            try:
                running.wait(10)
            finally:
                running.kill()
