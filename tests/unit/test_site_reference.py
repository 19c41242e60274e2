"""docs/site-file.md has every key of the site file as `appliance/config.py` has it: kind, range, default.

A missing or stale row is shown as it should stand. Meanings are a person's to write; here they only must be there.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec import inspect

from appliance import annunciator_config as wired
from appliance import config
from appliance.config import Site, load_site
from drivers.gpio.patterns import PATTERNS

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "docs" / "site-file.md"
MORE = sorted((ROOT / "docs").glob("site-file-*.md"))  # tables that stand in documents of their own
REFERENCE = re.compile(r"^## Every table and key$(.*)\Z", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^### ([^\n]+)$(.*?)(?=^### |\Z)", re.MULTILINE | re.DOTALL)
ROW = re.compile(r"^\| `(\w+)` \| (.+?) \| (.+?) \| (.+?) \|$", re.MULTILINE)
EXAMPLE = re.compile(r"^```toml\n(role = .*?)^```$", re.MULTILINE | re.DOTALL)
TOP = "top level"

# Patterns of appliance/config.py by the word that the document explains once.
WORDS = {
    "^[a-z][a-z0-9_-]{0,31}$": "name",
    "^[0-9a-f]{64}$": "public key",
    r"^\+?[0-9]{3,15}$": "phone number",
    "^[0-9]{4,8}$": "4 to 8 digits",
    "^([01][0-9]|2[0-3]):[0-5][0-9]$": "hour and minute, 24 h",
    "^(([01][0-9]|2[0-3]):[0-5][0-9])?$": "hour and minute, 24 h, or empty",
}


def numbers(least: float, most: float, unit: str = "") -> str:
    return f"{least:g} to {most:g}{unit}"


# Ranges that a function checks, not a type.
CHECKED = {
    ("[annunciator.output.NAME]", "pin"): f"whole number, {numbers(wired.PINS[0], wired.PINS[-1])}",
    ("[annunciator.output.NAME]", "max_s"): f"number, {numbers(1, wired.MOST_SOUNDING)}",
    ("[annunciator.input.NAME]", "pin"): f"whole number, {numbers(wired.PINS[0], wired.PINS[-1])}",
    ("[annunciator.input.NAME]", "debounce_s"): f"number, {numbers(0, wired.MOST_DEBOUNCE)}",
    ("[annunciator.button]", "pattern"): ", ".join(f"`{p}`" for p in PATTERNS),
    ("[annunciator.button]", "seconds"): "number, 1 to the output's `max_s`",
    ("[annunciator.button]", "take_within_s"): f"number, {numbers(*wired.TAKE_WITHIN)}",
    ("[[agency]]", "languages"): "list of `en`, `id`",
    ("[annunciator]", "uids"): "list of whole numbers, 0 to 4294967295",
}


def kind(type_: Any) -> str:
    """A key's type in the document's words."""
    match type_:
        case inspect.UnionType(types=types):
            told = dict.fromkeys(kind(t) for t in types if not isinstance(t, inspect.NoneType))
            return "text" if "text" in told else " or ".join(told)
        case inspect.BoolType():
            return "true or false"
        case inspect.IntType() | inspect.FloatType():
            word = "whole number" if isinstance(type_, inspect.IntType) else "number"
            return word if type_.ge is None else f"{word}, {_range(type_)}"
        case inspect.StrType(pattern=pattern):
            return WORDS[pattern] if pattern else "text"
        case inspect.LiteralType(values=values):
            return ", ".join(f"`{v}`" for v in values)
        case inspect.EnumType(cls=cls):
            return ", ".join(f"`{m.value}`" for m in cls)
        case inspect.VarTupleType(item_type=inspect.LiteralType() as item):
            return f"list of {kind(item)}"
        case inspect.VarTupleType(item_type=item):
            return f"list of {kind(item)}s"
    raise AssertionError(f"{type_} needs words here")


def _range(type_: Any) -> str:
    return f"{type_.ge} to {type_.le}" if isinstance(type_, inspect.IntType) else numbers(type_.ge, type_.le)


def default(field: inspect.Field) -> str:
    if field.required:
        return "must be given"
    value = field.default_factory() if field.default is msgspec.NODEFAULT else field.default
    if value in (None, "", ()):
        return "none"
    if isinstance(value, tuple):
        return ", ".join(f"`{one}`" for one in value)
    return f"`{str(value).lower() if isinstance(value, bool) else f'{value:g}' if isinstance(value, float) else value}`"


def tables(struct: inspect.StructType, path: str = "", heading: str = TOP) -> Iterator[tuple[str, dict[str, str]]]:
    """Heading and rows (key: kind and default, as they stand in the document) of a table and of all below it."""
    rows: dict[str, str] = {}
    below: list[tuple[inspect.StructType, str, str]] = []
    for field in struct.fields:
        name = f"{path}{field.encode_name}"
        types = field.type.types if isinstance(field.type, inspect.UnionType) else (field.type,)
        for type_ in types:
            match type_:
                case inspect.StructType():
                    below.append((type_, f"{name}.", f"[{name}]"))
                case inspect.VarTupleType(item_type=inspect.StructType() as item):
                    below.append((item, f"{name}.", f"[[{name}]]"))
                case inspect.DictType(value_type=inspect.StructType() as item):
                    below.append((item, f"{name}.", f"[{name}.NAME]"))
        if not below or below[-1][1] != f"{name}.":
            told = CHECKED.get((heading, field.encode_name)) or kind(field.type)
            rows[field.encode_name] = f"{told} | {default(field)}"
    yield heading, rows
    for inner in below:
        yield from tables(*inner)


def _site() -> inspect.StructType:
    site = inspect.type_info(Site)
    assert isinstance(site, inspect.StructType)
    return site


def _merged() -> dict[str, dict[str, str]]:
    """A table that may be one of several kinds stands once, with the keys of all."""
    found: dict[str, dict[str, str]] = {}
    for heading, rows in tables(_site()):
        found.setdefault(heading, {}).update(rows)
    return found


EXPECTED = _merged()


@pytest.fixture(scope="module")
def written() -> dict[str, dict[str, str]]:
    told: dict[str, dict[str, str]] = {}
    found = REFERENCE.search(DOCUMENT.read_text())
    assert found, f"{DOCUMENT} has lost its reference"
    text = found[1] + "".join(document.read_text() for document in MORE)
    for heading, body in HEADING.findall(text):
        rows = {key: f"{type_} | {default_}" for key, type_, default_, _ in ROW.findall(body)}
        for name in re.findall(r"`(\[.+?\]+)`", heading) or [heading.lower()]:
            told[name] = rows
    return told


@pytest.mark.parametrize("table", EXPECTED)
def test_a_table_stands_in_the_reference_as_the_code_has_it(written: dict[str, dict[str, str]], table: str) -> None:
    assert table in written, f"add a heading ### `{table}`"
    should = {key: f"| `{key}` | {row} | ... |" for key, row in EXPECTED[table].items()}
    stands = {key: f"| `{key}` | {row} | ... |" for key, row in written[table].items()}
    assert stands == should


def test_the_reference_has_no_table_that_the_code_does_not_know(written: dict[str, dict[str, str]]) -> None:
    assert set(written) == set(EXPECTED)


def test_what_is_said_to_be_not_used_is_not_used() -> None:
    unused = re.findall(r"^\| `(\w+)` .*[Nn]ot used yet", DOCUMENT.read_text(), re.MULTILINE)
    sources = [f for layer in ("appliance", "web") for f in (ROOT / layer).rglob("*.py") if f.name != "config.py"]
    code = "\n".join(f.read_text() for f in sources)
    assert [key for key in unused if re.search(rf"(own|power)\.{key}\b", code)] == []


def test_the_placeholder_number_is_the_codes_own() -> None:
    assert f"`{config.PLACEHOLDER}`" in DOCUMENT.read_text()


def test_the_example_site_files_are_good(tmp_path: Path) -> None:
    examples = EXAMPLE.findall(DOCUMENT.read_text())
    assert len(examples) == 2
    for number, text in enumerate(examples):
        file = tmp_path / f"{number}.toml"
        file.write_text(text)
        load_site(file)
