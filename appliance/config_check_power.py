"""What types alone do not catch in the site file's part for power."""

import re
from collections.abc import Iterator
from pathlib import Path

from appliance.config import Site
from appliance.config_power import Device, Genset, Ups

NUT = re.compile(r"[\w.-]{1,64}@[\w.:-]{1,200}")
FOLDERS = {"genset": "gensets", "ups": "ups", "meter": "meters"}


def power_faults(site: Site, profiles: Path) -> Iterator[str]:
    """One sentence each; `profiles` is the folder of device profiles."""
    buses = {bus.id for bus in site.bus}
    for table, devices in (("genset", site.genset), ("ups", site.ups), ("meter", site.meter)):
        for device in devices:
            yield from _device(device, buses, profiles / FOLDERS[table])
    for genset in site.genset:
        yield from _relay(genset, site)
    inputs = site.annunciator.input
    for ats in site.ats:
        contacts = (ats.mains_present, ats.genset_present, ats.on_mains, ats.on_genset)
        if not any(contacts):
            yield f"ats {ats.id!r}: name the input of at least one contact."
        for name in filter(None, contacts):
            if name not in inputs:
                yield f"ats {ats.id!r}: there is no annunciator.input.{name}."


def _device(device: Device, buses: set[str], folder: Path) -> Iterator[str]:
    where = f"{device.id!r}"
    if isinstance(device, Ups) and device.nut:
        if device.bus or device.profile:
            yield f"{where}: nut names it already; remove bus and profile."
        if not NUT.fullmatch(device.nut):
            yield f'{where}: nut is "name@host" or "name@host:port", as upsc takes it.'
        if device.nut_login and not device.nut_login.startswith("/"):
            yield f"{where}: nut_login is the whole path of a file, such as /etc/siaga/nut.login."
        return
    if device.bus not in buses:
        yield f"{where}: there is no bus {device.bus!r}."
    if not device.profile or not (folder / f"{device.profile}.toml").is_file():
        yield f"{where}: there is no {folder.name}/{device.profile}.toml in {folder.parent}."


def _relay(genset: Genset, site: Site) -> Iterator[str]:
    if genset.relay:
        output = site.annunciator.output.get(genset.relay)
        if output is None or output.kind != "start":
            yield f'{genset.id!r}: relay {genset.relay!r} is no annunciator.output of kind "start".'
    if genset.relay_running and genset.relay_running not in site.annunciator.input:
        yield f"{genset.id!r}: there is no annunciator.input.{genset.relay_running}."
