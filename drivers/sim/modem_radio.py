"""A simulated modem's place in the network: registration, operator, signal, clock."""

from collections.abc import Callable
from datetime import datetime, timedelta, timezone

from drivers.sim.modem_dialects import Dialect
from drivers.sim.modem_line import CME, INVALID_TEXT, OPERATION_NOT_ALLOWED, Answer, Command, Failed, Handler
from drivers.sim.modem_settings import Settings
from drivers.sim.network import ZONE_S

OFF, HOME, SEARCHING, DENIED = 0, 1, 2, 3  # registration status of 27.007
TECHNOLOGY = 7  # E-UTRAN
PLACES = {"+CREG": ("4CA", "81DE445"), "+CGREG": ("4CA", "81DE445"), "+CEREG": ("1F00", "79D903")}
OPERATORS = {"telkomsel": "51010", "indosat": "51001", "xl": "51011", "smartfren": "51009"}  # MCC and MNC
CSQ = "22,99"  # about -69 dBm
CESQ = "99,99,255,255,20,52"


class Radio:
    """`say` sends an unsolicited line."""

    def __init__(
        self,
        dialect: Dialect,
        settings: Settings,
        operator: str,
        wall: Callable[[], float],
        say: Callable[[str], None],
    ) -> None:
        self._dialect, self._settings, self._operator, self._wall, self._say = dialect, settings, operator, wall, say
        self._format = 0
        self._full = True
        self.status = OFF

    @property
    def plmn(self) -> str:
        return OPERATORS.get(self._operator.lower().split()[0], "51010")

    def reset(self) -> None:
        """Power-up: it begins to search."""
        self._format, self._full, self.status = 0, True, SEARCHING

    def become(self, status: int) -> None:
        """Change registration and tell the host, as far as it wants to know."""
        if status == self.status:
            return
        self.status = status
        for name, place in PLACES.items():
            if mode := self._settings[name]:
                shown = self._dialect.registration(name, mode, status, place, TECHNOLOGY)
                self._say(f"{name}: {shown}")

    def local_time(self) -> datetime:
        return datetime.fromtimestamp(self._wall(), timezone(timedelta(seconds=ZONE_S)))

    def commands(self) -> dict[str, Handler]:
        return {
            "+CREG": self._registration,
            "+CGREG": self._registration,
            "+CEREG": self._registration,
            "+CGATT": lambda command: Answer((f"+CGATT: {int(self.status == HOME)}",) if command.op == "?" else ()),
            "+COPS": self._operators,
            "+CSQ": lambda command: Answer((f"+CSQ: {CSQ if self.status == HOME else '99,99'}",)),
            "+CESQ": lambda command: Answer((f"+CESQ: {CESQ}",)),
            "+CCLK": self._clock,
        }

    def _registration(self, command: Command) -> Answer:
        name = command.name
        if command.op == "=?":
            return Answer((f"{name}: (0-2)",))
        if command.op == "?":
            mode = self._settings[name]
            shown = self._dialect.registration(name, mode, self.status, PLACES[name], TECHNOLOGY)
            return Answer((f"{name}: {mode},{shown}",))
        if command.number(0) > 2:
            raise Failed(CME, INVALID_TEXT)
        self._settings.flags[name] = command.number(0)
        return Answer()

    def _operators(self, command: Command) -> Answer:
        if command.op == "?":
            if self.status != HOME:
                return Answer(("+COPS: 0",))
            shown = self.plmn if self._format == 2 else self._operator
            return Answer((f'+COPS: 0,{self._format},"{shown}",{TECHNOLOGY}',))
        if command.op == "=?":
            listed = f'(2,"{self._operator}","{self._operator}","{self.plmn}",{TECHNOLOGY})'
            return Answer((f"+COPS: {listed},,(0-4),(0-2)",))
        mode = command.number(0)
        if mode == 3:
            self._format = command.number(1, 0)
        elif mode not in (0, 1, 4):
            raise Failed(CME, OPERATION_NOT_ALLOWED)
        return Answer()

    def _clock(self, command: Command) -> Answer:
        if command.op == "=":
            return Answer()
        return Answer((f'+CCLK: "{self.local_time():%y/%m/%d,%H:%M:%S}+{ZONE_S // 900:02d}"',))
