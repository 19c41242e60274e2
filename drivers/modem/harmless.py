"""What a person may ask of a modem that is on duty: what reads and is done at once. All else is refused, with why.

A list of what is allowed, since every maker has commands of its own that wipe, dial, lock or switch off.
"""

import re

from drivers.modem.command import REGISTRATION, UNASKED

READS = frozenset(
    (
        "AT", "ATI", "AT+CSQ", "AT+CPAS", "AT+CEER", "AT+CBC", "AT+CGMI", "AT+CGMM", "AT+CGMR", "AT+CGSN",
        "AT+GMI", "AT+GMM", "AT+GMR", "AT+GSN", "AT+CIMI", "AT+CCID", "AT+ICCID", "AT+QCCID", "AT^ICCID", "AT+CNUM",
        "AT+CESQ", "AT+QCSQ", "AT+QNWINFO", "AT+QSPN", "AT+QTEMP", 'AT+QENG="servingcell"', "AT^SYSINFO",
        "AT+CLCC", "AT^SYSINFOEX", "AT^HWVER",
    )
)  # fmt: skip

SLOW = frozenset(("AT+COPS=?",))  # up to three minutes, in which no order goes out on this line
# Their answers look like news of a call or a message, so that real news in that moment would be lost.
NEWS = UNASKED - REGISTRATION - {"+CPIN", "+CFUN"}

_QUERY = re.compile(r"AT([+^$*%][A-Z0-9_]{1,30})(?:\?|=\?)")

# *21*NUMBER# and its kind divert calls, bar them, change passwords; *#21# only asks (3GPP TS 22.030 annex B).
_SERVICE = re.compile(r"(?:\*\*|##|[*#](?:00[24]|21|6[127]|3[0135]|33[0-3]|35[13]|43|0[345]\d?)[*#])")
_CODE = re.compile(r"[*#][0-9*#]{1,80}#")
_CHOICE = re.compile(r"[0-9]{1,2}")  # of a menu; emergency numbers are longer


def why_not_asked(line: str) -> str:
    """Why a command may not be asked, or an empty string."""
    command = line.strip().upper()
    if command in SLOW:
        return "it takes minutes, in which no order goes out on this line"
    if found := _QUERY.fullmatch(command):
        return "its answer could hide a call's own news" if found[1] in NEWS else ""
    if command in {read.upper() for read in READS}:
        return ""
    if command.startswith("ATD"):
        return "this box dials no number by command"
    return "only what reads is asked of a modem on duty: AT+NAME?, AT+NAME=?, ATI, AT+CSQ and the like"


def why_not_coded(code: str) -> str:
    """Why a USSD code may not be sent, or an empty string."""
    if _SERVICE.match(code):
        return "it may divert or bar calls, or change a password"
    if _CODE.fullmatch(code) or _CHOICE.fullmatch(code):
        return ""
    return "a code is like *888#, an answer to a menu one or two digits"
