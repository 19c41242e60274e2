"""What a simulated modem answers about itself, and the commands that it takes without doing anything."""

from collections.abc import Callable

from drivers.sim.modem_dialect import Dialect
from drivers.sim.modem_line import Answer, Command, Failed, Handler

REGISTERS = {"S0": "000", "S3": "013", "S4": "010", "S5": "008", "S7": "060"}
ACCEPTED = (
    *("V", "Q", "X", "&C", "&D", "&K", "&W", "&S", "+IPR", "+IFC", "+ICF", "+CSMP", "+CSCB", "+CSAS", "+CRES", "+CMOD"),
    *("+CLVL", "+CMUT"),
)


def identity_commands(dialect: Dialect, imei: str, imsi: str, number: str) -> dict[str, Handler]:
    """Handlers by command name."""
    constant = {
        ("+CGMI", "+GMI"): dialect.manufacturer,
        ("+CGMM", "+GMM"): dialect.product,
        ("+CGMR", "+GMR"): dialect.revision,
        ("+CGSN", "+GSN"): imei,
        ("+CIMI",): imsi,
        ("+GCAP",): "+GCAP: +CGSM",
        ("+CNUM",): f'+CNUM: ,"{number}",145',
    }
    handlers: dict[str, Handler] = {name: lambda command: Answer() for name in (*ACCEPTED, *dialect.accepts)}
    handlers |= {name: _always(line) for names, line in constant.items() for name in names}
    return handlers | dict.fromkeys(REGISTERS, _register_value)


def _always(line: str) -> Callable[[Command], Answer]:
    return lambda command: Answer((line,) if command.op in ("", "?") else ())


def _register_value(command: Command) -> Answer:
    """S-registers keep their usual values; answering by itself (S0) is not simulated and refused."""
    if command.op == "?":
        return Answer((REGISTERS[command.name],))
    if command.name == "S0" and command.args.strip("0"):
        raise Failed
    return Answer()
