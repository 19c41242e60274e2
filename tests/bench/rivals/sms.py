"""python-gsmmodem-new reads and writes the same texts as our SMS codec does in `tests.bench.sms`."""

import subprocess
import sys
import warnings
from pathlib import Path

from tests.bench.rivals.names import GSMMODEM
from tests.bench.rivals.node_red import NotInstalled
from tests.bench.sms import NUMBER, rows
from tests.bench.table import Row

PACKAGE = "python-gsmmodem-new==0.13.0"
INSTALL_WITHIN = 120.0  # s


def install(folder: Path) -> None:
    """Apart from our own packages: they must not get what it asks for."""
    uv = str(Path(sys.executable).with_name("uv"))
    command = [uv, "pip", "install", "--quiet", "--no-deps", "--target", str(folder / "python"), PACKAGE]
    done = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_WITHIN, check=False)
    if done.returncode:
        raise NotInstalled(f"{PACKAGE} was not installed; uv said:\n{done.stderr[-2000:]}")


def measure(folder: Path) -> list[Row]:
    """Microseconds a message. Raises WrongText."""
    sys.path.append(str(folder / "python"))
    with warnings.catch_warnings(action="ignore"):  # it compares strings by `is`; newer Pythons say so
        from gsmmodem.pdu import decodeSmsPdu, encodeSmsSubmitPdu
    return rows(
        GSMMODEM,
        lambda pdu: str(decodeSmsPdu(pdu)["text"]),
        lambda text: [str(part) for part in encodeSmsSubmitPdu(NUMBER, text, reference=7)],
    )
