"""`siaga alert all-clear | contact | card`: what is said behind an order, and what people found out by telephone."""

import argparse
import secrets
from typing import Any

import msgspec

from appliance.cli_node import add_node_arguments, request
from appliance.model import About, CardOutcome
from appliance.state import Delivery
from drivers.jsonsocket import Client

ANSWERS = ("accepted", "declined", "told")


def add_verbs(verbs: Any) -> None:
    """The verbs' parsers, beneath `siaga alert`."""
    clear = verbs.add_parser("all-clear", help="say all clear, or false alarm, to everybody who was told")
    clear.add_argument("alert", help="its id; an alert that is open is stopped first")
    clear.add_argument("--false-alarm", action="store_true", help="it was none")
    clear.add_argument("--text", default="", help="words of your own behind it")
    contact = verbs.add_parser("contact", help="note what a contact told you on the phone")
    contact.add_argument("alert", help="its id")
    contact.add_argument("contact", help="the contact's id in the site file")
    contact.add_argument("answer", choices=ANSWERS)
    card = verbs.add_parser("card", help="note what came of a PHONE card")
    card.add_argument("alert", help="its id")
    card.add_argument("outcome", choices=[o.value for o in CardOutcome], help="sent: nobody answered, somebody drives")
    card.add_argument("station", nargs="*", help="none: all stations whose cards wait")
    card.add_argument("--text", default="", help="who answered, who was sent")
    for verb in (clear, contact, card):
        add_node_arguments(verb, again=True)


async def all_clear(client: Client, options: argparse.Namespace, login: dict[str, Any]) -> int:
    about = About.FALSE_ALARM if options.false_alarm else About.ALL_CLEAR
    key = secrets.token_hex(8)
    done = await request(client, "alert.tell", alert=options.alert, about=about, text=options.text, key=key, **login)
    print(_said(done, f"{about.replace('_', ' ')}: on its way to everybody who was told", "it was said already"))
    return 0


async def contact(client: Client, options: argparse.Namespace, login: dict[str, Any]) -> int:
    fields = {"alert": options.alert, "contact": options.contact, "answer": options.answer}
    done = await request(client, "alert.contact", **fields, **login)
    print(_said(done, "noted", "it was noted already"))
    return 0


async def card(client: Client, options: argparse.Namespace, login: dict[str, Any]) -> int:
    fields = {"alert": options.alert, "stations": options.station, "outcome": options.outcome, "text": options.text}
    done = await request(client, "alert.card", **fields, **login)
    print(_said(done, f"noted for {', '.join(done['stations'])}", "it was noted already"))
    return 0


def _said(done: dict[str, Any], news: str, old: str) -> str:
    return (old if done["repeated"] else news) + ("" if done["durable"] else "; it is NOT on disk yet")


def contact_lines(alert: dict[str, Any]) -> list[str]:
    """What became of each contact, and of each station's words."""
    said = []
    for name, c in alert.get("contacts", {}).items():
        how = " ".join(filter(None, [f"by {c['path']}" if c["path"] else "", f"({c['by']})" if c["by"] else ""]))
        said.append(f"  {name:<20} {c['state']} {how} {c['reason']}".rstrip())
        for about, note in c["notes"].items():
            state = f"reached by {note['path']}" if note["reached"] else note["unreached"] or "on its way"
            said.append(f"  {'':<20} {about}: {state}")
    for group, taken in alert.get("taken", {}).items():
        said.append(f"  {group:<20} {taken + ' accepted' if taken else 'NOBODY accepted; phone them'}")
    for name, d in msgspec.convert(alert["deliveries"], dict[str, Delivery]).items():
        said += [f"  {name:<20} {about}: told" for about in d.told]
        said += [f"  {name:<20} {about}: NOT told ({why}); phone them" for about, why in d.untold.items()]
    return said
