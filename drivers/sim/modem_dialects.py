"""How a Quectel EG25-G and a SIMCom SIM7600 differ: names, boot words, reports of calls and messages, quirks."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from drivers.sim.network_calls import Call, Cause, Party, Phase

ACTIVE, DIALLING, ALERTING, INCOMING, ENDED = 0, 2, 3, 4, 6  # call states of +CLCC; 6 is SIMCom's
FLAGS = Mapping[str, int]


@dataclass(frozen=True)
class CallView:
    """A call as the modem at one of its ends reports it."""

    incoming: bool
    state: int
    number: str
    cause: Cause
    ended_here: bool
    talked_s: float | None  # None when it was never answered
    clock: str  # network time of day, 11:53AM

    @property
    def type(self) -> int:
        return 145 if self.number.startswith("+") else 129

    def clcc(self, index: int, state: int) -> str:
        """The fields of +CLCC, which Quectel's ccinfo shares."""
        return f'{index},{int(self.incoming)},{state},0,0,"{self.number}",{self.type}'


def view_of(call: Call, party: Party, clock: str, number: str) -> CallView:
    """The call from the end of `party`; `number` is the other end's as the network shows it."""
    incoming = call.caller is not party
    states = {
        Phase.DIALLING: DIALLING,
        Phase.ALERTING: INCOMING if incoming else ALERTING,
        Phase.ACTIVE: ACTIVE,
        Phase.ENDED: ENDED,
    }
    talked = None if call.answered is None or call.ended is None else call.ended - call.answered
    return CallView(incoming, states[call.phase], number, call.cause, call.ended_by is party, talked, clock)


class Dialect(Protocol):
    """A model. Flags are what the host has switched: `clip`, `ccinfo`, `clcc`, `smsfull`, ..."""

    model: str
    manufacturer: str
    product: str
    revision: str
    boot: tuple[str, ...]
    cmee: int  # after power-up
    cnmi: tuple[int, int, int, int, int]
    memory: str  # where messages are stored unless +CPMS says otherwise
    call_index: int
    busy_lines: tuple[str, ...]  # +CLCC lines of calls that are no voice calls
    answered_before_ok: int  # lines of a call report that come before the OK of ATA
    released_before_ok: int  # the same for ATH and AT+CHUP
    alpha: str  # the empty name in +CMT and +CMGR
    fixed: Mapping[str, tuple[str, ...]]  # commands with constant answers

    def rings(self, call: CallView, flags: FLAGS) -> list[str]:
        """What comes every five seconds while it rings."""
        ...

    def reports(self, call: CallView, flags: FLAGS) -> list[str]:
        """What comes at each change of a call."""
        ...

    def registration(self, name: str, mode: int, status: int, place: tuple[str, str], technology: int) -> str:
        """The fields of +CREG, +CGREG, +CEREG: with a place when the mode asks and there is one."""
        ...

    def key(self, key: str) -> str:
        """A DTMF key that was heard."""
        ...

    def memory_full(self, memory: str, flags: FLAGS) -> list[str]: ...


class Eg25g(Dialect):
    """Firmware 30.202: +CLIP and ccinfo announce a call, RING and +CRING never come."""

    model, manufacturer, product, revision = "eg25g", "Quectel", "EG25", "EG25GGBR07A08M2G_30.202"
    boot = ("RDY", "+CFUN: 1", "+CPIN: READY", "+QUSIM: 1", "+QIND: SMS DONE", "+QIND: PB DONE")
    cmee = 1
    cnmi = (2, 1, 0, 0, 0)
    memory = "ME"
    call_index = 2  # 1 is the data session that VoLTE keeps
    busy_lines = ('+CLCC: 1,0,0,1,0,"",128',)
    answered_before_ok, released_before_ok = 0, 0
    alpha = ""
    fixed: Mapping[str, tuple[str, ...]] = {
        "I": ("Quectel", "EG25", f"Revision: {revision}"),
        "+QGMR": (f"{revision}.202.00.000",),
        '+QCFG="ims"': ('+QCFG: "ims",1,1',),
        '+QCFG="usbcfg"': ('+QCFG: "usbcfg",0x2C7C,0x0125,1,1,1,1,1,0,1',),
        "+QPCMV?": ("+QPCMV: 1,2",),
        "+QNWINFO": ('+QNWINFO: "FDD LTE","51010","LTE BAND 3",1850',),
        "+QCCID": ("+QCCID: 89621012345678901234",),
        "+CBC": ("+CBC: 0,78,3902",),
    }

    def rings(self, call: CallView, flags: FLAGS) -> list[str]:
        return [f'+CLIP: "{call.number}",{call.type},,,,0'] if flags.get("clip") else []

    def reports(self, call: CallView, flags: FLAGS) -> list[str]:
        lines = []
        if flags.get("ccinfo"):
            lines.append(f'+QIND: "ccinfo",{call.clcc(self.call_index, -1 if call.state == ENDED else call.state)}')
        if call.state == ENDED and not call.ended_here:
            results = {Cause.BUSY: "BUSY", Cause.NO_ANSWER: "NO ANSWER"}
            lines.append("NO CARRIER" if call.incoming else results.get(call.cause, "NO CARRIER"))
        return lines

    def registration(self, name: str, mode: int, status: int, place: tuple[str, str], technology: int) -> str:
        return f'{status},"{place[0]}","{place[1]}",{technology}' if mode == 2 and status in (1, 5) else str(status)

    def key(self, key: str) -> str:
        return f"+QTONEDET: {ord(key)}"

    def memory_full(self, memory: str, flags: FLAGS) -> list[str]:
        return [f'+QIND: "smsfull","{memory}"'] if flags.get("smsfull") else []


class Sim7600(Dialect):
    """RING, +CLCC: reports when AT+CLCC=1, VOICE CALL: BEGIN and END, MISSED_CALL; registration without quotes."""

    model, manufacturer, product = "sim7600", "SIMCOM INCORPORATED", "SIMCOM_SIM7600G-H"
    revision = "LE20B04SIM7600G22"
    boot = ("RDY", "+CPIN: READY", "SMS DONE", "PB DONE")
    cmee = 2
    cnmi = (0, 0, 0, 0, 0)  # forgets at each start whom to tell of messages
    memory = "SM"
    call_index = 4
    busy_lines = ()
    answered_before_ok, released_before_ok = 1, 2
    alpha = '""'
    fixed: Mapping[str, tuple[str, ...]] = {
        "I": (f"Manufacturer: {manufacturer}", f"Model: {product}", f"Revision: {revision}", "+GCAP: +CGSM"),
        "+CPSI?": ("+CPSI: LTE,Online,510-10,0x1F00,7930115,303,EUTRAN-BAND3,1850,5,5,-94,-864,-557,15",),
        "+CNSMOD?": ("+CNSMOD: 0,8",),
        "+CICCID": ("+ICCID: 89621012345678901234",),
        "+CBC": ("+CBC: 3.969V",),
    }

    def rings(self, call: CallView, flags: FLAGS) -> list[str]:
        lines = ["+CRING: VOICE" if flags.get("crc") else "RING"]
        if flags.get("clip"):
            lines.append(f'+CLIP: "{call.number}",{call.type},,,,0')
        return lines

    def reports(self, call: CallView, flags: FLAGS) -> list[str]:
        clcc = [f"+CLCC: {call.clcc(self.call_index, call.state)}"] if flags.get("clcc") else []
        if call.state == ACTIVE:
            return ["VOICE CALL: BEGIN", *clcc]
        if call.state == ALERTING:
            return []  # only AT+CLCC shows it
        if call.state != ENDED:
            return clcc
        if call.talked_s is not None:
            minutes, seconds = divmod(int(call.talked_s), 60)
            return [*clcc, f"VOICE CALL: END: {minutes // 60:02d}{minutes % 60:02d}{seconds:02d}"]
        if call.ended_here:
            return clcc
        if call.incoming:
            return [f"MISSED_CALL: {call.clock} {call.number}"]
        return [*clcc, "BUSY" if call.cause is Cause.BUSY else "NO CARRIER"]

    def registration(self, name: str, mode: int, status: int, place: tuple[str, str], technology: int) -> str:
        if mode != 2 or status not in (1, 5):
            return str(status)
        space = " " if name == "+CEREG" else ""
        return f"{status},{space}{place[0]},{space}{place[1]}" + (f" ,{technology}" if space else "")

    def key(self, key: str) -> str:
        return f"+RXDTMF: {key}"

    def memory_full(self, memory: str, flags: FLAGS) -> list[str]:
        return ["+SMS FULL"]


DIALECTS: Mapping[str, type[Dialect]] = {"eg25g": Eg25g, "sim7600": Sim7600}
