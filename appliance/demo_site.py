"""The folders, keys and site files of a simulated site: three nodes made from `firmware-config/sites/demo`."""

import contextlib
import errno
import fcntl
import os
import shutil
import tomllib
from pathlib import Path
from typing import Any

import msgspec
import tomli_w

from appliance.config import SOUND_FOLDER, Site, load_site, places
from appliance.key_office import Office
from appliance.people import new_password, set_password

TEMPLATES = Path(__file__).resolve().parent.parent / "firmware-config" / "sites" / "demo"
CENTRE = "pusat"
STATIONS = ("damkar-kota", "damkar-passo")
NODES = (CENTRE, *STATIONS)
OPERATOR = "operator"
SUPERVISOR = "supervisor"
READER = "layar"  # a program that only reads at the broker; Indonesian: screen
MODELS = {"l1": "eg25g", "l2": "sim7600"}
LINES_ONLY = ("role", "site", "id", "name", "zone", "language", "amber", "annunciator", "line", "stability")
FOR_CALLS = (*LINES_ONLY, "web", "desk", "agency")
FOR_POWER = (*LINES_ONLY, "bus", "genset", "ups", "meter", "ats", "power", "notify", "duty")
POWER_TIMES = ("--retransfer", "20", "--cooldown", "15")  # s; real sets wait 30 min, too long to watch
WIRED = {  # contact of the building: input of the centre
    "mains_present": "ats_mains",
    "genset_present": "ats_genset",
    "on_mains": "ats_on_mains",
    "on_genset": "ats_on_genset",
    "running": "genset_running",
}
LONGEST_SOCKET = 107  # octets of a Unix socket's path, unix(7)


def default_folder() -> Path:
    """Where a person's demo lives: short, since a Unix socket's path has at most 107 octets."""
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    return Path(runtime) / "siaga-demo" if runtime else Path("/tmp") / f"siaga-demo-{os.geteuid()}"


def hold(folder: Path, how: int = fcntl.LOCK_EX) -> int:
    """Lock a demo's folder until the returned handle is closed or its process dies, however it dies.

    Raises BlockingIOError while a running demo holds it, OSError when there is no such folder.
    """
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, how | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        raise
    return handle


def held(folder: Path) -> bool:
    """Whether a demo runs in `folder`."""
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        try:
            os.close(hold(folder, fcntl.LOCK_SH))
        except BlockingIOError:
            return True
    return False


class DemoSite:
    """Makes the files. Ports that only a running simulator knows are given to `write`."""

    def __init__(self, folder: Path, nodes: tuple[str, ...] = NODES) -> None:
        """Raises OSError for a folder in which no site can be."""
        self.folder, self._nodes = folder.absolute(), nodes
        self.sim = self.folder / "sim"
        self.logs = self.folder / "logs"
        if (over := max(len(os.fsencode(s)) for s in self._sockets()) - LONGEST_SOCKET) > 0:
            raise OSError(
                errno.ENAMETOOLONG, f"this path is {over} bytes too long for Unix sockets below it", str(folder)
            )
        self.make()
        self.folder.chmod(0o700)

    def make(self) -> None:
        for made in (self.sim, self.logs, *(self.folder / n for n in self._nodes)):
            made.mkdir(parents=True, exist_ok=True)

    def _sockets(self) -> list[Path]:
        sound = self.folder / CENTRE / SOUND_FOLDER / "audio-stream.sock"
        return [
            *(self.folder / n / "run" / "annunciator.sock" for n in self._nodes),
            sound,
            self.sim / "processes.sock",
        ]

    def forget(self) -> None:
        """Remove what a demo has made here, and nothing else."""
        for made in (self.sim, self.logs, *(self.folder / n for n in self._nodes)):
            shutil.rmtree(made, ignore_errors=True)
        self.make()

    def file(self, node: str) -> Path:
        return self.folder / node / "site.toml"

    def node(self, node: str) -> dict[str, str]:
        """Site file, state folder and sockets of a node."""
        return {
            "site_file": str(self.file(node)),
            "state": str(self.folder / node / "state"),
            "control": str(self.folder / node / "run" / "control.sock"),
            "annunciator": str(self.folder / node / "run" / "annunciator.sock"),
        }

    def modems(self) -> list[dict[str, str]]:
        """What the simulated mobile network is to join: two modems at the centre, one at each station that there is."""
        modems = []
        for node in self._nodes:
            for line in template(node)["line"]:
                modems.append(
                    {
                        "name": f"{node}-{line['id']}",
                        "port": str(self._tty(node, line["id"])),
                        "number": line["number"],
                        "model": MODELS[line["id"]],
                        **({"pcm_port": str(self._pcm(node, line["id"]))} if node == CENTRE else {}),
                    }
                )
        return modems

    def rtu(self) -> Path:
        return self.sim / "rs485"

    def building(self) -> tuple[str | Path, ...]:
        """Arguments for the simulated building: its devices, how fast it goes, and what is wired to the centre."""
        wired = (f"--contact={contact}={name}" for contact, name in WIRED.items())
        pins = self.folder / CENTRE / "run" / "pins.sock"
        return (
            "--rtu-port", self.rtu(), "--meter", "eastron_sdm630", *POWER_TIMES,
            "--pins", pins, *wired, "--start-relay", "genset_start",
        )  # fmt: skip

    def _tty(self, node: str, line: str) -> Path:
        return self.sim / f"{node}-{line}"

    def _pcm(self, node: str, line: str) -> Path:
        """Where a modem's sound comes out."""
        return self.sim / f"{node}-{line}-pcm"

    @property
    def broker_keys(self) -> Path:
        """What the broker reads."""
        return self.folder / CENTRE / "state" / "broker"

    def reader(self) -> dict[str, str]:
        """Certificates of a program that only reads, as files."""
        keys = self.folder / CENTRE / READER
        files = "authority.crt", f"{READER}.crt", f"{READER}.key"
        return dict(zip(("authority", "certificate", "key"), (str(keys / f) for f in files), strict=True))

    def enrol(self, wall: float) -> None:
        """Keys of all nodes, each enrolled as two people would; what exists stays. Raises key errors, OSError."""
        offices = {}
        for node in NODES:
            site = msgspec.convert(template(node), Site)
            offices[node] = Office(site, places(site, self.file(node)), wall)
            offices[node].store.file.parent.mkdir(parents=True, exist_ok=True)
        centre = offices[CENTRE]
        centre.init()
        for node in STATIONS:
            if offices[node].store.read().trust is None:
                asked = centre.opened_request(offices[node].request(), node)
                offices[node].take(offices[node].opened_grant(centre.grant(asked)))
        if READER not in centre.store.read().holders:
            centre.dashboard(READER, self.folder / CENTRE / READER)

    def write(self, *, web: int, broker: dict[str, int], modbus: int, trunk: int) -> dict[str, Site]:
        """Write and check all site files. `broker` is the port by node."""
        sites = {}
        for node in NODES:
            text = template(node)
            text["broker"]["port"] = broker[node]
            for line in text["line"]:
                line["port"] = str(self._tty(node, line["id"]))
                if node == CENTRE:
                    line["sound"] = {"kind": "serial", "port": str(self._pcm(node, line["id"]))}
            # Each node its own address: a browser keeps cookies by address, not by port.
            text["web"] = {"host": page_host(node), "port": web, "tls": False}
            if node == CENTRE:
                text["trunk"]["port"] = trunk
                for bus in text["bus"]:
                    bus.update({"port": str(self.rtu())} if bus["kind"] == "rtu" else {"tcp_port": modbus})
            self.file(node).write_text(tomli_w.dumps(text))
            sites[node] = load_site(self.file(node))
        return sites

    def write_lines(self, web: int | None = None) -> Site:
        """Write and check the centre's site file with nothing in it but annunciator and lines.

        With the port of a page, also what calls need: the page, the desk, and sound.
        """
        text = {key: value for key, value in template(CENTRE).items() if key in (FOR_CALLS if web else LINES_ONLY)}
        text["annunciator"].pop("button", None)  # orders, and there is nobody to order
        for line in text["line"]:
            line["port"] = str(self._tty(CENTRE, line["id"]))
            if web:
                line["sound"] = {"kind": "serial", "port": str(self._pcm(CENTRE, line["id"]))}
        if web:
            text["web"]["port"] = web
        self.file(CENTRE).write_text(tomli_w.dumps(text))
        return load_site(self.file(CENTRE))

    def person(self, site: Site, name: str, role: str) -> str:
        """A new password for this run of the demo."""
        password = new_password()
        set_password(places(site, self.file(CENTRE)).people, name, role, password)
        return password


def set_key(file: Path, key: str, value: Any) -> Any:
    """Change one key of a site file, and say what stood there; None: nothing. Raises ValueError."""
    text = tomllib.loads(file.read_text())
    *path, last = key.split(".")
    table: Any = text
    for name in path:
        table = table[int(name)] if isinstance(table, list) else table.get(name)
        if table is None:
            raise ValueError(f"{file} has no {key}")
    before = table.get(last)
    table[last] = value
    file.write_text(tomli_w.dumps(text))
    return before


def page_host(node: str) -> str:
    """Where a node's page is served: a station's loopback address ends in its number."""
    return f"127.0.0.{1 if node == CENTRE else template(node)['own']['number']}"


def template(node: str) -> dict[str, Any]:
    """A node's site file as it lies in the repository."""
    name = "centre" if node == CENTRE else node
    return tomllib.loads((TEMPLATES / f"{name}.toml").read_text())
