"""What a host has switched on a simulated modem. Forgotten at a reset, except what it asked to save."""

from collections.abc import Iterable

from drivers.sim.modem_line import CME, INVALID_TEXT, Answer, Command, Failed, Handler

# Switches with a plain number: command, flag, values it takes.
SWITCHES: tuple[tuple[str, str, tuple[int, ...]], ...] = (
    ("+CMEE", "cmee", (0, 1, 2)),
    ("+CRC", "crc", (0, 1)),
    ("+COLP", "colp", (0, 1)),
    ("+CVHU", "cvhu", (0, 1)),
    ("+CMMS", "cmms", (0, 1, 2)),
    ("+CTZU", "ctzu", (0, 1)),
    ("+CTZR", "ctzr", (0, 1, 2)),
    ("+CSDH", "csdh", (0, 1)),
    ("+DDET", "keys", (0, 1)),
    ("+QTONEDET", "keys", (0, 1)),
)
INDICATIONS = ("csq", "smsfull", "ring", "smsincoming", "act", "ccinfo", "all")  # of AT+QINDCFG
CHARACTER_SETS = ("GSM", "IRA", "UCS2")


class Settings:
    """`flags` by name, 0 when never set."""

    def __init__(self, cmee: int, model: str) -> None:
        self._cmee, self._model = cmee, model
        self._saved: dict[str, int] = {}
        self.reset()

    def reset(self) -> None:
        """As after power-up, ATZ or AT&F."""
        self.flags = {"echo": 1, "cmee": self._cmee, **self._saved}
        self.character_set = "GSM"

    def __getitem__(self, flag: str) -> int:
        return self.flags.get(flag, 0)

    def commands(self) -> dict[str, Handler]:
        foreign = "+QTONEDET" if self._model == "sim7600" else "+DDET"
        handlers: dict[str, Handler] = {
            name: self._switch(name, flag, values) for name, flag, values in SWITCHES if name != foreign
        }
        handlers |= {
            "E": self._echo,
            "+CSCS": self._characters,
            "+CLIP": self._identification,
            "+CCWA": self._waiting,
        }
        if self._model == "eg25g":
            handlers["+QINDCFG"] = self._indications
        return handlers

    def _switch(self, name: str, flag: str, values: Iterable[int]) -> Handler:
        most = max(values)

        def handle(command: Command) -> Answer:
            if command.op == "?":
                return Answer((f"{name}: {self[flag]}",))
            if command.op == "=?":
                return Answer((f"{name}: (0-{most})",))
            value = command.number(0)
            if value > most:
                raise Failed(CME, INVALID_TEXT)
            self.flags[flag] = value
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
