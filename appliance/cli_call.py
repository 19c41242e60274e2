"""`siaga call ...`: the telephone in a terminal: the queue, calls, call-backs, blocks, the log and its indicators."""

import argparse
import asyncio
import shutil
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from appliance import cli_call_words as words
from appliance.cli_node import add_login_argument, add_node_arguments, ask, log_in, node, request
from appliance.config import ZONES, Site
from appliance.desk_view import CallLog, DeskView, FiguresAnswer
from appliance.view import View
from drivers.jsonsocket import Client, Refusal

LINE = {"answer", "hangup", "reject", "hold", "resume", "swap", "join", "transfer", "keys", "mute", "redial", "prove"}
CALL = {"answer", "hangup", "reject"}
# verb: (help, what stands behind it)
VERBS: dict[str, tuple[str, tuple[str, ...]]] = {
    "list": ("calls from the journal, newest first", ()),
    "show": ("one call, with what is known of its caller", ("call",)),
    "queue": ("who waits now, and whose call it is", ()),
    "answer": ("take the call that rings or waits on a line", ()),
    "next": ("take the call that has waited longest", ()),
    "hangup": ("end a call", ()),
    "reject": ("do not let a call in", ()),
    "hold": ("put the active call aside", ()),
    "resume": ("talk on with the held call", ()),
    "swap": ("hold the active call, talk on with the other", ()),
    "join": ("make all calls of the line one conference", ()),
    "transfer": ("call an agency on the same line and join all three", ("to",)),
    "dial": ("call a directory entry or a number", ()),
    "redial": ("call again whom the line called last", ()),
    "prove": ("a drill of voice: the line calls another of the box's lines, tones both ways", ()),
    "keys": ("send telephone keys", ("keys",)),
    "mute": ("the person is not heard, or is again", ("state",)),
    "note": ("write a note on a call", ("call", "text")),
    "mark": ("say what a call was", ("call", "mark")),
    "block": ("refuse a number's calls for a while; for supervisors", ("number",)),
    "unblock": ("let a number's calls in again", ("number",)),
    "callbacks": ("who was not reached; --drop takes one off the list", ()),
    "recording": ("where a call's recording lies; --save copies it", ("call",)),
    "figures": ("how soon calls were answered, in a day or month", ()),
    "directory": ("whom one press calls", ()),
}
COMMANDS = {
    "answer": "call.answer", "next": "call.next", "hangup": "call.hang_up", "reject": "call.reject",
    "hold": "call.hold", "resume": "call.resume", "swap": "call.swap", "join": "call.join",
    "transfer": "call.transfer", "keys": "call.keys", "mute": "call.mute", "note": "call.note",
    "mark": "call.mark", "redial": "call.redial", "block": "caller.block",
    "unblock": "caller.unblock",
}  # fmt: skip
ORDER_FIELDS = ("line", "call", "reason", "talk", "to", "keys", "text", "mark", "number", "hours")
FILTERS = ("day", "number", "line", "mark", "outcome", "before")
NO_MARK = "none"
PROOF_WITHIN = 120.0  # s; a call is set up, tones go both ways, and it is hung up


def add_arguments(_name: str, parser: argparse.ArgumentParser) -> None:
    add_node_arguments(parser)
    add_login_argument(parser)
    verbs = parser.add_subparsers(dest="verb", metavar="|".join(VERBS), required=True)
    for verb, (text, behind) in VERBS.items():
        one = verbs.add_parser(verb, help=text)
        if verb in LINE:
            one.add_argument("line", help="id of the line")
        for name in behind:
            choices = {"state": ("on", "off"), "mark": ("emergency", "question", "ghost", "prank", NO_MARK)}.get(name)
            one.add_argument(name, choices=choices)
        _add_options(verb, one)
        one.add_argument("--json", action="store_true", help="the answer as JSON")
        add_node_arguments(one, again=True)
        add_login_argument(one, again=True)
    parser.set_defaults(run=_run)


def _add_options(verb: str, one: argparse.ArgumentParser) -> None:
    if verb in CALL:
        one.add_argument("--call", help="id of the call (default: the one that is meant)")
    match verb:
        case "list":
            one.add_argument("-n", type=int, default=20, metavar="N", help="so many (default: %(default)s)")
            one.add_argument("--day", help="2026-11-22, or a month: 2026-11")
            one.add_argument("--outcome", choices=("answered", "abandoned", "refused", "out"))
            one.add_argument("--mark", choices=("emergency", "question", "ghost", "prank"))
            for name, text in (("number", "of the other side"), ("line", "id"), ("before", "go on behind this call")):
                one.add_argument(f"--{name}", help=text)
        case "prove":
            one.add_argument("--other", help="id of the line that is called (default: the best one)")
        case "answer" | "next" | "redial":
            one.add_argument("--talk", help="headset: the one at the box (default: none)")
        case "reject":
            one.add_argument("--reason", choices=("busy", "prank", "other"))
        case "dial":
            one.add_argument("to", nargs="?", default="", help="directory entry or number")
            one.add_argument("--line", default="", help="id of the line (default: the best free one)")
            one.add_argument("--talk", default="", help="headset: the one at the box (default: none)")
            one.add_argument("--call-back", default="", metavar="CALL", help="the abandoned call that this returns")
        case "block":
            one.add_argument("--hours", type=int, help="for how long (default: 24)")
        case "callbacks":
            one.add_argument("--drop", metavar="CALL", help="take it off the list")
        case "recording":
            one.add_argument("--save", type=Path, metavar="FILE", help="copy it there")
            one.add_argument("--part", type=int, default=1, metavar="N", help="of a call in which sound broke off")
            one.add_argument("--anyway", action="store_true", help="also when the file is not what was recorded")
        case "figures":
            one.add_argument("period", nargs="?", default="", help="2026-11-22 or 2026-11 (default: today)")


def _run(options: argparse.Namespace) -> int:
    async def talk(client: Client, site: Site) -> int:
        login = await log_in(client, options)
        answer, rows = await _do(client, site, options, login)
        if options.json:
            sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(answer)) + b"\n")
        else:
            print("\n".join(rows))
        return 0

    return ask(options, talk)


async def _do(client: Client, site: Site, options: argparse.Namespace, login: dict[str, Any]) -> tuple[Any, list[str]]:
    """The answer and what a person reads of it. Raises Refusal."""
    zone = ZONES[site.zone]
    match options.verb:
        case "list":
            given = {k: v for k in FILTERS if (v := getattr(options, k))}
            found = await request(client, "call.list", last=options.n, **given, **login)
            return found, words.log(msgspec.convert(found, CallLog), zone)
        case "show":
            found = await request(client, "call.list", call=options.call, last=1, **login)
            return found, words.whole(msgspec.convert(found, CallLog), options.call, zone)
        case "recording":
            wanted = {"call": options.call, "part": options.part, "anyway": options.anyway}
            found = await request(client, "call.recording", **wanted, **login)
            folder = node(options)[1].state
            return found, words.recording(found, folder, await _saved(folder, found, options.save))
        case "figures":
            period = options.period or datetime.fromtimestamp((await _view(client)).wall, zone).strftime("%Y-%m-%d")
            found = await request(client, "call.figures", period=period, **login)
            return found, words.figures(msgspec.convert(found, FiguresAnswer))
        case "queue" | "callbacks" | "directory" if not getattr(options, "drop", None):
            view = await _view(client)
            desk = view.desk or DeskView()
            shown = {"queue": words.queue, "callbacks": words.callbacks, "directory": words.directory}[options.verb]
            part = {"queue": (desk.queue, desk.callers), "callbacks": desk.callbacks, "directory": desk.directory}
            return part[options.verb], shown(desk, view.wall, zone)
        case "prove":
            told = await request(
                client, "line.prove_voice", within=PROOF_WITHIN, line=options.line, other=options.other or "", **login
            )
            return told, [words.proof(told)]
        case "callbacks":
            return await _order(client, "callback.drop", {"call": options.drop}, login)
        case "dial":
            fields = {k: getattr(options, k) for k in ("to", "line", "talk", "call_back")}
            return await _order(client, "call.dial", fields, login)
    fields = {k: v for k in ORDER_FIELDS if (v := getattr(options, k, None))}
    if options.verb == "mute":
        fields = {"line": options.line, "on": options.state == "on"}
    if fields.get("mark") == NO_MARK:
        fields["mark"] = ""
    return await _order(client, COMMANDS[options.verb], fields, login)


async def _order(
    client: Client, do: str, fields: dict[str, Any], login: dict[str, Any]
) -> tuple[Any, list[str]]:  # fmt: skip
    told = await request(client, do, **fields, **login)
    return told, [words.done(told)]


async def _saved(folder: Path, found: dict[str, Any], to: Path | None) -> str:
    """Copy the file; says where to. Raises Refusal when it cannot be read or written."""
    if to is None:
        return ""
    try:
        await asyncio.to_thread(shutil.copyfile, folder / found["file"], to)
    except OSError as e:
        raise Refusal("no_copy", f"{e.filename}: {e.strerror}.", "Run this as core's user or root.") from e
    return str(to)


async def _view(client: Client) -> View:
    return msgspec.convert(await request(client, "view"), View)
