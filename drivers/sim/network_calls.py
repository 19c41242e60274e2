"""Voice calls in the simulated mobile network: who rings whom, who answered, and why it ended."""

import asyncio
import itertools
from collections import deque
from collections.abc import Callable
from enum import Enum
from typing import Any, Protocol

from drivers.sim.network_sound import Voice

SETUP_S = 1.5  # s from dialling to ringing; VoLTE takes one to two, a fall-back to 2G four and more
RING_S = 45.0  # s until the network gives up on a phone that nobody answers
HISTORY = 200  # ended calls kept for `call.status`
KEYS = "0123456789*#ABCD"


class Phase(Enum):
    DIALLING = "dialling"
    ALERTING = "alerting"
    ACTIVE = "active"
    ENDED = "ended"


class Cause(Enum):
    NONE = ""
    HANGUP = "hangup"
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    UNREACHABLE = "unreachable"  # an unknown number, or a phone that is off or lost its network


class Party(Protocol):
    """An end of a call: a modem, or a phone outside."""

    @property
    def number(self) -> str: ...
    @property
    def reachable(self) -> bool: ...
    @property
    def has_voice(self) -> bool: ...
    @property
    def busy(self) -> bool: ...
    def call_changed(self, call: "Call") -> None: ...
    def call_replaced(self, old: "Call", new: "Call") -> None: ...
    def key_heard(self, call: "Call", key: str) -> None: ...
    @property
    def voice(self) -> Voice: ...


class Call:
    """One call; its phase is changed by the exchange only."""

    def __init__(self, identity: int, caller: Party, dialled: str, ring_s: float, began: float) -> None:
        self.identity, self.caller, self.dialled, self.ring_s, self.began = identity, caller, dialled, ring_s, began
        self.callee: Party | None = None
        self.phase, self.cause = Phase.DIALLING, Cause.NONE
        self.withheld = False  # the caller's number is not shown
        self.held_by: set[str] = set()  # numbers of the parties that put it aside
        self.answered: float | None = None  # loop times
        self.ended: float | None = None
        self.ended_by: Party | None = None
        self.keys: list[tuple[str, str]] = []  # (who pressed, key)
        self.timer: asyncio.TimerHandle | None = None

    @property
    def carries_sound(self) -> bool:
        return self.phase is Phase.ACTIVE and not self.held_by

    def hold(self, party: Party, *, on: bool) -> None:
        """One side puts it aside or takes it up; the other side hears nothing meanwhile."""
        if on:
            self.held_by.add(party.number)
        else:
            self.held_by.discard(party.number)

    def other(self, party: Party) -> Party | None:
        return self.callee if party is self.caller else self.caller

    def described(self) -> dict[str, Any]:
        """JSON for the knobs; times are loop seconds."""
        return {
            "id": self.identity,
            "from": self.caller.number,
            "to": self.dialled,
            "phase": self.phase.value,
            "cause": self.cause.value,
            "ended_by": self.ended_by.number if self.ended_by else "",
            "began": self.began,
            "answered": self.answered,
            "ended": self.ended,
            "keys": [f"{who} {key}" for who, key in self.keys],
        }


class OutsidePhone:
    """A phone that is none of our modems. It may answer, ring on, or be engaged, as `does` says."""

    def __init__(self, number: str, voice: Voice, does: str = "ring", after_s: float = 3.0) -> None:
        if does not in ("answer", "ring", "refuse", "busy", "off"):
            raise ValueError(f"a phone can answer, ring, refuse, be busy or off; not {does!r}")
        self.number, self.voice, self.does, self.after_s = number, voice, does, after_s
        self.exchange: Exchange | None = None
        self.has_voice = True
        self.heard = ""

    @property
    def reachable(self) -> bool:
        return self.does != "off"

    @property
    def busy(self) -> bool:
        return self.does == "busy"

    def call_changed(self, call: Call) -> None:
        if call.callee is not self or call.phase is not Phase.ALERTING or self.exchange is None:
            return
        later = asyncio.get_running_loop().call_later
        if self.does == "answer":
            later(self.after_s, self.exchange.answer, call, self)
        elif self.does == "refuse":
            later(self.after_s, self.exchange.release, call, self)

    def call_replaced(self, old: Call, new: Call) -> None:
        pass

    def key_heard(self, call: Call, key: str) -> None:
        self.heard = (self.heard + key)[-64:]


class Exchange:
    """Sets calls up and takes them down. `find` gives the party behind a number, None when nobody has it."""

    def __init__(self, find: Callable[[str], Party | None]) -> None:
        self._find = find
        self._identities = itertools.count(1)
        self.active: dict[int, Call] = {}
        self.history: deque[Call] = deque(maxlen=HISTORY)
        self.changed: Callable[[], None] = lambda: None  # called when a call began, changed or ended

    def dial(self, caller: Party, number: str, ring_s: float = RING_S, setup_s: float = SETUP_S) -> Call:
        """Start a call; the caller hears of it by `call_changed`."""
        loop = asyncio.get_running_loop()
        call = Call(next(self._identities), caller, number, ring_s, loop.time())
        self.active[call.identity] = call
        call.timer = loop.call_later(setup_s, self._offer, call)
        return call

    def _offer(self, call: Call) -> None:
        callee = self._find(call.dialled)
        if callee is None or not callee.reachable or not (callee.has_voice and call.caller.has_voice):
            self.release(call, None, Cause.UNREACHABLE)
        elif callee is call.caller or callee.busy:
            self.release(call, None, Cause.BUSY)
        else:
            call.callee, call.phase = callee, Phase.ALERTING
            call.timer = asyncio.get_running_loop().call_later(call.ring_s, self.release, call, None, Cause.NO_ANSWER)
            self._tell(call)

    def answer(self, call: Call, by: Party) -> bool:
        """Connect; False when it is not ringing there any more."""
        if call.phase is not Phase.ALERTING or call.callee is not by:
            return False
        if call.timer:
            call.timer.cancel()
        call.phase, call.answered = Phase.ACTIVE, asyncio.get_running_loop().time()
        self._tell(call)
        return True

    def release(self, call: Call, by: Party | None, cause: Cause = Cause.HANGUP) -> None:
        """End it, whatever its phase. A callee that refuses a ringing call makes its caller hear busy."""
        if call.phase is Phase.ENDED:
            return
        if call.timer:
            call.timer.cancel()
        if by is not None and by is call.callee and call.phase is Phase.ALERTING:
            cause = Cause.BUSY
        call.phase, call.cause, call.ended_by = Phase.ENDED, cause, by
        call.ended = asyncio.get_running_loop().time()
        del self.active[call.identity]
        self.history.append(call)
        self._tell(call)

    def connect(self, first: Call, second: Call, by: Party) -> None:
        """`by` leaves two calls, and their other ends go on with each other, in the first of them."""
        one, other = first.other(by), second.other(by)
        assert one is not None
        assert other is not None
        del self.active[second.identity]
        first.hold(by, on=False)
        first.caller, first.callee = one, other
        other.call_replaced(second, first)
        self.changed()

    def talks(self) -> list[list[Voice]]:
        """Who hears whom. Calls of one party that it has not put aside are its conference, and all in it hear all."""
        found: list[list[Voice]] = []
        for call in self.active.values():
            if call.carries_sound and call.callee is not None:
                both = [call.caller.voice, call.callee.voice]
                with_one = [talk for talk in found if any(voice in talk for voice in both)]
                found = [talk for talk in found if talk not in with_one]
                found.append(list(dict.fromkeys([*both, *(voice for talk in with_one for voice in talk)])))
        return found

    def on_the_line(self) -> list[Voice]:
        """Those in a call that was answered, put aside or not."""
        calls = [call for call in self.active.values() if call.phase is Phase.ACTIVE]
        ends = [end for call in calls for end in (call.caller, call.callee) if end is not None]
        return list(dict.fromkeys(end.voice for end in ends))

    def press(self, call: Call, by: Party, keys: str, *, told: bool = True, tones: bool = True) -> None:
        """Send DTMF to the other end of an active call, told by the network and as tones. Raises ValueError."""
        other = call.other(by)
        if call.phase is not Phase.ACTIVE or other is None:
            raise ValueError(f"call {call.identity} is {call.phase.value}, not active")
        if not keys or any(key not in KEYS for key in keys.upper()):
            raise ValueError(f"{keys!r} has keys other than {KEYS}")
        for key in keys.upper():
            call.keys.append((by.number, key))
            if call.carries_sound and told:
                other.key_heard(call, key)
        if tones:
            by.voice.press(keys)

    def calls_of(self, party: Party) -> list[Call]:
        return [call for call in self.active.values() if party in (call.caller, call.callee)]

    def party_lost(self, party: Party) -> None:
        """A phone lost its network or its power: its calls end."""
        for call in self.calls_of(party):
            self.release(call, None, Cause.UNREACHABLE)

    def _tell(self, call: Call) -> None:
        call.caller.call_changed(call)
        if call.callee is not None:
            call.callee.call_changed(call)
        self.changed()
