"""A GSM modem on a pty: it registers, takes messages and calls, and answers its host in its maker's dialect.

The port and the radio are apart: a mute modem goes on taking messages and calls, and nobody hears of them.
"""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from drivers.sim.modem_calls import Calls
from drivers.sim.modem_dialect import LTE
from drivers.sim.modem_dialects import DIALECTS
from drivers.sim.modem_identity import identity_commands
from drivers.sim.modem_line import CME, OPERATION_NOT_ALLOWED, UNSUPPORTED, Answer, Command, Failed, Handler, Prompt
from drivers.sim.modem_radio import DENIED, HOME, OFF, SEARCHING, Radio
from drivers.sim.modem_settings import Settings
from drivers.sim.modem_sim_card import ABSENT, SimCard
from drivers.sim.modem_sms import Messages
from drivers.sim.modem_sound import ModemSound
from drivers.sim.modem_terminal import Terminal
from drivers.sim.modem_ussd import Ussd
from drivers.sim.network import MobileNetwork
from drivers.sim.network_calls import Call, Phase

RESET_AFTER_S = 0.3  # s between the OK of AT+CFUN=1,1 and the port's going away
BOOT_S = 4.0  # s without a word; real ones take 8 to 13
SIM_READY_S = 1.0  # s from the port's coming back until the SIM is read
REGISTER_S = 3.0  # s from there until registered
SAG_S = 0.1  # s from a transmit burst to the death that it causes
NOISE_EVERY_S = 20.0  # s; a Huawei stick's usual rhythm
MINIMUM, FULL, FLIGHT = 0, 1, 4  # of AT+CFUN
ACTS = {"+CHUP", "+CRESET", "+CMSS"}  # commands without arguments to ask for: =? is answered OK and does nothing
BURSTS = {"D", "A", "+CUSD"}  # commands by which the radio sends; messages ask for themselves


class SimModem:
    """`operator` is its name as +COPS shows it. Attaches itself to the network; `run` it, then it is there.

    `terminal`, `radio`, `sim`, `messages`, `calls` and `ussd` are its parts, for who wants to break one.
    """

    def __init__(
        self,
        name: str,
        port: Path,
        number: str,
        model: str,
        operator: str,
        imei: str,
        network: MobileNetwork,
        pcm_port: Path | None = None,
        usb_sound: Path | None = None,
    ) -> None:
        if model not in DIALECTS:
            raise ValueError(f"{name}: model {model!r} is not one of {', '.join(DIALECTS)}")
        self.name, self.number, self._imei, self._network = name, number, imei, network
        self._dialect = DIALECTS[model]()
        self._settings = Settings(self._dialect)
        self.terminal = Terminal(
            port, self._settings, self._dialect.unsupported, self._execute, self.reset, self._chatter
        )
        say = self.terminal.say
        self.radio = Radio(self._dialect, self._settings, operator, network.told_time, say)
        self.sim = SimCard(self._dialect, self._unlocked)
        self.messages = Messages(self, network, self._dialect, self._settings, say, self._burst)
        self.calls = Calls(self, network, self._dialect, self._settings, say, self._time_of_day)
        self.voice = ModemSound(self._dialect, pcm_port, usb_sound, self._answered)
        self.voice.changed = network.sound.changed
        self.ussd = Ussd(number, network.ussd, self.radio, self._dialect, self._settings, say)
        self._handlers = self._commands()
        self._denied = self._weak = False
        self._functions = FULL
        self._greeted = False  # said what it says at its first registration
        self.ready = asyncio.Event()  # registered for the first time
        self._life: asyncio.Task[None] | None = None
        self._tasks = asyncio.TaskGroup()
        self._life_tasks: asyncio.TaskGroup | None = None
        self._registering: asyncio.Task[None] | None = None
        network.attach(self)

    # What the network sees.

    @property
    def reachable(self) -> bool:
        return self.radio.status == HOME

    @property
    def has_voice(self) -> bool:
        return self.radio.ims or self.radio.technology != LTE

    @property
    def busy(self) -> bool:
        return self.calls.busy

    async def take_message(self, tpdu: bytes) -> bool:
        if self._weak and self.reachable:
            self._sag()
            return False
        return await self.messages.take(tpdu)

    def call_changed(self, call: Call) -> None:
        self.calls.changed(call)

    def call_replaced(self, old: Call, new: Call) -> None:
        self.calls.replaced(old, new)

    def key_heard(self, call: Call, key: str) -> None:
        self.calls.key_heard(call, key)

    def _answered(self) -> list[float]:
        """When the calls were answered that are active."""
        calls = self._network.calls.calls_of(self)
        return [call.answered for call in calls if call.phase is Phase.ACTIVE and call.answered is not None]

    # What a person does to it.

    async def run(self) -> None:
        """Be a modem, switched on and registered from the start, until cancelled. Runs once."""
        async with self._tasks:
            self._begin(booted=True)
            try:
                await asyncio.get_running_loop().create_future()
            finally:
                self.unplug()

    def mute(self, on: bool) -> None:
        """Stop answering at the port; what is typed or would be said meanwhile is lost. A reset ends it."""
        self.terminal.mute(on)

    def deny(self, on: bool) -> None:
        """The network refuses the SIM, or takes it back."""
        self._denied = on
        if self.radio.status == OFF:
            return
        if on:
            self._leave_network(DENIED)
        else:
            self._search()

    def undervoltage(self, on: bool) -> None:
        """Each transmit burst takes the supply down, also the one that registers: it boots and dies, for ever."""
        self._weak = on

    def unplug(self) -> None:
        """No power, no port."""
        self._end()
        self.terminal.port.vanish()

    def plug(self) -> None:
        """Power again: it boots."""
        if self._life is None:
            self._begin(booted=False)

    def reset(self) -> None:
        """Off and on: settings are forgotten; a port over USB goes away and comes back. Nothing when unplugged."""
        if self._life is not None:
            self._end()
            self._begin(booted=False)

    def pull_sim(self) -> None:
        self.sim.put(False)
        if self._life is not None:
            self._leave_network(OFF)
            for line in self._dialect.sim_gone:
                self.terminal.say(line)

    def insert_sim(self) -> None:
        """Into the running modem, which reads it."""
        if not self.sim.present:
            self.sim.put(True)
            self._later(SIM_READY_S, self._read_sim)

    def log(self, last: int) -> list[str]:
        """The last command lines as they were typed, message texts among them."""
        return list(self.terminal.log)[-last:] if last > 0 else []

    def described(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "model": self._dialect.model,
            "number": self.number,
            "port": str(self.terminal.port.link),
            "powered": self._life is not None,
            "port_present": self.terminal.port.present,
            "muted": self.terminal.muted,
            "registration": self.radio.status,
            "sim": self.sim.state,
            "pin_tries": self.sim.tries,
            "in_call": bool(self.calls.legs),
            "sound": self.voice.described(),
            "stored": {name: len(memory.messages) for name, memory in self.messages.memories.items()},
            "held_by_network": self._network.sms.waiting(self),
        }

    # Power.

    def _begin(self, *, booted: bool) -> None:
        if not self._dialect.over_usb:
            self.terminal.port.open()
        self._life = self._tasks.create_task(self._live(booted))

    def _end(self) -> None:
        """Power goes: first nothing can be said any more, then the network notices."""
        if self._life is None:
            return
        self._life.cancel()
        self._life = self._life_tasks = self._registering = None
        self.terminal.stop()
        if self._dialect.over_usb:
            self.terminal.port.vanish()
        self.radio.status = OFF
        self.sim.power(False)
        self.voice.power(False)
        self.ussd.reset()
        self._network.lost(self)
        self.calls.reset()

    async def _live(self, booted: bool) -> None:
        if not booted:
            await asyncio.sleep(BOOT_S)
        self._settings.reset()
        self.messages.reset()
        self.radio.reset()
        self.sim.power(True)
        self._functions, self._greeted = FULL, booted
        self.terminal.port.open()
        self.voice.power(True)
        self.terminal.start()
        async with asyncio.TaskGroup() as tasks:
            self._life_tasks = tasks
            tasks.create_task(self.terminal.serve())
            tasks.create_task(self._murmur())
            if booted:
                self.radio.become(SEARCHING)
                self._register()
            else:
                await self._boot()

    async def _boot(self) -> None:
        if self._dialect.over_usb:
            await asyncio.sleep(SIM_READY_S)  # a host needs a moment to open the port that came
        for line in self._dialect.woken:
            self.terminal.say(line)
        if not self._dialect.over_usb:
            await asyncio.sleep(SIM_READY_S)
        self._read_sim()

    def _read_sim(self) -> None:
        if self.sim.state == ABSENT:
            for line in self._dialect.sim_gone:
                self.terminal.say(line)
            return
        if self._dialect.tells_pin:
            self.terminal.say(f"+CPIN: {self.sim.state}")
        if self.sim.usable:
            for line in self._dialect.settled:
                self.terminal.say(line)
            self._search()

    def _unlocked(self) -> None:
        """The right PIN was typed; the OK comes first."""
        self._later(SIM_READY_S, self._read_sim)

    async def _murmur(self) -> None:
        while True:
            await asyncio.sleep(NOISE_EVERY_S)
            for line in self._dialect.noise(self._settings.flags):
                self.terminal.say(line)

    def _chatter(self) -> list[str]:
        return [*self._dialect.chatter, *self.radio.reported()]

    def _later(self, seconds: float, do: Callable[[], None]) -> asyncio.Task[None] | None:
        """Unless the power goes before."""

        async def wait() -> None:
            await asyncio.sleep(seconds)
            do()

        return self._life_tasks.create_task(wait()) if self._life_tasks is not None else None

    async def _burst(self) -> None:
        """The radio sends. With a weak supply this never comes back."""
        if self._weak:
            self._sag()
            await asyncio.get_running_loop().create_future()

    def _sag(self) -> None:
        for line in self._dialect.low_voltage:
            self.terminal.say(line)
        self._later(SAG_S, self.reset)

    # Network.

    def _search(self) -> None:
        if self._registering is not None:
            self._registering.cancel()
        if self._life is not None and self._functions == FULL and self.sim.usable:
            self.radio.become(SEARCHING)
            self._registering = self._later(REGISTER_S, self._register)

    def _register(self) -> None:
        if self.radio.status != SEARCHING:
            return
        if self._weak:
            self._sag()
            return
        self.radio.become(DENIED if self._denied else HOME)
        if not self._greeted:
            self._greeted = True
            for line in self._dialect.registered:
                self.terminal.say(line)
        self.ready.set()
        self._network.available(self)

    def _leave_network(self, status: int) -> None:
        if self._registering is not None:
            self._registering.cancel()
        self.radio.become(status)
        self._network.lost(self)

    # Commands.

    async def _execute(self, command: Command) -> Answer | Prompt:
        self.sim.check(command)
        for known in (command.name + command.op + command.args, command.name + command.op):
            if known in self._dialect.fixed:
                return Answer(tuple(line.replace("{imei}", self._imei) for line in self._dialect.fixed[known]))
        handler = self._handlers.get(command.name)
        if handler is None:
            raise Failed(UNSUPPORTED)
        if command.op == "=?" and command.name in ACTS:
            return Answer()
        if command.name in BURSTS and command.op not in ("?", "=?"):
            await self._burst()
        answer = handler(command)
        return await answer if isinstance(answer, Awaitable) else answer

    def _commands(self) -> dict[str, Handler]:
        imsi = self.radio.plmn + self.number[-10:].rjust(10, "0")
        handlers = identity_commands(self._dialect, self._imei, imsi, self.number)
        for part in (self._settings, self.radio, self.sim, self.messages, self.calls, self.ussd, self.voice):
            handlers |= part.commands()
        handlers |= {"Z": self._restore, "&F": self._restore, "+CFUN": self._set_functions, "+CRESET": self._restart}
        if self._dialect.power_down_command:
            handlers[self._dialect.power_down_command] = self._switch_off
        return {name: handler for name, handler in handlers.items() if name not in self._dialect.lacks}

    def _restore(self, command: Command) -> Answer:
        self._settings.reset()
        self.messages.reset()
        return Answer()

    def _set_functions(self, command: Command) -> Answer:
        """AT+CFUN: 0 switches radio and SIM off, 4 the radio, 1 both on; 1,1 resets."""
        if command.op == "?":
            return Answer((f"+CFUN: {self._functions}",))
        if command.op == "=?":
            return Answer(("+CFUN: (0,1,4),(0,1)",))
        wanted, before = command.number(0), self._functions
        if wanted not in (MINIMUM, FULL, FLIGHT):
            raise Failed(CME, OPERATION_NOT_ALLOWED)
        if command.number(1, 0) == 1:
            return self._restart(command)
        self._functions = wanted
        if wanted == FULL and before == MINIMUM:
            self.sim.power(True)
            self._later(SIM_READY_S, self._read_sim)
        elif wanted == FULL and before == FLIGHT:
            self._search()
        elif wanted != FULL:
            self._leave_network(OFF)
            self.sim.power(wanted == FLIGHT)
        return Answer()

    def _restart(self, command: Command) -> Answer:
        self._later(RESET_AFTER_S, self.reset)
        return Answer()

    def _switch_off(self, command: Command) -> Answer:
        if command.op != "=?":
            self._later(RESET_AFTER_S, self._end)
        first, *behind = self._dialect.power_down if command.op != "=?" else ("OK",)
        return Answer(final=first, behind=tuple(behind))

    def _time_of_day(self) -> str:
        return f"{self.radio.local_time():%I:%M%p}"
