"""`siaga fallback declare | end | told | status`: by hand what the trunk's watch does by itself, and who uses what."""

import argparse
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from appliance.cli_node import add_login_argument, add_node_arguments, ask, log_in, request
from appliance.config import ZONES, Site
from appliance.stamp import Stamp
from appliance.view import View
from drivers.jsonsocket import Client

DONE = {
    "declare": ("The fallback is in force until somebody ends it.", "It was in force already, by hand."),
    "end": ("The fallback is over.", "No fallback was in force."),
    "told": ("Noted.", "It was noted already."),
}


def add_arguments(_name: str, parser: argparse.ArgumentParser) -> None:
    add_node_arguments(parser)
    add_login_argument(parser)
    verbs = parser.add_subparsers(dest="verb", metavar="declare|end|told|status", required=True)
    verbs.add_parser("declare", help="by hand: it stands until somebody ends it")
    verbs.add_parser("end", help="by hand; a trunk that is lost declares it again only at its next loss")
    verbs.add_parser("told", help="an agency was told").add_argument("agency", help="its id in the site file")
    verbs.add_parser("status", help="whether it is in force, who uses which number, and what the trunk's witnesses say")
    for verb in verbs.choices.values():
        add_node_arguments(verb, again=True)
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    async def talk(client: Client, site: Site) -> int:
        if options.verb == "status":
            print("\n".join(lines(msgspec.convert(await request(client, "view"), View), ZONES[site.zone])))
            return 0
        fields: dict[str, Any] = {"agency": options.agency} if options.verb == "told" else {}
        login = await log_in(client, options)
        told = await request(client, f"fallback.{options.verb}", **fields, **login)
        unsafe = " It is NOT on disk yet." if told.get("durable") is False else ""
        print(DONE[options.verb][told["repeated"]] + unsafe)
        return 0

    return ask(options, talk)


def lines(view: View, zone: ZoneInfo) -> list[str]:
    """The card, and below it the trunk's witnesses."""
    now = view.fallback
    if now is None:
        return ["This box is a station; the fallback is its centre's."]
    if now.stands:
        said = [f"IN FORCE since {_when(now.declared, zone)} ({now.why})"]
    elif now.over:
        said = [f"not in force; over since {_when(now.over, zone)} ({now.over_why})"]
    else:
        said = ["not in force; never was"]
    said.append(f"citizens  {', '.join(now.citizens) or '--- no number is known'}")
    for agency in now.agencies:
        told = f"told {_when(agency.told, zone)} by {agency.told.actor}" if agency.told else "not told"
        said.append(f"agency    {agency.id:<14} {', '.join(agency.uses)}   ({agency.name}, {agency.phone}; {told})")
    for duty in now.duty:
        texts = [f"{what} {state}" for what, state in (("in force:", duty.declared), ("over:", duty.over)) if state]
        said.append(f"duty      {duty.name}: {duty.why or ', '.join(texts) or 'no text yet'}")
    if (verdict := view.trunk_verdict) is not None:
        fault = f"{verdict.layer} ({verdict.reason})" if verdict.layer else ""
        said.append(f"trunk     {verdict.standing} {fault}".rstrip())
    for w in view.witnesses:
        unit = "% lost" if w.id == "loss" else "ms"
        figure = "" if w.value is None else f"{w.value:g} {unit}"
        said.append(f"witness   {w.id:<8} {w.standing:<10} {' '.join(filter(None, (w.asks, w.why, figure)))}".rstrip())
    return said


def _when(stamp: Stamp | None, zone: ZoneInfo) -> str:
    return "---" if stamp is None else datetime.fromtimestamp(stamp.wall, zone).strftime("%Y-%m-%d %H:%M:%S")
