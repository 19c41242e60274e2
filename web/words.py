"""Texts of the pages, a folder of TOML a language: journal and view hold codes, and words are made here alone."""

import tomllib
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

LANGUAGES = ("id", "en")
UNKNOWN = "---"  # what stands where a figure is not known
MINUTE, HOUR, DAY = 60, 3600, 86400  # s
YEAR_SHOWN = 300  # days; a day as far away is told with its year
SECONDS_SHOWN = HOUR  # s; longer spans are told in hours and minutes

FOLDER = Path(__file__).parent / "texts"


def flat(table: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, str]]:
    """Nested tables as dotted keys."""
    for key, value in table.items():
        if isinstance(value, dict):
            yield from flat(value, f"{before}{key}.")
        else:
            yield f"{before}{key}", str(value)


def load_texts(language: str) -> dict[str, str]:
    """All texts of one language by dotted key, from every file in its folder."""
    files = sorted((FOLDER / language).glob("*.toml"))
    return {key: text for file in files for key, text in flat(tomllib.loads(file.read_text()))}


class Words:
    """One language at one site: texts by key, figures and spans and times as people there write them."""

    def __init__(self, language: str, texts: Mapping[str, str], zone: ZoneInfo) -> None:
        self.language, self._texts, self._zone = language, texts, zone
        self._comma = texts["number.comma"]

    def __call__(self, key: str, /, **fields: object) -> str:
        """The text of `key`; raises KeyError for a key that is in no file."""
        return self._texts[key].format_map(fields)

    def code(self, group: str, code: object) -> str:
        """The word for a code; a code that a later release brought shows itself."""
        return self._texts.get(f"{group}.{code}") or str(code)

    def group(self, name: str) -> dict[str, str]:
        """All codes of a group with their words."""
        return {k.removeprefix(f"{name}."): text for k, text in self._texts.items() if k.startswith(f"{name}.")}

    def has(self, key: str) -> bool:
        return key in self._texts

    def number(self, value: float, digits: int = 0) -> str:
        """8.25 -> "8,3" where the comma divides, with a true minus sign."""
        return f"{value:.{digits}f}".replace(".", self._comma).replace("-", "−")

    def percent(self, share: float) -> str:
        """0.925 -> "92 %": rounded down, so that a goal that is missed never looks reached."""
        return f"{int(share * 100 + 1e-9)} %"

    def span(self, seconds: float) -> str:
        """A length of time in its two largest units."""
        whole = max(0, int(seconds))
        if whole < SECONDS_SHOWN:
            parts = ((whole // MINUTE, "minute"), (whole % MINUTE, "second"))
        elif whole < DAY:
            parts = ((whole // HOUR, "hour"), (whole % HOUR // MINUTE, "minute"))
        else:
            parts = ((whole // DAY, "day"), (whole % DAY // HOUR, "hour"))
        shown = [f"{n} {self('unit.' + unit)}" for n, unit in parts if n]
        return " ".join(shown) or f"0 {self('unit.second')}"

    def ago(self, seconds: float) -> str:
        return self("ago", span=self.span(seconds))

    def about(self, seconds: float) -> str:
        """How long ago, in its largest unit alone: a text that changes once a minute, not every second."""
        whole = max(0, int(seconds))
        for length, unit in ((DAY, "day"), (HOUR, "hour"), (MINUTE, "minute")):
            if whole >= length:
                return self("ago", span=f"{whole // length} {self('unit.' + unit)}")
        return self("just_now")

    def rupiah(self, amount: float) -> str:
        """12500 -> "Rp 12.500" where the comma divides, else "Rp 12,500"."""
        return "Rp " + f"{amount:,.0f}".replace(",", "." if self._comma == "," else ",")

    def day(self, iso: str, now: float | None = None) -> str:
        """2027-12-31 -> "31/12/2027", without its year within months of `now`; what is no date as it is."""
        try:
            day = date.fromisoformat(iso)
        except ValueError:
            return iso
        near = now is not None and abs((day - datetime.fromtimestamp(now, self._zone).date()).days) < YEAR_SHOWN
        return day.strftime("%d/%m" if near else "%d/%m/%Y")

    def clock(self, wall: float, now: float | None = None) -> str:
        """Wall time in the site's zone; with its date when `now` is of another day."""
        at = datetime.fromtimestamp(wall, self._zone)
        if now is not None and datetime.fromtimestamp(now, self._zone).date() != at.date():
            return at.strftime("%d/%m %H:%M:%S")
        return at.strftime("%H:%M:%S")
