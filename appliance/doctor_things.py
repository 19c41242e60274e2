"""The doctor at what hangs on the box: ports, buses, and what core says of lines, devices, links, stations."""

import os
from collections.abc import Iterator
from pathlib import Path

from appliance.alarm_words import TABLES, load_alarm_words
from appliance.doctor import Finding, Patient, bad, good, warn
from appliance.reach import reach


def ports(patient: Patient) -> Iterator[Finding]:
    """Each serial port of the site file: there, a device, and to be opened."""
    site = patient.site
    wanted = [(f"line {line.id}", line.port) for line in site.line]
    wanted += [(f"bus {bus.id}", bus.port) for bus in site.bus if bus.kind == "rtu"]
    for what, port in wanted:
        path = patient.root / port.lstrip("/") if Path(port).is_absolute() else Path(port)
        if not path.exists():
            yield bad(
                what,
                f"{port} is not there",
                "Is it plugged in, and in the socket that it was labelled for? ls /dev/siaga",
            )
        elif not os.access(path, os.R_OK | os.W_OK):
            yield bad(what, f"{port} may not be opened", f"ls -lL {port}: it must be of the group dialout.")
        else:
            yield good(what, port)


def seen_by_core(patient: Patient) -> Iterator[Finding]:
    """Nothing where core did not answer: that is a finding already."""
    view = patient.view
    if view is None:
        return
    for line in view.lines:
        if line.can_take_call in ("no", "unknown"):
            yield bad(
                f"line {line.id}", f"cannot take a call: {line.why or 'not known'}", f"siaga modem doctor {line.id}"
            )
        else:
            yield good(f"line {line.id}", line.can_take_call)
    for device in view.power.devices if view.power else ():
        if device.link is None or not device.link.up:
            why = device.link.reason if device.link else "not heard yet"
            yield bad(
                f"device {device.id}",
                why,
                "Has it power? Cable, A and B swapped, unit? With core stopped: siaga modbus scan BUS",
            )
        else:
            yield good(f"device {device.id}", "answers")
    for name, link in view.links.items():
        if not link.up and not name.startswith("line/"):
            yield bad(f"link {name}", link.reason, "siaga status")
    for station in view.stations:
        if not station.local and not reach(view, station, view.at):
            yield bad(f"station {station.id}", "no path to it", f"Phone it: {station.phone or 'no number is known'}")
    words = load_alarm_words("en")
    for alarm in view.alarms:
        if not alarm.cleared and not alarm.acknowledged:
            what = f"alarm P{alarm.priority} {alarm.alarm} {alarm.about}".rstrip()
            title, step = (words.get((table, alarm.alarm), "") for table in TABLES)
            yield warn(what, title, step or "siaga alarms")
