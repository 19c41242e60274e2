"""An alarm's words for a text by SMS: those that the page shows, so that who comes to the screen finds them there."""

import tomllib
from collections.abc import Mapping
from pathlib import Path

FOLDER = Path(__file__).parent.parent / "web" / "texts"
TABLES = ("alarm", "alarm_step")

AlarmWords = Mapping[tuple[str, str], str]  # by table and code


def load_alarm_words(language: str, folder: Path = FOLDER) -> AlarmWords:
    """Empty where no file can be read: then codes stand for words."""
    found: dict[tuple[str, str], str] = {}
    for file in sorted((folder / language).glob("*.toml")):
        try:
            texts = tomllib.loads(file.read_text())
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
            continue
        for table in TABLES:
            found |= {(table, code): text for code, text in texts.get(table, {}).items() if isinstance(text, str)}
    return found
