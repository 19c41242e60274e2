"""`siaga modem`: look at the lines' modems, ask them something while they are on duty, and find what is wrong."""

import argparse
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec

from appliance.cli_modem_replay import PROFILES, export, replay_file
from appliance.cli_modem_words import diagnosis, info, row
from appliance.cli_node import add_login_argument, add_node_arguments, ask, log_in, request
from appliance.config import Site
from appliance.view import LineView, View
from drivers.jsonsocket import Client, Refusal

PATIENCE = 120.0  # s; a text of two parts that the network takes its time for
LAST_WORDS = 10  # records that `info` shows


def add_arguments(_name: str, parser: argparse.ArgumentParser) -> None:
    add_node_arguments(parser)
    add_login_argument(parser)
    verbs = parser.add_subparsers(dest="verb", metavar="list|info|doctor|at|ussd|sms|export|replay", required=True)

    def verb(name: str, text: str, run: Callable[[argparse.Namespace], int], *words: tuple[str, str]) -> Any:
        added = verbs.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.")
        for word, explained in words:
            added.add_argument(word, help=explained)
        if name != "replay":
            add_node_arguments(added, again=True)
        added.set_defaults(run=run)
        return added

    line = ("line", "the line's id; siaga modem list shows them")
    verb("list", "each line with its modem, network and signal", _with(_list))
    verb("info", "all that is known of a line, and its modem's last words", _with(_info), line)
    doctor = verb("doctor", "what is wrong with each line, and what to do", _with(_doctor))
    doctor.add_argument("line", nargs="?", help="one line; default: all")
    verb("at", "ask a modem something that only reads", _with(_at), line, ("text", 'the command, as "AT+CSQ"'))
    verb("ussd", "send a USSD code and show the network's text", _with(_ussd), line, ("code", 'as "*888#"'))
    verb(
        "sms", "send a text", _with(_sms), line, ("number", "as +6281..."), ("text", "at most 300 characters")
    )  # fmt: skip
    out = verb("export", "a line's flight recording, without what is private", export, line)
    out.add_argument("--raw", action="store_true", help="with everything: numbers, texts, PINs")
    again = verb("replay", "feed a recording to the driver and show what it makes of it", replay_file)
    again.add_argument("file", type=Path, help="what siaga modem export wrote")
    again.add_argument("--all", action="store_true", help="answers and unasked lines too")
    again.add_argument(
        "--profiles", type=Path, default=PROFILES, help="folder of modem profiles (default: %(default)s)"
    )


Talk = Callable[["Desk", argparse.Namespace], Awaitable[int]]


class Desk:
    """One connection to core, and who asks."""

    def __init__(self, client: Client, site: Site, login: dict[str, Any]) -> None:
        self.client, self.site, self.login = client, site, login

    async def order(self, do: str, **fields: Any) -> Any:
        return await self.client.request({"do": do, **fields, **self.login}, timeout=PATIENCE)

    async def view(self) -> View:
        return msgspec.convert(await request(self.client, "view"), View)


def _with(talk: Talk) -> Callable[[argparse.Namespace], int]:
    def run(options: argparse.Namespace) -> int:
        async def connected(client: Client, site: Site) -> int:
            login = await log_in(client, options)
            return await talk(Desk(client, site, login), options)

        return ask(options, connected)

    return run


def _line(view: View, name: str) -> LineView:
    for line in view.lines:
        if line.id == name:
            return line
    known = ", ".join(line.id for line in view.lines) or "none"
    raise Refusal("no_line", f"There is no line {name!r}.", f"Lines: {known}.")


async def _list(desk: Desk, _options: argparse.Namespace) -> int:
    view = await desk.view()
    for line in view.lines:
        print(row(line, desk.site, view.at))
    if not view.lines:
        print("This node has no lines. A [[line]] in its site file makes one.")
    return 0


async def _info(desk: Desk, options: argparse.Namespace) -> int:
    view = await desk.view()
    print("\n".join(info(_line(view, options.line), desk.site, view)))
    said = (await desk.order("modem.recording", line=options.line))["text"].splitlines()[1:]
    print("last words    " + "\n              ".join(said[-LAST_WORDS:] or ["---"]))
    return 0


async def _doctor(desk: Desk, options: argparse.Namespace) -> int:
    view = await desk.view()
    lines = [_line(view, options.line)] if options.line else view.lines
    found = [diagnosis(line, view.at) for line in lines]
    for _, said in found:
        print("\n".join(said))
    if not found:
        print("This node has no lines. A [[line]] in its site file makes one.")
    return 0 if all(well for well, _ in found) else 1


async def _at(desk: Desk, options: argparse.Namespace) -> int:
    done = await desk.order("modem.at", line=options.line, command=options.text)
    print("\n".join([*done["lines"], "OK"]))
    return 0


async def _ussd(desk: Desk, options: argparse.Namespace) -> int:
    done = await desk.order("modem.ussd", line=options.line, code=options.code)
    print(done["text"])
    if done["asks"]:
        print(f"(The network waits for an answer: siaga modem ussd {options.line} NUMBER)")
    return 0


async def _sms(desk: Desk, options: argparse.Namespace) -> int:
    done = await desk.order("sms.send_text", line=options.line, number=options.number, text=options.text)
    print(f"sent to {done['number']} in {done['parts']} part{'s' if done['parts'] > 1 else ''}")
    return 0
