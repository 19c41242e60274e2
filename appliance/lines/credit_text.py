"""What a network's answer says of the credit: rupiah and the last valid day, by an operator's phrases.

A phrase is words with one place, `{rupiah}` or `{date}`. Case, spaces and punctuation between its words do not matter:
`s/d {date}` finds "s.d. 31/12/2027" and "sd 31 Des 2027" too. What no phrase finds is not known, never 0.
"""

import re
from collections.abc import Sequence
from datetime import date

RUPIAH, DATE = "{rupiah}", "{date}"
LONGEST = 500  # characters looked at; a USSD text has 182, a few may come together
MOST_RUPIAH = 100_000_000  # nobody has more on a SIM: what is more was read wrongly
MONTHS = {
    "jan": 1, "januari": 1, "january": 1, "feb": 2, "februari": 2, "pebruari": 2, "february": 2, "mar": 3, "maret": 3,
    "march": 3, "apr": 4, "april": 4, "mei": 5, "may": 5, "jun": 6, "juni": 6, "june": 6, "jul": 7, "juli": 7,
    "july": 7, "agu": 8, "agt": 8, "ags": 8, "aug": 8, "agustus": 8, "august": 8, "sep": 9, "sept": 9, "september": 9,
    "okt": 10, "oct": 10, "oktober": 10, "october": 10, "nov": 11, "nop": 11, "november": 11, "nopember": 11,
    "des": 12, "dec": 12, "desember": 12, "december": 12,
}  # fmt: skip

_BETWEEN = r"[\s:.,;=/()]*"
_PLACES = {
    RUPIAH: r"(?:rp|idr)[\s.:]*(-?\s?\d[\d.,]*)",
    DATE: (
        r"(?:(?:tgl|tanggal)\b[\s.:]*)?"
        r"(\d{4}-\d{1,2}-\d{1,2}|\d{1,2}[./-]\d{1,2}[./-](?:\d{4}|\d{2})|\d{1,2}[\s./-]*[a-z]{3,9}[\s./-]*(?:\d{4}|\d{2}))(?!\d)"
    ),
}
_THOUSANDS_BY_POINT = re.compile(r"\d{1,3}(?:\.\d{3})+(?:,\d{1,2})?")
_THOUSANDS_BY_COMMA = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d{1,2})?")
_PLAIN = re.compile(r"\d{1,9}(?:[.,]\d{2})?")


def phrase(text: str) -> re.Pattern[str]:
    """A phrase as an expression whose one group is its place. Raises ValueError when it is none."""
    words = text.casefold().split()
    places = [word for word in words if word in _PLACES]
    if len(places) != 1 or words[-1] != places[0]:
        raise ValueError(f"{text!r} must end in one of {' or '.join(_PLACES)}")
    parts = [part for word in words[:-1] for part in re.findall(r"\w+", word)]
    if not parts:
        raise ValueError(f"{text!r} has no word before {places[0]}")
    return re.compile(r"\b" + _BETWEEN.join(map(re.escape, parts)) + _BETWEEN + _PLACES[places[0]])


def plain(text: str) -> str:
    """A text as phrases are looked for in it."""
    return " ".join(text[:LONGEST].replace('"', " ").casefold().split())


def first_rupiah(text: str, phrases: Sequence[re.Pattern[str]], not_behind: Sequence[str] = ()) -> int | None:
    """The figure of the first phrase that finds one that can be read; whole rupiah, the cents fall.

    A phrase behind one of the words `not_behind` is of another thing: "isi pulsa Rp 10.000" is an offer.
    """
    return next(
        (
            found
            for p in phrases
            for m in p.finditer(text)
            if _word_before(text, m.start()) not in not_behind and (found := rupiah(m[1])) is not None
        ),
        None,
    )


def _word_before(text: str, at: int) -> str:
    return "".join(re.findall(r"(\w+)\W*\Z", text[max(0, at - 30) : at]))


def first_date(text: str, phrases: Sequence[re.Pattern[str]]) -> date | None:
    return next((found for p in phrases for m in p.finditer(text) if (found := day(m[1])) is not None), None)


def rupiah(written: str) -> int | None:
    """25000, 25.000, 25.000,00, 25,000.00 and -2.500; None for 2.50.00 and 25.5, which could be anything."""
    figure = written.replace(" ", "").rstrip(".,")
    sign, digits = (-1, figure[1:]) if figure.startswith("-") else (1, figure)
    if _THOUSANDS_BY_POINT.fullmatch(digits):
        whole = digits.partition(",")[0].replace(".", "")
    elif _THOUSANDS_BY_COMMA.fullmatch(digits):
        whole = digits.partition(".")[0].replace(",", "")
    elif _PLAIN.fullmatch(digits):
        whole = re.split(r"[.,]", digits)[0]
    else:
        return None
    return sign * int(whole) if int(whole) <= MOST_RUPIAH else None


def day(written: str) -> date | None:
    """31/12/2027, 31-12-27, 31.12.2027, 31 Des 2027, 2027-12-31; None for a day that is none."""
    parts = re.findall(r"\d+|[a-z]+", written)
    if len(parts) != 3:
        return None
    if len(parts[0]) == 4:
        parts.reverse()
    month = MONTHS.get(parts[1]) if parts[1].isalpha() else int(parts[1])
    year = int(parts[2]) + (2000 if len(parts[2]) == 2 else 0)
    try:
        return date(year, month or 0, int(parts[0]))
    except ValueError:
        return None
