"""What a person does with the calls of one line: done by the modem, and seen done.

A command counts when its effect was seen in a report or a list, not when the modem said OK.
"""

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable

from appliance.call_events import CallHeld, CallJoined, CallRefused, CallResumed
from appliance.config import Line as LineConfig
from appliance.config_sound import SerialSound
from appliance.events import CallAnswered, CallEnded
from appliance.journal import Appended
from appliance.lines.call_machine import RINGS, SETS_UP, LiveCall, Phase, Reason
from appliance.lines.call_watch import ACTIVE, CallWatch
from appliance.logs import about
from appliance.state import State
from drivers.clock import Clock
from drivers.jsonsocket import Refusal
from drivers.modem.errors import CommandRefused, ModemError, NoAnswer
from drivers.modem.telephone import Telephone as ModemTelephone

PROOF_WITHIN = 6.0  # s behind the modem's OK until the effect is seen; +CLCC is asked every 2 s
HANGS_UP_WITHIN = 5.0  # s; one that is still setting the call up, and takes no other word, is not waited for longer
TRANSFER = "transfer"
DIAL_ENDINGS = {"BUSY": Reason.BUSY, "NO ANSWER": Reason.NO_ANSWER, "NO CARRIER": Reason.UNREACHABLE}  # of ATD itself

log = logging.getLogger("siaga.lines")


class Telephone:
    """`run` it as long as the line. Commands return line and call, and raise Refusal."""

    def __init__(
        self, config: LineConfig, modem: ModemTelephone, state: State, clock: Clock, append: Callable[..., Appended],
        on_changed: Callable[[], None],
    ) -> None:  # fmt: skip
        self._id, self._name, self._modem = config.id, config.name, modem
        self._serial_sound = isinstance(config.sound, SerialSound)
        self.watch = CallWatch(config.id, state, clock, append, on_changed, self._stepped)
        self._machine = self.watch.machine
        self._ordering = asyncio.Lock()
        self._joining = {c.id for c in self._machine.in_phase(*SETS_UP) if c.why == TRANSFER}
        self._endings: set[asyncio.Task[dict[str, str]]] = set()
        self._due = asyncio.Event()  # something became of a transfer
        self._stepped()

    def _stepped(self) -> None:
        if self._joining:
            self._due.set()

    @property
    def call(self) -> str:
        """The id of the call that a person means who says "the call"; empty when there is none."""
        foremost = self._machine.foremost
        return foremost.id if foremost else ""

    @property
    def calls(self) -> list[str]:
        """All of them, oldest first."""
        return list(self._machine.calls)

    async def run(self) -> None:
        """Go on with transfers: join when the other side answers, take the caller back when it does not."""
        try:
            while True:
                await self._due.wait()
                self._due.clear()
                await self._go_on_with_transfers()
        finally:
            self.watch.stop()
            for ending in self._endings:
                ending.cancel()

    # Beginning and ending

    async def answer(self, call: str, actor: str) -> dict[str, str]:
        """Take the call that rings or waits; the one that is talked on meanwhile is held."""
        async with self._ordering:
            target = self._one(call, RINGS, f"No call rings on {self._name}.", "It was answered or has ended.")
            active, held = self._active(), self._machine.in_phase(Phase.HELD)
            if active and held:
                raise self._no("too_many", "one call is talked on and another held.", "End or join one of them first.")
            self.watch.expect(actor, (CallAnswered, target), *((CallHeld, c) for c in active))
            await self._do(self._modem.swap() if active or held else self._modem.answer())
            await self._seen(lambda: target.phase in ACTIVE and not any(c.phase in ACTIVE for c in active), target)
        return self._told(target)

    async def hang_up(self, call: str, actor: str) -> dict[str, str]:
        """End a call, or refuse the one that rings. Without `call` the box leaves a conference to the others."""
        foremost = self._machine.foremost
        if not call and foremost and foremost.phase is Phase.JOINED:
            return await self._leave(actor)
        target = self._one(call, (), f"There is no call on {self._name}.", "It has ended already.", foremost)
        return await self._end(target, actor, "")

    async def reject(self, call: str, reason: str, actor: str) -> dict[str, str]:
        """Refuse the call that rings or waits; `reason` goes on record. Its caller hears that we are busy."""
        target = self._one(call, RINGS, f"No call rings on {self._name}.", "It was answered or has ended.")
        return await self._end(target, actor, reason)

    async def _end(self, target: LiveCall, actor: str, refused: str) -> dict[str, str]:
        self._machine.hang_up(target.id, refused)
        self.watch.expect(actor, (CallEnded, target), (CallRefused, target))
        ending = asyncio.create_task(self._end_and_see(target), name=f"{self._id}: hanging up {target.id}")
        self._endings.add(ending)
        ending.add_done_callback(self._ended)
        waited = HANGS_UP_WITHIN + PROOF_WITHIN if target.phase not in SETS_UP else HANGS_UP_WITHIN
        done, _ = await asyncio.wait({ending}, timeout=waited)
        if not done:
            raise self._no(
                "still_dialling", "the modem is still setting up the call and takes nothing else.",
                "It hangs up as soon as it can; use another line meanwhile.",
            )  # fmt: skip
        return ending.result()

    async def _end_and_see(self, target: LiveCall) -> dict[str, str]:
        try:
            await self._do(await self._way_to_end(target))
            await self._seen(lambda: target.phase is Phase.IDLE)
        finally:
            self._machine.hang_up_failed(target.id)
        return self._told(target)

    def _ended(self, ending: asyncio.Task[dict[str, str]]) -> None:
        self._endings.discard(ending)
        if not ending.cancelled() and (error := ending.exception()):
            log.warning("%s: %s", ending.get_name(), error)

    async def _way_to_end(self, target: LiveCall) -> Awaitable[None]:
        """By name where there are others; a held one that is the only held, by TS 22.030's word for them."""
        if len(self._machine.calls) == 1:
            return self._modem.refuse() if target.phase is Phase.RINGING else self._modem.hang_up()
        if target.phase is Phase.RINGING:
            return self._modem.refuse_waiting()
        if target.phase is Phase.HELD and len(self._machine.in_phase(*RINGS, Phase.HELD)) == 1:
            return self._modem.end_held()
        await self._seen(lambda: target.index is not None, target)
        return self._modem.end_one(target.index or 0)

    async def _leave(self, actor: str) -> dict[str, str]:
        """Connect the conference's two others with each other. Where that is refused all stays as it was."""
        async with self._ordering:
            joined = self._machine.in_phase(Phase.JOINED)
            if len(joined) != 2 or len(self._machine.calls) != 2:
                raise self._no("conference", "more than two others are in the conference.", "End each call by its own.")
            first, second = joined
            for one in joined:
                self._machine.hang_up(one.id)
                self.watch.expect(actor, (CallEnded, one))
            try:
                await self._seen(lambda: first.index is not None, first)
                await self._do(self._modem.talk_alone_with(first.index or 0))
                await self._seen(lambda: second.phase is Phase.HELD, first)
                await self._modem.leave()
                await self._seen(lambda: first.phase is second.phase is Phase.IDLE)
            except ModemError as e:
                await self._do(self._modem.join())
                raise self._no(
                    "no_transfer", "the network keeps the two together only while this box is with them.",
                    "Stay and mute yourself, or end each call by its own.",
                ) from e  # fmt: skip
            finally:
                for one in joined:
                    self._machine.hang_up_failed(one.id)
        return self._told(first)

    async def dial(self, number: str, actor: str, why: str, call: str = "") -> dict[str, str]:
        """Call a number. `call` is the id that it gets; empty: a new one. Not while another call is talked on here."""
        if self._machine.in_phase(*RINGS, *SETS_UP, *ACTIVE):
            raise self._no("in_call", "the line is in use.", "Hold or end the call first, or use another line.")
        made = call or secrets.token_hex(4)
        target = self.watch.dial(made, number, why, actor)
        async with self._ordering:
            try:
                await self._modem.dial(number)
            except NoAnswer:
                log.warning(
                    "%s: the modem did not say whether it dials; the list of calls will",
                    self._id,
                    extra=about(line=self._id),
                )
            except CommandRefused as e:
                self.watch.not_dialled(made, DIAL_ENDINGS.get(e.final, Reason.REFUSED))
                raise self._refusal(e) from e
            except ModemError as e:
                self.watch.not_dialled(made, Reason.REFUSED)
                raise self._refusal(e) from e
            self._machine.dialled(made)
            await self._seen(lambda: target.index is not None or target.phase is not Phase.DIALLING)
        return self._told(target)

    # Between calls

    async def hold(self, actor: str) -> dict[str, str]:
        """Put the call aside that is talked on."""
        async with self._ordering:
            active = self._active()
            if not active:
                raise self._no("no_call", "no call is talked on.", "There is nothing to hold.")
            self._nobody_waits("hold")
            if self._machine.in_phase(Phase.HELD):
                raise self._no("too_many", "another call is held already.", "Swap or join them.")
            return await self._swap(active, [], actor)

    async def resume(self, actor: str) -> dict[str, str]:
        """Talk on with the call that is held."""
        async with self._ordering:
            held = self._machine.in_phase(Phase.HELD)
            if not held:
                raise self._no("no_call", "no call is held.", "There is nothing to take up again.")
            self._nobody_waits("take up the held one")
            if self._active():
                raise self._no("too_many", "another call is talked on.", "Swap or join them.")
            return await self._swap([], held, actor)

    async def swap(self, actor: str) -> dict[str, str]:
        """Hold the call that is talked on, and talk with the one that waits, else with the held one."""
        waiting = self._machine.in_phase(*RINGS)
        if waiting:
            return await self.answer(waiting[0].id, actor)
        async with self._ordering:
            active, held = self._active(), self._machine.in_phase(Phase.HELD)
            if not active or not held:
                raise self._no("no_call", "there are no two calls to swap.", "One must be talked on, the other held.")
            return await self._swap(active, held, actor)

    async def _swap(self, active: list[LiveCall], held: list[LiveCall], actor: str) -> dict[str, str]:
        self.watch.expect(actor, *((CallHeld, c) for c in active))
        self.watch.expect(actor, *((kind, c) for c in held for kind in (CallResumed, CallJoined)))
        await self._do(self._modem.swap())
        first = (held or active)[0]
        await self._seen(
            lambda: (
                all(c.phase in (Phase.HELD, Phase.IDLE) for c in active)
                and all(c.phase in (*ACTIVE, Phase.IDLE) for c in held)
            ),
            first,
        )
        return self._told(first)

    async def join(self, actor: str) -> dict[str, str]:
        """All calls of the line that were answered become one conference."""
        async with self._ordering:
            return await self._join(actor)

    async def _join(self, actor: str) -> dict[str, str]:
        active, held = self._active(), self._machine.in_phase(Phase.HELD)
        if not active or not held:
            raise self._no("no_call", "there are no two calls to join.", "One must be talked on, the other held.")
        self.watch.expect(actor, *((CallJoined, c) for c in (*active, *held)))
        await self._do(self._modem.join())
        await self._seen(lambda: all(c.phase in (Phase.JOINED, Phase.IDLE) for c in (*active, *held)), active[0])
        return self._told(active[0])

    async def transfer(self, number: str, actor: str, call: str = "") -> dict[str, str]:
        """Hold the caller, call the number; when it answers all three are joined, when not the caller is taken back."""
        active, held = self._active(), self._machine.in_phase(Phase.HELD)
        self._nobody_waits("transfer")
        if bool(active) == bool(held) or len(active + held) != 1:
            raise self._no("no_call", "one call must be talked on or held, and no other.", "End the others first.")
        if active:
            await self.hold(actor)
        caller = (active or held)[0]
        try:
            told = await self.dial(number, actor, TRANSFER, call)
        except Refusal:
            if active and caller.phase is Phase.HELD:
                await self.resume(actor)
            raise
        self._joining.add(told["call"])
        self._due.set()
        return told

    async def _go_on_with_transfers(self) -> None:
        for name in list(self._joining):
            target = self._machine.calls.get(name)
            if target is not None and target.phase in SETS_UP:
                continue
            self._joining.discard(name)
            try:
                async with self._ordering:
                    if target is not None and target.phase in ACTIVE and self._machine.in_phase(Phase.HELD):
                        await self._join("")
                if target is None and not self._machine.in_phase(*RINGS, *SETS_UP, *ACTIVE):
                    await self.resume("")
            except Refusal as e:
                log.warning(
                    "%s: transfer: %s", self._id, e, extra=about(line=self._id)
                )  # a person sees both calls and does the rest

    # Keys and sound

    async def keys(self, keys: str, actor: str) -> dict[str, str]:
        """Send telephone keys to the other side of the call that is talked on."""
        active = self._active()
        if not active:
            raise self._no("no_call", "no call is talked on.", "Nobody would hear the keys.")
        await self._do(self._modem.press(keys, active[0].index or 1))
        return self._told(active[0])

    async def sound(self, *, on: bool) -> bool:
        """Start or stop the modem's sound. Whether it was taken the first time; if not, the call may be mute."""
        try:
            return await self._modem.sound(on=on, serial=self._serial_sound)
        except ModemError as e:
            raise self._refusal(e) from e

    async def reset_sound(self) -> bool:
        """Restart a modem whose calls have become mute; False when its make has no such command."""
        if self._machine.calls:
            raise self._no("in_call", "a call is on.", "Wait for its end.")
        try:
            return await self._modem.reset_sound()
        except ModemError as e:
            raise self._refusal(e) from e

    # How it is done

    def _active(self) -> list[LiveCall]:
        return self._machine.in_phase(*ACTIVE)

    def _one(
        self, call: str, phases: tuple[Phase, ...], missing: str, what_next: str, default: LiveCall | None = None
    ) -> LiveCall:
        """The call that is meant, in one of these phases; none: any."""
        able = [c for c in self._machine.calls.values() if not phases or c.phase in phases]
        found = next((c for c in able if c.id == call), None) if call else default or next(iter(able), None)
        if found is None:
            raise Refusal("no_call", missing, what_next)
        return found

    def _nobody_waits(self, what: str) -> None:
        if self._machine.in_phase(*RINGS):
            raise self._no("waiting", f"a call waits; to {what} would take it.", "Answer or refuse it.")

    async def _do(self, order: Awaitable[None]) -> None:
        try:
            await order
        except ModemError as e:
            raise self._refusal(e) from e

    async def _seen(self, done: Callable[[], bool], call: LiveCall | None = None) -> None:
        """Wait until it is so. Raises Refusal when it is not in time, or when `call` ended instead."""
        try:
            if await self.watch.until(done, PROOF_WITHIN, call):
                return
        except TimeoutError as e:
            raise self._no("not_proven", "the modem took the command, and nothing is seen of it.", "Try again.") from e
        raise self._no("no_call", "the caller hung up first.", "Nothing is left to do.")

    def _told(self, call: LiveCall) -> dict[str, str]:
        return {"line": self._id, "call": call.id}

    def _no(self, code: str, text: str, what_next: str) -> Refusal:
        return Refusal(code, f"{self._name}: {text}", what_next)

    def _refusal(self, error: ModemError) -> Refusal:
        return self._no("modem", f"the modem did not do it: {error}", "Try again.")
