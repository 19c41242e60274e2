"""`siaga tests list | calendar | run | report | record`: tests of stations in a terminal, and their record on paper."""

import argparse
import asyncio
import secrets
from datetime import datetime
from typing import Any

import msgspec

from appliance.alert_state import StationTest
from appliance.alert_view import TestsView
from appliance.cli_node import add_verbs, ask, log_in, request
from appliance.cli_tests_words import calendar, counts, record, report, result_word, runs
from appliance.commands import TESTS
from appliance.config import ZONES, Site
from appliance.view import View
from drivers.jsonsocket import Client, Refusal

VERBS = {
    "list": "the last runs (also without a word)",
    "calendar": "what is due when, and what was missed",
    "run": "run a test now, and wait for its end",
    "report": "what failed or did not run since the last morning's report",
    "record": "one run as a record to be printed: the last sounding test, or --run ID",
}
LOOK_S = 1.0  # s between looks at a run


def add_arguments(_name: str, parser: argparse.ArgumentParser) -> None:
    for verb, one in add_verbs(parser, VERBS):
        if verb == "run":
            one.add_argument("test", choices=TESTS, help="silent and sms_probe energise nothing; sounding DOES")
            one.add_argument("station", nargs="*", help="station ids; none: all")
            one.add_argument("--no-wait", action="store_true", help="do not wait for its end")
        if verb == "record":
            one.add_argument("--run", dest="id", default="", help="id of the run")
    parser.set_defaults(run=_run, verb="list")


def _run(options: argparse.Namespace) -> int:
    async def talk(client: Client, site: Site) -> int:
        login = await log_in(client, options)
        if options.verb == "run":
            return await _begin(client, site, options, login)
        tests = msgspec.convert(await request(client, "test.list", last=60, **login), TestsView)
        zone = ZONES[site.zone]
        names = {s.id: s.name for s in site.station}
        match options.verb:
            case "calendar":
                rows = calendar(tests, zone)
            case "report":
                rows = report(tests, names, zone)
            case "record":
                run = await _whole(client, options.id or _last_sounding(tests), login)
                view = msgspec.convert(await request(client, "view"), View)
                rows = record(run, names, view, zone)
            case _:
                rows = runs(tests, zone)
        print("\n".join(rows))
        return 0

    return ask(options, talk)


def _last_sounding(tests: TestsView) -> str:
    found = next((run.id for run in tests.runs if run.what == "sounding"), "")
    if not found:
        raise Refusal("no_test", "No sounding test is on record.", "Name a run: siaga tests list, then --run ID")
    return found


async def _whole(client: Client, run: str, login: dict[str, Any]) -> StationTest:
    return msgspec.convert((await request(client, "test.list", run=run, **login))["run"], StationTest)


async def _begin(client: Client, site: Site, options: argparse.Namespace, login: dict[str, Any]) -> int:
    told = await request(
        client, "test.run", test=options.test, stations=options.station, key=secrets.token_hex(8), **login
    )
    run = await _whole(client, told["test"], login)
    begun = datetime.fromtimestamp(run.begun.wall, ZONES[site.zone])
    print(f"Test {run.id} began at {begun:%H:%M:%S}.", flush=True)
    if options.no_wait:
        return 0
    said = 0
    while True:
        run = await _whole(client, told["test"], login)
        for line in run.lines[said:]:
            print(f"{line.station:<20} {line.path:<6} {result_word(line)} {line.reason}".rstrip(), flush=True)
        said = len(run.lines)
        if run.ended is not None:
            print(f"{counts(run)}.")
            return 1 if run.bad else 0
        await asyncio.sleep(LOOK_S)
