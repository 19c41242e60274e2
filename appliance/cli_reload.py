"""`siaga reload`: a changed site file is checked whole, then taken over by annunciator and core while they run."""

import argparse
import asyncio
import time

from appliance.cli import say_no
from appliance.cli_node import add_login_argument, add_node_arguments, ask, log_in, node, request
from appliance.config import Site
from drivers.jsonsocket import Client, Gone, Refusal

BACK_WITHIN = 30.0  # s; core is there again in some tenths on a PC
LOOK = 0.05  # s
LEFT = 0.2  # s from its answer to the end of its sockets, and some more


def add_arguments(_name: str, parser: argparse.ArgumentParser) -> None:
    add_node_arguments(parser)
    add_login_argument(parser)
    parser.set_defaults(run=_reload)


def _reload(options: argparse.Namespace) -> int:
    told: dict[str, list[str]] = {}

    async def talk(client: Client, _site: Site) -> int:
        told.update(await request(client, "site.reload", **await log_in(client, options)))
        return 0

    # It reads the file first, and a wrong one is refused before anybody is asked.
    if code := ask(options, talk):
        return code
    if not told["changed"]:
        print("Nothing is different from what is in force.")
        return 0
    print(f"In force: {', '.join(told['changed'])}.")
    if told["waiting"]:
        print(f"Waits until it is off: {', '.join(told['waiting'])}.")
    return _until_back(options)


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
