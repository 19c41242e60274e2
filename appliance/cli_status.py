"""`siaga status`: the page's truth in a terminal; `--json` gives the whole view."""

import argparse
import sys
from typing import Any

import msgspec

from appliance.cli_node import add_node_arguments, ask, request
from appliance.cli_power_words import device_row, feeds
from appliance.config import Site
from appliance.figure import Figure
from appliance.page_words import load_page_words
from appliance.reach import reach, supervised, wake
from appliance.view import View
from drivers.jsonsocket import Client

UNPROVEN = {
    "revoked": "its key is REVOKED: nothing that it says is believed",
    "locked_out": "its siren is locked out",
    "silent": "no way",
    "no_link": "no way",
    "sms_untested": "NOT PROVEN: never answered a text",
    "sms_failed": "NOT PROVEN: its last SMS test failed",
    "sms_late": "NOT PROVEN: its last SMS proof is too old",
}
MARK = {True: "●", False: "✕", None: "?"}


def add_arguments(_name: str, parser: argparse.ArgumentParser) -> None:
    add_node_arguments(parser)
    parser.add_argument("--json", action="store_true", help="the whole view as JSON")
    parser.add_argument("--calm", action="store_true", help="say nothing; exit 1 while an order, siren or call is on")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    async def talk(client: Client, _site: Site) -> int:
        view = await request(client, "view")
        if options.calm:
            return 0 if is_calm(msgspec.convert(view, View)) else 1
        if options.json:
            sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(view)) + b"\n")
        else:
            print("\n".join(lines(msgspec.convert(view, View))))
        return 0

    return ask(options, talk)


def is_calm(view: View) -> bool:
    """Nobody would miss a screen for some seconds."""
    ordered = any(not alert.ended for alert in view.alerts) or any(siren.on for siren in view.sirens.values())
    return not ordered and not any(line.calls for line in view.lines)


def lines(view: View) -> list[str]:
    """State first, one thing a line; what is not known is ---."""
    said = [
        f"{view.name}: {view.role}, clock {view.clock_quality}" + (f", time x{view.speed:g}" if view.speed != 1 else "")
    ]
    if (offset := view.clock_offset) and offset.known(view.at) and isinstance(offset.value, int | float):
        said.append(f"clock   {round(offset.value):+d} s to the mobile networks' time")
    words = load_page_words("en")
    for alarm in view.alarms:
        state = "returned" if alarm.cleared else "acknowledged" if alarm.acknowledged else "UNACKNOWLEDGED"
        text = words.get(f"alarm.{alarm.alarm}", alarm.alarm)
        said.append(f"▲ P{alarm.priority} {text}: {alarm.alarm} {alarm.about} ({state})")
    if power := view.power:
        said += feeds(power, view.at, words)
        said += [device_row(device, view.at) for device in power.devices]
    for line in view.lines:
        call = f", {line.call.phase} {line.call.number or 'number not known'}" if line.call else ""
        signal = figure(line.signal_dbm, view.at)
        said.append(
            f"line    {line.id} {line.can_take_call} {line.why} {figure(line.operator, view.at)} {signal}{call}"
        )
    if view.trunk_watched:
        said.append(f"trunk   {MARK[view.trunk.up if view.trunk else None]} {trunk(view)}")
    if view.fallback and view.fallback.stands:
        said.append(f"fallback IN FORCE ({view.fallback.why}); citizens call {', '.join(view.fallback.citizens)}")
    seen = supervised(view)
    for station in view.stations:
        paths, proof = reach(view, station, view.at), wake(view, station, seen.get(station.id), view.at, view.wall)
        sounding = {True: "SOUNDING", False: "quiet", None: "not known"}[station.sounding]
        by = ", ".join(paths) or "NO PATH, phone it" + (f": {station.phone}" if station.phone else "")
        if proof.why and (paths or proof.why == "revoked"):
            by += f" ({UNPROVEN[proof.why]})"
        said.append(f"station {MARK[bool(proof.proven)]} {station.id}: {sounding}; {by}")
    for name, link in view.links.items():
        if not link.up:
            said.append(f"link    ✕ {name}: {link.reason}")
    if view.disk_failed:
        said.append(f"disk    ✕ {view.disk_failed}; {view.disk_kept} rows are kept in RAM")
    for alert in view.alerts:
        if not alert.ended:
            states: dict[str, Any] = {name: d.state.value for name, d in alert.deliveries.items()}
            said.append(f"alert   {alert.id} {alert.kind}: " + ", ".join(f"{n} {s}" for n, s in states.items()))
    return said


def trunk(view: View) -> str:
    """The verdict, with the layer at fault."""
    verdict = view.trunk_verdict
    if verdict is None:
        return "unknown"
    if verdict.standing == "up":
        return "up"
    return f"{verdict.standing}: {verdict.layer} ({verdict.reason})"


def figure(told: Figure, now: float) -> str:
    """With its unit; --- for what is not known now."""
    return f"{told.value} {told.unit}".strip() if told.known(now) else "---"
