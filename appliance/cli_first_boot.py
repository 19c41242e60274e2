"""`siaga first-boot`: take `appliance.toml` over, at each boot. Exit code 1 where the box has nothing to work with."""

import argparse
import pwd
import time
from pathlib import Path

from appliance.annunciator_config import ConfigRefused
from appliance.boot_config import config_file, needs_of, standing
from appliance.box_record import NotSetUp, record
from appliance.cli import say_no
from appliance.fault_led import LEDS, blink
from appliance.first_boot import FirstBoot
from appliance.first_boot_once import CORE
from appliance.first_boot_run import write_run
from appliance.key_office import RELEASED
from appliance.keys import KeyFileError

HERE = Path("/run/siaga")  # with another folder it is a trial: no LED blinks
MODEL = Path("/proc/device-tree/model")
BOARDS = {"Raspberry Pi 4": "pi4", "Raspberry Pi Compute Module 4": "pi4", "Raspberry Pi 5": "pi5"}
FIRMWARE = {
    "pins": "config.txt holds the pins of this site: they are safe before Linux from the next power-on on.",
    "wifi": "config.txt has the radio as appliance.toml wants it, from the next power-on on.",
    "slot": "config.txt is on this slot's own partition, which is not mounted: pins and radio there are an update's.",
}
STANDING = {
    "in_force": "config.txt: ya / yes",
    "next_start": "config.txt: mulai nyala berikut / from the next power-on on",
    "differs": "config.txt: BUKAN pin situs ini / NOT this site's pins",
    "none": "-",
    "slot": "config.txt: tidak terbaca / not read (SIAGA-SLOT)",
}
SAID = {
    "taken": "appliance.toml is taken over.",
    "unchanged": "appliance.toml is as it was taken over.",
    "old": "The new appliance.toml is refused; the box goes on with the one before.",
    "none": "This box has nothing to work with yet; it asks for an address by DHCP and shows what is wrong on port 80.",
}


def add_arguments(_name: str, parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--boot", type=Path, default=Path("/boot/firmware"), help="the FAT partition SIAGA-BOOT")
    parser.add_argument("--data", type=Path, default=Path("/data"), help="the data partition")
    parser.add_argument("--run", type=Path, default=HERE, help="a folder in RAM", dest="ram")
    parser.add_argument("--record", action="store_true", help="print the record of the set-up, and change nothing")
    parser.set_defaults(run=_first_boot)


def _record(options: argparse.Namespace) -> int:
    now = time.time()
    try:
        firmware = _firmware(config_file(options.boot), options.data, options.ram)
        print(record(options.data, now if now > RELEASED else 0.0, firmware), end="")
    except (NotSetUp, KeyFileError, ConfigRefused, OSError) as e:
        return say_no(f"{e}")
    return 0


def _firmware(file: Path, data: Path, ram: Path) -> str:
    needs = needs_of(data)
    return STANDING[standing(file, needs, ram) if needs else "none"]


def _first_boot(options: argparse.Namespace) -> int:
    if options.record:
        return _record(options)
    try:
        boot = FirstBoot(options.boot, options.data, options.ram / "first-boot", board=_board(), core=_user(CORE))
        outcome = boot.run()
        write_run(outcome, options.data, options.ram)
    except KeyFileError as e:
        return say_no(f"{e}")
    except OSError as e:
        return say_no(f"{e}. Look at the data partition {options.data}: is it there, full, or read-only?")
    for one in outcome.faults:
        say_no(one.told(0))
        say_no(one.told(1))
    for what in outcome.made:
        print(f"Made once: {what}.")
    for what in outcome.firmware:
        print(FIRMWARE[what])
    if outcome.faults and options.ram == HERE:
        try:
            led = blink(LEDS)
        except OSError as e:
            led = ""
            say_no(f"The board's LED cannot be made to blink ({e}).")
        print(f"The board's LED {led} blinks fast." if led else "This board has no LED to blink.")
    print(SAID[outcome.what])
    return 1 if outcome.what == "none" else 0


def _board() -> str:
    """By what the kernel calls it; empty where that tells nothing."""
    try:
        model = MODEL.read_text()
    except OSError:
        return ""
    return next((board for name, board in BOARDS.items() if model.startswith(name)), "")


def _user(name: str) -> int | None:
    try:
        return pwd.getpwnam(name).pw_uid
    except KeyError:
        return None
