"""Who answers at the port, taken from answers that other lines may stand between.

AT+CGMI and its like answer without a name in front, so an unasked line of a make not yet known looks like an answer:
only what has the shape of an answer counts.
"""

import re
from collections.abc import Sequence

from msgspec import Struct

QUESTIONS = ("AT+CGMI", "AT+CGMM", "AT+CGMR", "AT+CGSN", "ATI")
LONGEST = 80  # characters of one answer; the longest revisions have half of it

_IMEI = re.compile(r'(?:(?:\+CGSN|IMEI)\s*:\s*)?"?([0-9]{14,17})"?')  # 15 digits; 16 with a software version
_LABEL = re.compile(r"([^:\s]+(?: [^:\s]+)?)\s*:\s*(.*)")
_LABELS = frozenset({"MANUFACTURER", "MODEL", "REVISION"})  # words that makers put in front themselves


class Said(Struct, frozen=True):
    """Each empty where the modem does not say. `everything` is what a profile is chosen by."""

    manufacturer: str
    model: str
    revision: str
    imei: str
    everything: str


def read(answers: Sequence[Sequence[str]]) -> Said:
    """The lines that came to each of QUESTIONS, in that order."""
    manufacturer, model, revision = (
        _plain(lines, question) for question, lines in zip(QUESTIONS[:3], answers[:3], strict=True)
    )
    imei = next((found[1] for line in answers[3] if (found := _IMEI.fullmatch(line.strip()))), "")
    everything = " ".join(line for line in answers[4] if line[:1] not in "+^*")[: 4 * LONGEST]
    return Said(manufacturer, model or everything[:LONGEST], revision, imei, f"{manufacturer} {model} {everything}")


def _plain(lines: Sequence[str], question: str) -> str:
    """What stands in the lines that carry no name, or the question's own, or a word for what was asked."""
    own = question.removeprefix("AT")
    kept = []
    for line in lines:
        labelled = _LABEL.fullmatch(line.strip())
        if labelled is None:
            kept.append(line.strip().strip('"'))
        elif labelled[1].upper() in (own, own.replace("+C", "+")):
            kept.append(labelled[2].strip('"'))
        elif labelled[1].upper() in _LABELS:
            kept.append(labelled[2] if question != "AT+CGMR" else line.strip())
    return " ".join(kept)[:LONGEST]
