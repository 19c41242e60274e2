"""`siaga doctor`: each device, port, clock, disk, key, unit of a box, with what to do. It changes nothing."""

import argparse
import sys
from collections.abc import Sequence

import msgspec

from appliance import doctor_box, doctor_processes, doctor_state, doctor_things
from appliance.cli import say_no
from appliance.cli_node import NoNode, add_node_arguments, site_file
from appliance.config import SiteError, load_site, places
from appliance.doctor import Check, Finding, Patient, examine, in_thread
from drivers.clock import Clock

MARKS = {"good": "✓", "warn": "!", "bad": "✗"}
# What a system slot must show before it is believed after an update.
HEALTH: tuple[tuple[str, Check], ...] = (
    ("annunciator", doctor_processes.annunciator),
    ("core", doctor_processes.core),
    ("journal", in_thread(doctor_state.journal)),
    ("page", doctor_processes.page),
)
WHOLE: tuple[tuple[str, Check], ...] = (
    *HEALTH,
    ("units", doctor_processes.units),
    ("site file", in_thread(doctor_state.site)),
    ("key", in_thread(doctor_state.key)),
    ("people", in_thread(doctor_state.people)),
    ("ports", in_thread(doctor_things.ports)),
    ("core's view", in_thread(doctor_things.seen_by_core)),
    ("clock", in_thread(doctor_box.clock)),
    ("disk", in_thread(doctor_box.disk)),
    ("board", in_thread(doctor_box.board)),
    ("system", in_thread(doctor_box.slot)),
    ("config.txt", in_thread(doctor_box.firmware)),
)


def add_arguments(_name: str, parser: argparse.ArgumentParser) -> None:
    add_node_arguments(parser)
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--health", action="store_true", help="only: annunciator, core, journal, page")
    which.add_argument("--self-test", action="store_true", help="also read the journal from its first row")
    parser.add_argument("--json", action="store_true", help="for programs")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    try:
        file = site_file(options)
        site = load_site(file)
    except (SiteError, NoNode) as e:
        return say_no(str(e), code=2)
    patient = Patient(site, file, places(site, file), whole=options.self_test)
    found = diagnose(patient, HEALTH if options.health else WHOLE)
    if options.json:
        sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(found)) + b"\n")
    else:
        print("\n".join(rows(found)))
    return 1 if any(f.health == "bad" for f in found) else 0


def diagnose(patient: Patient, checks: Sequence[tuple[str, Check]] = WHOLE) -> list[Finding]:
    """All findings, in the order in which a technician would look."""
    return Clock.from_environment().run(examine(patient, checks))


def rows(found: Sequence[Finding]) -> list[str]:
    """A line a finding, with what to do beneath; the last line counts."""
    told = []
    for finding in found:
        told.append(f"{MARKS[finding.health]} {finding.what}: {finding.told}")
        if finding.next:
            told.append(f"    {finding.next}")
    bad, warned = (sum(f.health == health for f in found) for health in ("bad", "warn"))
    return [*told, "", f"{len(found)} looked at, {bad} wrong, {warned} to be thought about."]
