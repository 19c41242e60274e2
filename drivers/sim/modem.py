"""A GSM modem on a pty: it registers, takes messages and calls, and answers its host in its maker's dialect.

The port and the radio are apart: a mute modem goes on taking messages and calls, and nobody hears of them.
"""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from drivers.sim.modem_calls import NO_NETWORK, Calls
from drivers.sim.modem_dialects import DIALECTS
from drivers.sim.modem_line import CME, OPERATION_NOT_ALLOWED, Answer, Command, Failed, Handler, Prompt
from drivers.sim.modem_radio import DENIED, HOME, OFF, SEARCHING, Radio
from drivers.sim.modem_settings import Settings
from drivers.sim.modem_sms import Messages
from drivers.sim.modem_terminal import Terminal
from drivers.sim.network import MobileNetwork
from drivers.sim.network_calls import Call

RESET_AFTER_S = 0.3  # s between the OK of AT+CFUN=1,1 and the port's going away
BOOT_S = 4.0  # s without a port; real ones take 8 to 13
SIM_READY_S = 1.0  # s from the port's coming back until the SIM is read
REGISTER_S = 3.0  # s from there until registered
USSD_S = 1.5  # s until the network answers a USSD request
CREDIT = '+CUSD: 0,"Pulsa Rp25000 s.d. 31/12/2027",15'
ACTS = {"+CHUP", "+CRESET", "+CMSS"}  # commands without arguments to ask for: =? is answered OK and does nothing
REGISTERS = {"S0": "000", "S3": "013", "S4": "010", "S5": "008", "S7": "060"}
ACCEPTED = (  # taken and without effect here
    *("V", "Q", "X", "&C", "&D", "&K", "&W", "&S", "+IPR", "+IFC", "+ICF", "+CSMP", "+CSCB", "+CSAS", "+CRES", "+CMOD"),
    *("+QURCCFG", "+QPCMV", "+QGPSCFG", "+QCFG", "+CPCMREG", "+CPCMFRM", "+CLVL", "+CMUT"),
)


class SimModem:
    """`operator` is its name as +COPS shows it. Attaches itself to the network; `run` it, then it is there."""

    def __init__(
        self, name: str, port: Path, number: str, model: str, operator: str, imei: str, network: MobileNetwork
    ) -> None:
        if model not in DIALECTS:
            raise ValueError(f"{name}: model {model!r} is not one of {', '.join(DIALECTS)}")
        self.name, self.number, self._imei, self._network = name, number, imei, network
        self._dialect = DIALECTS[model]()
        self._settings = Settings(self._dialect.cmee, model)
        self._terminal = Terminal(port, self._settings, self._execute)
        say = self._terminal.say
        self._radio = Radio(self._dialect, self._settings, operator, network.wall, say)
        self._messages = Messages(self, network, self._dialect, self._settings, say)
        self._calls = Calls(self, network, self._dialect, self._settings, say, self._time_of_day)
        self._handlers = self._commands()
        self._denied = False
        self.ready = asyncio.Event()  # registered for the first time
        self._life: asyncio.Task[None] | None = None
        self._tasks = asyncio.TaskGroup()
        network.attach(self)

    # What the network sees.

    @property
    def reachable(self) -> bool:
        return self._radio.status == HOME

    @property
    def busy(self) -> bool:
        return self._calls.call is not None

    async def take_message(self, tpdu: bytes) -> bool:
        return await self._messages.take(tpdu)

    def call_changed(self, call: Call) -> None:
        self._calls.changed(call)

    def key_heard(self, key: str) -> None:
        self._calls.key_heard(key)

    # What a person does to it.

    async def run(self) -> None:
        """Be a modem, switched on and registered from the start, until cancelled. Runs once."""
        async with self._tasks:
            self._begin(booted=True)
            try:
                await asyncio.get_running_loop().create_future()
            finally:
                self._end()

    def mute(self, on: bool) -> None:
        """Stop answering at the port; what is typed or would be said meanwhile is lost. A reset ends it."""
        self._terminal.mute(on)

    def deny(self, on: bool) -> None:
        """The network refuses the SIM, or takes it back."""
        self._denied = on
        if self._radio.status == OFF:
            return
        self._radio.become(DENIED if on else SEARCHING)
        if on:
            self._network.lost(self)
        else:
            asyncio.get_running_loop().call_later(REGISTER_S, self._register)

    def unplug(self) -> None:
        """No power, no port."""
        self._end()

    def plug(self) -> None:
        """Power again: it boots."""
        if self._life is None:
            self._begin(booted=False)

    def reset(self) -> None:
        """Off and on: the port goes away and comes back, settings are forgotten. Nothing when unplugged."""
        if self._life is not None:
            self._end()
            self._begin(booted=False)

    def log(self, last: int) -> list[str]:
        """The last command lines as they were typed, message texts among them."""
        return list(self._terminal.log)[-last:] if last > 0 else []

    def described(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "model": self._dialect.model,
            "number": self.number,
            "port": str(self._terminal.port.link),
            "powered": self._life is not None,
            "port_present": self._terminal.port.present,
            "muted": self._terminal.muted,
            "registration": self._radio.status,
            "in_call": self.busy,
            "stored": {name: len(memory.messages) for name, memory in self._messages.memories.items()},
            "held_by_network": self._network.sms.waiting(self),
        }

    # Power.

    def _begin(self, *, booted: bool) -> None:
        self._life = self._tasks.create_task(self._live(booted))

    def _end(self) -> None:
        if self._life is None:
            return
        self._life.cancel()
        self._life = None
        self._radio.status = OFF
        self._network.lost(self)
        self._calls.reset()
        self._terminal.port.vanish()

    async def _live(self, booted: bool) -> None:
        self._terminal.mute(False)
        self._settings.reset()
        self._messages.reset()
        if not booted:
            await asyncio.sleep(BOOT_S)
        self._terminal.port.open()
        self._radio.reset()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._terminal.serve())
            if not booted:
                await asyncio.sleep(SIM_READY_S)
                for line in self._dialect.boot:
                    self._terminal.say(line)
                await asyncio.sleep(REGISTER_S)
            self._register()

    def _register(self) -> None:
        if self._radio.status == SEARCHING:
            self._radio.become(DENIED if self._denied else HOME)
            self.ready.set()
            self._network.available(self)

    # Commands.

    async def _execute(self, command: Command) -> Answer | Prompt:
        for known in (command.name + command.op + command.args, command.name + command.op):
            if known in self._dialect.fixed:
                return Answer(self._dialect.fixed[known])
        handler = self._handlers.get(command.name)
        if handler is None:
            raise Failed
        if command.op == "=?" and command.name in ACTS:
            return Answer()
        answer = handler(command)
        return await answer if isinstance(answer, Awaitable) else answer

    def _commands(self) -> dict[str, Handler]:
        constant = {
            ("+CGMI", "+GMI"): self._dialect.manufacturer,
            ("+CGMM", "+GMM"): self._dialect.product,
            ("+CGMR", "+GMR"): self._dialect.revision,
            ("+CGSN", "+GSN"): self._imei,
            ("+CIMI",): self._radio.plmn + self.number[-10:].rjust(10, "0"),
            ("+GCAP",): "+GCAP: +CGSM",
            ("+CPIN",): "+CPIN: READY",
            ("+CNUM",): f'+CNUM: ,"{self.number}",145',
        }
        handlers: dict[str, Handler] = {name: lambda command: Answer() for name in ACCEPTED}
        handlers |= {name: _always(line) for names, line in constant.items() for name in names}
        handlers |= dict.fromkeys(REGISTERS, self._register_value)
        for part in (self._settings, self._radio, self._messages, self._calls):
            handlers |= part.commands()
        return handlers | {
            "Z": self._restore,
            "&F": self._restore,
            "+CFUN": self._functions,
            "+CRESET": self._restart,
            "+CUSD": self._ask_network,
        }

    def _restore(self, command: Command) -> Answer:
        self._settings.reset()
        self._messages.reset()
        return Answer()

    def _register_value(self, command: Command) -> Answer:
        """S-registers keep their usual values; answering by itself (S0) is not simulated and refused."""
        if command.op == "?":
            return Answer((REGISTERS[command.name],))
        if command.name == "S0" and command.args.strip("0"):
            raise Failed
        return Answer()

    def _functions(self, command: Command) -> Answer:
        """AT+CFUN=1,1 resets; switching only the radio off is not simulated and refused."""
        if command.op == "?":
            return Answer(("+CFUN: 1",))
        if command.op == "=?":
            return Answer(("+CFUN: (0,1,4),(0,1)",))
        if command.number(0) != 1:
            raise Failed(CME, OPERATION_NOT_ALLOWED)
        return self._restart(command) if command.number(1, 0) == 1 else Answer()

    def _restart(self, command: Command) -> Answer:
        asyncio.get_running_loop().call_later(RESET_AFTER_S, self.reset)
        return Answer()

    def _ask_network(self, command: Command) -> Answer:
        """USSD: the network answers a moment after the OK."""
        if command.op == "?":
            return Answer(("+CUSD: 0",))
        if command.op == "=?":
            return Answer(("+CUSD: (0-2)",))
        if len(command.listed) > 1:
            if not self.reachable:
                raise Failed(CME, NO_NETWORK)
            asyncio.get_running_loop().call_later(USSD_S, self._terminal.say, CREDIT)
        elif command.number(0) > 2:
            raise Failed(CME, OPERATION_NOT_ALLOWED)
        return Answer()

    def _time_of_day(self) -> str:
        return f"{self._radio.local_time():%I:%M%p}"


def _always(line: str) -> Callable[[Command], Answer]:
    return lambda command: Answer((line,) if command.op in ("", "?") else ())
