"""What a make of modem does in its own way: the shape that each model fills in.

What stands here is what the standard says, and holds where a model says nothing else.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from drivers.sim.network_calls import Call, Cause, Party, Phase

ACTIVE, HELD, DIALLING, ALERTING, INCOMING, WAITING, ENDED = range(7)  # call states of +CLCC; 6 is SIMCom's
GSM, LTE = 0, 7  # access technology of 27.007
FLAGS = Mapping[str, int]


@dataclass(eq=False)
class Leg:
    """A call at one modem: under which name, held or not, in its conference or not."""

    call: Call
    index: int
    waiting: bool = False  # it rings behind another
    joined: bool = False
    left: bool = False  # its other side was connected with somebody else
    held: bool = False

    @property
    def active(self) -> bool:
        return self.call.phase is Phase.ACTIVE and not self.held

    def incoming(self, party: Party) -> bool:
        return self.call.caller is not party

    def hold(self, party: Party, *, on: bool) -> None:
        self.held = on
        self.call.hold(party, on=on)


@dataclass(frozen=True)
class CallView:
    """A call as the modem at one of its ends reports it. An empty number is withheld.

    `news`: the network made it so just now; else the modem did, or was only asked.
    """

    index: int
    incoming: bool
    state: int
    joined: bool
    news: bool
    number: str
    cause: Cause
    ended_here: bool
    talked_s: float | None  # None when it was never answered
    clock: str  # network time of day, 11:53AM

    @property
    def type(self) -> int:
        return 145 if self.number.startswith("+") else 129 if self.number else 128

    def clcc(self, state: int) -> str:
        """The fields of +CLCC, which Quectel's ccinfo shares."""
        return f'{self.index},{int(self.incoming)},{state},0,{int(self.joined)},"{self.number}",{self.type}'


def view_of(leg: Leg, party: Party, clock: str, number: str, *, news: bool) -> CallView:
    """The call from the end of `party`; `number` is the other end's as the network shows it."""
    call, incoming = leg.call, leg.incoming(party)
    states = {
        Phase.DIALLING: DIALLING,
        Phase.ALERTING: (WAITING if leg.waiting else INCOMING) if incoming else ALERTING,
        Phase.ACTIVE: HELD if leg.held else ACTIVE,
        Phase.ENDED: ENDED,
    }
    state = ENDED if leg.left else states[call.phase]
    ended = call.ended if call.ended is not None else asyncio.get_running_loop().time()
    talked = None if call.answered is None or state != ENDED else ended - call.answered
    here = leg.left or call.ended_by is party
    return CallView(leg.index, incoming, state, leg.joined, news, number, call.cause, here, talked, clock)


@dataclass(frozen=True)
class Switch:
    """A command that takes one small number, kept as a flag."""

    name: str
    flag: str
    values: tuple[int, ...]


class Dialect(Protocol):
    """A model. Flags are what the host has switched: `clip`, `ccinfo`, `clcc`, `smsfull`, ..."""

    model: str
    manufacturer: str
    product: str
    revision: str
    woken: tuple[str, ...]  # said at the start; +CPIN: follows by itself
    settled: tuple[str, ...]  # said once the SIM was read
    registered: tuple[str, ...] = ()  # said at the first registration after a start
    sim_gone: tuple[str, ...]
    tells_pin: bool = True  # whether +CPIN: comes unasked
    cnmi: tuple[int, int, int, int, int]
    memory: str  # where messages are stored unless +CPMS says otherwise
    call_index: int  # of the first call; others follow
    answered_before_ok: int  # lines of a call report that come before the OK of ATA
    released_before_ok: int  # the same for ATH and AT+CHUP
    fixed: Mapping[str, tuple[str, ...]]  # commands with constant answers; {imei} stands for it

    cmee: int = 1  # after power-up
    cnmi_most: tuple[int, int, int, int, int] = (2, 3, 2, 2, 1)
    memories: tuple[str, ...] = ("SM", "ME", "SR")
    alpha: str = ""  # the empty name in +CMT and +CMGR
    arrangements: str = "0,1,1x,2,2x,3"  # what AT+CHLD=? names
    busy_lines: tuple[str, ...] = ()  # +CLCC lines of calls that are no voice calls
    reports_clcc: bool = False  # AT+CLCC=1 makes it report
    lacks: frozenset[str] = frozenset()  # standard commands that it does not know
    accepts: tuple[str, ...] = ()  # taken and without effect here
    switches: tuple[Switch, ...] = ()
    on: Mapping[str, int] = {}  # flags that are on after power-up
    unsupported: str = "ERROR"
    over_usb: bool = True  # its port goes with its power; else an adapter stands between
    technology: int = LTE
    band: str = ""
    places: Mapping[str, tuple[str, str]] = {
        "+CREG": ("4CA", "81DE445"),
        "+CGREG": ("4CA", "81DE445"),
        "+CEREG": ("1F00", "79D903"),
    }
    clock_begins: datetime = datetime(1980, 1, 6)  # what +CCLK shows at power-up, until the network told the time
    power_down: tuple[str, ...] = ()  # said instead of, or behind, the OK of the command that switches it off
    power_down_command: str = ""
    low_voltage: tuple[str, ...] = ()  # said when a transmit burst takes the supply down
    ussd_packed: bool = False  # USSD as hex of packed septets both ways
    chatter: tuple[str, ...] = ()  # what it says unasked at any moment

    def clip(self, call: CallView) -> str:
        return f'+CLIP: "{call.number}",{call.type},,,,{0 if call.number else 1}'

    def waits(self, call: CallView) -> str:
        """What AT+CCWA=1 has it say of a second caller."""
        return f'+CCWA: "{call.number}",{call.type},1,,{0 if call.number else 1}'

    def rings(self, call: CallView, flags: FLAGS) -> list[str]:
        """What comes every five seconds while it rings."""
        lines = ["+CRING: VOICE" if flags.get("crc") else "RING"]
        return [*lines, self.clip(call)] if flags.get("clip") else lines

    def reports(self, call: CallView, flags: FLAGS) -> list[str]:
        """What comes at each change of a call."""
        ...

    def listed(self, call: CallView) -> str:
        """A line of the answer to AT+CLCC."""
        said = f"+CLCC: {call.clcc(call.state)}"
        return said if call.number else said.partition(',"')[0]

    def registration(self, name: str, mode: int, status: int, place: tuple[str, str], technology: int) -> str:
        """The fields of +CREG, +CGREG, +CEREG: with a place when the mode asks and there is one."""
        return f'{status},"{place[0]}","{place[1]}",{technology}' if mode == 2 and status in (1, 5) else str(status)

    def key(self, key: str) -> str:
        """A DTMF key that was heard."""
        ...

    def memory_full(self, memory: str, flags: FLAGS) -> list[str]:
        """What it says when a message finds no room."""
        return []

    def network_time(self, local: datetime, quarters: int, flags: FLAGS) -> list[str]:
        """What it says when the network tells the time; the zone in quarters of an hour."""
        if flags.get("ctzr") == 1:
            return [f'+CTZV: "{quarters:+03d}"']
        return [f'+CTZE: "{quarters:+03d}",0,"{local:%Y/%m/%d,%H:%M:%S}"'] if flags.get("ctzr") == 2 else []

    def noise(self, flags: FLAGS) -> list[str]:
        """What it says every now and then, whether or not somebody wants it."""
        return []


ENDINGS = {Cause.BUSY: "BUSY", Cause.NO_ANSWER: "NO ANSWER"}


def ending(call: CallView) -> str:
    """The result code by which a host hears that the other end is gone."""
    return "NO CARRIER" if call.incoming else ENDINGS.get(call.cause, "NO CARRIER")
