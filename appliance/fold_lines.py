"""The fold's part for lines: what is remembered of each SIM and network, and the clock that networks judge."""

from appliance import events as ev
from appliance import line_events as le
from appliance import sms_events as sms
from appliance.folding import Fold, Folds
from appliance.stamp import Stamp
from appliance.state import Credit, LineRecord, Proof, State

MOST_FALLEN = 20  # as many as a site may count
MOST_CREDITS = 40  # looks at the credit; one a day, a forecast takes the last month's


def _record(s: State, line: str) -> LineRecord:
    return s.lines.setdefault(line, LineRecord())


def _credit_seen(s: State, e: ev.CreditSeen, at: Stamp) -> None:
    record = _record(s, e.line)
    record.credits.append(Credit(e.rupiah, e.until, at))
    del record.credits[: max(0, len(record.credits) - MOST_CREDITS)]
    record.credit_unknown, record.credit_asked = "", at


def _credit_unknown(s: State, e: ev.CreditUnknown, at: Stamp) -> None:
    record = _record(s, e.line)
    record.credit_unknown, record.credit_asked = e.reason, at


def _credit_postpaid(s: State, e: ev.CreditPostpaid, at: Stamp) -> None:
    record = _record(s, e.line)
    record.credits, record.credit_unknown, record.credit_asked, record.credit_low = [], "", None, ""


def _credit_low(s: State, e: ev.CreditLow, at: Stamp) -> None:
    _record(s, e.line).credit_low = e.why


def _credit_enough(s: State, e: ev.CreditEnough, at: Stamp) -> None:
    _record(s, e.line).credit_low = ""


def _narrowed(s: State, e: ev.LineNarrowed, at: Stamp) -> None:
    _record(s, e.line).narrowed = e.networks == "2g"


def _sim_bad(s: State, e: ev.SimBad, at: Stamp) -> None:
    _record(s, e.line).sim_bad = f"{e.state} {e.reason}".strip()


def _sim_good(s: State, e: ev.SimGood, at: Stamp) -> None:
    _record(s, e.line).sim_bad = ""


def _unregistered(s: State, e: ev.LineUnregistered, at: Stamp) -> None:
    _record(s, e.line).unregistered = True


def _registered(s: State, e: ev.LineRegistered, at: Stamp) -> None:
    _record(s, e.line).unregistered = False


def _cell(s: State, e: ev.CellChanged, at: Stamp) -> None:
    _record(s, e.line).cell = (e.area, e.cell)


def _clock_wrong(s: State, e: ev.ClockWrong, at: Stamp) -> None:
    s.clock_wrong = True


def _clock_right(s: State, e: ev.ClockRight, at: Stamp) -> None:
    s.clock_wrong = False


def _proof(kind: str) -> Fold:
    def fold(s: State, e: ev.CallAnswered | ev.SmsPartReceived | sms.SmsSent, at: Stamp) -> None:
        _record(s, e.line).proof = Proof(kind, at)

    return fold


def _down(s: State, e: ev.LineDown, at: Stamp) -> None:
    """What the network said of it is past: that the modem is gone is told in its own way."""
    record = _record(s, e.line)
    record.unregistered, record.up = False, False
    record.fallen.append(at)
    del record.fallen[:-MOST_FALLEN]


def _up(s: State, e: ev.LineUp, at: Stamp) -> None:
    _record(s, e.line).up = True


def _unstable(s: State, e: le.LineUnstable | le.LineSteadied, at: Stamp) -> None:
    _record(s, e.line).unstable = isinstance(e, le.LineUnstable)


FOLDS = Folds(
    {
        ev.CreditSeen: _credit_seen,
        ev.CreditUnknown: _credit_unknown,
        ev.CreditPostpaid: _credit_postpaid,
        ev.CreditLow: _credit_low,
        ev.CreditEnough: _credit_enough,
        ev.LineNarrowed: _narrowed,
        ev.SimBad: _sim_bad,
        ev.SimGood: _sim_good,
        ev.LineUnregistered: _unregistered,
        ev.LineRegistered: _registered,
        ev.LineDown: _down,
        ev.LineUp: _up,
        le.LineUnstable: _unstable,
        le.LineSteadied: _unstable,
        ev.CellChanged: _cell,
        ev.ClockWrong: _clock_wrong,
        ev.ClockRight: _clock_right,
        ev.CallAnswered: _proof("call"),
        ev.SmsPartReceived: _proof("sms_received"),
        sms.SmsSent: _proof("sms_sent"),
    }
)
