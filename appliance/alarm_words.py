"""An alarm's words for a text by SMS: those that the page shows, so that who comes to the screen finds them there."""

from collections.abc import Mapping
from pathlib import Path

from appliance.page_words import FOLDER, load_page_words

TABLES = ("alarm", "alarm_step")

AlarmWords = Mapping[tuple[str, str], str]  # by table and code


def load_alarm_words(language: str, folder: Path = FOLDER) -> AlarmWords:
    """Empty where no file can be read: then codes stand for words."""
    words = load_page_words(language, folder).items()
    return {(t, key.removeprefix(f"{t}.")): text for t in TABLES for key, text in words if key.startswith(f"{t}.")}
