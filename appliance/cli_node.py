"""Which node a command speaks to: the one of `--config`, of SIAGA_SITE, of a running demo, or of this box."""

import argparse
import os
from collections.abc import Awaitable, Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from appliance.cli import SITE_FILE, SITE_VARIABLE, say_no
from appliance.config import Places, Site, SiteError, load_site, places
from appliance.demo_site import CENTRE, default_folder, held
from drivers.clock import Clock
from drivers.jsonsocket import Client, Gone, Message, Refusal

PASSWORD_VARIABLE = "SIAGA_PASSWORD"


class NoNode(Exception):
    """No node is meant that there is; the text says what to do."""


def add_node_arguments(parser: argparse.ArgumentParser, *, again: bool = False) -> None:
    """`again`: for a verb's own parser, so that these may stand before the verb and behind it."""
    add = partial(parser.add_argument, default=argparse.SUPPRESS) if again else parser.add_argument
    add(
        "--config", type=Path, metavar="FILE",
        help=f"site file (default: ${SITE_VARIABLE}, else the running demo's, else {SITE_FILE})",
    )  # fmt: skip
    add("--node", help=f"node of the running demo (default: its centre, {CENTRE})")
    add("--folder", type=Path, help=f"the demo's folder (default: {default_folder()})")


def running_demo(folder: Path | None = None) -> dict[str, Any] | None:
    """What `siaga demo where` knows, if that demo's supervisor still lives."""
    folder = folder or default_folder()
    try:
        if not held(folder):
            return None
        where: dict[str, Any] = msgspec.json.decode((folder / "where.json").read_bytes())
    except (OSError, msgspec.DecodeError):
        return None
    return where


def site_file(options: argparse.Namespace) -> Path:
    """The site file that the options mean. Raises NoNode."""
    if options.config:
        return Path(options.config)
    asked = options.node or options.folder
    if not asked and (named := os.environ.get(SITE_VARIABLE)):
        return Path(named)
    if demo := running_demo(options.folder):
        name = options.node or CENTRE
        if name not in demo["nodes"]:
            raise NoNode(f"The demo has no node {name!r}; it has {', '.join(demo['nodes'])}.")
        return Path(demo["nodes"][name]["site_file"])
    if asked or not SITE_FILE.exists():
        if not asked and SITE_FILE.parent.is_dir():
            raise NoNode(
                f"This box has no {SITE_FILE}: its card had no good files yet. What is wrong with them: "
                "journalctl -u siaga-first-boot, or http://ADDRESS-OF-THE-BOX/. If it replaces a dead card: "
                "siaga backup restore"
            )
        where = "" if asked else f", and there is no {SITE_FILE}"
        raise NoNode(
            f"No demo runs in {options.folder or default_folder()}{where}. "
            "Start one: siaga demo. Or name a site file: --config FILE"
        )
    return SITE_FILE


def node(options: argparse.Namespace) -> tuple[Site, Places]:
    """The node's site and places. Raises SiteError or NoNode."""
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
    except (SiteError, NoNode) as e:
        return say_no(f"{e}", code=2)
    except Gone as e:
        return say_no(
            f"{e} Is core running? `siaga demo` starts a simulated site, systemctl start siaga-core a real one."
        )
    except Refusal as e:
        return say_no(str(e))


async def request(client: Client, do: str, *, within: float = 10.0, **fields: Any) -> Any:
    """One request; its `ok`, for which it waits `within` s."""
    message: Message = {"do": do, **fields}
    return await client.request(message, timeout=within)


def add_login_argument(parser: argparse.ArgumentParser, *, again: bool = False) -> None:
    """`again` as in `add_node_arguments`."""
    default = argparse.SUPPRESS if again else None
    parser.add_argument("--user", default=default, help=f"log in as; the password is read from ${PASSWORD_VARIABLE}")


def add_verbs(
    parser: argparse.ArgumentParser, verbs: Mapping[str, str]
) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """Each verb's own parser, to be given what it takes beside a node and a person."""
    add_node_arguments(parser)
    add_login_argument(parser)
    added = parser.add_subparsers(dest="verb", metavar="|".join(verbs))
    for verb, text in verbs.items():
        one = added.add_parser(verb, help=text)
        add_node_arguments(one, again=True)
        add_login_argument(one, again=True)
        yield verb, one


async def log_in(client: Client, options: argparse.Namespace) -> dict[str, Any]:
    """What each request of the person carries; nothing where nobody logs in. Raises Refusal."""
    if not options.user:
        return {}
    password = os.environ.get(PASSWORD_VARIABLE, "")
    if not password:
        raise Refusal("no_password", f"${PASSWORD_VARIABLE} is not set.", f"Put the password of {options.user} there.")
    return {"token": (await request(client, "login", name=options.user, password=password))["token"]}
