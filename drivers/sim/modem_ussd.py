"""USSD at a simulated modem: the request as the host codes it, the answer a moment later as this modem codes it."""

import asyncio
from collections.abc import Callable

from drivers.sim.modem_dialect import LTE, Dialect
from drivers.sim.modem_line import CME, OPERATION_NOT_ALLOWED, Answer, Command, Failed, Handler
from drivers.sim.modem_radio import HOME, Radio
from drivers.sim.modem_settings import Settings
from drivers.sim.network_ussd import TIMED_OUT, UNSUPPORTED, UssdCentre
from drivers.sim.sms_text import SEPTETS_OF, pack, text_from, unpack

USSD_S = 1.5  # s until the network answers
GSM7_SCHEME, UCS2_SCHEME = 15, 72  # data coding schemes of 23.038 for cell broadcast
INCORRECT, NO_NETWORK = 50, 30  # +CME ERROR
CR = 0x0D

OWN, TEXT, PACKED = "own", "text", "packed"
STYLES = (
    OWN,
    TEXT,
    PACKED,  # hex of packed septets
    "ucs2",  # hex of UTF-16, scheme 72
    "ucs2_as_15",  # the same, with the scheme that says GSM 7 (Quectel M35)
    "quoted",  # quotes inside the quotes
    "bare",  # +CUSD: 5 and no text
    "refused",  # +CUSD: 4
    "refused_on_lte",  # +CUSD: 4 unless the modem is on 2G
    "silent",  # never
)


class Ussd:
    """`say` sends an unsolicited line."""

    def __init__(
        self,
        number: str,
        centre: UssdCentre,
        radio: Radio,
        dialect: Dialect,
        settings: Settings,
        say: Callable[[str], None],
    ) -> None:
        self._number, self._centre, self._radio, self._dialect = number, centre, radio, dialect
        self._settings, self._say = settings, say
        self._answering: asyncio.TimerHandle | None = None
        self.style = OWN

    def reset(self) -> None:
        """Power off: nobody waits for an answer any more."""
        if self._answering:
            self._answering.cancel()

    def commands(self) -> dict[str, Handler]:
        return {"+CUSD": self._ask}

    def _ask(self, command: Command) -> Answer:
        """AT+CUSD=1,<code>,<dcs> asks; AT+CUSD=2 gives a menu up."""
        if command.op == "?":
            return Answer(("+CUSD: 0",))
        if command.op == "=?":
            return Answer(("+CUSD: (0-2)",))
        if command.number(0) > 2:
            raise Failed(CME, OPERATION_NOT_ALLOWED)
        self.reset()
        if len(command.listed) > 1:
            if self._radio.status != HOME:
                raise Failed(CME, NO_NETWORK)
            code = self._read(command.listed[1])
            self._answering = asyncio.get_running_loop().call_later(USSD_S, self._answer, code)
        return Answer()

    @property
    def _packed(self) -> bool:
        return self._dialect.ussd_packed and bool(self._settings["ussdmode"])

    def _read(self, typed: str) -> str:
        try:
            if self._packed:
                octets = bytes.fromhex(typed)
                return text_from(unpack(octets, len(octets) * 8 // 7)).rstrip("\r@")
            if self._settings.character_set == "UCS2":
                return bytes.fromhex(typed).decode("utf-16-be")
        except ValueError as e:
            raise Failed(CME, INCORRECT) from e
        return typed

    def _answer(self, code: str) -> None:
        style = self.style
        state, text = self._centre.answer(self._radio.plmn, self._number, code)
        if style == "refused" or (style == "refused_on_lte" and self._radio.technology == LTE):
            self._say(f"+CUSD: {UNSUPPORTED}")
        elif style == "bare":
            self._say(f"+CUSD: {TIMED_OUT}")
        elif style != "silent":
            self._say(f"+CUSD: {state},{self._coded(text)}")

    def _coded(self, text: str) -> str:
        ucs2 = text.encode("utf-16-be").hex().upper()
        if self.style == "ucs2" or (self.style == OWN and self._settings.character_set == "UCS2"):
            return f'"{ucs2}",{UCS2_SCHEME}'
        if self.style == "ucs2_as_15":
            return f'"{ucs2}",{GSM7_SCHEME}'
        if self.style == PACKED or (self.style == OWN and self._packed):
            septets = [septet for c in text for septet in SEPTETS_OF[c]]
            if len(septets) % 8 == 7:
                septets.append(CR)  # else seven bits of nothing would read as @ (23.038 clause 6.1.2.3.1)
            return f'"{pack(septets).hex().upper()}",{GSM7_SCHEME}'
        if self.style == "quoted":
            text = text.replace("Pulsa", '"Pulsa"', 1)
        return f'"{text}",{GSM7_SCHEME}'
