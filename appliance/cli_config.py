"""`siaga config check FILE`: says of each thing that is wrong the file, the key and the reason."""

import argparse
from pathlib import Path

from appliance.cli import say_no
from appliance.config import SiteError, load_site


def add_arguments(_name: str, parser: argparse.ArgumentParser) -> None:
    verbs = parser.add_subparsers(dest="verb", metavar="check", required=True)
    check = verbs.add_parser("check", help="check site files without touching anything")
    check.add_argument("file", type=Path, nargs="+")
    parser.set_defaults(run=_check)


def _check(options: argparse.Namespace) -> int:
    wrong = 0
    for file in options.file:
        try:
            site = load_site(file)
        except SiteError as e:
            wrong += 1
            say_no(f"{e}")
        else:
            print(f"{file}: {site.role} {site.id!r}, {len(site.station)} stations, {len(site.line)} lines: good.")
    return 2 if wrong else 0
