"""`siaga mark-good`: after a start, tell RAUC that this slot works, or leave it for the other one."""

import argparse
import subprocess
import sys
from pathlib import Path

from appliance.cli import SITE_FILE, say_no
from appliance.mark_good import Verdict, give_up, image, judge, mark_good, run, slot

HEALTH = (sys.executable, "-m", "appliance.cli", "doctor", "--health")
MARK, BAD = ("rauc", "status", "mark-good"), ("rauc", "status", "mark-bad")
WITHIN = 180.0  # s. A Pi 4 needs some 40 to its page; one that checks a large card, or a machine under QEMU, far more
RESTART = ("systemctl", "--no-block", "reboot")
FILE = "update/good.json"


def add_arguments(_name: str, parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--within", type=float, default=WITHIN, metavar="S", help=f"seconds to become healthy ({WITHIN:.0f})"
    )
    parser.add_argument("--data", type=Path, default=Path("/data"), help="the partition that outlives an update")
    parser.add_argument("--site", type=Path, default=SITE_FILE, help=f"site file (default {SITE_FILE})")
    parser.add_argument("--command-line", type=Path, default=Path("/proc/cmdline"), help=argparse.SUPPRESS)
    parser.add_argument("--os-release", type=Path, default=Path("/etc/os-release"), help=argparse.SUPPRESS)
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    try:
        booted, version = slot(options.command_line.read_text()), image(options.os_release.read_text())
        if not booted:
            return say_no("this box was not started from a slot (no rauc.slot= in /proc/cmdline): nothing to mark.")
        if options.data.is_mount() and not options.site.exists():
            mark_good(
                MARK, run
            )  # a box that nobody has set up: there is nothing to be healthy, and a page that says so
            print(f"slot {booted} ({version}) has no site file yet")
            return 0
        verdict = judge(HEALTH, MARK, options.data / FILE, booted, version, options.within, run)
    except OSError as e:
        return say_no(f"{e.filename}: {e.strerror}")
    match verdict:
        case Verdict.GOOD:
            print(f"slot {booted} ({version}) works")
            return 0
        case Verdict.STAYS:
            return say_no(
                f"slot {booted} is not healthy, but worked before or is the only one: it stays. Next: siaga doctor"
            )
        case Verdict.RESTART:
            code = say_no(f"slot {booted} ({version}) never worked: restarting, the bootloader goes on to the other.")
            if not give_up(BAD, run):
                print("RAUC does not take that it is bad; it is left when its tries are used up.")
            subprocess.run(RESTART, check=False)
            return code
