"""What a modem told of calls, as words for the machine: the same few for all makes."""

from collections.abc import Sequence

from appliance.lines.call_machine import RINGS, SETS_UP, TALKED, Phase, Reason, Said
from appliance.lines.calls_machine import Listed, Word
from drivers.modem import events as heard
from drivers.modem.answers import ListedCall

REPORTED = {
    "active": Said.ACTIVE, "held": Said.HELD, "dialling": Said.DIALLING, "alerting": Said.ALERTING,
    "incoming": Said.INCOMING, "waiting": Said.INCOMING, "ended": Said.GONE,
}  # fmt: skip
AMONG: dict[str, tuple[Phase, ...]] = {"any": (), "ringing": RINGS, "dialled": SETS_UP, "talked": TALKED}
ACTIVE, ENDED = 0, 6  # states of +CLCC


def word(event: heard.ModemEvent) -> Word | None:
    """None: it says nothing of a call."""
    match event:
        case heard.Ring():
            return Word(Said.INCOMING, out=False)
        case heard.Caller(number=number, waiting=waiting):
            return Word(Said.INCOMING, number, out=False, waiting=waiting)
        case heard.CallReported():
            return _reported(event)
        case heard.CallEnded():
            why = Reason(event.why) if event.why else Reason.CALLER
            return Word(Said.GONE, event.number, event.index, why=why, among=AMONG[event.of])
    return None


def _reported(event: heard.CallReported) -> Word:
    out = None if event.incoming is None else not event.incoming
    said = REPORTED[event.state]
    if said is Said.ACTIVE:
        said = Said.CONNECTED if out is None else _talked(conference=event.conference)
    return Word(said, event.number, event.index, out, waiting=event.state == "waiting")


def _talked(*, conference: bool | None) -> Said:
    return Said.ACTIVE if conference is None else Said.JOINED if conference else Said.ALONE


def rows(calls: Sequence[ListedCall]) -> list[Listed]:
    """Of a list of all calls; one that SIMCom still shows as ended is none."""
    return [
        Listed(
            _talked(conference=call.conference) if call.state == ACTIVE else REPORTED[heard.CALL_STATES[call.state]],
            call.number, call.index, not call.incoming, heard.CALL_STATES[call.state] == "waiting",
        )
        for call in calls
        if 0 <= call.state < ENDED
    ]  # fmt: skip
