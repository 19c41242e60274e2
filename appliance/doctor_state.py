"""The doctor at what the box remembers: site file, key, people, journal."""

import os
import sqlite3
import stat
from collections.abc import Iterator

import msgspec

from appliance.doctor import Finding, Patient, bad, good, warn
from appliance.entry import Entry
from appliance.journal import follow_chain
from appliance.journal_file import JournalUnreadable, read_entries
from appliance.keys import KeyFileError, load_key
from appliance.people import read_people

SAMPLED = 2000  # rows from the journal's end; --self-test reads all


def site(patient: Patient) -> Iterator[Finding]:
    """It was loaded, and so is right; who may change it is another matter."""
    mode = stat.S_IMODE(patient.file.stat().st_mode)
    if mode & 0o022:
        yield bad("site file", f"{patient.file}: mode {mode:04o} lets others change it", f"chmod 640 {patient.file}")
    else:
        yield good("site file", str(patient.file))
    placeholders = [line.id for line in patient.site.line if line.number.startswith("+620")]
    if placeholders:
        yield warn(
            "site file", f"lines {', '.join(placeholders)} have placeholder numbers", "Enter the SIMs' own numbers."
        )


def key(patient: Patient) -> Iterator[Finding]:
    """The key by which it is believed."""
    try:
        load_key(patient.where.key)
    except KeyFileError as e:
        yield bad("key", str(e), "siaga backup restore has it; without a backup: siaga keys enrol (docs/keys.md)")
    else:
        yield good("key", str(patient.where.key))


def people(patient: Patient) -> Iterator[Finding]:
    """Who may log in."""
    try:
        known = read_people(patient.where.people)
    except (OSError, msgspec.DecodeError) as e:
        yield bad("people", f"{patient.where.people}: {e}", "Restore it, or: siaga people password NAME")
        return
    if known:
        yield good("people", f"{len(known)} may log in")
    else:
        yield warn("people", "nobody can log in", "siaga people password NAME --role supervisor")


def journal(patient: Patient) -> Iterator[Finding]:
    """Its newest rows chain to each other, or with `whole` all of them from the first."""
    file = patient.where.journal
    if not file.exists():
        yield bad("journal", f"{file} is not there", "Core's first start makes it; else restore last night's backup.")
        return
    last = None if patient.whole else SAMPLED
    stopped = patient.view is None and not os.access(f"{file}-shm", os.W_OK)
    try:
        rows = list(read_entries(file, last=last, stopped=stopped))
    except (JournalUnreadable, sqlite3.Error) as e:
        yield bad("journal", str(e), "siaga journal verify; keep the file, it is the record.")
        return
    if wrong := follow_chain(rows, None if patient.whole else _before(rows)):
        yield bad("journal", wrong, "Copy it away before anything else: somebody or the disk changed the record.")
    elif rows:
        sampled = "all rows" if patient.whole else f"the last {len(rows)} rows"
        yield good("journal", f"{sampled} chain; head {rows[-1].hash[:16]}…")


def _before(rows: list[Entry]) -> Entry | None:
    """What stands for the row before the first one read: only its number and hash count."""
    if not rows:
        return None
    return msgspec.structs.replace(rows[0], seq=rows[0].seq - 1, hash=rows[0].prev)
