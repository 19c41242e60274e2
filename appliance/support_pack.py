"""What a maintainer needs to find a fault from afar, in one archive: doctor, site file, journal, logs, versions."""

import hashlib
import io
import os
import platform
import sqlite3
import subprocess
import tarfile
import tomllib
from collections.abc import Iterator
from importlib.metadata import distributions
from pathlib import Path
from typing import BinaryIO

import msgspec
import tomli_w

from appliance.doctor import Patient
from appliance.journal_file import JournalUnreadable, read_entries
from appliance.support_mask import masked, masked_text
from drivers.modem.recorder import RecordingUnreadable, files_of, parse, written
from drivers.modem.redact import redacted

ROWS = 3000  # of the journal
LOGGED = ("-n", "5000", "-o", "short-iso-precise")  # lines of each unit
UNITS = ("annunciator", "core", "audio", "web", "first-boot", "mark-good", "backup", "self-test")
SYSTEM = (
    ("cat", "/etc/os-release", "/proc/cmdline"),
    ("systemctl", "--failed", "--no-pager"),
    ("rauc", "status"),
    ("networkctl", "status", "--no-pager"),
    ("df", "-h"),
)
WITHIN = 20.0  # s for another program
READ_ME = """What the box {box} says of itself, without secrets: no keys, PINs, passwords, texts; numbers of people
keep their last three digits. `sums.txt` has the SHA-256 of each file. Look through it before you send it.
"""


def pack(patient: Patient, doctor: str, archive: BinaryIO) -> list[str]:
    """Write a tar.gz; the names in it. A part that cannot be read is in it as the reason why."""
    names, sums = [], []
    with tarfile.open(fileobj=archive, mode="w:gz") as tar:
        for name, text in _parts(patient, doctor):
            octets = text.encode(errors="replace")
            _add(tar, name, octets)
            names.append(name)
            sums.append(f"{hashlib.sha256(octets).hexdigest()}  {name}\n")
        _add(tar, "sums.txt", "".join(sums).encode())
    return names


def _add(tar: tarfile.TarFile, name: str, octets: bytes) -> None:
    entry = tarfile.TarInfo(f"siaga-support/{name}")
    entry.size, entry.mode = len(octets), 0o600
    tar.addfile(entry, io.BytesIO(octets))


def _parts(patient: Patient, doctor: str) -> Iterator[tuple[str, str]]:
    yield "README.txt", READ_ME.format(box=patient.site.id)
    yield "doctor.txt", masked_text(doctor)
    yield "site.toml", _site(patient)
    yield "versions.txt", _versions()
    yield "journal.jsonl", _journal(patient)
    yield "system.txt", masked_text("".join(_printed(*asked) for asked in SYSTEM))
    for unit in UNITS:
        yield f"log-{unit}.txt", masked_text(_printed("journalctl", "-u", f"siaga-{unit}", *LOGGED))
    yield "kernel.txt", masked_text(_printed("journalctl", "-k", "-b", *LOGGED))
    for line in patient.site.line:
        for file in files_of(patient.where.recordings / f"{line.id}.rec"):
            if file.exists():
                yield f"modem-{file.name}", _recording(file)


def _site(patient: Patient) -> str:
    return tomli_w.dumps(masked(tomllib.loads(patient.file.read_text())))


def _versions() -> str:
    own = sorted(f"{d.metadata['Name']} {d.version}" for d in distributions())
    debian = _printed("dpkg-query", "-W")
    return "\n".join([f"{platform.platform()}, Python {platform.python_version()}", *own, "", debian])


def _journal(patient: Patient) -> str:
    file = patient.where.journal
    stopped = patient.view is None and not os.access(f"{file}-shm", os.W_OK)
    rows = []
    try:
        for entry in read_entries(file, last=ROWS, stopped=stopped):
            told = msgspec.to_builtins(entry) | {"body": masked(msgspec.json.decode(entry.body))}
            told["subject"], told["actor"] = masked_text(entry.subject), masked_text(entry.actor)
            rows.append(msgspec.json.encode(told).decode())
    except (JournalUnreadable, sqlite3.Error, msgspec.DecodeError) as e:
        rows.append(f"unreadable: {e}")
    return "\n".join(rows) + "\n"


def _recording(file: Path) -> str:
    try:
        return written(redacted(list(parse(file.read_text()))))
    except (RecordingUnreadable, OSError) as e:
        return f"unreadable: {e}\n"


def _printed(*command: str) -> str:
    try:
        done = subprocess.run(command, capture_output=True, timeout=WITHIN, check=False)
    except (OSError, subprocess.TimeoutExpired) as e:
        return f"{command[0]} cannot be asked: {e}\n"
    return done.stdout.decode(errors="replace") + done.stderr.decode(errors="replace")
