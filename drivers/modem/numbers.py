"""Which numbers a line may dial (none of the emergency numbers, however they are written), and which are the same."""

import re

from drivers.modem.errors import NumberRefused

# Indonesia's own, and what every phone must treat as an emergency call (3GPP TS 22.101 clause 10.1.1).
EMERGENCY = frozenset(
    ("110", "111", "112", "113", "115", "117", "118", "119", "122", "123", "129", "000", "08", "911", "999")
)
SHORTEST = 4  # digits; a SIM may add emergency numbers of its own, and none is longer than three
LONGEST = 20
LONGEST_WITH_AREA_CODE = 6  # an area code has two or three digits; telephones behind one have five or more

_DIALLABLE = re.compile(r"\+?[0-9]+\Z")
_TRUNK = re.compile(r"(?:\+|00)?62|\+|0")


SUBSCRIBER = 7  # digits at the end of a number that make it one telephone's, whatever stands before


def same_number(one: str, other: str) -> bool:
    """Whether both are one telephone: +62811..., 0062811..., 62811... and 0811... are; short codes only themselves."""
    a, b = sorted((_significant(one), _significant(other)), key=len)
    return a == b or (len(a) >= SUBSCRIBER and b.endswith(a))


def telephone(number: str) -> str:
    """One key for one telephone: +62811..., 0062811..., 62811... and 0811... give 811...; others keep their +."""
    digits = re.sub(r"[ ().\-]", "", number)
    found = re.match(r"(\+|00)?62(?=[0-9]{7})|\+|00(?=[1-9])|0", digits)
    if found is None:
        return digits
    return ("+" if found[0] in ("+", "00") else "") + digits[found.end() :]


def _significant(number: str) -> str:
    """Its digits without + and without what is dialled before a national or international number; words stay."""
    return re.sub(r"[ ().\-]", "", number).removeprefix("+").lstrip("0")


def diallable(number: str) -> str:
    """The number as it goes behind ATD. Raises NumberRefused; spaces, dots, dashes and brackets are dropped."""
    digits = re.sub(r"[ ().\-]", "", number)
    if not _DIALLABLE.match(digits) or not digits.isascii() or len(digits) > LONGEST + 1:
        raise NumberRefused(f"{number!r} is no telephone number: digits, with + in front where it is international.")
    bare = digits.removeprefix("+")
    local = _TRUNK.sub("", digits, count=1)
    behind_area_code = local != digits and len(local) <= LONGEST_WITH_AREA_CODE and local[-3:] in EMERGENCY
    if len(bare) < SHORTEST or bare in EMERGENCY or local in EMERGENCY or behind_area_code:
        raise NumberRefused(f"{number!r} is or may be an emergency number; this box never dials one.")
    return digits
