"""`siaga commission`: walks a technician through every input, output, line and bus, a yes or no each; then prints it.

What moves pins is asked with core stopped, what core sees with core running; run it once each. What was answered with
yes is not asked again.
"""

import argparse
import getpass
import sys
from pathlib import Path

import msgspec

from appliance.cli import say_no
from appliance.cli_commission_walk import Person, Quit, Walk
from appliance.cli_node import NoNode, add_node_arguments, request, site_file
from appliance.commission_hand import Hand, NoAnnunciator
from appliance.commission_plan import AT_PINS, OF_CORE, Step, steps_of
from appliance.commission_record import Answer, Record, RecordRefused, load, open_steps, rows_of, save
from appliance.config import ZONES, Places, Site, SiteError, load_site, places
from appliance.page_words import Words, load_page_words
from appliance.view import View
from drivers.clock import Clock
from drivers.jsonsocket import Client, Gone, Refusal


def add_arguments(_name: str, parser: argparse.ArgumentParser) -> None:
    add_node_arguments(parser)
    parser.add_argument("--record", action="store_true", help="print what was answered so far, to be signed")
    parser.add_argument("--again", action="store_true", help="ask also what was answered with yes")
    parser.add_argument("--by", default=getpass.getuser(), help="who answers (default: the login's name)")
    parser.add_argument("--language", choices=("id", "en"), help="default: the site's")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    try:
        file = site_file(options)
        site = load_site(file)
        folder = places(site, file).state
        record = load(folder, site.site, site.id)
    except (SiteError, NoNode, RecordRefused) as e:
        return say_no(str(e), code=2)
    words = load_page_words(options.language or site.language)
    steps = steps_of(site)
    if not options.record:
        socket = file.resolve().parent / site.annunciator.socket
        try:
            Clock.from_environment().run(_walk(options, site, places(site, file), socket, record, words))
        except (NoAnnunciator, Gone, Refusal) as e:
            return say_no(str(e))
        except OSError as e:
            return say_no(f"The record cannot be written in {folder} ({e.strerror}). Run this as root.")
    print("\n".join(rows_of(steps, record, site.name, ZONES[site.zone], words)))
    return 1 if open_steps(steps, record) else 0


async def _walk(
    options: argparse.Namespace, site: Site, where: Places, socket: Path, record: Record, words: Words
) -> None:
    steps = steps_of(site) if options.again else open_steps(steps_of(site), record)
    view = await _view(where.control)
    later = AT_PINS if view else OF_CORE
    person = await Person.at(sys.stdin, words)
    walk = Walk(site, person, view, lambda s, a: _keep(where.state, record, s, a), options.by)
    try:
        asked = [s for s in steps if s.kind not in later]
        if view or not any(s.kind in AT_PINS for s in asked):
            await walk.through(asked, None)
        else:
            async with Hand(socket) as hand:
                await walk.through(asked, hand)
    except Quit:
        person.tell(words["commission.kept"])
    if any(s.kind in later for s in steps):
        person.tell(words["commission.stop_core" if view else "commission.start_core"])


def _keep(folder: Path, record: Record, step: Step, answer: Answer) -> None:
    record.answers[step.id] = answer
    save(folder, record)


async def _view(control: Path) -> View | None:
    """What core sees; None where no core runs."""
    client = Client(control)
    try:
        await client.connect()
        return msgspec.convert(await request(client, "view"), View)
    except Gone:
        return None
    finally:
        client.close()
