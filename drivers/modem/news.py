"""Unasked lines into events: calls and keys. Lines that say nothing of these, or cannot be read, give none."""

from collections.abc import Callable

from drivers.modem import answers
from drivers.modem.answers import AnswerError, VendorCall
from drivers.modem.at import Urc
from drivers.modem.command import CALL_ENDINGS, name_of
from drivers.modem.events import (
    CALL_STATES,
    CallEnded,
    Caller,
    CallReported,
    CallState,
    KeyHeard,
    ModemEvent,
    NetworkTime,
    Ring,
    Unanswered,
    UssdSaid,
)
from drivers.modem.network_time import network_time

KEYS = "0123456789*#ABCD"
FULL = ("^SMMEMFULL", "+SMS FULL")  # Huawei, SIMCom; Quectel says +QIND: "smsfull"
HUAWEI_STATES: dict[str, CallState] = {"^ORIG": "dialling", "^CONF": "alerting", "^CONN": "active"}
# Of calls that we dialled and nobody answered; V.250 clause 6.3.
ENDINGS = {
    "BUSY": CallEnded("BUSY", why="busy", of="dialled"),
    "NO ANSWER": CallEnded("NO ANSWER", why="no_answer", of="dialled"),
}
# 3GPP TS 24.008 annex H. What is not here and no normal end (16, 31) leaves a number not reachable.
CAUSES: dict[int, Unanswered] = {17: "busy", 21: "busy", 18: "no_answer", 19: "no_answer", 16: "", 31: ""}


def events_of(urc: Urc) -> tuple[ModemEvent, ...]:
    """What one unasked line says of calls, keys and USSD."""
    read = READERS.get(urc.name)
    if read is None:
        return (ENDINGS.get(urc.name, CallEnded(urc.name)),) if urc.name in CALL_ENDINGS else ()
    try:
        return read(urc.line)
    except AnswerError:
        return ()


def says_full(urc: Urc) -> bool:
    """Whether it says that a memory takes no more messages."""
    return urc.name in FULL or (urc.name == "+QIND" and '"smsfull"' in urc.line.lower())


def _listed(line: str) -> tuple[ModemEvent, ...]:
    call = answers.clcc(line)
    said = VendorCall(call.index, call.incoming, call.state, call.number, call.voice, call.conference)
    return _call(said, "+CLCC")


def _call(call: VendorCall, source: str) -> tuple[ModemEvent, ...]:
    if not call.voice or not 0 <= call.state < len(CALL_STATES):
        return ()
    state = CALL_STATES[call.state]
    return (CallReported(state, call.number, source, call.incoming, call.index, call.conference),)


def _quectel(line: str) -> tuple[ModemEvent, ...]:
    return _call(answers.ccinfo(line), "+QIND")


def _voice_call(line: str) -> tuple[ModemEvent, ...]:
    """SIMCom: `VOICE CALL: BEGIN` and `VOICE CALL: END: 000008`, seconds."""
    said = line.partition(":")[2].strip().upper()
    if said.startswith("BEGIN"):
        return (CallReported("active", None, "VOICE CALL"),)
    return (CallEnded(line, of="talked"),) if said.startswith("END") else ()


def _missed(line: str) -> tuple[ModemEvent, ...]:
    """SIMCom: `MISSED_CALL: 11:53AM 08020866256`."""
    words = line.split()
    return (CallEnded("MISSED_CALL", words[-1] if len(words) > 2 else None, of="ringing"),)


def _huawei(line: str) -> tuple[ModemEvent, ...]:
    name, call = name_of(line), answers.huawei_call(line)
    if name == "^CEND":
        why: Unanswered = "" if call.cause is None else CAUSES.get(call.cause, "unreachable")
        return (CallEnded(line, index=call.index, why=why),)
    return (CallReported(HUAWEI_STATES[name], None, name, False if name != "^CONN" else None, call.index),)


def _dialled_here(line: str) -> tuple[ModemEvent, ...]:
    """SIMCom's `MO RING` and `MO CONNECTED`."""
    state: CallState = "alerting" if name_of(line) == "MO RING" else "active"
    return (CallReported(state, None, name_of(line), incoming=False),)


def _key(line: str) -> tuple[ModemEvent, ...]:
    key = line.partition(":")[2].strip(' "').upper()
    return (KeyHeard(key),) if len(key) == 1 and key in KEYS else ()


def _key_in_ascii(line: str) -> tuple[ModemEvent, ...]:
    """Quectel: `+QTONEDET: 48` is the key 0."""
    said = line.partition(":")[2].strip()
    key = chr(int(said)) if said.isascii() and said.isdigit() and len(said) <= 3 else ""
    return (KeyHeard(key.upper()),) if key and key.upper() in KEYS else ()


def _ussd(line: str) -> tuple[ModemEvent, ...]:
    said = answers.cusd(line)
    return (UssdSaid(said.state, said.text, said.dcs),)


READERS: dict[str, Callable[[str], tuple[ModemEvent, ...]]] = {
    "RING": lambda line: (Ring(),),
    "+CRING": lambda line: (Ring(),),
    "+CLIP": lambda line: (Caller(answers.clip(line)),),
    "+CCWA": lambda line: (Caller(answers.ccwa(line), waiting=True),),
    "+CLCC": _listed,
    "+QIND": _quectel,
    "^DSCI": lambda line: _call(answers.dsci(line), "^DSCI"),
    "VOICE CALL": _voice_call,
    "MISSED_CALL": _missed,
    "MO RING": _dialled_here,
    "MO CONNECTED": _dialled_here,
    "^ORIG": _huawei,
    "^CONF": _huawei,
    "^CONN": _huawei,
    "^CEND": _huawei,
    "+RXDTMF": _key,
    "+DTMF": _key,
    "^DDTMF": _key,
    "+QTONEDET": _key_in_ascii,
    "+CUSD": _ussd,
    "+CTZE": lambda line: (NetworkTime(network_time(line)),),
}
