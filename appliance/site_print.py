"""What changed between two site files, table by table, without keeping what stands in them."""

import hashlib
from collections.abc import Mapping

import msgspec

from appliance.config import Line, Site

# What a process is, and where its files are: only another start can change it.
FIXED = ("role", "site", "id", "state", "run", "key")
DIGITS = 8  # hex; it tells a change, it proves nothing


def prints(site: Site) -> dict[str, str]:
    """By table or key of the top level. A SIM's PIN is left out: four digits could be found by trying."""
    return {name: _print(getattr(site, name)) for name in site.__struct_fields__}


def changed(old: Mapping[str, str], new: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(name for name in new if old.get(name, "") != new[name])


def differs(old: Site, new: Site) -> tuple[str, ...]:
    """PINs too."""
    return tuple(name for name in old.__struct_fields__ if getattr(old, name) != getattr(new, name))


def _print(value: object) -> str:
    if isinstance(value, tuple):
        value = [msgspec.structs.replace(one, pin=None) if isinstance(one, Line) else one for one in value]
    return hashlib.sha256(msgspec.json.encode(value, order="sorted")).hexdigest()[:DIGITS]
