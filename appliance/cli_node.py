"""Which node a command speaks to: the one of `--config`, of SIAGA_SITE, of a running demo, or of this box."""

import argparse
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from appliance.cli import SITE_FILE, SITE_VARIABLE, say_no
from appliance.config import Places, Site, SiteError, load_site, places
from appliance.demo_site import CENTRE, default_folder
from drivers.clock import Clock
from drivers.jsonsocket import Client, Gone, Message, Refusal

T = TypeVar("T")


def add_node_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--config", type=Path, metavar="FILE",
        help=f"site file (default: ${SITE_VARIABLE}, else the running demo's, else {SITE_FILE})",
    )  # fmt: skip
    parser.add_argument("--node", default=CENTRE, help="node of the running demo (default: its centre)")


def running_demo(folder: Path | None = None) -> dict[str, Any] | None:
    """What `siaga demo where` knows, if that demo's supervisor still lives."""
    try:
        where: dict[str, Any] = msgspec.json.decode(((folder or default_folder()) / "where.json").read_bytes())
        os.kill(where["supervisor"], 0)
    except (OSError, msgspec.DecodeError, KeyError):
        return None
    return where


def site_file(options: argparse.Namespace) -> Path:
    """The site file that the options mean."""
    if options.config:
        return Path(options.config)
    if named := os.environ.get(SITE_VARIABLE):
        return Path(named)
    demo = running_demo()
    if demo and options.node in demo["nodes"]:
        return Path(demo["nodes"][options.node]["site_file"])
    return SITE_FILE


def node(options: argparse.Namespace) -> tuple[Site, Places]:
    """The node's site and places. Raises SiteError."""
    file = site_file(options)
    site = load_site(file)
    return site, places(site, file)


def ask(options: argparse.Namespace, talk: Callable[[Client, Site], Awaitable[int]]) -> int:
    """Connect to the node's control socket and let `talk` speak; prints what went wrong."""

    async def connected() -> int:
        site, where = node(options)
        client = Client(where.control)
        await client.connect()
        try:
            return await talk(client, site)
        finally:
            client.close()

    try:
        return Clock.from_environment().run(connected())
    except SiteError as e:
        return say_no(f"{e}", code=2)
    except Gone as e:
        return say_no(
            f"{e} Is core running? `siaga demo` starts a simulated site, systemctl start siaga-core a real one."
        )
    except Refusal as e:
        return say_no(str(e))


async def request(client: Client, do: str, **fields: Any) -> Any:
    """One request; its `ok`."""
    message: Message = {"do": do, **fields}
    return await client.request(message, timeout=10.0)
