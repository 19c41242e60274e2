"""How the SIM is, and the one moment at which its PIN may be given: a wrong one costs a try, the last try the card.

Two tries are always left to the person who comes with the right PIN; a count that cannot be read is taken as too low.
"""

from typing import Literal

from msgspec import Struct

from drivers.modem.answers import AnswerError, cpin, pin_tries
from drivers.modem.errors import CommandRefused, NotDone
from drivers.modem.exchange import Exchange

SimState = Literal["unknown", "ready", "absent", "pin", "puk", "locked", "busy", "failed"]
SimReason = Literal["", "no_pin", "pin_refused", "few_tries", "tries_unknown"]

KEPT_TRIES = 2  # never spent by the box
SIM = 10.0  # s; a SIM that is being read keeps the modem busy
HOW_MANY = ('AT+CPINR="SIM PIN"', 'AT+QPINC="SC"', "AT+SPIC", "AT^CPIN?")  # the standard's, Quectel, SIMCom, Huawei

REFUSALS = {10: "NOT INSERTED", 11: "SIM PIN", 12: "SIM PUK", 13: "FAILURE", 14: "BUSY"}  # +CME ERROR
STATES: dict[str, SimState] = {
    "READY": "ready", "SIM PIN2": "ready", "SIM PUK2": "ready", "SIM PIN": "pin", "SIM PUK": "puk",
    "NOT INSERTED": "absent", "SIM REMOVED": "absent", "NOT READY": "busy", "BUSY": "busy", "FAILURE": "failed",
}  # fmt: skip


class SimSeen(Struct, frozen=True):
    """`word` is +CPIN's, "" when not known; `reason` is why a wanted PIN was not given."""

    word: str = ""
    state: SimState = "unknown"
    reason: SimReason = ""


class SimCard:
    """Outlives sessions: a PIN that was refused once is not given again until the box starts anew."""

    def __init__(self, pin: str = "") -> None:
        """`pin` is 4 to 8 digits, or empty for none."""
        if pin and not (pin.isascii() and pin.isdecimal() and 4 <= len(pin) <= 8):
            raise ValueError("A PIN has 4 to 8 digits.")  # which is not shown: it would land in a log
        self._pin = pin
        self._refused = False

    async def look(self, exchange: Exchange) -> SimSeen:
        """How it is now, its PIN given when that is wanted and safe. Raises LinkLost."""
        seen = await _seen(exchange)
        if seen.state != "pin":
            return seen
        reason = await self._unlock(exchange)
        return SimSeen(seen.word, seen.state, reason) if reason else await _seen(exchange)

    async def _unlock(self, exchange: Exchange) -> SimReason:
        if not self._pin:
            return "no_pin"
        if self._refused:
            return "pin_refused"
        tries = await _tries(exchange)
        if tries is None:
            return "tries_unknown"
        if tries <= KEPT_TRIES:
            return "few_tries"
        try:
            await exchange.ask(f'AT+CPIN="{self._pin}"', timeout=SIM)
        except CommandRefused:
            self._refused = True
            return "pin_refused"
        except NotDone:
            return "tries_unknown"  # whether it was taken shows in the next look, and the count with it
        return ""


async def _seen(exchange: Exchange) -> SimSeen:
    word = await _word(exchange)
    return SimSeen(word, STATES.get(word, "locked" if word.startswith("PH-") else "unknown"))


async def _word(exchange: Exchange) -> str:
    try:
        response = await exchange.ask("AT+CPIN?", timeout=SIM)
        return cpin(response.lines[-1]) if response.lines else ""
    except CommandRefused as e:
        return REFUSALS.get(e.code or -1, "")
    except (NotDone, AnswerError):
        return ""


async def _tries(exchange: Exchange) -> int | None:
    """The lowest count that the modem tells; None when it tells none."""
    for line in HOW_MANY:
        counts = []
        try:
            for answer in (await exchange.ask(line, timeout=SIM)).lines:
                counts.append(pin_tries(answer))
        except (NotDone, AnswerError):
            continue
        known = [count for count in counts if count is not None]
        if known:
            return min(known)
    return None
