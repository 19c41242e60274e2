"""`siaga fault-page`: serves what is wrong with the files of a box that cannot start."""

import argparse
import asyncio
import signal
from pathlib import Path

from appliance.cli import say_no
from appliance.fault_page import PORT, FaultPage
from appliance.first_boot_site import SOCKET


def add_arguments(_name: str, parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--run", type=Path, default=Path("/run/siaga"), help="where the first boot wrote", dest="ram")
    parser.add_argument("--host", default="", help="address to serve on (default: all)")
    parser.add_argument("--port", type=int, default=PORT)
    parser.add_argument("--lamp", type=Path, default=Path(SOCKET), help="socket of the annunciator with the fault lamp")
    parser.set_defaults(run=_serve)


def _serve(options: argparse.Namespace) -> int:
    async def until_told() -> None:
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        await FaultPage(options.ram, options.host, options.port, options.lamp).serve(stop)

    try:
        asyncio.run(until_told())
    except OSError as e:
        return say_no(f"Port {options.port} cannot be served on ({e.strerror}): is another program there?")
    return 0
