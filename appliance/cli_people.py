"""`siaga people password NAME`: add a person or give a forgotten password anew, at the box's own console."""

import argparse
import asyncio
import sys
from pathlib import Path

import msgspec

from appliance.cli import say_no
from appliance.cli_node import add_node_arguments, node, request
from appliance.config import SiteError
from appliance.people import new_password, read_people, set_password
from drivers.jsonsocket import Client, Gone, Refusal

ROLES = ("operator", "supervisor", "technician")


def add_arguments(_name: str, parser: argparse.ArgumentParser) -> None:
    verbs = parser.add_subparsers(dest="verb", metavar="password", required=True)
    password = verbs.add_parser("password", help="give a person a new password, made here or read from standard input")
    password.add_argument("name")
    password.add_argument("--role", choices=ROLES, help="default: the person's own, of a new one operator")
    password.add_argument("--stdin", action="store_true", help="read the password from standard input, one line")
    add_node_arguments(password)
    parser.set_defaults(run=_password)


def _password(options: argparse.Namespace) -> int:
    try:
        _, where = node(options)
    except SiteError as e:
        return say_no(f"{e}", code=2)
    given = sys.stdin.readline().rstrip("\n") if options.stdin else new_password()
    if len(given) < 8:
        return say_no("A password has at least 8 characters.", code=2)
    try:
        known = read_people(where.people).get(options.name)
        role = options.role or (known.role if known else ROLES[0])
        set_password(where.people, options.name, role, given)
    except OSError as e:
        return say_no(f"{where.people} cannot be written ({e.strerror}): run this as core's user or root.")
    except msgspec.DecodeError as e:
        return say_no(f"{where.people} is damaged ({e}). Restore it, or move it away: then nobody is known any more.")
    print(f"{options.name} ({role}) may log in" + ("." if options.stdin else f" with {given}"))
    return _tell(where.control)


def _tell(control: Path) -> int:
    """Let core journal it now, who did it with it; a core that is stopped does so when it starts."""
    try:
        asyncio.run(_look(control))
    except (Gone, Refusal) as e:
        print(f"It counts now. It is journaled when core starts ({e})", file=sys.stderr)
    return 0


async def _look(control: Path) -> None:
    client = Client(control)
    try:
        await client.connect()
        await request(client, "people.look")
    finally:
        client.close()
