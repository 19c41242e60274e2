"""`siaga journal tail | verify | export`: reads the file itself, so that it works with core dead too."""

import argparse
import sqlite3
import sys
import time
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from appliance.cli import say_no
from appliance.cli_node import NoNode, add_node_arguments, node
from appliance.config import ZONES, SiteError
from appliance.entry import Entry
from appliance.journal import export_lines, follow_chain
from appliance.journal_file import JournalUnreadable, read_entries

FOLLOW_EVERY = 0.5  # s between looks of `tail --follow`


def add_arguments(_name: str, parser: argparse.ArgumentParser) -> None:
    _add_source(parser)
    verbs = parser.add_subparsers(dest="verb", metavar="tail|verify|export", required=True)
    tail = verbs.add_parser("tail", help="the last rows")
    tail.add_argument("-n", type=_count, default=20, help="how many (default 20)")
    tail.add_argument("-f", "--follow", action="store_true", help="go on as rows come")
    verify = verbs.add_parser("verify", help="prove that no row was changed, added or removed")
    export = verbs.add_parser("export", help="every row as one line of JSON")
    export.add_argument("--after", type=_count, default=0, help="only rows behind this one")
    for verb in (tail, verify, export):
        _add_source(verb, again=True)
    parser.set_defaults(run=_run)


def _add_source(parser: argparse.ArgumentParser, *, again: bool = False) -> None:
    add_node_arguments(parser, again=again)
    default = argparse.SUPPRESS if again else None
    parser.add_argument("--file", type=Path, default=default, help="a journal file, instead of the node's")


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 0")
    return int(text)


def _run(options: argparse.Namespace) -> int:
    zone = "WIT"
    try:
        if options.file is None:
            site, where = node(options)
            options.file, zone = where.journal, site.zone
        if not options.file.is_file():
            raise JournalUnreadable("there is no such file")
        return {"tail": _tail, "verify": _verify, "export": _export}[options.verb](options, zone)
    except (SiteError, NoNode) as e:
        return say_no(f"{e}", code=2)
    except (JournalUnreadable, sqlite3.Error) as e:
        return say_no(f"{options.file}: {e}. Give another with --file, or start core once to make one.")


def _read(options: argparse.Namespace, **which: Any) -> Iterable[Entry]:
    """Of a running box read-only; of a stopped one, whose WAL a reader may not make, immutable."""
    try:
        return list(read_entries(options.file, **which))
    except sqlite3.OperationalError:
        return list(read_entries(options.file, stopped=True, **which))


def _tail(options: argparse.Namespace, zone: str) -> int:
    last = 0
    for entry in _read(options, last=options.n):
        print(line(entry, zone))
        last = entry.seq
    while options.follow:
        sys.stdout.flush()
        time.sleep(FOLLOW_EVERY)
        for entry in _read(options, after=last):
            print(line(entry, zone))
            last = entry.seq
    return 0


def line(entry: Entry, zone: str) -> str:
    """One row for a person: number, local time (with ? when the clock was not known), kind, subject, who, figures."""
    when = datetime.fromtimestamp(entry.wall, ZONES[zone]).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
    sure = " " if entry.quality in ("ntp", "gps", "nitz") else "?"
    body = {k: v for k, v in msgspec.json.decode(entry.body).items() if str(v) not in entry.subject.split("/")}
    who = f" by {entry.actor}" if entry.actor else ""
    figures = " ".join(f"{k}={_short(v)}" for k, v in body.items())
    return f"{entry.seq:>7} {when}{sure}{zone} {entry.kind:<24} {entry.subject:<28}{who} {figures}".rstrip()


def _short(value: object) -> str:
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return text if len(text) <= 60 else f"{text[:57]}..."


def _verify(options: argparse.Namespace, zone: str) -> int:
    entries = list(_read(options))
    if wrong := follow_chain(entries):
        return say_no(f"{options.file}: {wrong}")
    if not entries:
        return say_no(f"{options.file}: it holds no rows, so it proves nothing. Core's first start writes the first.")
    print(f"{options.file}: {len(entries)} rows, unbroken. Head: {entries[-1].hash}")
    return 0


def _export(options: argparse.Namespace, zone: str) -> int:
    for text in export_lines(_read(options, after=options.after)):
        sys.stdout.buffer.write(text + b"\n")
    return 0
