"""The layer checker sees each way in which an import can go wrong, and lets through what is right."""

import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
CHECKER = PROJECT / "tools" / "check_layers.py"
ROOMS = ("power", "lines", "station", "alerting")

PURE = "pure machines and the vocabulary import only"

WRONG = [
    ("drivers/modem/at.py", "from appliance.model import Reading", "drivers may import only nothing"),
    ("drivers/mqtt.py", "import web", "drivers may import only nothing"),
    ("appliance/control.py", "def late():\n    import web.app", "appliance may import only drivers"),
    ("appliance/control.py", "from tests.scenarios import run", "appliance may import only drivers"),
    ("appliance/power/plant_machine.py", "from drivers import clock", PURE),
    ("appliance/power/plant_machine.py", "from appliance.journal import Journal", PURE),
    ("appliance/power/plant_machine.py", "from . import service", PURE),
    ("appliance/power/plant_machine.py", "import time", PURE),
    ("appliance/model.py", "from appliance.journal import Journal", PURE),
    ("appliance/power/service.py", "from appliance.lines import ledger", "only appliance/core*.py"),
    ("appliance/power/service.py", "from ..lines.ledger import Ledger", "only appliance/core*.py"),
    ("appliance/power/service.py", "from appliance import lines", "only appliance/core*.py"),
    ("appliance/power/service.py", "from appliance.core import Core", "a room does not know who wires it"),
    ("appliance/station/node.py", "from appliance.power import service", "only appliance/core*.py"),
    (
        "appliance/station/node.py",
        "from appliance.station_room import StationRoom",
        "a room does not know who wires it",
    ),
    ("appliance/alerting/centre.py", "from appliance.station.node import Node", "only appliance/core*.py"),
    ("appliance/journal.py", "import appliance.power.service", "only appliance/core*.py"),
    ("web/pages.py", "from appliance.lines.ledger import Ledger", "only appliance/core*.py"),
]

RIGHT = [
    ("drivers/modem/modem.py", "import asyncio\nfrom drivers.modem import at\nfrom .at import Engine"),
    ("appliance/power/service.py", "from drivers.clock import Clock\nfrom appliance.journal import Journal"),
    ("appliance/power/plant_machine.py", "import enum, msgspec\nfrom appliance.events import MainsLost"),
    (
        "appliance/power/plant_machine.py",
        "from appliance import model\nfrom appliance.state import Genset\nfrom dataclasses import dataclass",
    ),
    ("appliance/power/plant_machine.py", "from appliance.power.fuel_machine import Fuel"),
    ("appliance/core.py", "from appliance.power import service\nfrom appliance.lines.ledger import Ledger"),
    ("appliance/core_lines.py", "from appliance.lines.ledger import Ledger"),
    ("appliance/station_room.py", "from appliance.power import service\nfrom appliance.station.node import Node"),
    (
        "appliance/station/node.py",
        "from appliance.alerting.wire import Order\nfrom appliance.station.active import Active",
    ),
    ("appliance/power/service.py", "from appliance.station_events import SirenFault"),
    ("web/app.py", "import fastapi\nfrom appliance.control import Client\nfrom drivers.clock import Clock"),
]


def check(root: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, CHECKER, root], capture_output=True, text=True, check=False, timeout=20)


def lay(root: Path, file: str, source: str) -> None:
    for room in ROOMS:
        (root / "appliance" / room).mkdir(parents=True)
        (root / "appliance" / room / "__init__.py").touch()
    (root / file).parent.mkdir(parents=True, exist_ok=True)
    (root / file).write_text(source + "\n")


@pytest.mark.parametrize(("file", "source", "why"), WRONG)
def test_an_import_that_goes_the_wrong_way_is_named_with_its_line(
    tmp_path: Path, file: str, source: str, why: str
) -> None:
    lay(tmp_path, file, f"x = 1\n{source}")
    done = check(tmp_path)
    line = 1 + source.count("\n") + 1
    assert done.returncode == 1
    assert done.stdout.startswith(f"{file}:{line}: imports ")
    assert why in done.stdout


@pytest.mark.parametrize(("file", "source"), RIGHT)
def test_an_import_that_goes_the_right_way_is_let_through(tmp_path: Path, file: str, source: str) -> None:
    lay(tmp_path, file, source)
    done = check(tmp_path)
    assert (done.returncode, done.stdout) == (0, "Layers hold: every import runs one way.\n")
