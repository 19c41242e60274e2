"""`siaga reload`: a changed site file is checked whole, then taken over by annunciator and core while they run.

systemd's units reload by it too: `systemctl reload` checks the same, and fails where it is refused.
"""

import argparse
import asyncio
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec

from appliance.annunciator_protocol import Rewired
from appliance.cli import say_no
from appliance.cli_node import NoNode, add_login_argument, add_node_arguments, ask, log_in, node, request, site_file
from appliance.config import Site, SiteError, load_site
from drivers.jsonsocket import Client, Gone, Refusal

ANSWER_WITHIN = 10.0  # s for lines to be claimed anew on a busy board
TAKEN_WITHIN = 30.0  # s; core lets a text that goes out go out first
BACK_WITHIN = 30.0  # s; core is there again in some tenths on a PC
LOOK = 0.05  # s
LEFT = 0.2  # s from its answer to the end of its sockets, and some more


def add_arguments(_name: str, parser: argparse.ArgumentParser) -> None:
    add_node_arguments(parser)
    add_login_argument(parser)
    parser.add_argument(
        "--annunciator", action="store_true", help="the annunciator alone takes its wiring over; core need not run"
    )
    parser.set_defaults(run=_reload)


def _reload(options: argparse.Namespace) -> int:
    if options.annunciator:
        return _annunciator(options)
    told: dict[str, list[str]] = {}

    async def talk(client: Client, _site: Site) -> int:
        told.update(await request(client, "site.reload", within=TAKEN_WITHIN, **await log_in(client, options)))
        return 0

    # It reads the file first, and a wrong one is refused before anybody is asked.
    if code := ask(options, talk):
        return code
    if not told["changed"]:
        print("Nothing is different from what is in force.")
        return 0
    print(f"In force: {', '.join(told['changed'])}.")
    _say_waiting(told["waiting"])
    return _until_back(options)


def _annunciator(options: argparse.Namespace) -> int:
    async def rewired(socket: Path) -> Rewired:
        client = Client(socket)
        await client.connect()
        try:
            return msgspec.convert(await client.request({"do": "reload"}, timeout=ANSWER_WITHIN), Rewired)
        finally:
            client.close()

    try:
        file = site_file(options)
        # All of the file, as core will: half of a wrong one is not in force.
        told = asyncio.run(rewired(file.resolve().parent / load_site(file).annunciator.socket))
    except (SiteError, NoNode) as e:
        return say_no(f"{e}", code=2)
    except (Gone, Refusal) as e:
        return say_no(f"{e}")
    print(f"In force: {', '.join(told.taken)}." if told.taken else "Nothing else is wired than what is in force.")
    _say_waiting(told.waiting)
    return 0


def _say_waiting(names: Sequence[str]) -> None:
    if names:
        print(f"Waits until it is off: {', '.join(names)}.")


def _until_back(options: argparse.Namespace) -> int:
    """Core's rooms are made anew; it answers again within moments."""

    async def wait() -> None:
        _, where = node(options)
        async with asyncio.timeout(BACK_WITHIN):
            await asyncio.sleep(LEFT)  # it answers before it begins
            while True:
                client = Client(where.control)
                try:
                    await client.connect()
                    await client.request({"do": "hello"}, timeout=1.0)
                    return
                except (Gone, Refusal):
                    await asyncio.sleep(LOOK)
                finally:
                    client.close()

    asked = time.monotonic()
    try:
        asyncio.run(wait())
    except TimeoutError:
        return say_no(f"Core is not back after {BACK_WITHIN:.0f} s. Look: journalctl -u siaga-core")
    print(f"Core is on duty with it, {time.monotonic() - asked:.1f} s later.")
    return 0
