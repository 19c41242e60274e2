"""The desk's service: it looks at the fold after every event and once a second while anybody calls, and acts.

What it does by itself has the actor "desk": answering a caller whom nobody takes, refusing a blocked number, taking
the reached off the call-back list. Every act on a line is a task of its own, so that one slow modem holds up no other.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable

import msgspec

from appliance.call_commands import AnswerCall, Dial
from appliance.call_events import CallGreeted, GhostOffered, QueueEased, QueueOverflowed
from appliance.clock import boot_id
from appliance.config import Site
from appliance.desk import caller_machine, queue_machine
from appliance.desk.caller_machine import Rule
from appliance.desk.desk_views import desk_view
from appliance.desk.directory import Directory
from appliance.desk.hands import Hands
from appliance.desk.notices import Notices
from appliance.desk_state import DeskCall
from appliance.desk_view import DeskView, Figures
from appliance.entry import Entry
from appliance.fold_desk import DESK, DRILL
from appliance.journal import Appended
from appliance.stamp import Stamp
from appliance.state import State
from drivers.clock import Clock
from drivers.jsonsocket import Gone, Refusal
from drivers.modem.numbers import telephone

LOOK = 0.5  # s between looks while anybody calls: the greeting is at most so late
IDLE = 30.0  # s between looks else: blocks that end
AGAIN = 2.0  # s before an act that failed is tried again
MOST_KEYS = 100  # of presses that could come again
WITHIN = 20.0  # s for one act; a modem that is asked to answer has said yes or no by then
NOTICE_LIFETIME = 300.0  # s; a notice of a queue that was is of no use
EASED = 60.0  # s without overflow that end its episode: one notice for a busy evening, not one a call
DRILL_KNOWS_S = 8.0  # s from the ring until a drill has seen in two lists whether the call is its own
KINDS = ("call.", "caller.", "callback.", "queue.", "line.", "alert.issued")

log = logging.getLogger("siaga.desk")


class Desk:
    """`state` is the fold, read only. `on_entry` gets every entry after it was folded."""

    def __init__(
        self, *, site: Site, state: State, clock: Clock, append: Callable[..., Appended], hands: Hands
    ) -> None:  # fmt: skip
        self._site, self._state, self._clock, self._append, self._hands = site, state, clock, append, hands
        self.directory = Directory(site)
        self.rule = Rule(site.pranks.marks, site.pranks.hours, site.pranks.rule == "automatic")
        self.today: Figures | None = None
        self._boot = boot_id()
        self._woken = asyncio.Event()
        self._acts: dict[str, asyncio.Task[None]] = {}  # by call
        self._not_before: dict[str, float] = {}  # by call whose last act failed
        self._taking: set[str] = set()
        self._calling: set[str] = set()  # telephones whose call back is being dialled
        self._keys: dict[str, str] = {}  # the last call back's key by telephone
        self._notices = Notices(site)
        self._noticed = 0  # the episode, by its row in the journal
        self._notice: asyncio.Task[None] | None = None
        self._over_since: float | None = None  # when the overflow was last seen to be none

    # What goes on

    async def run(self) -> None:
        """Look and act for as long as the process lives."""
        try:
            while True:
                self._woken.clear()
                self.look()
                open_now = self._state.desk.open or self._state.desk.overflowed
                try:
                    async with asyncio.timeout(LOOK if open_now else IDLE):
                        await self._woken.wait()
                except TimeoutError:
                    pass
        finally:
            for task in (*self._acts.values(), *filter(None, [self._notice])):
                task.cancel()

    def on_entry(self, entry: Entry) -> None:
        if entry.kind.startswith(KINDS):
            self._woken.set()

    def look(self) -> None:
        """Say and begin all that is due now."""
        desk, now = self._state.desk, self._clock.now()
        for event in list(
            caller_machine.due(desk, self.rule, self._clock.wall(), self._since, self.directory.may_block)
        ):
            self._append(event, actor=DESK)
        calls = list(desk.open.values())
        for call in queue_machine.ghosts(calls, self._since, self._hands.quiet_s, self._site.desk.ghost_after_s):
            self._append(GhostOffered(line=call.line, call=call.id), actor=DESK)
        self._forget(set(desk.open), now)
        queue = self.queue()
        for call in calls:
            if call.incoming and not call.taken and not call.answered and not call.refused and self._blocked(call):
                self._begin(call, self._reject)
        after = self._site.desk.greet_after_s
        for call in queue_machine.to_greet(queue, calls, self._since, after, self._hands.speaks):
            if call.id not in self._taking:
                self._begin(call, self._greet)
        self._overflow(queue, calls, now)

    def queue(self) -> list[DeskCall]:
        """Who waits, longest first."""
        return queue_machine.waiting(self._state.desk.open.values(), self._left_out)

    def view(self) -> DeskView:
        return desk_view(
            self._state.desk, self.directory, self.rule, self._left_out, self._hands.speaks,
            self._hands.quiet_s, self._site.desk.greet_after_s, self.today,
        )  # fmt: skip

    def _since(self, stamp: Stamp) -> float:
        return stamp.elapsed(self._clock.now(), self._clock.wall(), self._boot)

    def _blocked(self, call: DeskCall) -> bool:
        return bool(call.number) and telephone(call.number) in self._state.desk.blocks

    def _left_out(self, call: DeskCall) -> bool:
        """A blocked caller who has not been let in, and a drill between the box's own lines."""
        return (call.answered is None and self._blocked(call)) or self._of_drill(call)

    def _of_drill(self, call: DeskCall) -> bool:
        """Between two lines of the box, while a drill calls that line: a network that diverts a caller from one line to
        the other may show the first one's number, and they are not left waiting for it.

        One without a number that rings alone where a drill calls is taken for its own until the drill must know; of
        two, one is a caller, and both are shown.
        """
        if call.why == DRILL:
            return True
        open_ = self._state.desk.open.values()
        drilled = {self.directory.lines.get(telephone(c.number)) for c in open_ if not c.incoming and c.why == DRILL}
        if not call.incoming or call.line not in drilled:
            return False
        if call.number:
            return telephone(call.number) in self.directory.own
        alone = sum(c.incoming and c.line == call.line for c in open_) == 1
        return alone and self._since(call.began) <= DRILL_KNOWS_S

    def _forget(self, still: set[str], now: float) -> None:
        self._not_before = {call: at for call, at in self._not_before.items() if call in still and at > now}

    # What the desk does by itself

    def _begin(self, call: DeskCall, act: Callable[[DeskCall], Awaitable[None]]) -> None:
        if call.id in self._acts or call.id in self._not_before:
            return
        self._acts[call.id] = asyncio.create_task(self._act(call, act), name=f"desk {call.id}")
        self._acts[call.id].add_done_callback(_notice_death)

    async def _act(self, call: DeskCall, act: Callable[[DeskCall], Awaitable[None]]) -> None:
        try:
            async with asyncio.timeout(WITHIN):
                await act(call)
        except (Refusal, Gone, OSError, TimeoutError) as e:
            self._not_before[call.id] = self._clock.now() + AGAIN
            if call.id in self._state.desk.open and call.taken is None:
                log.warning("call %s on %s: %s is tried again: %s", call.id, call.line, act.__name__[1:], e)
        except BaseException:
            self._not_before[call.id] = self._clock.now() + AGAIN  # a flaw of ours must not spin
            raise
        finally:
            del self._acts[call.id]
            self._woken.set()

    async def _reject(self, call: DeskCall) -> None:
        await self._hands.reject(call.line, call.id, "blocked", DESK)
        self._not_before[call.id] = self._clock.now() + AGAIN  # its end is still to be seen

    async def _greet(self, call: DeskCall) -> None:
        if call.answered is None:
            await self._hands.answer(call.line, call.id, DESK)
        if call.taken is None and call.answered is not None and call.id in self._state.desk.open:
            # The sound room speaks to whom the state calls greeted.
            self._append(CallGreeted(line=call.line, call=call.id), actor=DESK)

    def _overflow(self, queue: list[DeskCall], calls: list[DeskCall], now: float) -> None:
        rules = self._site.desk.overflow
        if rules is None:
            return
        calls = [c for c in calls if not self._of_drill(c)]
        limits = queue_machine.Limits(rules.waiting, rules.after_s, rules.busy)
        why = queue_machine.overflow(queue, calls, self._hands.usable(), self._since, limits)
        if why:
            self._over_since = None
            if self._state.desk.overflowed is None:
                longest = self._since(queue[0].began) if queue else 0.0
                self._append(
                    QueueOverflowed(why=why, waiting=len(queue), longest_s=round(longest, 1), told=rules.number),
                    actor=DESK,
                )
        elif self._state.desk.overflowed is not None:
            self._over_since = now if self._over_since is None else self._over_since
            if now - self._over_since >= EASED:
                self._append(QueueEased(), actor=DESK)
        episode = self._state.desk.overflowed
        if episode and episode.seq != self._noticed and self._since(episode) < NOTICE_LIFETIME:
            self._noticed = episode.seq
            text = self._notices.text(self._state.desk.overflow_why, len(queue), rules.after_s)
            self._notice = asyncio.create_task(self._give_notice(rules.number, text, f"overflow-{episode.seq}"))
            self._notice.add_done_callback(_notice_death)

    async def _give_notice(self, number: str, text: str, key: str) -> None:
        try:
            async with asyncio.timeout(WITHIN):
                await self._hands.notice(number, text, NOTICE_LIFETIME, key)
        except (Refusal, OSError, TimeoutError) as e:
            log.error("the overflow number is not told: %s", e)

    # What persons order

    async def take_next(self, talk: str, actor: str) -> object:
        """Take the call that has waited longest; one that is gone meanwhile is passed over. Raises Refusal."""
        tried: set[str] = set()
        refused = Refusal("no_call", "Nobody waits.", "The queue is empty, or others take its calls just now.")
        while True:
            calls = list(self._state.desk.open.values())
            name = queue_machine.to_take(self.queue(), calls, actor, self._taking | tried)
            if not name:
                raise refused
            tried.add(name)
            self._taking.add(name)
            try:
                return await self._hands.take(
                    AnswerCall(line=self._state.desk.open[name].line, call=name, talk=talk), actor
                )
            except Refusal as e:
                refused = e
            finally:
                self._taking.discard(name)

    async def dial(self, command: Dial, actor: str) -> object:
        """Dial a directory entry, a number, or who was not reached; nobody is called back twice at once.

        Raises Refusal.
        """
        if not command.call_back:
            return await self._hands.dial(_to(command, self.directory.number(command.to)), actor)
        number = self._number_of(command.call_back)
        key = telephone(number)
        self._one_caller(key, number, command.key)
        self._keys.pop(key, None)
        self._keys[key] = command.key
        while len(self._keys) > MOST_KEYS:
            del self._keys[next(iter(self._keys))]
        self._calling.add(key)
        try:
            return await self._hands.dial(_to(command, number), actor)
        finally:
            self._calling.discard(key)

    def _one_caller(self, key: str, number: str, command_key: str) -> None:
        """Raises Refusal when somebody calls this telephone just now, and it is not the same press again."""
        calls = [c for c in self._state.desk.open.values() if not c.incoming and telephone(c.number) == key]
        again = bool(command_key) and self._keys.get(key) == command_key
        if (calls or key in self._calling) and not again:
            who = calls[0].began.actor if calls else "Somebody"
            raise Refusal("being_called", f"{who} calls {number} just now.", "Wait for how it ends.")

    def _number_of(self, call_back: str) -> str:
        for back in self._state.desk.callbacks.values():
            if call_back in back.calls:
                return self.directory.number(back.number)
        raise Refusal("no_call_back", f"{call_back} is not on the call-back list.", "Somebody was there first.")


def _notice_death(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()):
        log.error("%s failed", task.get_name(), exc_info=error)


def _to(command: Dial, number: str) -> Dial:
    return msgspec.structs.replace(command, to=number)
