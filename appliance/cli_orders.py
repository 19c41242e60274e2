"""`siaga alert sound | stop | all-clear | contact | card | list`: orders from the console or by name and password."""

import argparse
import secrets
from typing import Any

import msgspec

from appliance.cli_alert_rows import alert_rows
from appliance.cli_alert_tell import add_verbs, all_clear, card, contact
from appliance.cli_node import add_login_argument, add_node_arguments, ask, log_in, request
from appliance.config import ZONES, Site
from appliance.incident_codes import INCIDENTS
from appliance.model import AlertKind, Pattern
from appliance.view import View
from drivers.jsonsocket import Client

SETTLED = ("energised", "proven", "ended", "refused", "expired", "cancelled", "failed")


def add_arguments(_name: str, parser: argparse.ArgumentParser) -> None:
    add_node_arguments(parser)
    add_login_argument(parser)
    verbs = parser.add_subparsers(dest="verb", metavar="sound|stop|all-clear|contact|card|list", required=True)
    sound = verbs.add_parser("sound", help="sound sirens and say what each station does")
    sound.add_argument("station", nargs="*", help="stations' ids, `id/zone`, or `all`")
    sound.add_argument("--group", action="append", default=[], help="a group of the site file; may be given again")
    sound.add_argument("--contact", action="append", default=[], help="a contact; may be given again")
    sound.add_argument("--text", default="", help="place and words, for stations and contacts")
    sound.add_argument("--incident", choices=INCIDENTS.values(), help="what happened: stations show and speak it")
    sound.add_argument("--language", choices=("id", "en"), default="id", help="of the text")
    sound.add_argument("--priority", type=int, choices=(1, 2, 3), default=2, help="1: by every path at once")
    sound.add_argument("--pattern", choices=[p.value for p in Pattern], default="wail")
    sound.add_argument("--seconds", type=int, default=60)
    sound.add_argument("--kind", choices=[k.value for k in AlertKind], default="actual")
    sound.add_argument("--no-wait", action="store_true", help="do not wait for the stations' answers")
    stop = verbs.add_parser("stop", help="end alerts")
    stop.add_argument("alert", nargs="*", help="alert ids; none: all open ones")
    listed = verbs.add_parser("list", help="alerts and what each station did")
    add_verbs(verbs)
    for verb in (sound, stop, listed):
        add_node_arguments(verb, again=True)
    parser.set_defaults(run=_run, refuse=sound.error)


def _run(options: argparse.Namespace) -> int:
    if options.verb == "sound" and not (options.station or options.group or options.contact):
        options.refuse("name a station, a --group or a --contact")

    async def talk(client: Client, site: Site) -> int:
        login = await log_in(client, options)
        if options.verb == "sound":
            return await _sound(client, site, options, login)
        if options.verb == "all-clear":
            return await all_clear(client, options, login)
        if options.verb == "contact":
            return await contact(client, options, login)
        if options.verb == "card":
            return await card(client, options, login)
        if options.verb == "stop":
            done = await request(client, "alert.stop", alerts=options.alert, via="command", **login)
            print(f"stop ordered: {', '.join(done['alerts']) or 'nothing was open'}")
        else:
            print("\n".join(alert_rows(msgspec.convert(await request(client, "view"), View), ZONES[site.zone])))
        return 0

    return ask(options, talk)


def stations_named(site: Site, given: list[str]) -> list[str]:
    """`all` stands for every station, also among others: a hand in a hurry writes both."""
    return [station for name in given for station in ([s.id for s in site.station] if name == "all" else [name])]


async def _sound(client: Client, site: Site, options: argparse.Namespace, login: dict[str, Any]) -> int:
    stations = stations_named(site, options.station)
    done = await request(
        client, "alert.issue", stations=stations, pattern=options.pattern, seconds=options.seconds,
        alert_kind=options.kind, key=secrets.token_hex(8), via="command", groups=options.group,
        contacts=options.contact, text=options.text, language=options.language, priority=options.priority,
        incident_code=next((code for code, name in INCIDENTS.items() if name == options.incident), 0), **login,
    )  # fmt: skip
    print(f"alert {done['alert']} sent" + ("" if done["durable"] else ", but it is not on disk yet"))
    if options.no_wait:
        return 0
    import asyncio

    alert: dict[str, Any] = {}
    for _ in range(100):
        found = [a for a in (await request(client, "view"))["alerts"] if a["id"] == done["alert"]]
        alert = found[0] if found else {}
        if alert and all(d["state"] in SETTLED for d in alert["deliveries"].values()):
            break
        await asyncio.sleep(0.2)
    view = msgspec.convert(await request(client, "view"), View)
    print("\n".join(alert_rows(view, ZONES[site.zone], only=done["alert"])))
    proven = all(d["state"] in ("energised", "proven", "ended") for d in alert.get("deliveries", {}).values())
    return 0 if proven or options.kind in ("silent_test", "drill") else 1
