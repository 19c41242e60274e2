"""The real units under a real systemd: this machine's /usr in a container, everything else of it made here.

SIAGA_UNITS_USR names another release's /usr, as `mmdebstrap --include=systemd-sysv,dbus,...` makes one.

Needs root and systemd-nspawn. Nothing of this machine but /usr, Python and the repository is seen in there, and nothing
of it is written.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
UNITS = ROOT / "systemd"
FOUR = tuple(f"siaga-{name}.service" for name in ("annunciator", "audio", "core", "web"))
ANNUNCIATOR, AUDIO, CORE, WEB = FOUR
USR = Path(os.environ.get("SIAGA_UNITS_USR", "/usr"))
BOOT_WITHIN = 60.0  # s; some five where nothing else runs
TELL_WITHIN = 30.0  # s for one command in there

FOLDERS = (
    "etc/siaga", "etc/systemd/system", "etc/systemd/system.conf.d", "etc/sysusers.d", "etc/tmpfiles.d",
    "opt/siaga/.venv/bin", "var/lib", "var/log/journal", "usr", "root", "tmp", "proc", "sys", "dev", "run",
)  # fmt: skip

SITE = """
role = "centre"
site = "ambon"
id = "pusat"
name = "Pusat"
zone = "WIT"
state = "/var/lib/siaga"
run = "/run/siaga/core"
key = "/var/lib/siaga/own.key"

[web]
host = "0.0.0.0"

[annunciator]
socket = "/run/siaga/annunciator/annunciator.sock"
factory = "mock"
knobs = "/run/siaga/annunciator/pins.sock"
uids = [0, {core}]

[annunciator.output.siren]
pin = 17
kind = "siren"
max_s = 600

[annunciator.output.local_only]
pin = 23
kind = "lamp"

[annunciator.input.alarm_button]
pin = 24
kind = "button"

[annunciator.button]
input = "alarm_button"
output = "siren"
pattern = "wail"
lamp = "local_only"

[own]
id = "pusat"
number = 1
siren = "siren"

[button]
stations = ["pusat"]

[[station]]
id = "pusat"
number = 1
name = "Pusat"
local = true
"""

USERS = """
u root 0 "root" /root /bin/sh
g mosquitto - -
u messagebus - "D-Bus" /
u nobody 65534 - /
g adm - -
g dialout - -
g audio - -
g video - -
g render - -
g input - -
"""

SIAGA = """#!/opt/siaga/.venv/bin/python
import sys
from appliance.cli import main
sys.exit(main())
"""


def why_not() -> str:
    """What this machine lacks for such a box; empty when it has everything."""
    if os.geteuid() != 0:
        return "only root can start a container"
    missing = [name for name in ("systemd-nspawn", "systemd-sysusers", "nsenter", "unshare") if not shutil.which(name)]
    if missing:
        return f"{', '.join(missing)} is not installed"
    tried = subprocess.run(["unshare", "--mount", "true"], capture_output=True, text=True, check=False, timeout=10)
    return f"no container starts here: {tried.stderr.strip()}" if tried.returncode else ""


class UnitsBox:
    """A booted one. `run` runs a command in there, `show` reads a unit's properties."""

    def __init__(self, root: Path, pid: int) -> None:
        self.root, self._pid = root, pid

    def run(self, *command: str, within: float = TELL_WITHIN, **more: Any) -> subprocess.CompletedProcess[str]:
        line = ["nsenter", "-t", str(self._pid), "-m", "-u", "-i", "-n", "-p", "-r", "-w", *command]
        environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}
        environment |= {"PYTHONPATH": "/opt/siaga", "LD_LIBRARY_PATH": "/opt/python/lib"}
        return subprocess.run(
            line, capture_output=True, text=True, check=False, timeout=within, env=environment, **more
        )

    def systemctl(self, *words: str) -> str:
        done = self.run("systemctl", *words)
        assert done.returncode == 0, (words, done)
        return done.stdout

    @property
    def version(self) -> int:
        """systemd's."""
        return int(self.systemctl("--version").split()[1])

    def show(self, unit: str) -> dict[str, str]:
        lines = self.systemctl("show", unit).splitlines()
        return dict(line.split("=", 1) for line in lines if "=" in line)

    def pid(self, unit: str) -> int:
        """As the container numbers it."""
        return int(self.show(unit)["MainPID"])

    def signal(self, name: str, pid: int | str) -> None:
        """By the shell's own kill: a small system has no other."""
        done = self.run("sh", "-c", f"kill -{name} {pid}")
        assert done.returncode == 0, done

    def journal(self, *match: str) -> list[dict[str, Any]]:
        said = self.run("journalctl", "--no-pager", "-o", "json", *match)
        return [json.loads(line) for line in said.stdout.splitlines()]

    def standing(self) -> dict[str, Any]:
        """The annunciator's own word."""
        ask = (
            "import socket\n"
            "s = socket.socket(socket.AF_UNIX)\n"
            "s.settimeout(5)\n"
            "s.connect('/run/siaga/annunciator/annunciator.sock')\n"
            's.sendall(b\'{"id":1,"do":"look"}\\n\')\n'
            "print(s.makefile().readline())\n"
        )
        done = self.run("/opt/siaga/.venv/bin/python", "-c", ask)
        assert done.returncode == 0, done
        said: dict[str, Any] = json.loads(done.stdout)["ok"]
        return said

    def drop_in(self, unit: str, text: str) -> None:
        folder = f"/run/systemd/system/{unit}.d"
        done = self.run("sh", "-c", f"mkdir -p {folder} && cat > {folder}/test.conf", input=text)
        assert done.returncode == 0, done
        self.systemctl("daemon-reload")

    def take_back(self, unit: str) -> None:
        self.run("rm", "-r", f"/run/systemd/system/{unit}.d")
        self.systemctl("daemon-reload")


def wait_for(what: Callable[[], Any], *, within: float, why: Callable[[], object] = str) -> Any:
    """The first true answer."""
    until = time.monotonic() + within
    while not (answer := what()):
        assert time.monotonic() < until, why()
        time.sleep(0.1)
    return answer


def build(root: Path, wanted: tuple[str, ...]) -> list[str]:
    """The container's root, and what is to be bound into it."""
    for folder in FOLDERS:
        (root / folder).mkdir(parents=True)
    for link in ("bin", "sbin", "lib", "lib64"):
        if Path("/", link).is_symlink():
            (root / link).symlink_to(f"usr/{link}")
    shutil.copy(USR / "lib/os-release", root / "etc/os-release")
    (root / "etc/machine-id").write_text(f"{os.urandom(16).hex()}\n")
    (root / "etc/sysusers.d/00-debian.conf").write_text(USERS)
    shutil.copy(UNITS / "sysusers.d/siaga.conf", root / "etc/sysusers.d")
    shutil.copy(UNITS / "tmpfiles.d/siaga.conf", root / "etc/tmpfiles.d")
    done = subprocess.run(["systemd-sysusers", f"--root={root}"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    passwd = {line.split(":")[0]: line.split(":") for line in (root / "etc/passwd").read_text().splitlines()}
    (root / "etc/siaga/site.toml").write_text(SITE.format(core=passwd["siaga-core"][2]))
    secrets = root / "etc/siaga/secrets.toml"
    secrets.write_text("[pin]\n")
    secrets.chmod(0o600)
    for unit in (u for u in UNITS.iterdir() if u.is_file() and u.suffix != ".md"):
        shutil.copy(unit, root / "etc/systemd/system")
    (root / "etc/systemd/system.conf.d/test.conf").write_text(
        "[Manager]\n"
        "DefaultEnvironment=PYTHONPATH=/opt/siaga PYTHONDONTWRITEBYTECODE=1 LD_LIBRARY_PATH=/opt/python/lib\n"
    )
    wants = root / "etc/systemd/system/multi-user.target.wants"
    wants.mkdir()
    for unit in wanted:
        (wants / unit).symlink_to(f"../{unit}")
    (root / "etc/systemd/system/default.target").symlink_to("/lib/systemd/system/multi-user.target")
    for unit in ("console-getty.service", "systemd-resolved.service", "systemd-networkd.service"):
        (root / "etc/systemd/system" / unit).symlink_to("/dev/null")
    return [f"--bind-ro={USR}:/usr", *python(root)]


def python(root: Path) -> list[str]:
    """A virtual environment in /opt/siaga like a box's, of this machine's parts."""
    base, version = Path(sys.base_prefix).resolve(), f"python{sys.version_info.major}.{sys.version_info.minor}"
    environment = root / "opt/siaga/.venv"
    binds = [
        f"--bind-ro={ROOT / name}:/opt/siaga/{name}" for name in ("appliance", "drivers", "web", "firmware-config")
    ]
    home = Path("/usr") if base == Path("/usr") else Path("/opt/python")
    if home != base:
        (root / "opt/python").mkdir()
        binds.append(f"--bind-ro={base}:/opt/python")
    (environment / "pyvenv.cfg").write_text(f"home = {home}/bin\ninclude-system-site-packages = false\n")
    (environment / "bin/python").symlink_to(home / "bin" / version)
    (environment / "bin/siaga").write_text(SIAGA)
    (environment / "bin/siaga").chmod(0o755)
    packages = f"lib/{version}/site-packages"
    (environment / packages).mkdir(parents=True)
    binds.append(f"--bind-ro={Path(sys.prefix) / packages}:/opt/siaga/.venv/{packages}")
    return binds


@contextmanager
def booted(folder: Path, wanted: tuple[str, ...]) -> Iterator[UnitsBox]:
    """Until left. The console of the boot is kept in `folder`."""
    root = folder / "root"
    binds = build(root, wanted)
    console = folder / "console.log"
    with console.open("wb") as log:
        nspawn = subprocess.Popen(
            [
                "systemd-nspawn", f"--directory={root}", "--boot", "--register=no", "--keep-unit", "--console=pipe",
                "--private-network", "--link-journal=no", f"--machine=siaga-units-{os.getpid()}", "--quiet", *binds,
                "systemd.show_status=1",
            ],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log,
        )  # fmt: skip
        try:
            pid = wait_for(lambda: first(nspawn), within=BOOT_WITHIN, why=console.read_text)
            box = UnitsBox(root, pid)

            def begun() -> bool:
                return box.run("systemctl", "is-active", "basic.target").returncode == 0

            wait_for(begun, within=BOOT_WITHIN, why=lambda: (console.read_text(), box.run("systemctl", "list-jobs")))
            yield box
        finally:
            nspawn.terminate()
            try:
                nspawn.wait(15)
            except subprocess.TimeoutExpired:
                nspawn.terminate()  # the second time it waits for nobody
                nspawn.wait(15)


@contextmanager
def all_four(folder: Path) -> Iterator[UnitsBox]:
    """`booted` with the whole target, once all of it runs."""
    with booted(folder, ("siaga.target", ANNUNCIATOR)) as box:
        wait_for(lambda: active(box, *FOUR), within=60, why=lambda: box.run("journalctl", "-n", "60").stdout)
        yield box


def first(nspawn: subprocess.Popen[bytes]) -> int:
    """The container's systemd, once it is there: nspawn's child."""
    assert nspawn.poll() is None, f"systemd-nspawn ended with {nspawn.returncode}"
    children = Path(f"/proc/{nspawn.pid}/task/{nspawn.pid}/children").read_text().split()
    for child in children:
        try:
            if Path(f"/proc/{child}/comm").read_text().strip() == "systemd":
                return int(child)
        except OSError:
            continue
    return 0


def active(box: UnitsBox, *units: str) -> bool:
    return box.run("systemctl", "is-active", *units).stdout.split() == ["active"] * len(units)


def restarted(box: UnitsBox, unit: str, before: int) -> bool:
    """Ready again, as another process than `before`."""
    now = box.show(unit)
    return now["ActiveState"] == "active" and int(now["MainPID"]) not in (0, before)


def order(box: UnitsBox, seconds: int) -> str:
    """An order to the box's own siren; its id."""
    done = box.run("/opt/siaga/.venv/bin/siaga", "alert", "sound", "pusat", "--seconds", str(seconds))
    assert done.returncode == 0, done
    (alert,) = wait_for(lambda: box.standing()["outputs"]["siren"]["order_ids"], within=10, why=lambda: done)
    return str(alert)
