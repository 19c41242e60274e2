"""`siaga sms send | list`: a text by the best line, and texts both ways with where they stand."""

import argparse
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from appliance.cli_node import add_login_argument, add_node_arguments, ask, log_in, request
from appliance.config import ZONES, Site
from appliance.state import Message
from appliance.view import OutgoingView
from drivers.jsonsocket import Client

HOUR = 3600
SHOWN = 60  # characters of a text in one row; --all shows them whole


def add_arguments(_name: str, parser: argparse.ArgumentParser) -> None:
    add_node_arguments(parser)
    add_login_argument(parser)
    verbs = parser.add_subparsers(dest="verb", metavar="send|list", required=True)
    send = verbs.add_parser("send", help="give a text; it is kept, tried and reported on")
    send.add_argument("number", help="as +6281...")
    send.add_argument("text")
    send.add_argument("--line", default="", help="the only line that may carry it (default: the best one)")
    send.add_argument("--hours", type=float, help="for how long it is tried (default: five minutes)")
    listed = verbs.add_parser("list", help="the last texts both ways, oldest first")
    listed.add_argument("-n", type=int, default=20, metavar="N", help="so many of each way (default: %(default)s)")
    listed.add_argument("--all", action="store_true", help="whole texts")
    for verb in (send, listed):
        add_node_arguments(verb, again=True)
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    async def talk(client: Client, site: Site) -> int:
        login = await log_in(client, options)
        if options.verb == "send":
            return await _send(client, options, login)
        return await _list(client, site, options, login)

    return ask(options, talk)


async def _send(client: Client, options: argparse.Namespace, login: dict[str, Any]) -> int:
    life = {} if options.hours is None else {"lifetime_s": round(options.hours * HOUR)}
    done = await request(
        client, "sms.send", number=options.number, text=options.text, line=options.line, **life, **login
    )
    parts = f"{done['parts']} part{'s' if done['parts'] > 1 else ''}"
    unsafe = "" if done["durable"] else "; it is NOT on disk yet"
    print(f"{done['message']} to {done['number']} in {parts} waits to be sent{unsafe}. siaga sms list shows its state.")
    return 0


async def _list(client: Client, site: Site, options: argparse.Namespace, login: dict[str, Any]) -> int:
    told = await request(client, "sms.list", last=options.n, **login)
    zone = ZONES[site.zone]
    rows = [_came(m, zone) for m in msgspec.convert(told["received"], list[Message])]
    rows += [_goes(m, zone) for m in msgspec.convert(told["outgoing"], list[OutgoingView])]
    for _, row, text in sorted(rows):
        shown = " ".join(text.split())
        print(row, shown if options.all or len(shown) <= SHOWN else shown[: SHOWN - 1] + "…")
    if not rows:
        print("No texts yet.")
    return 0


def _came(m: Message, zone: ZoneInfo) -> tuple[int, str, str]:
    return m.at.seq, _row(m.at.wall, zone, m.id, "from", m.number, m.line, "received"), m.text


def _goes(m: OutgoingView, zone: ZoneInfo) -> tuple[int, str, str]:
    state = m.state + (", may arrive twice" if m.again else "")
    if m.state in ("undelivered", "queued") and m.reason:
        state += f" ({m.reason})"
    return m.queued.seq, _row(m.queued.wall, zone, m.id, "to", m.number, m.line or "-", state), m.text


def _row(wall: float, zone: ZoneInfo, name: str, way: str, number: str, line: str, state: str) -> str:
    when = datetime.fromtimestamp(wall, zone).strftime("%Y-%m-%d %H:%M:%S")
    return f"{when}  {name}  {way:<4} {number:<16} {line:<6} {state:<24}"
