"""The command `siaga`. Each subcommand is one function in a `cli_*` module, imported only when it is called."""

import argparse
import importlib
import os
import sys
from pathlib import Path

from appliance import logs

SITE_VARIABLE = "SIAGA_SITE"
SITE_FILE = Path("/etc/siaga/site.toml")

# name: (module, help)
COMMANDS = {
    "demo": ("appliance.cli_demo", "run a whole simulated site; `siaga demo where` says where everything is"),
    "core": ("appliance.cli_processes", "the process that decides (at a centre or a station)"),
    "annunciator": ("appliance.cli_processes", "the process that owns sirens, lights and buttons"),
    "audio": ("appliance.cli_processes", "the process that owns sound: modems, headset, recordings"),
    "web": ("appliance.cli_processes", "the process that serves the page"),
    "sim": ("appliance.cli_sim", "turn a knob of the running demo: mains, generator, trunk, calls, texts, networks"),
    "scenario": ("appliance.cli_scenario", "play a story against a simulated site and check what must be seen"),
    "alert": ("appliance.cli_orders", "sound sirens at stations, or stop them"),
    "tests": ("appliance.cli_tests", "tests of stations: what ran, what is due, run one now, the record to be printed"),
    "stations": ("appliance.cli_stations", "stations' health and ways; lock a siren out for a repair, and unlock it"),
    "status": ("appliance.cli_status", "what feeds the building, which lines and stations there are, what is wrong"),
    "modem": (
        "appliance.cli_modem",
        "look at the lines' modems, ask them something, find what is wrong, replay a recording",
    ),
    "modbus": (
        "appliance.cli_modbus",
        "find devices on a bus, read one by a profile, dump, replay or watch it; nothing is written",
    ),
    "call": (
        "appliance.cli_call",
        "the telephone in a terminal: queue, calls, call-backs, blocks, the call log and its indicators",
    ),
    "sms": ("appliance.cli_sms", "send a text by the best line, and list texts both ways with their states"),
    "fallback": (
        "appliance.cli_fallback",
        "declare or end the fallback of 112, note who was told, see who uses what",
    ),
    "power": ("appliance.cli_power", "the plant: status, orders to generators and UPSes, the record of runs"),
    "alarms": ("appliance.cli_alarms", "what stands, what is hidden and what was; acknowledge, shelve, silence"),
    "journal": ("appliance.cli_journal", "tail, verify or export the journal"),
    "backup": ("appliance.cli_backup", "a copy of the box that another card can be made from; check it, put it back"),
    "keys": ("appliance.cli_keys", "who is believed: make, enrol, rotate, revoke and list the keys of boxes"),
    "mark-good": ("appliance.cli_mark_good", "after an update: tell RAUC that this slot works, or leave it"),
    "time": ("appliance.cli_time", "save the time over a power cut, and restore it"),
    "people": ("appliance.cli_people", "add a person, or give a forgotten password anew"),
    "config": ("appliance.cli_config", "check a site file"),
    "wiring": ("appliance.cli_wiring", "draw the pin header and the terminals of a site file"),
    "commission": ("appliance.cli_commission", "walk through all that hangs on a new box; print its record"),
    "doctor": ("appliance.cli_doctor", "look at everything of this box: what is wrong, and what to do"),
    "support": ("appliance.cli_support", "pack what a maintainer needs, without secrets"),
    "reload": ("appliance.cli_reload", "take a changed site file over: no restart, and nothing that sounds is touched"),
    "first-boot": ("appliance.cli_first_boot", "take over appliance.toml of the boot partition; each boot runs it"),
    "label": ("appliance.cli_label", "draw this box's label: name, address, key, a QR code of its page"),
    "fault-page": ("appliance.cli_fault_page", "serve what is wrong with the files of a box that cannot start"),
}


def main(argv: list[str] | None = None) -> int:
    """Returns the exit code: 0 done, 1 it failed or the other side said no, 2 the question was wrong."""
    try:
        options = _understand(sys.argv[1:] if argv is None else argv)
        logs.set_up(f"siaga-{options.command}")
        return int(options.run(options) or 0)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # `siaga journal tail | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _understand(given: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="siaga", description="Siaga: the fallback of a 112 command centre.")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, (module, text) in COMMANDS.items():
        command = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
        if given and given[0] == name:
            importlib.import_module(module).add_arguments(name, command)
    return parser.parse_args(given)


def say_no(text: str, *, code: int = 1) -> int:
    """Print what is wrong and what to do next; returns the exit code."""
    print(f"siaga: {text}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
