"""What a text about alarms says, in the person's language: the state first, then what to do, in 160 letters a part."""

from collections.abc import Sequence
from typing import NamedTuple

from appliance.alarm_words import AlarmWords
from appliance.alarms.notify_machine import AGAIN, ESCALATED, OVER, RAISED

MOST = 300  # letters: two parts; what is not in them is on the page
MOST_NAMED = 4  # alarms
MOST_NAME = 30  # letters of a site or thing

BEGIN = {
    RAISED: {"id": "", "en": ""},
    ESCALATED: {"id": "BELUM DIAKUI: ", "en": "NOT ACKNOWLEDGED: "},
    AGAIN: {"id": "MASIH: ", "en": "STILL: "},
    OVER: {"id": "SUDAH REDA: ", "en": "OVER: "},
}
MORE = {"id": "+{n} lagi.", "en": "+{n} more."}
END = {"id": " Akui di layar pusat.", "en": " Acknowledge on the centre's page."}


class Told(NamedTuple):
    """An alarm in a text. `about` is its name here, "" when the code says it all."""

    code: str
    about: str
    priority: int


def notice_text(what: str, site: str, clock: str, alarms: Sequence[Told], language: str, words: AlarmWords) -> str:
    """`alarms`: the most urgent first; its step is told. `clock`: local time and zone."""
    named = "; ".join(_named(alarm, words) for alarm in alarms[:MOST_NAMED])
    rest = len(alarms) - MOST_NAMED
    said = f"{_short(site)} {clock}: {BEGIN[what][language]}{named}."
    if rest > 0:
        said += f" {MORE[language].format(n=rest)}"
    step = words.get(("alarm_step", alarms[0].code), "") if what != OVER else ""
    if step and len(said) + 1 + len(step) <= MOST:
        said += f" {step}"
    if what != OVER and len(said) + len(END[language]) <= MOST:
        said += END[language]
    return said[:MOST]


def _named(alarm: Told, words: AlarmWords) -> str:
    text = words.get(("alarm", alarm.code), alarm.code)
    about = _short(alarm.about)
    return f"P{alarm.priority} {text}" + (f" ({about})" if about and about.casefold() not in text.casefold() else "")


def _short(name: str) -> str:
    """A long name without its last words."""
    return name if len(name) <= MOST_NAME else name[: MOST_NAME + 1].rpartition(" ")[0] or name[:MOST_NAME]
