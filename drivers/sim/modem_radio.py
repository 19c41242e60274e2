"""A simulated modem's place in the network: registration, operator, signal, clock."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

from drivers.sim.modem_dialect import GSM, LTE, Dialect
from drivers.sim.modem_line import CME, INVALID_TEXT, OPERATION_NOT_ALLOWED, Answer, Command, Failed, Handler
from drivers.sim.modem_registration import OWN, STYLES, wants_place
from drivers.sim.modem_settings import Settings
from drivers.sim.network import ZONE_S

OFF, HOME, SEARCHING, DENIED = 0, 1, 2, 3  # registration status of 27.007
OPERATORS = {"telkomsel": "51010", "indosat": "51001", "xl": "51011", "smartfren": "51009"}  # MCC and MNC
CSQ = "22,99"  # about -69 dBm
CESQ = "99,99,255,255,20,52"
CESQ_RANGES = "(0-63,99),(0-7,99),(0-96,255),(255),(0-34,255),(0-97,255)"
QUARTERS = ZONE_S // 900
GSM_ONLY = {"eg25g": "1", "sim7600": "13"}  # of AT+QCFG="nwscanmode" and AT+CNMP


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
        self._scan = ""  # what the host lets it scan for; kept without power
        self._clock_ahead = 0.0  # s of its own clock before the network's
        self.status = OFF
        self.style = OWN
        self.ims = True

    @property
    def plmn(self) -> str:
        return OPERATORS.get(self._operator.lower().split()[0], "51010")

    @property
    def technology(self) -> int:
        return GSM if self._scan and self._scan == GSM_ONLY.get(self._dialect.model) else self._dialect.technology

    def reset(self) -> None:
        """Power-up: nothing is known, not even the time."""
        self._format, self.status = 0, OFF
        self._set_clock(self._dialect.clock_begins)

    def become(self, status: int) -> None:
        """Change registration and tell the host, as far as it wants to know."""
        if status == self.status:
            return
        self.status = status
        for line in self.reported():
            self._say(line)
        if status == HOME:
            if self._settings["ctzu"] or self._settings["clts"]:
                self._clock_ahead = 0.0
            for line in self._dialect.network_time(self.local_time(), QUARTERS, self._settings.flags):
                self._say(line)

    def reported(self) -> list[str]:
        """The registration as it is reported unasked, for each domain whose reports are on."""
        return [f"{n}: {self._written(n, self._settings[n])}" for n in self._dialect.places if self._settings[n]]

    def local_time(self) -> datetime:
        return datetime.fromtimestamp(self._wall(), timezone(timedelta(seconds=ZONE_S)))

    def commands(self) -> dict[str, Handler]:
        handlers: dict[str, Handler] = dict.fromkeys(self._dialect.places, self._registration)
        handlers |= {
            "+CGATT": lambda command: Answer((f"+CGATT: {int(self.status == HOME)}",) if command.op == "?" else ()),
            "+COPS": self._operators,
            "+CSQ": lambda command: Answer((f"+CSQ: {CSQ if self.status == HOME else '99,99'}",)),
            "+CESQ": lambda command: Answer((f"+CESQ: {CESQ_RANGES if command.op == '=?' else CESQ}",)),
            "+CCLK": self._clock,
        }
        if self._dialect.model == "eg25g":
            handlers |= {
                "+QLTS": self._told_time,
                "+QCSQ": self._quality,
                "+QNWINFO": self._cell,
                "+QCFG": self._configure,
            }
        if self._dialect.model == "sim7600":
            handlers |= {"+CNMP": self._preferred}
        return handlers

    def _written(self, name: str, mode: int) -> str:
        area, cell = self._dialect.places[name]
        if self.style == OWN:
            return self._dialect.registration(name, mode, self.status, (area, cell), self.technology)
        if wants_place(self.style, mode, self.status):
            return STYLES[self.style](self.status, area, cell, self.technology)
        return str(self.status)

    def _registration(self, command: Command) -> Answer:
        name = command.name
        if command.op == "=?":
            return Answer((f"{name}: (0-2)",))
        if command.op == "?":
            mode = self._settings[name]
            return Answer((f"{name}: {mode},{self._written(name, mode)}",))
        if command.number(0) > 2:
            raise Failed(CME, INVALID_TEXT)
        self._settings.flags[name] = command.number(0)
        return Answer()

    def _operators(self, command: Command) -> Answer:
        old = self._dialect.model == "sim800"  # whose +COPS knows no access technology
        technology = "" if old else f",{self.technology}"
        if command.op == "?":
            if self.status != HOME:
                return Answer(("+COPS: 0",))
            shown = self.plmn if self._format == 2 else self._operator
            return Answer((f'+COPS: 0,{self._format},"{shown}"{technology}',))
        if command.op == "=?":
            listed = f'(2,"{self._operator}","{self._operator}","{self.plmn}"{technology})'
            return Answer((f"+COPS: {listed},,(0-4),(0-2)",))
        mode = command.number(0)
        if mode == 3:
            self._format = command.number(1, 0)
        elif mode not in (0, 1, 4):
            raise Failed(CME, OPERATION_NOT_ALLOWED)
        return Answer()

    def _clock(self, command: Command) -> Answer:
        """AT+CCLK="26/01/31,07:00:00+28" sets it; the zone is believed to be ours."""
        if command.op == "=?":
            return Answer()
        if command.op == "=":
            try:
                self._set_clock(datetime.strptime(command.args.strip('"')[:17], "%y/%m/%d,%H:%M:%S"))
            except ValueError as e:
                raise Failed(CME, INVALID_TEXT) from e
            return Answer()
        shown = self.local_time() + timedelta(seconds=self._clock_ahead)
        zone = f"+{QUARTERS:02d}" if not self._clock_ahead else "+00"
        return Answer((f'+CCLK: "{shown:%y/%m/%d,%H:%M:%S}{zone}"',))

    def _told_time(self, command: Command) -> Answer:
        """AT+QLTS=1 UTC, 2 local time, both as the network told it; nothing before it did."""
        if command.op != "=" or self.status != HOME:
            return Answer(('+QLTS: ""',) if command.op != "=?" else ("+QLTS: (0-2)",))
        local = self.local_time()
        shown = local.astimezone(UTC) if command.number(0) == 1 else local
        return Answer((f'+QLTS: "{shown:%Y/%m/%d,%H:%M:%S}+{QUARTERS:02d},0"',))

    def _set_clock(self, shown: datetime) -> None:
        self._clock_ahead = (shown - self.local_time().replace(tzinfo=None)).total_seconds()

    def _quality(self, command: Command) -> Answer:
        if command.op == "=?" or self.status != HOME:
            return Answer(('+QCSQ: "NOSERVICE"',) if command.op != "=?" else ())
        return Answer(('+QCSQ: "LTE",-57,-88,195,-10' if self.technology == LTE else '+QCSQ: "GSM",-69',))

    def _cell(self, command: Command) -> Answer:
        if command.op == "=?" or self.status != HOME:
            return Answer(("+QNWINFO: No Service",) if command.op != "=?" else ())
        if self.technology == LTE:
            return Answer((f'+QNWINFO: "FDD LTE","{self.plmn}","{self._dialect.band}",1850',))
        return Answer((f'+QNWINFO: "GSM","{self.plmn}","GSM 900",62',))

    def _configure(self, command: Command) -> Answer:
        """AT+QCFG="ims": the second figure is whether voice over LTE is up. "nwscanmode",1 leaves 2G alone."""
        kind, *values = command.listed
        if kind.lower() == "ims" and not values:
            return Answer((f'+QCFG: "ims",1,{int(self.ims and self.status == HOME and self.technology == LTE)}',))
        if kind.lower() == "nwscanmode":
            if not values:
                return Answer((f'+QCFG: "nwscanmode",{self._scan or 0}',))
            self._scan = values[0]
        return Answer()

    def _preferred(self, command: Command) -> Answer:
        """AT+CNMP=13 leaves 2G alone, 38 LTE alone, 2 takes what there is."""
        if command.op == "?":
            return Answer((f"+CNMP: {self._scan or 2}",))
        if command.op == "=":
            self._scan = str(command.number(0))
        return Answer()
