"""`siaga stations list | lock | unlock`: health, ways and lockouts of stations in a terminal."""

import argparse
from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec

from appliance.alert_view import PathView, StationHealthView
from appliance.cli_node import add_verbs, ask, log_in, request
from appliance.commands import LEAST_HOURS, LEAST_REASON, MOST_HOURS, MOST_REASON
from appliance.config import ZONES, Site
from appliance.page_words import load_page_words
from appliance.view import View
from drivers.jsonsocket import Client, Refusal

VERBS = {
    "list": "each station's ways, how long at worst they may be broken unknown, its faults (also without a word)",
    "lock": "take a station's siren out of service for a repair; the station itself refuses to sound it",
    "unlock": "give it back before its time",
}


def add_arguments(_name: str, parser: argparse.ArgumentParser) -> None:
    for verb, one in add_verbs(parser, VERBS):
        if verb != "list":
            one.add_argument("station")
        if verb == "lock":
            one.add_argument("--hours", type=_hours, required=True, help=f"{LEAST_HOURS} to {MOST_HOURS}")
            one.add_argument("--reason", type=_reason, required=True, help="and who works there")
    parser.set_defaults(run=_run, verb="list")


def _hours(text: str) -> float:
    try:
        hours = float(text)
    except ValueError:
        hours = 0.0
    if not LEAST_HOURS <= hours <= MOST_HOURS:  # nor a number that is none
        raise argparse.ArgumentTypeError(f"{text!r} is not between {LEAST_HOURS} and {MOST_HOURS} hours")
    return hours


def _reason(text: str) -> str:
    if not LEAST_REASON <= len(text) <= MOST_REASON:
        raise argparse.ArgumentTypeError(
            f"it has {len(text)} letters; write {LEAST_REASON} to {MOST_REASON}: the station shows them"
        )
    return text


def _run(options: argparse.Namespace) -> int:
    async def talk(client: Client, site: Site) -> int:
        login = await log_in(client, options)
        zone = ZONES[site.zone]
        match options.verb:
            case "lock":
                told = await request(
                    client, "siren.lock", station=options.station, hours=options.hours, reason=options.reason, **login
                )
                until = datetime.fromtimestamp(told["until"], zone)
                print(f"Locked until {until:%Y-%m-%d %H:%M}; `siaga stations` says when the station has confirmed it.")
            case "unlock":
                await request(client, "siren.unlock", station=options.station, **login)
                print("Unlocked; `siaga stations` says when the station has confirmed it.")
            case _:
                view = msgspec.convert(await request(client, "view"), View)
                if view.supervision is None:
                    raise Refusal("no_centre", "This box supervises no stations.", "Ask the centre.")
                names = {s.id: s.name for s in site.station}
                for station in view.supervision.stations:
                    print("\n".join(_station(station, names.get(station.station, station.station), zone)))
        return 0

    return ask(options, talk)


def _station(view: StationHealthView, name: str, zone: ZoneInfo) -> list[str]:
    words = load_page_words("en")
    rows = [f"{name} ({view.station})"]
    if (lockout := view.lockout) is not None:
        state = "confirmed by the station" if lockout.confirmed else "NOT CONFIRMED by the station yet"
        if lockout.ended is not None:
            state = "taken back, NOT CONFIRMED by the station yet"
        until = datetime.fromtimestamp(lockout.until, zone)
        rows.append(f"  LOCKED OUT until {until:%Y-%m-%d %H:%M} by {lockout.since.actor}: {lockout.reason}; {state}")
    rows += [f"  {_path(path, zone)}" for path in view.paths]
    health = view.health
    if health is None:
        return [*rows, "  health not heard yet"]
    figures = [
        f"heard {datetime.fromtimestamp(health.since.wall, zone):%Y-%m-%d %H:%M:%S} by {health.path}",
        f"supply {health.supply}" + (f" {health.supply_mv / 1000:.1f} V" if health.supply_mv else ""),
        f"battery {_figure(health.battery, 255, '%')}",
        f"disk free {_figure(health.disk_free_percent, 255, '%')}",
        f"clock {'---' if health.skew_s is None else f'{health.skew_s:+.1f} s'}",
        f"certificate {_figure(health.cert_days, 65535, 'days old')}",
        f"key {_figure(health.key_days, 65535, 'days old')}",
    ]
    faults = "; ".join(words.get(f"alarm.station.{fault}", fault) for fault in health.faults)
    return [*rows, f"  {', '.join(figures)}", f"  faults: {faults or 'none'}"]


def _path(path: PathView, zone: ZoneInfo) -> str:
    proven = (
        f"proven {datetime.fromtimestamp(path.proven.wall, zone):%Y-%m-%d %H:%M}" if path.proven else "never proven"
    )
    failed = f", FAILED since {datetime.fromtimestamp(path.failed.wall, zone):%Y-%m-%d %H:%M}" if path.failed else ""
    worst = "never" if path.worst_s is None else _span(path.worst_s)
    mark = "●" if path.usable else "✕"
    return f"{mark} {path.path:<6} {proven}{failed}; broken unknown for at worst {worst}"


def _span(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 3600:.1f} h" if seconds < 72 * 3600 else f"{seconds / 86400:.1f} days"


def _figure(value: int, unknown: int, unit: str) -> str:
    return "---" if value == unknown else f"{value} {unit}"
