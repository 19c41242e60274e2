"""USSD: the request as modems take it, and what the network said as text, in whichever coding the modem hands it on."""

import re

from drivers.modem.events import UssdSaid
from drivers.modem.gsm7 import CR, codes_of, pack, text_of_packed
from drivers.modem.pdu_types import PduError

# 3GPP TS 27.007 clause 7.15
STATES = {1: "asks", 2: "ended", 3: "other_client", 4: "not_supported", 5: "timed_out"}
_HEX = re.compile(r"(?:[0-9A-F]{2}){2,}")


def requests(code: str) -> tuple[str, str]:
    """The commands to try in turn: in letters, and as packed septets, which Huawei's wants."""
    septets = codes_of(code)
    if len(septets) % 8 == 7:
        septets += bytes((CR,))
    return f'AT+CUSD=1,"{code}",15', f'AT+CUSD=1,"{pack(septets).hex().upper()}",15'


def text_of(said: UssdSaid) -> str:
    """The text. Hex is UCS2 where the scheme or its zeros say so, else packed septets; what is neither stays."""
    text = said.text or ""
    if not _HEX.fullmatch(text):
        return text
    octets = bytes.fromhex(text)
    if len(octets) % 2 == 0 and ((said.dcs or 0) & 0x4C == 0x48 or not any(octets[::2])):
        return octets.decode("utf-16-be", "replace")
    try:
        packed = text_of_packed(octets)
    except PduError:
        return text
    return packed if all(c.isprintable() or c in "\r\n" for c in packed) else text
