"""`siaga support`: one archive for who maintains the software: doctor, logs, journal's end, versions; no secrets."""

import argparse
import os
import tempfile
import time
from pathlib import Path

from appliance.cli import say_no
from appliance.cli_doctor import diagnose, rows
from appliance.cli_node import NoNode, add_node_arguments, site_file
from appliance.config import SiteError, load_site, places
from appliance.doctor import Patient
from appliance.support_pack import pack


def add_arguments(_name: str, parser: argparse.ArgumentParser) -> None:
    add_node_arguments(parser)
    parser.add_argument(
        "--out", type=Path, help="file to write (default: siaga-support-BOX-TIME.tar.gz here, else in /tmp)"
    )
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    try:
        file = site_file(options)
        site = load_site(file)
    except (SiteError, NoNode) as e:
        return say_no(str(e), code=2)
    patient = Patient(site, file, places(site, file))
    doctor = "\n".join(rows(diagnose(patient))) + "\n"
    out = options.out or _folder() / f"siaga-support-{site.id}-{time.strftime('%Y%m%d-%H%M%S')}.tar.gz"
    try:
        with os.fdopen(os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as archive:
            names = pack(patient, doctor, archive)
    except OSError as e:
        return say_no(f"{out} cannot be written ({e.strerror}). Give another place with --out.")
    print(
        f"{out.absolute()}: {len(names)} parts, {out.stat().st_size / 1e3:.0f} kB. Look through it before you send it."
    )
    return 0


def _folder() -> Path:
    """Here; a box's own system is read-only, root's folder too, and has RAM at /tmp."""
    here = Path()
    return here if os.access(here, os.W_OK) else Path(tempfile.gettempdir())
