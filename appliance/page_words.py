"""What codes mean in the page's own words, for a text by SMS and for a terminal: one thing has one name everywhere."""

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent.parent / "web" / "texts"

Words = Mapping[str, str]  # by dotted key, as "alarm.power.mains_lost"


def load_page_words(language: str, folder: Path = FOLDER) -> Words:
    """Empty where no file can be read: then codes stand for words."""
    found: dict[str, str] = {}
    for file in sorted((folder / language).glob("*.toml")):
        try:
            found |= dict(_flat("", tomllib.loads(file.read_text())))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
            continue
    return found


def _flat(above: str, table: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in table.items():
        if isinstance(value, Mapping):
            yield from _flat(f"{above}{name}.", value)
        elif isinstance(value, str):
            yield f"{above}{name}", value
