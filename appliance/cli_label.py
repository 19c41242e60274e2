"""`siaga label`: the label of this box, to be printed and stuck on it and on the bag of its spare card."""

import argparse
from pathlib import Path

from appliance.box_record import NotSetUp, label
from appliance.cli import say_no
from appliance.keys import KeyFileError
from appliance.label import NoQr, svg


def add_arguments(_name: str, parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, default=Path("/data"), help="the data partition")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the SVG there instead of to the terminal")
    parser.set_defaults(run=_label)


def _label(options: argparse.Namespace) -> int:
    try:
        drawn = svg(label(options.data))
    except (NotSetUp, NoQr, KeyFileError, OSError) as e:
        return say_no(f"{e}")
    if not options.out:
        print(drawn, end="")
        return 0
    try:
        options.out.write_text(drawn)
    except OSError as e:
        return say_no(
            f"{options.out} cannot be written ({e.strerror}); give another path, on a box below /tmp or a stick."
        )
    print(f"{options.out}: print it at 100 %, once for the box, once for the spare card's bag.")
    return 0
