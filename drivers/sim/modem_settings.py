"""What a host has switched on a simulated modem. Forgotten at a reset, except what it asked to save."""

from drivers.sim.modem_dialect import Dialect, Switch
from drivers.sim.modem_line import CME, INVALID_TEXT, Answer, Command, Failed, Handler

SWITCHES = (
    Switch("+CMEE", "cmee", (0, 1, 2)),
    Switch("+CRC", "crc", (0, 1)),
    Switch("+COLP", "colp", (0, 1)),
    Switch("+CVHU", "cvhu", (0, 1)),
    Switch("+CMMS", "cmms", (0, 1, 2)),
    Switch("+CTZU", "ctzu", (0, 1, 3)),
    Switch("+CTZR", "ctzr", (0, 1, 2)),
    Switch("+CSDH", "csdh", (0, 1)),
)
INDICATIONS = ("csq", "smsfull", "ring", "smsincoming", "act", "ccinfo", "all")  # of AT+QINDCFG
CHARACTER_SETS = ("GSM", "IRA", "UCS2")


class Settings:
    """`flags` by name, 0 when never set."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._saved: dict[str, int] = {}
        self.reset()

    def reset(self) -> None:
        """As after power-up, ATZ or AT&F."""
        self.flags = {"echo": 1, "cmee": self._dialect.cmee, **self._dialect.on, **self._saved}
        self.character_set = "GSM"

    def __getitem__(self, flag: str) -> int:
        return self.flags.get(flag, 0)

    def commands(self) -> dict[str, Handler]:
        handlers: dict[str, Handler] = {
            switch.name: self._switch(switch) for switch in (*SWITCHES, *self._dialect.switches)
        }
        handlers |= {
            "E": self._echo,
            "+CSCS": self._characters,
            "+CLIP": self._identification,
            "+CCWA": self._waiting,
        }
        if self._dialect.model == "eg25g":
            handlers["+QINDCFG"] = self._indications
        return handlers

    def _switch(self, switch: Switch) -> Handler:
        def handle(command: Command) -> Answer:
            if command.op == "?":
                return Answer((f"{switch.name}: {self[switch.flag]}",))
            if command.op == "=?":
                return Answer((f"{switch.name}: ({','.join(map(str, switch.values))})",))
            value = command.number(0)
            if value not in switch.values:
                raise Failed(CME, INVALID_TEXT)
            self.flags[switch.flag] = value
            return Answer()

        return handle

    def _echo(self, command: Command) -> Answer:
        self.flags["echo"] = command.number(0, 0)
        return Answer()

    def _characters(self, command: Command) -> Answer:
        if command.op == "?":
            return Answer((f'+CSCS: "{self.character_set}"',))
        if command.op == "=?":
            return Answer(('+CSCS: ("GSM","IRA","UCS2")',))
        chosen = command.listed[0].upper()
        if chosen not in CHARACTER_SETS:
            raise Failed(CME, INVALID_TEXT)
        self.character_set = chosen
        return Answer()

    def _identification(self, command: Command) -> Answer:
        if command.op == "?":
            return Answer((f"+CLIP: {self['clip']},1",))
        if command.op == "=?":
            return Answer(("+CLIP: (0,1)",))
        self.flags["clip"] = min(1, command.number(0))
        return Answer()

    def _waiting(self, command: Command) -> Answer:
        """AT+CCWA=<n>[,<mode>[,<class>]]: n shows waiting calls; mode 2 asks the network."""
        if command.op == "?":
            return Answer((f"+CCWA: {self['ccwa']}",))
        if command.op == "=?":
            return Answer(("+CCWA: (0,1)",))
        self.flags["ccwa"] = min(1, command.number(0))
        return Answer(("+CCWA: 0,1",)) if command.number(1, 0) == 2 else Answer()

    def _indications(self, command: Command) -> Answer:
        """AT+QINDCFG=<kind>[,<on>[,<save>]]."""
        if command.op == "=?":
            return Answer((f"+QINDCFG: {','.join(f'{kind!r}' for kind in INDICATIONS)},(0,1),(0,1)".replace("'", '"'),))
        kind = command.listed[0].lower()
        if kind not in INDICATIONS:
            raise Failed(CME, INVALID_TEXT)
        if len(command.listed) == 1:
            return Answer((f'+QINDCFG: "{kind}",{self[kind]}',))
        for one in INDICATIONS if kind == "all" else (kind,):
            self.flags[one] = min(1, command.number(1))
            if command.number(2, 0):
                self._saved[one] = self.flags[one]
        return Answer()
