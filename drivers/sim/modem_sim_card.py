"""The SIM in a simulated modem: there or not, locked by a PIN that counts its tries down to the PUK."""

from collections.abc import Callable

from drivers.sim.modem_dialect import Dialect
from drivers.sim.modem_line import CME, CMS, OPERATION_NOT_ALLOWED, Answer, Command, Failed, Handler

READY, SIM_PIN, SIM_PUK, BLOCKED, ABSENT = "READY", "SIM PIN", "SIM PUK", "BLOCKED", "ABSENT"
PIN_TRIES, PUK_TRIES = 3, 10  # of every card
PUK = "12345678"
WRONG_PASSWORD = 16
CME_OF = {SIM_PIN: 11, SIM_PUK: 12, BLOCKED: 13, ABSENT: 10}
CMS_OF = {SIM_PIN: 311, SIM_PUK: 316, BLOCKED: 313, ABSENT: 310}
OFF_CME, OFF_CMS = 13, 313  # SIM failure: what it says of a SIM without power (AT+CFUN=0)
FOR_CALLS = frozenset({"D", "+CUSD", "+CIMI", "+CNUM"})
FOR_MESSAGES = frozenset(
    {"+CMGS", "+CMGW", "+CMSS", "+CMGL", "+CMGR", "+CMGD", "+CPMS", "+CSCA", "+CNMI", "+CNMA"}
)  # AT+CMGF and AT+CSMS need none


class SimCard:
    """`changed` is called when it became usable by a PIN that was typed. The card keeps its tries without power."""

    def __init__(self, dialect: Dialect, changed: Callable[[], None]) -> None:
        self._dialect, self._changed = dialect, changed
        self._pin: str | None = None
        self._open = True
        self.present = True
        self.powered = True
        self.tries, self.puk_tries = PIN_TRIES, PUK_TRIES

    @property
    def state(self) -> str:
        if not self.present:
            return ABSENT
        if self._open or self._pin is None:
            return READY
        if self.tries:
            return SIM_PIN
        return SIM_PUK if self.puk_tries else BLOCKED

    @property
    def usable(self) -> bool:
        return self.powered and self.state == READY

    def power(self, on: bool) -> None:
        """Without power a PIN has to be given again."""
        self.powered = on
        self._open = self._open and on

    def put(self, present: bool) -> None:
        """Into its holder, or out of it."""
        self.present = present
        self._open = False

    def lock(self, pin: str, tries: int) -> None:
        """Ask for a PIN from the next power-up on; no tries left means the PUK. An empty PIN unlocks the card."""
        if pin and not (pin.isdecimal() and 4 <= len(pin) <= 8):
            raise ValueError(f"pin is {pin!r}; it must be 4 to 8 digits, or empty for none")
        self._pin, self.tries = pin or None, tries if pin else PIN_TRIES
        self.puk_tries = PUK_TRIES

    def check(self, command: Command) -> None:
        """Raises Failed when the command needs a SIM and has none to use."""
        if self.usable or command.op == "=?":
            return
        if command.name in FOR_MESSAGES:
            raise Failed(CMS, CMS_OF[self.state] if self.powered else OFF_CMS)
        if command.name in FOR_CALLS:
            raise Failed(CME, CME_OF[self.state] if self.powered else OFF_CME)

    def commands(self) -> dict[str, Handler]:
        handlers: dict[str, Handler] = {"+CPIN": self._enter, "+CPINR": self._remaining, "+CLCK": self._locked}
        return handlers | {
            "eg25g": {"+QPINC": self._remaining_quectel},
            "sim7600": {"+SPIC": self._remaining_simcom},
            "sim800": {"+SPIC": self._remaining_simcom},
            "huawei": {"^CPIN": self._remaining_huawei},
        }.get(self._dialect.model, {})

    def _enter(self, command: Command) -> Answer:
        if command.op == "=?":
            return Answer()
        if not self.powered:
            raise Failed(CME, OFF_CME)
        if self.state in (ABSENT, BLOCKED):
            raise Failed(CME, CME_OF[self.state])
        if command.op == "?":
            return Answer((f"+CPIN: {self.state}",))
        given = command.listed
        if self.state == SIM_PIN and len(given) == 1:
            return self._given(given[0], str(self._pin))
        if self.state == SIM_PUK and len(given) == 2:
            answer = self._given(given[0], PUK)
            self._pin = given[1]
            return answer
        raise Failed(CME, CME_OF[SIM_PUK] if self.state == SIM_PUK else OPERATION_NOT_ALLOWED)

    def _given(self, typed: str, right: str) -> Answer:
        if typed == right:
            self.tries, self.puk_tries, self._open = PIN_TRIES, PUK_TRIES, True
            self._changed()
            return Answer()
        before = self.state
        if before == SIM_PIN:
            self.tries -= 1
        else:
            self.puk_tries -= 1
        raise Failed(CME, WRONG_PASSWORD if self.state == before else CME_OF[self.state])

    def _remaining(self, command: Command) -> Answer:
        self._needs_card()
        pin, puk = f"+CPINR: SIM PIN,{self.tries},{PIN_TRIES}", f"+CPINR: SIM PUK,{self.puk_tries},{PUK_TRIES}"
        return Answer((pin, puk))

    def _remaining_quectel(self, command: Command) -> Answer:
        self._needs_card()
        return Answer((f'+QPINC: "SC",{self.tries},{self.puk_tries}', '+QPINC: "P2",3,10'))

    def _remaining_simcom(self, command: Command) -> Answer:
        self._needs_card()
        return Answer((f"+SPIC: {self.tries},{self.puk_tries},3,10",))

    def _remaining_huawei(self, command: Command) -> Answer:
        self._needs_card()
        now = {SIM_PIN: self.tries, SIM_PUK: self.puk_tries}.get(self.state, "")
        return Answer((f"^CPIN: {self.state},{now},{self.puk_tries},{self.tries},10,3",))

    def _needs_card(self) -> None:
        if not self.present or not self.powered:
            raise Failed(CME, CME_OF[ABSENT] if not self.present else OFF_CME)

    def _locked(self, command: Command) -> Answer:
        """AT+CLCK="SC",2 asks whether a PIN is wanted; other facilities are off, and nothing is switched."""
        if command.op == "=?":
            return Answer(('+CLCK: ("SC","PN")',))
        self._needs_card()
        if command.number(1) != 2:
            raise Failed(CME, OPERATION_NOT_ALLOWED)
        return Answer((f"+CLCK: {int(command.listed[0].upper() == 'SC' and self._pin is not None)}",))
