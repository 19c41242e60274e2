"""What a technician asks of one line while it is on duty: a command, a USSD code, its recording.

Only what reads, only between calls, and each on record; orders go before it.
"""

import asyncio
from collections.abc import Callable
from typing import Any

from appliance.events import ModemAsked
from appliance.journal import Appended
from appliance.lines.ussd_talk import ASKED_WITHIN, UssdTalk
from drivers.jsonsocket import Refusal
from drivers.modem.errors import LinkLost, ModemError
from drivers.modem.harmless import why_not_asked, why_not_coded
from drivers.modem.modem import Modem
from drivers.modem.recorder import Recorder, written
from drivers.modem.redact import redacted
from drivers.modem.ussd import STATES, text_of

CODE_SHOWN = 4  # characters of a USSD code on record; behind may stand a voucher or a PIN


class Bench:
    """`in_call` tells the id of the call on the line, or an empty string."""

    def __init__(
        self, line: str, modem: Modem, recorder: Recorder, append: Callable[..., Appended], in_call: Callable[[], str],
        talk: UssdTalk,
    ) -> None:  # fmt: skip
        self._line, self._modem, self._recorder, self._append, self._in_call = line, modem, recorder, append, in_call
        self._talk = talk

    async def ask(self, command: str, actor: str) -> dict[str, Any]:
        """One command that only reads; its answer's lines. Raises Refusal."""
        if why := why_not_asked(command):
            raise Refusal("not_harmless", f"{command[:60]!r} is not asked: {why}.", "Nothing was done.")
        self._free()
        self._append(ModemAsked(line=self._line, command=command.strip()), actor=actor)
        return {"line": self._line, "lines": list(await self._answer(command.strip()))}

    async def ussd(self, code: str, actor: str) -> dict[str, Any]:
        """Send a code and wait for the network's text; `asks` when it wants an answer. Raises Refusal."""
        if why := why_not_coded(code):
            raise Refusal("not_harmless", f"{code[:60]!r} is not sent: {why}.", "Nothing was done.")
        self._free()
        if self._talk.busy:
            raise Refusal("busy", f"{self._line}: a USSD code waits for its answer already.", "Try again in a minute.")
        shown = code[:CODE_SHOWN] + ("…" if len(code) > CODE_SHOWN + 1 else code[CODE_SHOWN:])
        self._append(ModemAsked(line=self._line, command=f"USSD {shown}"), actor=actor)
        try:
            said = await self._talk.ask(code)
        except TimeoutError as e:
            raise self._busy() from e
        except (ModemError, ValueError) as e:
            raise self._refusal(e) from e
        if said is None:
            raise Refusal(
                "no_answer",
                f"{self._line}: the network said nothing to {code}.",
                "Look whether it is registered; try again.",
            )
        text = text_of(said)
        if not text:
            raise Refusal(
                "no_answer",
                f"{self._line}: the network gives no answer to {code} ({STATES.get(said.state, 'empty')}).",
                "Some networks have USSD on 2G and 3G only; ask by another phone.",
            )
        return {"line": self._line, "text": text, "asks": said.state == 1}

    def recording(self) -> dict[str, Any]:
        """The newest of the flight recorder, without what is private."""
        return {"line": self._line, "text": written(redacted(self._recorder.recent()))}

    def _free(self) -> None:
        if self._in_call():
            raise Refusal("in_call", f"{self._line}: a call is on.", "Wait for its end, or use the other line.")

    async def _answer(self, command: str) -> tuple[str, ...]:
        try:
            async with asyncio.timeout(ASKED_WITHIN):
                return await self._modem.ask(command)
        except TimeoutError as e:
            raise self._busy() from e
        except (ModemError, ValueError) as e:
            raise self._refusal(e) from e

    def _busy(self) -> Refusal:
        return Refusal("busy", f"{self._line}: the modem is busy with other commands.", "Try again.")

    def _refusal(self, error: Exception) -> Refusal:
        what_next = "siaga modem doctor says what to do." if isinstance(error, LinkLost) else "Nothing else was tried."
        return Refusal("modem", f"{self._line}: {error}", what_next)
