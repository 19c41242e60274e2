"""`siaga people password NAME`: add a person or give a forgotten password anew, at the box's own console."""

import argparse
import sys

from appliance.cli import say_no
from appliance.cli_node import add_node_arguments, node
from appliance.config import SiteError
from appliance.people import new_password, set_password

ROLES = ("operator", "supervisor", "technician")


def add_arguments(_name: str, parser: argparse.ArgumentParser) -> None:
    verbs = parser.add_subparsers(dest="verb", metavar="password", required=True)
    password = verbs.add_parser("password", help="give a person a new password, made here or read from standard input")
    password.add_argument("name")
    password.add_argument("--role", choices=ROLES, default="operator")
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
        set_password(where.people, options.name, options.role, given)
    except OSError as e:
        return say_no(f"{where.people} cannot be written ({e.strerror}): run this as core's user or root.")
    print(f"{options.name} ({options.role}) may log in" + ("." if options.stdin else f" with {given}"))
    return 0
