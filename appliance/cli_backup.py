"""`siaga backup make | list | check | code | restore`: a copy of the box that another card can be made from."""

import argparse
import socket
import sqlite3
import sys
import time
from datetime import datetime
from pathlib import Path

from appliance.backup import KEEP, SEAL, Made, NoBackup, broken_chain, copy_to, kept, make, restore
from appliance.backup_file import SEALED, BadBackup, Manifest, unpack
from appliance.backup_seal import WrongCode, new_code, read_seal, seal_of, write_seal
from appliance.cli import SITE_FILE, say_no
from appliance.cli_node import NoNode, add_node_arguments, site_file
from appliance.config import ZONES, Places, SiteError, load_site, places
from appliance.journal_file import JournalUnreadable

FOLDER = "backup"  # in the state folder
ASKED = 2.0  # s for a core that runs to take a connection


def add_arguments(_name: str, parser: argparse.ArgumentParser) -> None:
    add_node_arguments(parser)
    verbs = parser.add_subparsers(dest="verb", metavar="make|list|check|code|restore", required=True)
    making = verbs.add_parser("make", help="copy the journal, the site file and, under a seal, the keys; core may run")
    making.add_argument("--to", type=Path, help="folder (default: backup in the state folder)")
    making.add_argument("--stick", type=Path, help="a second folder, if a medium is mounted there")
    making.add_argument("--keep", type=_count, default=KEEP, help=f"how many in each folder (default {KEEP})")
    listing = verbs.add_parser("list", help="the backups of a folder, the oldest first")
    listing.add_argument("--from", dest="to", type=Path, help="folder (default: backup in the state folder)")
    checking = verbs.add_parser("check", help="prove that a backup is whole and its journal's chain unbroken")
    checking.add_argument("file", type=Path)
    coding = verbs.add_parser(
        "code", help="make the code that opens the keys in each backup from now on; it is shown once"
    )
    back = verbs.add_parser("restore", help="put a backup back; what was there is put aside. Core must not run")
    back.add_argument("file", type=Path)
    back.add_argument("--code", metavar="-|FILE", help="- asks for the code of the keys, else a file with it")
    back.add_argument("--without-keys", action="store_true", help="the journal and the site file only")
    for verb in (making, listing, checking, coding, back):
        add_node_arguments(verb, again=True)
    parser.set_defaults(run=_run)


def _count(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 1000:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 to 1000")
    return int(text)


def _run(options: argparse.Namespace) -> int:
    verbs = {"make": _make, "list": _list, "check": _check, "code": _code, "restore": _restore}
    try:
        return verbs[options.verb](options)
    except (SiteError, NoNode) as e:
        return say_no(f"{e}", code=2)
    except (NoBackup, BadBackup, WrongCode, JournalUnreadable) as e:
        return say_no(f"{e}")
    except sqlite3.Error as e:
        return say_no(f"the journal cannot be copied: {e}. Try `siaga journal verify`.")
    except OSError as e:
        return say_no(f"{e.filename or 'the backup'}: {e.strerror}. On a box run this as core's user or root.")


def _make(options: argparse.Namespace) -> int:
    from appliance.make_view import VERSION

    config = site_file(options)
    site = load_site(config)
    where = places(site, config)
    seal = read_seal(where.state / SEAL)
    folder = options.to or where.state / FOLDER
    made = make(site, config, folder, seal=seal, version=VERSION, wall=time.time(), keep=options.keep)
    _say_made(made)
    if seal is None:
        print("There are NO KEYS in it: a box restored from it must be enrolled again. Next: siaga backup code")
    if options.stick:
        if not options.stick.is_mount():
            print(f"No stick at {options.stick}: this backup is on this box only. Put in one named SIAGA-STICK.")
        else:
            print(f"The same on the stick: {copy_to(made, options.stick, keep=options.keep)}")
    if made.broken:
        return say_no(f"the backup is a true copy, and its journal's chain is broken: {made.broken}")
    return 0


def _say_made(made: Made) -> None:
    said = made.manifest
    print(f"{made.file}: {made.octets / 1e6:.1f} MB, journal to row {said.rows}, read back. Head: {said.head}")


def _list(options: argparse.Namespace) -> int:
    zone = "WIT"
    folder = options.to
    if folder is None:
        config = site_file(options)
        site = load_site(config)
        folder, zone = places(site, config).state / FOLDER, site.zone
    files = kept(folder)
    for file in files:
        print(f"{file}  {file.stat().st_size / 1e6:.1f} MB  {_about(unpack(file), zone)}")
    return 0 if files else say_no(f"{folder} has no backups. Next: siaga backup make")


def _about(said: Manifest, zone: str) -> str:
    when = datetime.fromtimestamp(said.made, ZONES[zone]).strftime("%Y-%m-%d %H:%M:%S")
    keys = "keys sealed" if SEALED in said.parts else "NO KEYS"
    return f"{said.site}/{said.id}, {when} {zone}, release {said.version}, journal to row {said.rows}, {keys}"


def _check(options: argparse.Namespace) -> int:
    said, wrong = broken_chain(options.file)
    if wrong:
        return say_no(f"{options.file} is whole, and its journal's chain is broken: {wrong}")
    print(f"{options.file} is whole: {_about(said, 'WIT')}, unbroken. Head: {said.head}")
    return 0


def _code(options: argparse.Namespace) -> int:
    config = site_file(options)
    where = places(load_site(config), config)
    code = new_code()
    write_seal(where.state / SEAL, seal_of(code, time.time()))
    print(
        f"{code}\n\nWrite it down twice and put it into two safes. It is not kept here and cannot be shown again.\n"
        "It opens the keys in every backup from now on; those made before need the code of their time."
    )
    return 0


def _restore(options: argparse.Namespace) -> int:
    config = options.config or SITE_FILE
    said = unpack(options.file)
    if SEALED in said.parts and not options.code and not options.without_keys:
        return say_no(
            "This backup holds keys: give its code with --code -, or leave them out by --without-keys.", code=2
        )
    code = None
    if options.code and not options.without_keys:
        code = _asked() if options.code == "-" else Path(options.code).read_text()
    said = restore(options.file, config, code=code, alive=_runs, wall=time.time())
    print(f"{config} and its journal are those of {_about(said, 'WIT')}.\nHead: {said.head}: compare it with the book.")
    if code is None:
        print("Without its keys this box must be enrolled again: siaga keys enrol")
    print("The old box must never run again beside this one. Next: reboot; its network and name come with the start.")
    return 0


def _asked() -> str:
    if sys.stdin.isatty():
        print("The code from the safe: ", end="", flush=True)
    return sys.stdin.readline()


def _runs(where: Places) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asking:
        asking.settimeout(ASKED)
        try:
            asking.connect(str(where.control))
        except (FileNotFoundError, ConnectionRefusedError):
            return False
        return True
