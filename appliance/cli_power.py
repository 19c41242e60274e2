"""`siaga power status | order | orders | record`: the plant in a terminal, and orders to it with their proof."""

import argparse
import asyncio
import secrets
import sys
from typing import Any

import msgspec

from appliance.cli import say_no
from appliance.cli_node import add_verbs, ask, log_in, request
from appliance.cli_power_words import order_row, orders, record, status
from appliance.config import ZONES, Site
from appliance.power_commands import PlantCommand
from appliance.power_order_state import PlantOrder
from appliance.power_view import PowerView
from appliance.view import View
from drivers.jsonsocket import Client, Refusal

VERBS = {
    "status": "what feeds the building, for how long, what is ready, and what may be ordered (also without a word)",
    "order": "order something of a generator or UPS, and wait for its proof",
    "orders": "the last orders and what came of them",
    "record": "the generators' runs and exercises, to be printed",
}
LOOK_S = 0.5  # s between looks at an order that is under way
LONGER_S = 5.0  # s behind the proof's deadline until core is taken for gone
UNSENT_S = 30.0  # s that an order may wait for its sending


def add_arguments(_name: str, parser: argparse.ArgumentParser) -> None:
    for verb, one in add_verbs(parser, VERBS):
        if verb == "order":
            one.add_argument("device", help="id of the generator or UPS, g1 or genset/g1")
            one.add_argument("what", metavar="COMMAND", choices=[c.value for c in PlantCommand], help=_commands())
            one.add_argument("--yes", action="store_true", help="do not ask for confirmation")
            one.add_argument("--no-wait", action="store_true", help="do not wait for the proof")
        else:
            one.add_argument("--json", action="store_true", help="as JSON")
    parser.set_defaults(run=_run, verb="status", json=False)


def _commands() -> str:
    return ", ".join(command.value for command in PlantCommand)


def _run(options: argparse.Namespace) -> int:
    async def talk(client: Client, site: Site) -> int:
        view, power = await _power(client)
        if options.verb == "order":
            return await _order(client, power, options)
        part: Any = {"status": power, "orders": power.orders, "record": power.runs}[options.verb]
        if options.json:
            sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(part)) + b"\n")
            return 0
        zone = ZONES[site.zone]
        match options.verb:
            case "status":
                rows = status(power, view.at, zone)
            case "orders":
                rows = orders(power.orders, zone)
            case _:
                rows = record(view, power, zone)
        print("\n".join(rows))
        return 0

    return ask(options, talk)


async def _power(client: Client) -> tuple[View, PowerView]:
    view = msgspec.convert(await request(client, "view"), View)
    if view.power is None:
        raise Refusal("no_plant", "This box watches no generator and no UPS.", "Name them in its site file.")
    return view, view.power


def _device(power: PowerView, said: str) -> tuple[str, str]:
    """Link and name of the device that is meant. Raises Refusal."""
    devices = {f"genset/{d.id}": d.name for d in power.genset_devices}
    devices |= {f"ups/{d.id}": d.name for d in power.ups_devices}
    meant = [link for link in devices if said in (link, link.partition("/")[2])]
    if len(meant) != 1:
        why = f"There is no device {said!r}." if not meant else f"{said!r} is more than one."
        raise Refusal("no_device", why, f"There are: {', '.join(devices)}.")
    return meant[0], devices[meant[0]]


async def _order(client: Client, power: PowerView, options: argparse.Namespace) -> int:
    device, name = _device(power, options.device)
    if not options.yes and not await asyncio.to_thread(_confirmed, options.what, device, name):
        return say_no("not confirmed; nothing was sent.")
    login = await log_in(client, options)
    told = await request(
        client, "power.order", device=device, command=options.what, confirm=True, name=name,
        key=secrets.token_hex(8), **login,
    )  # fmt: skip
    print(f"Order {told['order']} is on record." + ("" if told["durable"] else " It is NOT on disk yet."))
    if options.no_wait:
        return 0
    order = await _end(client, told["order"])
    print(order_row(order))
    return 0 if order.state == "proven" else 1


def _confirmed(command: str, device: str, name: str) -> bool:
    print(f"{command} of {name} ({device}). Type the device's id to confirm: ", end="", flush=True)
    return sys.stdin.readline().strip() in (device, device.partition("/")[2])


async def _end(client: Client, id: str) -> PlantOrder:
    """The order when it is over, or as it was last. Raises Refusal when core does not end it."""
    said, loop = "", asyncio.get_running_loop()
    unsent = loop.time() + UNSENT_S
    while True:
        view, power = await _power(client)
        order = next((o for o in power.orders if o.id == id), None)
        if order is None:
            raise Refusal("no_order", f"Order {id} is not listed any more.", "siaga journal tail")
        if order.over:
            return order
        if order.state != said:
            said = order.state
            print(order_row(order), flush=True)
        if (view.at > order.due + LONGER_S) if order.due is not None else (loop.time() > unsent):
            raise Refusal("no_end", f"Order {id} has no end though its time is over.", "Look at the device.")
        await asyncio.sleep(LOOK_S)
