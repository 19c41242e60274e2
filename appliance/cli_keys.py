"""`siaga keys`: who is believed. Make this box's keys, enrol a station by four words, rotate, revoke, list."""

import argparse
import asyncio
import getpass
import os
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from appliance.cli import say_no
from appliance.cli_node import NoNode, add_node_arguments, node
from appliance.config import ZONES, Places, Site, SiteError
from appliance.key_book import Book, BookError
from appliance.key_changes import id_text
from appliance.key_file import BookUnreadable
from appliance.key_office import RELEASED, Office
from appliance.key_pairing import PORT, call, listen
from appliance.key_statement import Sealed, StatementError, code_of, open_sealed, same_code
from appliance.keys import KeyFileError
from drivers.clock import Clock
from drivers.jsonsocket import Client, Gone, Refusal

FAULTS = (BookError, BookUnreadable, StatementError, KeyFileError, OSError, ValueError)


def add_arguments(_name: str, parser: argparse.ArgumentParser) -> None:
    verbs = parser.add_subparsers(dest="verb", metavar="init|enrol|rotate|revoke|dashboard|list", required=True)

    def verb(name: str, run: Callable[[Office, argparse.Namespace], Book | None], text: str) -> argparse.ArgumentParser:
        made = verbs.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
        add_node_arguments(made)
        made.set_defaults(run=lambda options: _run(run, options))
        return made

    init = verb("init", _init, "make this box's keys, and at a centre all that its broker needs; twice does no harm")
    init.add_argument("--name", action="append", default=[], help="a name or address under which dashboards dial")
    enrol = verb("enrol", _enrol, "at a station: ask to be believed, or take a grant; at a centre: believe a station")
    enrol.add_argument("station", nargs="?", help="at a centre: its id in the site file")
    enrol.add_argument("--request", metavar="FILE", help="at a centre: the station's line, - for standard input")
    enrol.add_argument("--grant", metavar="FILE", help="at a station: the centre's line, - for standard input")
    enrol.add_argument("--code", metavar="WORDS", help="the four words that the other box's screen shows")
    enrol.add_argument("--listen", action="store_true", help="at a centre: wait for the station to call")
    enrol.add_argument("--centre", metavar="HOST", help="at a station: call the centre that listens there")
    enrol.add_argument("--port", type=int, default=PORT, help=f"for these two (default {PORT})")
    enrol.add_argument("--out", type=Path, metavar="FILE", help="write the line there instead of to the terminal")
    enrol.add_argument("--qr", action="store_true", help="show the line as a QR code, too (needs qrencode)")
    verb("rotate", _rotate, "take a new key into use beside the old one, without a gap")
    revoke = verb("revoke", _revoke, "believe a box no more, from now on")
    revoke.add_argument("id", help="of a station, an issuer or a dashboard")
    revoke.add_argument("--why", default="", help="for who comes after")
    revoke.add_argument("--by", default="", metavar="NAME", help="who says so (default: the account at this box)")
    revoke.add_argument("--previous", action="store_true", help="only the key that a rotation left valid for a while")
    dashboard = verb("dashboard", _dashboard, "at a centre: a certificate for a program that only reads")
    dashboard.add_argument("id", help="a name for it")
    dashboard.add_argument(
        "--out", type=Path, required=True, metavar="FOLDER", help="where its three files are written"
    )
    listed = verb("list", _list, "every key, what it counts for and how old it is")
    listed.add_argument("--json", action="store_true")


def _run(do: Callable[[Office, argparse.Namespace], Book | None], options: argparse.Namespace) -> int:
    try:
        site, where = node(options)
    except (SiteError, NoNode) as e:
        return say_no(f"{e}", code=2)
    now = time.time()  # a person's command at a person's clock
    try:
        changed = do(Office(site, where, now if now > RELEASED else 0.0), options)
    except FAULTS as e:
        return say_no(str(e))
    if changed is not None:
        print(_tell_core(where, changed), file=sys.stderr)
    return 0


def _tell_core(where: Places, book: Book) -> str:
    """Have a running core take the book now; says what is so."""

    async def look() -> Any:
        client = Client(where.control)
        await client.connect()
        try:
            return await client.request({"do": "keys.look"}, timeout=10.0)
        finally:
            client.close()

    try:
        taken = Clock.from_environment().run(look())
    except (Gone, OSError):
        return "Core does not run here; it takes the keys as they are when it starts."
    except (TimeoutError, Refusal) as e:
        return f"Core did not say that it has taken this ({e}); it looks by itself each second."
    behind = "" if taken["count"] >= book.count else " (an older book: see that it can read the file)"
    return f"Core has taken it: {taken['believed']} keys count, {taken['revoked']} are revoked{behind}."


def _init(office: Office, options: argparse.Namespace) -> Book | None:
    book = office.init(options.name)
    print(f"This box's key is {id_text(_public(office))}.")
    if not office.centre:
        print("Next: siaga keys enrol")
        return None
    print(f"The broker's files are in {office.store.broker.folder}. Next: siaga keys enrol STATION --request FILE")
    return book


def _enrol(office: Office, options: argparse.Namespace) -> Book | None:
    if office.centre and options.station and options.listen:
        return _listen(office, options)
    if options.centre and not office.centre:
        return _call(office, options)
    if office.centre:
        if not options.station or not options.request:
            raise BookError(
                "At a centre: siaga keys enrol STATION --request FILE, with the line that the station wrote."
            )
        sealed = office.opened_request(_read(options.request), options.station)
        _compare(sealed, options.code, known=office.is_rotation(sealed))
        _write(office.grant(sealed), options, f"{options.station} is enrolled. It is to have this line")
        return office.store.read()
    if options.grant:
        sealed = office.opened_grant(_read(options.grant))
        _compare(sealed, options.code, known=bool(sealed.signers))
        book = office.take(sealed)
        print(f"Enrolled: this box is believed under the key {id_text(_public(office))}.")
        return book
    _write(office.request(), options, "The centre is to have this line")
    print("Then, with the line that it wrote: siaga keys enrol --grant FILE", file=sys.stderr)
    return None


def _listen(office: Office, options: argparse.Namespace) -> Book | None:
    office.station(options.station)  # before somebody travels to it
    kept: list[Callable[[], Book]] = []

    def offer(request: str) -> str:
        line, keep = office.offer(office.opened_request(request, options.station))
        kept[:] = [keep]
        return line

    print(f"Now, at {options.station}: siaga keys enrol --centre ADDRESS", file=sys.stderr)
    try:
        agreed = asyncio.run(listen("", options.port, offer, _agreed(options.code)))
    except TimeoutError as e:
        raise BookError(f"{options.station} did not call in time. Nothing was changed.") from e
    if not agreed:
        raise BookError("Nothing was changed: the words were not found the same on both screens.")
    book = kept[0]()
    print(f"{options.station} is enrolled.")
    return book


def _call(office: Office, options: argparse.Namespace) -> Book:
    try:
        line = asyncio.run(call(options.centre, options.port, office.request(), _agreed(options.code)))
    except TimeoutError as e:
        raise BookError(f"{options.centre} does not answer: siaga keys enrol STATION --listen there?") from e
    book = office.take(office.opened_grant(line))
    print(f"Enrolled: this box is believed under the key {id_text(_public(office))}.")
    return book


def _agreed(code: str | None) -> Callable[[str], Awaitable[bool]]:
    """Asks the person here, in a thread: the other side must go on being heard."""

    async def ask(line: str) -> bool:
        try:
            await asyncio.to_thread(_compare, open_sealed(line, {}), code, known=False)
        except StatementError as e:
            print(e, file=sys.stderr)
            return False
        return True

    return ask


def _rotate(office: Office, _options: argparse.Namespace) -> Book | None:
    book = office.rotate()
    if office.centre:
        print("The new key is used for each station that has heard of it; the old one ends when all have, in a day.")
    else:
        print("Core asks the centre by MQTT. Without it: siaga keys enrol writes a line that the centre is to have.")
    return book


def _revoke(office: Office, options: argparse.Namespace) -> Book:
    who = options.by or os.environ.get("SUDO_USER") or getpass.getuser()
    book = office.revoke(options.id, options.why or "revoked by a person", previous=options.previous, who=who)
    print(f"{options.id}: {'its previous key counts' if options.previous else 'its keys count'} no more.")
    return book


def _dashboard(office: Office, options: argparse.Namespace) -> Book:
    for file in office.dashboard(options.id, options.out):
        print(file)
    return office.store.read()


def _list(office: Office, options: argparse.Namespace) -> None:
    book = office.store.read()
    if options.json:
        print(msgspec.json.encode(book).decode())
        return
    named = [(s.id, s.key) for s in office.site.station] + [(i.name, i.key) for i in office.site.issuer]
    rows = [
        [
            h.id,
            h.role,
            id_text(k.public) if h.role != "dashboard" else k.public[:8],
            k.state,
            when(k.made, office.site),
            k.why,
        ]
        for h in book.holders.values()
        for k in h.keys
    ]
    rows += [[id, "site file", id_text(key), "current", "", ""] for id, key in named if key and not book.holder_of(key)]
    rows += [
        [s.id, "station", "-", "not enrolled", "", ""]
        for s in office.site.station
        if not (s.local or s.key or (s.id in book.holders and book.holders[s.id].current))
    ]
    for row in [["holder", "role", "key", "state", "since", "why"], *rows]:
        print("  ".join(f"{cell!s:<{width}}" for cell, width in zip(row, (20, 9, 8, 12, 16, 0), strict=True)).rstrip())


def when(made: float, site: Site) -> str:
    """In the site's own time, as the journal has it: a box's system clock may show another zone."""
    return datetime.fromtimestamp(made, ZONES[site.zone]).strftime("%Y-%m-%d %H:%M") if made else "unknown"


def _public(office: Office) -> str:
    return office.own().public_key().public_bytes_raw().hex()


def _read(name: str) -> str:
    if name == "-":
        return sys.stdin.read(20_000)
    try:
        return Path(name).read_text()[:20_000]
    except OSError as e:
        raise BookError(f"{name} cannot be read ({e.strerror}): give the file that the other box wrote.") from e


def _write(line: str, options: argparse.Namespace, what: str) -> None:
    out: Path | None = options.out
    if options.qr:
        _draw(line)
    if out:
        out.write_text(line + "\n")
        print(f"{what}: {out}", file=sys.stderr)
    else:
        print(f"{what}:", file=sys.stderr)
        print(line)
    words = code_of(open_sealed(line, {}).statement)
    print(f"The other box must show these words:  {words}", file=sys.stderr)


def _draw(line: str) -> None:
    """On the terminal; level L, since a screen is not torn and the line is long."""
    try:
        subprocess.run(["qrencode", "-t", "UTF8", "-l", "L", line], check=True)
    except FileNotFoundError as e:
        raise BookError("qrencode is missing: apt-get install qrencode. Or carry the line on a stick: --out") from e
    except subprocess.CalledProcessError as e:
        raise BookError("The line does not fit into one QR code; carry it on a stick: --out") from e


def _compare(sealed: Sealed, given: str | None, *, known: bool) -> None:
    """A person says that both screens show the same; not needed where a key that is believed has signed."""
    if known:
        return
    if given is None:
        print(f"The words of this line:  {sealed.code}", file=sys.stderr)
        try:
            said = input("Does the other box's screen show the same? Ask there. [yes/no] ")
        except EOFError:
            said = ""
        if said.strip().lower() in ("yes", "ya"):
            return
        raise StatementError("Nothing was changed. Give the words of the other screen: --code")
    if not same_code(given, sealed.code):
        raise StatementError("The words are not those of this line. It is another one than the other box wrote.")
