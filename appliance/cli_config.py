"""`siaga config check FILE`: says of each thing that is wrong the file, the key and the reason.

`siaga config pins FILE`: what a Raspberry Pi's firmware must know of this wiring before Linux runs.
"""

import argparse
from pathlib import Path

from appliance import boot_pins
from appliance.cli import say_no
from appliance.config import SiteError, load_site
from appliance.key_file import replace_file


def add_arguments(_name: str, parser: argparse.ArgumentParser) -> None:
    verbs = parser.add_subparsers(dest="verb", metavar="check|pins", required=True)
    check = verbs.add_parser("check", help="check site files without touching anything")
    check.add_argument("file", type=Path, nargs="+")
    check.set_defaults(run=_check)
    pins = verbs.add_parser("pins", help="the lines of config.txt that hold this site's relays off before Linux")
    pins.add_argument("file", type=Path)
    pins.add_argument("--into", type=Path, metavar="CONFIG_TXT", help="put them into this file, between its marks")
    pins.set_defaults(run=_pins)


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


def _pins(options: argparse.Namespace) -> int:
    try:
        lines = boot_pins.lines(load_site(options.file).annunciator)
        if options.into is None:
            print("\n".join(lines))
            return 0
        replace_file(options.into, boot_pins.placed(options.into.read_text(), lines).encode(), mode=0o644)
    except SiteError as e:
        say_no(f"{e}")
        return 2
    except (OSError, boot_pins.PinsRefused) as e:
        say_no(f"{options.into}: {e}")
        return 1
    print(f"{options.into}: {len(lines)} lines of pins. They count from the next start.")
    return 0
