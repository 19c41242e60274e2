"""`siaga modem export` and `replay`: a line's flight recording, out of the box and once more through the driver."""

import argparse
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from appliance.cli import say_no
from appliance.cli_node import NoNode, node
from appliance.config import SiteError
from drivers.modem.at import Prompt, Response, Urc
from drivers.modem.profile import Profile, ProfileError, load_profiles
from drivers.modem.recorder import Record, RecordingUnreadable, files_of, parse, written
from drivers.modem.redact import redacted
from drivers.modem.replay import Step, replay

PROFILES = Path(__file__).resolve().parent.parent / "firmware-config" / "modems"


def replay_file(options: argparse.Namespace) -> int:
    """Print what the driver makes of a recording; 1 when it has a flaw."""
    flaws = 0
    try:
        profiles = load_profiles(options.profiles)
        records = read(options.file)
        for step in steps(records, profiles):
            flaws += bool(step.flaw)
            if options.all or not isinstance(step.told, Response | Urc | Prompt):
                print(words(step))
    except (OSError, UnicodeDecodeError) as e:
        return say_no(f"{options.file}: cannot be read: {e}. Make one: siaga modem export LINE > FILE")
    except (RecordingUnreadable, ProfileError) as e:
        return say_no(f"{options.file}: {e} Is it what `siaga modem export` wrote?")
    print(f"{len(records)} records, {flaws} flaws" if flaws else f"{len(records)} records, no flaw")
    return 1 if flaws else 0


def read(file: Path) -> list[Record]:
    """Raises OSError, UnicodeDecodeError, RecordingUnreadable; also when there is no record in it."""
    records = list(parse(file.read_text("ascii")))
    if not records:
        raise RecordingUnreadable("it holds no record.")
    return records


def steps(records: Iterable[Record], profiles: Iterable[Profile]) -> Iterator[Step]:
    """The replay with what the line knew: the unasked lines of every make."""
    profiles = tuple(profiles)
    urcs = [name for profile in profiles for name in profile.urcs]
    return replay(records, urcs, [name for profile in profiles for name in profile.two_line_urcs])


def words(step: Step) -> str:
    """One step as one line."""
    said = f"FLAW {step.flaw}" if step.flaw else f"port {step.note}" if step.note else repr(step.told)
    return f"{step.at:.4f} {said}"


def export(options: argparse.Namespace) -> int:
    """The files of a line's recorder, older first, to standard output."""
    try:
        site, places = node(options)
    except (SiteError, NoNode) as e:
        return say_no(str(e), code=2)
    known = [line.id for line in site.line]
    if options.line not in known:
        return say_no(f"There is no line {options.line!r}; lines: {', '.join(known) or 'none'}.", code=2)
    files = [file for file in files_of(places.recordings / f"{options.line}.rec") if file.exists()]
    if not files:
        return say_no(f"{places.recordings}: nothing is recorded of {options.line} yet. Has core run since?")
    try:
        records = [record for file in files for record in parse(file.read_text("ascii"))]
    except PermissionError as e:
        return say_no(f"{e.filename}: only core's user and root may read it. Run this as root.")
    except (OSError, RecordingUnreadable) as e:
        return say_no(f"{places.recordings}: {e}")
    sys.stdout.write(written(records if options.raw else redacted(records)))
    return 0
