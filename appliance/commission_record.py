"""What the technician answered, kept from one walk to the next, and printed to be signed.

It is a file beside the journal and not in it: most of the walk is made with core stopped.
"""

import os
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

import msgspec

from appliance.commission_plan import Step
from appliance.keys import sync_directory
from appliance.page_words import Words

FILE = "commission.json"
MARKS = {"yes": "✓", "no": "✗", "skipped": "–"}


Said = Literal["yes", "no", "skipped"]


class Answer(msgspec.Struct, frozen=True):
    """`seen`: what the box itself measured meanwhile. `wall`: seconds since 1970 by the box's clock."""

    said: Said
    by: str
    wall: float
    note: str = ""
    seen: str = ""


class Record(msgspec.Struct):
    site: str
    id: str
    answers: dict[str, Answer] = {}


class RecordRefused(Exception):
    """The file is there and is not this box's record; the text says what to do."""


def load(folder: Path, site: str, box: str) -> Record:
    """What was answered so far; an empty record where there is none. Raises RecordRefused."""
    file = folder / FILE
    try:
        record = msgspec.json.decode(file.read_bytes(), type=Record)
    except FileNotFoundError:
        return Record(site, box)
    except (OSError, msgspec.DecodeError) as e:
        raise RecordRefused(f"{file}: {e}. Move it away to begin anew.") from e
    if (record.site, record.id) != (site, box):
        raise RecordRefused(f"{file} is the record of {record.id} of {record.site}. Move it away to begin anew.")
    return record


def save(folder: Path, record: Record) -> None:
    """Whole or not at all, also when the plug is pulled. Raises OSError."""
    file = folder / FILE
    new = file.with_suffix(".new")
    with new.open("wb") as written:
        written.write(msgspec.json.format(msgspec.json.encode(record)))
        written.flush()
        os.fsync(written.fileno())
    new.replace(file)
    sync_directory(folder)


def open_steps(steps: Sequence[Step], record: Record) -> list[Step]:
    """Those that were not answered with yes."""
    return [s for s in steps if s.id not in record.answers or record.answers[s.id].said != "yes"]


def rows_of(steps: Sequence[Step], record: Record, name: str, zone: ZoneInfo, words: Words) -> list[str]:
    """The record as lines of text. What was never asked stands there as such."""
    left = len(open_steps(steps, record))
    rows = [f"{words['commission.record']}: {name} ({record.id}, {record.site})", ""]
    for step in steps:
        answer = record.answers.get(step.id)
        mark = MARKS[answer.said] if answer else "□"
        rows.append(f"{mark} {label(step, words)}")
        if answer:
            when = datetime.fromtimestamp(answer.wall, zone).strftime("%Y-%m-%d %H:%M")
            told = "; ".join(filter(None, (answer.seen, answer.note)))
            rows.append(f"    {when} {answer.by}" + (f": {told}" if told else ""))
    done = words["commission.complete"] if not left else words["commission.left"].format(count=left)
    return [*rows, "", done, "", f"{words['commission.signed']}: ______________________________"]


def label(step: Step, words: Words) -> str:
    """What a step is about, as "Output siren (X1:1-2, siren)"."""
    if step.kind == "meter":
        return words[f"commission.meter.{step.name}"]
    what = words[f"commission.kind.{step.kind}"]
    if step.wire:
        return f"{what} {step.name} ({step.wire.place}, {words[f'wiring.kind.{step.wire.word}']})"
    return f"{what} {step.name}"
