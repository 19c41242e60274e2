"""`siaga wiring`: the pin header and the terminals of a site file, as text or as a drawing for the box's door."""

import argparse
import sys
from pathlib import Path

from appliance.cli import say_no
from appliance.cli_node import NoNode, add_node_arguments, site_file
from appliance.config import SiteError, load_site
from appliance.page_words import load_page_words
from appliance.wiring_plan import plan_of
from appliance.wiring_svg import svg_of
from appliance.wiring_text import text_of


def add_arguments(_name: str, parser: argparse.ArgumentParser) -> None:
    add_node_arguments(parser)
    parser.add_argument("--svg", type=Path, metavar="FILE", help="write the drawing there; - for standard output")
    parser.add_argument("--language", choices=("id", "en"), help="default: the site's")
    parser.set_defaults(run=_draw)


def _draw(options: argparse.Namespace) -> int:
    try:
        site = load_site(site_file(options))
    except (SiteError, NoNode) as e:
        return say_no(f"{e}\nNothing is drawn: a wrong site file is no plan to wire by.", code=2)
    plan, words = plan_of(site), load_page_words(options.language or site.language)
    if options.svg is None:
        print("\n".join(text_of(plan, words)))
        return 0
    if str(options.svg) == "-":
        sys.stdout.write(svg_of(plan, words))
        return 0
    try:
        options.svg.write_text(svg_of(plan, words))
    except OSError as e:
        return say_no(
            f"{options.svg} cannot be written ({e.strerror}); give another path, on a box below /tmp or a stick."
        )
    print(f"{options.svg}: print it on A4 and put it into the box's door.")
    return 0
