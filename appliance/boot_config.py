"""config.txt of the FAT partition, as the box that it starts needs it: its pins before Linux, and its radio.

A Raspberry Pi's firmware reads it before anything of ours runs, so what is written there counts from the next start.
"""

import hashlib
import re
from pathlib import Path
from typing import Literal

import msgspec

from appliance import boot_pins
from appliance.annunciator_config import AnnunciatorConfig, load
from appliance.boot_pins import PinsRefused
from appliance.first_boot_file import Refused, read

CONFIG = "config.txt"
NO_WLAN = re.compile(r"^(#?)(dtoverlay=siaga-no-wlan-\w+)$", re.MULTILINE)  # one for each board
PIN_LINE = re.compile(r"^gpio=.*$", re.MULTILINE)
STARTED = "first-boot/started.json"  # in RAM, once a boot: the print of config.txt as the firmware read it

# In force; in the file, but the firmware has not read it yet; other lines than the box needs; no such file; no such
# file and none to be expected, for the slot's partition is not mounted.
Standing = Literal["in_force", "next_start", "differs", "none", "slot"]


def config_file(boot: Path) -> Path:
    """`boot`: the FAT partition. A Pi 5's config.txt is its slot's, on another one; mounted at `slot` if at all."""
    beside = boot.parent / "slot" / CONFIG
    return beside if beside.exists() and not (boot / CONFIG).exists() else boot / CONFIG


class Needs(msgspec.Struct, frozen=True):
    """What a box wants of its firmware."""

    wired: AnnunciatorConfig
    wlan: bool
    board: str


def fitted(text: str, needs: Needs) -> str:
    """`text` with the lines that the box needs; the same where it has them. Raises PinsRefused."""
    text = boot_pins.placed(text.replace("\r\n", "\n"), boot_pins.lines(needs.wired))
    if not NO_WLAN.search(text):
        raise PinsRefused('No line "dtoverlay=siaga-no-wlan-..." is there; take firmware-config/boot/config.txt.')
    return NO_WLAN.sub("#\\2" if needs.wlan else "\\2", text)


def what_changes(old: str, new: str) -> tuple[str, ...]:
    """Of "pins" and "wifi"."""
    of = {"pins": PIN_LINE, "wifi": NO_WLAN}
    return tuple(name for name, line in of.items() if line.findall(old) != line.findall(new))


def needs_of(data: Path) -> Needs | None:
    """Of the box whose data partition this is; None: it is not set up, or no Pi. Raises ConfigRefused."""
    try:
        told = read((data / "etc/appliance.toml").read_bytes())
    except (FileNotFoundError, Refused):
        return None
    if told.profile == "virt":
        return None
    return Needs(load(data / "etc/site.toml"), told.wifi is not None, told.profile)


def print_of(octets: bytes) -> str:
    return hashlib.sha256(octets).hexdigest()


def remember_start(file: Path, run: Path) -> None:
    """What the firmware read, as long as nothing has changed it: once a boot. Raises OSError."""
    kept = run / STARTED
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_bytes(msgspec.json.encode({"config": print_of(file.read_bytes())}))


def standing(file: Path, needs: Needs, run: Path) -> Standing:
    """Raises OSError."""
    try:
        octets = file.read_bytes()
    except FileNotFoundError:
        return "slot" if needs.board == "pi5" else "none"
    text = octets.decode("latin-1")
    try:
        if fitted(text, needs) != text.replace("\r\n", "\n"):
            return "differs"
    except PinsRefused:
        return "differs"
    kept = run / STARTED
    started = msgspec.json.decode(kept.read_bytes())["config"] if kept.exists() else ""
    return "in_force" if started in ("", print_of(octets)) else "next_start"
