"""One life of a modem that answers: who it is, its start, and what is asked of it while the link holds."""

import asyncio
from collections.abc import Callable, Sequence
from typing import TypeVar

from drivers.modem import answers, identity
from drivers.modem.answers import AnswerError, ListedCall, Operator, Registration
from drivers.modem.at import Urc
from drivers.modem.bearer import verdict
from drivers.modem.errors import NotDone
from drivers.modem.events import (
    CallEnded,
    Caller,
    CallListed,
    CallReported,
    Identity,
    InitRefused,
    ModemEvent,
    NetworkTime,
    PortUp,
    RecoveryStep,
    Registered,
    Ring,
    StatusChanged,
    Technology,
)
from drivers.modem.exchange import Exchange, Priority
from drivers.modem.inbox import Inbox
from drivers.modem.ladder import Ladder
from drivers.modem.network_time import HINTS, network_time
from drivers.modem.news import events_of, says_full
from drivers.modem.profile import Initial, Profile, choose
from drivers.modem.sim_card import SimCard

STATUS_EVERY = 10.0  # s; a lost network shows on the page within one
STATUS_AT_MOST = 1.0  # s between two, however often the modem says that something changed
CALLS_EVERY = 2.0  # s in a call
NO_CALLS_TWICE = 2  # empty lists before the calls count as over: a call that was just dialled may not be listed yet
INIT = 10.0  # s for one command at start; AT+QPCMV and AT+CSMS take their time while a SIM is read
UNREGISTERED_MOST = 180.0  # s; a search of all bands takes one to two minutes
RESTART = "AT+CFUN=1,1"
TIME_EVERY = 3600.0  # s; a board's crystal is off by some tenths of a second in it
TIME_AGAIN = 600.0  # s behind an answer that told no time
IDENTIFY_TRIES = 3  # a modem that says nothing of itself was not understood

UNKNOWN = StatusChanged("unknown", None, "unknown", None)

# 3GPP TS 27.007 clause 7.2; 6 and 7 are SMS only, 9 and 10 voice by fallback that is not preferred.
STATES: dict[int, Registered] = {
    0: "not_registered", 1: "home", 2: "searching", 3: "denied", 4: "unknown", 5: "roaming",
    6: "home", 7: "roaming", 8: "emergency_only", 9: "home", 10: "roaming",
}  # fmt: skip
TECHNOLOGIES: dict[int, Technology] = {
    0: "2g", 1: "2g", 3: "2g", 8: "2g", 2: "3g", 4: "3g", 5: "3g", 6: "3g", 7: "4g", 9: "4g", 10: "4g",
    11: "5g", 12: "5g", 13: "5g",
}  # fmt: skip
T = TypeVar("T")


class Session:
    """Runs until the link is lost. `urc()` gets every unasked line from the moment of its making."""

    def __init__(
        self,
        exchange: Exchange,
        profiles: Sequence[Profile],
        sim: SimCard,
        ladder: Ladder,
        on_event: Callable[[ModemEvent], None],
        *,
        serial_sound: bool = False,
    ) -> None:
        self._serial_sound = serial_sound
        self._sim, self._ladder = sim, ladder
        self._unregistered_since: float | None = None
        self._exchange, self._profiles, self._on_event = exchange, profiles, on_event
        self.inbox = Inbox(exchange, on_event)
        self.profile = choose(profiles, "")
        self.status = UNKNOWN
        self._status_due = asyncio.Event()
        self._call_hint = asyncio.Event()
        self._sim_started = False
        self._echo_goes_on = True
        self._told_refused: set[str] = set()
        self._time_due = float("-inf")

    def urc(self, urc: Urc) -> None:
        if urc.name in self.profile.restart_urcs:
            self._exchange.lose(f"The modem restarted: it said {urc.name}.", "restarted")
        elif urc.name in ("+CMTI", "+CDSI"):
            self._announced(urc)
        elif urc.name in ("+CMT", "+CDS"):
            self.inbox.handed_over(urc)
        elif says_full(urc):
            self.inbox.look()
        elif urc.name in ("+CREG", "+CGREG", "+CEREG", "+CPIN", "+QIND", "+QUSIM", "+SIMCARD", "^SIMST"):
            self._status_due.set()
        elif urc.name in HINTS:
            self._time_due = float("-inf")
            self._status_due.set()
        for event in events_of(urc):
            self._on_event(event)
            if isinstance(event, Ring | Caller | CallReported | CallEnded):
                self._ladder.call(True, asyncio.get_running_loop().time())
                self._call_hint.set()

    def _announced(self, urc: Urc) -> None:
        try:
            self.inbox.announced(answers.cmti(urc.line) if urc.name == "+CMTI" else answers.cdsi(urc.line))
        except AnswerError:
            self.inbox.look()

    def expect_call(self) -> None:
        """A call was just dialled or answered: look at the list."""
        self._ladder.call(True, asyncio.get_running_loop().time())
        self._call_hint.set()

    async def run(self) -> None:
        """Raises LinkLost, alone or in a group."""
        await self._try("ATE0")
        self._exchange.forget_echo()
        who = await self._identify()
        await self._initialise(self.profile.at_start(serial_sound=self._serial_sound))
        self._echo_goes_on = self._exchange.echoed
        self._on_event(PortUp(who))
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._exchange.lost())
            tasks.create_task(self._watch_status())
            tasks.create_task(self._watch_calls())
            tasks.create_task(self.inbox.run())

    async def _try(self, line: str, timeout: float = INIT) -> tuple[str, ...] | None:
        """The answer's lines; None when it was refused or did not come."""
        try:
            return (await self._exchange.ask(line, timeout=timeout)).lines
        except NotDone:
            return None

    async def _identify(self) -> Identity:
        for _ in range(IDENTIFY_TRIES):
            said = identity.read([await self._try(line) or () for line in identity.QUESTIONS])
            if said.everything.strip():
                break
        self.profile = choose(self._profiles, said.everything)
        return Identity(said.manufacturer, said.model, said.revision, said.imei, self.profile.name)

    async def _initialise(self, commands: Sequence[Initial]) -> bool:
        """Whether all required ones were taken."""
        whole = True
        for command in commands:
            try:
                await self._exchange.ask(command.send, timeout=INIT)
            except NotDone as e:
                if not command.optional:
                    whole = False
                    self._refused(command.send, str(e))
        return whole

    def _refused(self, command: str, reason: str) -> None:
        """Said once a session, however often it is tried again."""
        if command not in self._told_refused:
            self._told_refused.add(command)
            self._on_event(InitRefused(command, reason))

    async def _watch_status(self) -> None:
        while True:
            self._status_due.clear()
            await self._look_at_status()
            await self._ask_time()
            await self._recover()
            if self._exchange.echoed and not self._echo_goes_on:
                self._exchange.lose("The modem restarted: it echoes again.", "restarted")
            await asyncio.sleep(STATUS_AT_MOST)
            try:
                async with asyncio.timeout(STATUS_EVERY - STATUS_AT_MOST):
                    await self._status_due.wait()
            except TimeoutError:
                continue

    async def _look_at_status(self) -> None:
        sim = await self._sim.look(self._exchange)
        if sim.state != "ready":
            self._sim_started = False
        elif not self._sim_started:
            self._sim_started = await self._initialise(self.profile.sim_init)
            await self.inbox.start(direct=self.profile.delivery == "direct")
        circuit, *packet = [
            _parsed(answers.registration, await self._try(line)) for line in ("AT+CREG?", "AT+CGREG?", "AT+CEREG?")
        ]
        known = [r for r in (circuit, *packet) if r is not None]
        registration = next((r for r in known if r.registered), known[0] if known else None)
        place = registration if registration and registration.registered else None
        operator = _parsed(answers.cops, await self._try("AT+COPS?"))
        technology = self._technology(operator, known)
        ims = _parsed(answers.ims, await self._try(self.profile.ims)) if self.profile.ims else None
        status = StatusChanged(
            STATES.get(registration.state, "unknown") if registration else "unknown",
            operator.name if operator else None,
            technology,
            await self._signal(),
            sim.word,
            sim.state,
            sim.reason,
            verdict(circuit, tuple(packet), technology, ims),
            (place.area or "") if place else "",
            (place.cell or "") if place else "",
        )
        if status != self.status:
            self.status = status
            self._on_event(status)

    async def _ask_time(self) -> None:
        """Now and then, once it is in a network; at once when the modem says that it was told the time."""
        now = asyncio.get_running_loop().time()
        question = self.profile.time
        if question is None or now < self._time_due or self.status.registration not in ("home", "roaming"):
            return
        lines = await self._try(question.ask)
        told = _parsed(lambda line: network_time(line, utc=question.tells == "utc"), lines)
        self._time_due = now + (TIME_EVERY if told else TIME_AGAIN)
        if told:
            self._on_event(NetworkTime(told))

    async def _recover(self) -> None:
        """Reset a modem that has a SIM and answers, and has found no network for minutes."""
        now = asyncio.get_running_loop().time()
        if self.status.bearer != "none" or self.status.sim_state != "ready":
            self._unregistered_since = None
            return
        if self._unregistered_since is None:
            self._unregistered_since = now
        if now - self._unregistered_since < UNREGISTERED_MOST:
            return
        step = self._ladder.next_reset(now, vendor=self.profile.reset is not None)
        if step is not None:
            self._on_event(RecoveryStep(step))
            await self._try(RESTART if step == "restart" else self.profile.reset or RESTART)

    def _technology(self, operator: Operator | None, known: Sequence[Registration]) -> Technology:
        """What the operator's line says, else the first registration that says it, else the only one it knows."""
        said = [operator.technology] if operator else []
        said += [registration.technology for registration in known if registration.registered]
        number = next((one for one in said if one is not None), None)
        return self.profile.technology if number is None else TECHNOLOGIES.get(number, "unknown")

    async def _signal(self) -> int | None:
        """dBm, from the first question that is answered with one."""
        for line in self.profile.signal:
            level = _parsed(answers.level, await self._try(line))
            if level is not None and level.dbm is not None:
                return level.dbm
        return None

    async def _watch_calls(self) -> None:
        """List the calls at start and after every hint, until there are none."""
        while True:
            self._call_hint.clear()
            empty = 0
            while empty < NO_CALLS_TWICE:
                calls = await self._calls()
                if calls is not None:
                    empty = 0 if calls else empty + 1
                    if calls or empty >= NO_CALLS_TWICE:
                        self._ladder.call(bool(calls), asyncio.get_running_loop().time())
                    self._on_event(CallListed(calls))
                try:
                    async with asyncio.timeout(CALLS_EVERY):
                        await self._call_hint.wait()
                    self._call_hint.clear()
                    empty = 0
                except TimeoutError:
                    continue
            await self._call_hint.wait()

    async def _calls(self) -> tuple[ListedCall, ...] | None:
        """None when the modem does not say."""
        try:
            response = await self._exchange.ask("AT+CLCC", priority=Priority.NORMAL)
            listed = tuple(answers.clcc(line) for line in response.lines)
        except (NotDone, AnswerError):
            return None
        return tuple(call for call in listed if call.voice)


def _parsed(parse: Callable[[str], T], lines: tuple[str, ...] | None) -> T | None:
    try:
        return parse(lines[0]) if lines else None
    except AnswerError:
        return None
