"""`siaga alarms`: what stands, what is hidden and why, what was; acknowledge, shelve, out of service, silence."""

import argparse
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from appliance.alarm_commands import MOST_SHELVED_MIN
from appliance.alarm_view import AlarmView
from appliance.cli_node import add_login_argument, add_node_arguments, ask, log_in, request
from appliance.config import ZONES, Site
from appliance.page_words import Words, load_page_words
from appliance.view import EntryView, View
from drivers.jsonsocket import Client

# verb: (operation, its arguments, help)
VERBS = {
    "ack": ("alarm.acknowledge", ("alarm", "about"), "I have seen it"),
    "shelve": ("alarm.shelve", ("alarm", "about", "minutes", "reason"), "put it aside for some minutes, with a reason"),
    "unshelve": ("alarm.unshelve", ("alarm", "about"), "take it off the shelf"),
    "out": ("alarm.out_of_service", ("alarm", "reason"), "out of service until somebody ends it"),
    "in": ("alarm.in_service", ("alarm",), "in service again"),
    "silence": ("alarm.silence", (), "the buzzer is quiet until a new alarm"),
}
ARGUMENTS = {
    "alarm": "its code, as `siaga alarms` shows it: genset.fail_to_start",
    "about": "the thing that it is about, as shown behind the code: genset",
    "minutes": f"for how long, 1 to {MOST_SHELVED_MIN}; then it comes back by itself",
    "reason": "why, for who comes after: 3 letters or more",
}
FILTERS = {
    "alarm": "a code, or its beginning: genset.",
    "about": "a thing: genset",
    "what": "raised, acknowledged, cleared, shelved, notified, ...",
    "actor": "who did it",
    "day": "2026-11-22 or 2026-11",
}


def add_arguments(_name: str, parser: argparse.ArgumentParser) -> None:
    add_node_arguments(parser)
    add_login_argument(parser)
    verbs = parser.add_subparsers(dest="verb", metavar="list|history|codes|" + "|".join(VERBS))
    verbs.add_parser("list", help="what stands, the most urgent first (also without a word)")
    history = verbs.add_parser("history", help="what was, newest first")
    verbs.add_parser("codes", help="every alarm that there is, by code, in words")
    for name, text in FILTERS.items():
        history.add_argument(f"--{name}", default="", help=text)
    history.add_argument("--priority", type=int, choices=(1, 2, 3), default=0)
    history.add_argument("-n", dest="last", type=int, default=50, help="how many (default 50)")
    for verb, (_, names, text) in VERBS.items():
        made = verbs.add_parser(verb, help=text)
        for name in names:
            made.add_argument(name, type=_minutes if name == "minutes" else str, help=ARGUMENTS[name])
        if verb == "ack":
            made.add_argument("--note", default="", help="what you know of it, for who comes after")
        if verb in ("out", "in"):
            made.add_argument("--about", default="", help="of this thing alone; else all of the code")
    for made in verbs.choices.values():
        add_node_arguments(made, again=True)
        add_login_argument(made, again=True)
    parser.set_defaults(run=_run, verb="list")


def _minutes(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= MOST_SHELVED_MIN:
        raise argparse.ArgumentTypeError(f"{text}: give 1 to {MOST_SHELVED_MIN} minutes")
    return int(text)


def _run(options: argparse.Namespace) -> int:
    if options.verb == "codes":
        for key, text in sorted(load_page_words("en").items()):
            if key.startswith("alarm."):
                print(f"{key.removeprefix('alarm.'):<28} {text}")
        return 0

    async def talk(client: Client, site: Site) -> int:
        zone = ZONES[site.zone]
        if options.verb == "list":
            print("\n".join(lines(msgspec.convert(await request(client, "view"), View), zone)))
            return 0
        login = await log_in(client, options)
        if options.verb == "history":
            wanted = {name: getattr(options, name) for name in (*FILTERS, "priority", "last")}
            if wanted["what"] and not wanted["what"].startswith("alarm."):
                wanted["what"] = f"alarm.{wanted['what']}"
            told = await request(client, "alarm.list", **wanted, **login)
            rows = msgspec.convert(told["rows"], list[EntryView])
            print("\n".join(row_line(row, zone) for row in rows) or "No alarm on record fits.")
            if told["more"]:
                print("There are more: -n, or a filter.")
            return 0
        do, names, _ = VERBS[options.verb]
        fields: dict[str, Any] = {name: getattr(options, name) for name in names}
        fields |= {name: getattr(options, name) for name in ("note", "about") if hasattr(options, name)}
        told = await request(client, do, **fields, **login)
        print("It was so already." if told.get("repeated") else "Done.")
        return 0

    return ask(options, talk)


def lines(view: View, zone: ZoneInfo) -> list[str]:
    """What stands; what follows from it below it; then the shelf, what is out of service, and the load."""
    said = []
    words = load_page_words("en")
    known = {alarm.key for alarm in view.alarms}
    for alarm in view.alarms:
        if alarm.under in known:
            continue
        said.append(_line(alarm, zone, words))
        said += [f"     └ {_line(below, zone, words)}" for below in view.alarms if below.under == alarm.key]
    if not said:
        said = ["no alarms"]
    summary = view.alarm_summary
    if summary.forgotten:
        said.append(f"{summary.forgotten} more are over and were seen by nobody: siaga alarms history")
    said += [
        f"shelved         {s.alarm} {s.about} until {_when(s.until, zone)}, {s.by}: {s.reason}" for s in summary.shelved
    ]
    said += [
        f"out of service  {o.alarm} {o.about or '(all)'} since {_when(o.since, zone)}, {o.by}: {o.reason}"
        for o in summary.out
    ]
    flood = f", FLOOD since {_when(summary.flood_since, zone)}" if summary.flood and summary.flood_since else ""
    said.append(f"load            {summary.last_10min} in ten minutes, {sum(summary.hours)} in 24 h{flood}")
    if summary.rota:
        said.append("on duty         " + (", ".join(f"{d.person} ({d.level})" for d in summary.rota if d.on)))
    if summary.sounding or summary.silenced_by:
        said.append("buzzer          " + (f"silenced by {summary.silenced_by}" if summary.silenced_by else "SOUNDS"))
    return said


def _line(alarm: AlarmView, zone: ZoneInfo, words: Words) -> str:
    marks = [
        word for word, on in (("first", alarm.first_out), ("chatters", alarm.chattering), (alarm.reason, True)) if on
    ]
    told = ", ".join(dict.fromkeys(told.person for told in alarm.told if told.message))
    state = alarm.condition.upper() if alarm.condition == "unacknowledged" else alarm.condition
    more = "; ".join(filter(None, [*marks, f"told {told}" if told else "", alarm.note]))
    text, when = words.get(f"alarm.{alarm.alarm}", alarm.alarm), _when(alarm.since.wall, zone)
    return f"▲ P{alarm.priority} {text}: {alarm.alarm} {alarm.about} ({state}) {when} {more}".rstrip()


def row_line(row: EntryView, zone: ZoneInfo) -> str:
    """A row of the history."""
    more = " ".join(f"{k}={v}" for k, v in row.body.items() if v not in ("", False) and k not in ("alarm", "about"))
    kind = row.kind.removeprefix("alarm.")
    return f"{row.seq:>8} {_when(row.wall, zone)} {kind:<14} {row.subject} {row.actor} {more}".rstrip()


def _when(wall: float, zone: ZoneInfo) -> str:
    return datetime.fromtimestamp(wall, zone).strftime("%Y-%m-%d %H:%M:%S")
