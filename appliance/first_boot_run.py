"""What the other programs of the box read after the first boot: network, time, logins, name, and what is wrong.

All of it lies in RAM and is written at each boot, but for the logins.
"""

import json
import pwd
from pathlib import Path
from typing import Any

import tomli_w

from appliance.first_boot import WIFI, Outcome
from appliance.first_boot_disk import Disk, folder
from appliance.first_boot_once import WEB, fingerprint
from appliance.first_boot_site import SOCKET
from appliance.first_boot_system import logins, network_files, time_sources, wifi_file

LOGINS = "ssh/authorized_keys"
FAULT = "first-boot/fault.json"
STATE = "first-boot/state.json"
RADIO = "wifi/wpa_supplicant-wlan0.conf"  # siaga-wifi.service runs where it is
ANNUNCIATOR = "first-boot/annunciator.toml"
LAMP = "fault"  # the output's name


def write_run(outcome: Outcome, data: Path, run: Path) -> None:
    """`run`: /run/siaga. networkd and chronyd read in folders beside it. Raises OSError."""
    disk = Disk(data)
    for name, octets, mode in _files(outcome, data):
        file = run / name
        folder(file.parent)
        disk.write(file, octets, mode)
    _only(run / "network", run.parent / "systemd/network", network_files(outcome.told), disk)
    sources = time_sources(outcome.told) if outcome.told else ""
    _only(run / "chrony", run.parent / "chrony-dhcp", {"siaga.sources": sources} if sources else {}, disk)
    if not outcome.faults:
        for gone in (FAULT, ANNUNCIATOR):
            (run / gone).unlink(missing_ok=True)
    if not (outcome.told and outcome.told.wifi):
        (run / RADIO).unlink(missing_ok=True)
    if outcome.told:
        new = logins(outcome.told).encode()
        file = data / LOGINS
        if not new:
            file.unlink(missing_ok=True)  # without it the SSH server does not start
        elif not file.exists() or file.read_bytes() != new:
            disk.write(file, new)


def _files(outcome: Outcome, data: Path) -> list[tuple[str, bytes, int]]:
    told = outcome.told
    name = told.name if told else "siaga"
    files = [
        ("hostname", f"{name}\n".encode(), 0o644),
        (
            STATE,
            _json(
                {
                    "what": outcome.what,
                    "role": told.role if told else "",
                    "made": outcome.made,
                    "firmware": outcome.firmware,
                }
            ),
            0o644,
        ),
    ]
    if outcome.faults:
        files.append((FAULT, _json(fault_report(outcome, data)), 0o644))
    if not told and outcome.lamp is not None:
        files.append((ANNUNCIATOR, lamp_file(outcome.lamp), 0o644))
    if told and told.wifi and (data / WIFI).exists():
        text = wifi_file(told.wifi, (data / WIFI).read_text())
        files.append((RADIO, text.encode(), 0o600))
    return files


def fault_report(outcome: Outcome, data: Path) -> dict[str, Any]:
    """What the page shows. No secret is in it."""
    return {
        "configured": outcome.told is not None,
        "name": outcome.told.name if outcome.told else "",
        "key": fingerprint(data),
        "faults": [
            {"file": f.file, "line": f.line, "key": f.key, "shown": f.shown, "id": [f.what[0], f.next[0]],
             "en": [f.what[1], f.next[1]]}
            for f in outcome.faults
        ],
    }  # fmt: skip


def lamp_file(pin: int) -> bytes:
    """For an annunciator that owns one lamp and nothing else: what is wired to the other pins is not known."""
    config = {"socket": SOCKET, "factory": "lgpio", "uids": _users(WEB), "output": {LAMP: {"pin": pin, "kind": "lamp"}}}
    return tomli_w.dumps({"annunciator": config}).encode()


def _only(ours: Path, theirs: Path, files: dict[str, str], disk: Disk) -> None:
    """Exactly these of ours in both folders."""
    for place in (ours, theirs):
        folder(place)
        for old in place.glob("*siaga*"):
            if old.name not in files:
                old.unlink()
        for name, text in files.items():
            disk.write(place / name, text.encode())


def _users(name: str) -> list[int]:
    """Whose the page is that says what is wrong: it lights the lamp."""
    try:
        return [pwd.getpwnam(name).pw_uid]
    except KeyError:
        return []


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, indent=1).encode() + b"\n"
