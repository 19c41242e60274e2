"""The words of AT: which lines a command may claim as its answer, which end it, and which nobody asked for.

Everything is keyed by a line's name: what stands before the first colon (`+CREG`, `RING`, `VOICE CALL`).
Sources: ITU-T V.250, 3GPP TS 27.005 and 27.007; what vendors add comes from their profiles.
"""

import re
from dataclasses import dataclass

MAX_COMMAND = 556  # characters; V.250 asks for 40, EG25-G takes 559 with AT and CR

UNASKED = frozenset(
    {
        "RING",
        "+CRING",
        "+CLIP",
        "+CNAP",
        "+COLP",
        "+CCWA",
        "+CSSI",
        "+CSSU",
        "BUSY",
        "NO CARRIER",
        "NO ANSWER",
        "NO DIALTONE",
        "NO DIAL TONE",
        "+CMTI",
        "+CMT",
        "+CDSI",
        "+CDS",
        "+CBMI",
        "+CBM",
        "+CUSD",
        "+CREG",
        "+CGREG",
        "+CEREG",
        "+CGEV",
        "+CIEV",
        "+CTZV",
        "+CTZE",
        "+CTZU",
        "+CTZDST",
        "+CPIN",
        "+CFUN",
        "RDY",
    }
)

WITH_A_SECOND_LINE = frozenset({"+CMT", "+CDS", "+CBM"})  # the PDU follows on a line of its own

MAY_SPAN_LINES = frozenset({"+CUSD"})  # a menu's text holds line ends between its quotes

OK = "OK"
REFUSALS = frozenset({"ERROR", "COMMAND NOT SUPPORT", "NOT SUPPORT", "TOO MANY PARAMETERS"})  # the last three: Huawei
FINALS = REFUSALS | {OK}
CODED_REFUSALS = ("+CME ERROR", "+CMS ERROR")
CALL_ENDINGS = frozenset({"NO CARRIER", "BUSY", "NO ANSWER", "NO DIALTONE", "NO DIAL TONE"})

REGISTRATION = frozenset({"+CREG", "+CGREG", "+CEREG"})
TEXT_MODE = re.compile(r'"[0-9]{2}/[0-9]{2}/[0-9]{2},')  # of a +CMT with the centre's time: no PDU follows, a text
HEX_LINE = re.compile(r"(?:[0-9A-Fa-f]{2})+\Z")

_NAMED = re.compile(r"AT([+^$*&#][A-Z0-9_]+|[A-Z]+)", re.IGNORECASE)
_BARE = frozenset({"I", "+CGMI", "+GMI", "+CGMM", "+GMM", "+CGMR", "+GMR", "+CGSN", "+GSN", "+CIMI", "+CNUM", "+ICCID"})
_PDUS = frozenset({"+CMGR", "+CMGL"})
_PROMPTS = frozenset({"+CMGS", "+CMGW", "+CMGC"})


@dataclass(frozen=True, slots=True)
class Command:
    """One command line and what its answer may look like. `Command.of("AT+CSQ")` knows the usual ones."""

    line: str
    expects: str = ""  # the name its answer lines carry; "" when it has none
    bare: bool = False  # its answer lines carry no name (ATI, AT+CGMM)
    pdus: bool = False  # lines of hex follow its answer lines (AT+CMGR)
    prompts: bool = False  # it asks for a payload with "> "
    calls: bool = False  # NO CARRIER and BUSY end it too

    @property
    def owes_a_line(self) -> bool:
        """Whether OK alone is a strange answer."""
        return self.bare or (bool(self.expects) and self.line.endswith("?"))

    @classmethod
    def of(cls, line: str) -> "Command":
        """The command with what its answer looks like, told from its name. Raises ValueError on what is no command."""
        if not line.isascii() or not line.isprintable() or len(line) > MAX_COMMAND:
            raise ValueError(f"{line[:60]!r} is not one AT command line of at most {MAX_COMMAND} printable characters")
        if line.upper() == "AT":
            return cls(line)
        named = _NAMED.match(line)
        if named is None:
            raise ValueError(f"{line[:60]!r} does not begin with AT and a command name")
        name = named[1].upper()
        rest = line[named.end() :]
        # AT+CREG=2 sets: a +CREG line behind it is news from the network, not its answer.
        sets = rest.startswith("=") and not rest.startswith("=?")
        basic = name[0].isalpha() and name != "I"
        return cls(
            line,
            expects="" if basic or (sets and name in UNASKED | {"+CLCC"}) else name,
            bare=name in _BARE,
            pdus=name in _PDUS,
            prompts=name in _PROMPTS and sets,
            calls=name in ("A", "D") or line.upper().startswith("ATD"),
        )


def name_of(line: str) -> str:
    """What a line is about: `+CREG` of `+CREG : 1`, `RING` of `RING`."""
    return line.partition(":")[0].strip().upper()


def answers_query(name: str, line: str) -> bool:
    """Tell the answer of AT+CREG? from an unasked +CREG, and a listed call from SIMCom's unasked "ended".

    The answer has the mode before the state; news has the state, then an area code of four hex digits.
    """
    body = line.partition(":")[2]
    if name == "+CLCC":
        return not re.match(r"\s*\d+\s*,\s*\d+\s*,\s*6\b", body)
    if name in REGISTRATION:
        return re.match(r"\s*\d\s*,\s*\d{1,2}\s*(?:,|$)", body) is not None
    return True
