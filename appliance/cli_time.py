"""`siaga time save | restore`: what two units do so that a board without a battery clock does not go back to 1970."""

import argparse
import time
from pathlib import Path

from appliance.box_time import BadTime, is_known, restore, save, set_battery_clock, set_clock
from appliance.cli import say_no

FILE = Path("/var/lib/siaga/saved-time")


def add_arguments(_name: str, parser: argparse.ArgumentParser) -> None:
    verbs = parser.add_subparsers(dest="verb", metavar="save|restore", required=True)
    saving = verbs.add_parser("save", help="write the time down, and set the battery clock if the time is known")
    setting = verbs.add_parser("restore", help="set the clock to the saved time, if it is behind that")
    for verb in (saving, setting):
        verb.add_argument("--file", type=Path, default=FILE, help=f"where it is kept (default {FILE})")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    try:
        return {"save": _save, "restore": _restore}[options.verb](options.file)
    except BadTime as e:
        return say_no(f"{e}")
    except OSError as e:
        return say_no(f"{e.filename or options.file}: {e.strerror}. Only root may set clocks and write there.")


def _save(file: Path) -> int:
    known = is_known()
    second = save(file, time.time(), known=known)
    battery = known and set_battery_clock(time.time())
    print(f"{file}: {second}, clock {'known' if known else 'not known'}" + (", battery clock set" if battery else ""))
    return 0


def _restore(file: Path) -> int:
    now = time.time()
    second = restore(file, now)
    if second is None:
        print(f"{file}: the clock is not behind it")
        return 0
    set_clock(second)
    print(f"{file}: the clock was {second - now:.0f} s behind the last save and goes on from there")
    return 0
