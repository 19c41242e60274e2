"""What a person does with calls, on a line that they name, or that is chosen for a number.

So many lines are always kept free for those who call in (`[calls] keep_free`).
"""

import hashlib
from collections.abc import Mapping, Sequence

from appliance.lines.line import Line
from appliance.lines.operator_plan import OperatorPlan, operator_of_number, plan_of
from appliance.lines.telephone import Telephone
from appliance.state import State
from drivers.jsonsocket import Refusal
from drivers.modem.errors import NumberRefused
from drivers.modem.numbers import diallable

Told = dict[str, str]  # line and call
PROOF = "proof"
NO_SIGNAL = -200  # dBm; a line that does not say comes last


class Switchboard:
    """Every command returns line and call when it was seen done, and raises Refusal. An empty `call` is the one that
    a person means: the one that rings, for `answer` and `reject`; the one that is talked on, for `hang_up`.
    """

    def __init__(
        self, lines: Mapping[str, Line], state: State, operators: Sequence[OperatorPlan], keep_free: int
    ) -> None:
        self._lines, self._state, self._operators, self._keep_free = lines, state, operators, keep_free

    async def answer(self, line: str, call: str, actor: str) -> Told:
        """Take the call that rings or waits; one that is talked on there is held."""
        return await self._telephone(line).answer(call, actor)

    async def hang_up(self, line: str, call: str, actor: str) -> Told:
        """End or refuse a call. Without `call`, in a conference: leave the others together, if the network can."""
        return await self._telephone(line).hang_up(call, actor)

    async def reject(self, line: str, call: str, reason: str, actor: str) -> Told:
        """Not let in: `reason` is "busy", "prank", "other", "blocked"; its caller hears that we are busy."""
        return await self._telephone(line).reject(call, reason, actor)

    async def hold(self, line: str, actor: str) -> Told:
        """Put the active call aside; nothing else is taken up."""
        return await self._telephone(line).hold(actor)

    async def resume(self, line: str, actor: str) -> Told:
        """Talk on with the held call."""
        return await self._telephone(line).resume(actor)

    async def swap(self, line: str, actor: str) -> Told:
        """The active call is held; the waiting one, else the held one, is talked on."""
        return await self._telephone(line).swap(actor)

    async def join(self, line: str, actor: str) -> Told:
        """Held and active call become a conference."""
        return await self._telephone(line).join(actor)

    async def transfer(self, line: str, number: str, actor: str) -> Told:
        """Hold the caller, call the number on the same line, join all when it answers; else take the caller back.

        Returns the new call.
        """
        self._diallable(number)
        return await self._telephone(line).transfer(number, actor)

    async def dial(self, number: str, actor: str, line: str = "", why: str = "person", key: str = "") -> Told:
        """Call a number, by the best free line when none is named. The same key of the same person is the same call.

        `why` is as in CallDialled: a spoken text and a person leave a line free alike. A drill ("proof") need not: it
        dials only while all is quiet, and gives way at once.
        """
        self._diallable(number)
        call = hashlib.sha256(f"{actor}\0{key}".encode()).hexdigest()[:8] if key else ""
        if known := self._state.calls.get(call):
            return {"line": known.line, "call": known.id}
        telephone = self._telephone(line) if line else None
        if telephone is None or not telephone.call:
            chosen = self._line_for(number, line, 0 if why == PROOF else self._keep_free)
            telephone = chosen.telephone
        return await telephone.dial(number, actor, why, call)

    def last_dialled(self, line: str) -> str:
        """The number that was called last on a line. Raises Refusal."""
        self._line(line)
        dialled = [c for c in self._state.calls.values() if c.line == line and c.direction == "out" and c.number]
        if not dialled:
            raise Refusal("no_call", f"{line}: nothing was dialled lately.", "Give the number.")
        return dialled[-1].number or ""

    async def keys(self, line: str, keys: str, actor: str) -> Told:
        """Send telephone keys to the other side of the active call."""
        return await self._telephone(line).keys(keys, actor)

    async def sound(self, line: str, *, on: bool) -> bool:
        """Start or stop the modem's own sound; False when it was refused at first, the sign of a mute call."""
        return await self._telephone(line).sound(on=on)

    async def reset_sound(self, line: str) -> bool:
        """Restart a modem whose calls are mute. False: its make has no such command. Refused while a call is on."""
        return await self._telephone(line).reset_sound()

    def key_heard(self, line: str, key: str) -> None:
        """A telephone key was heard in the sound of the line's active call."""
        self._telephone(line).watch.key_heard(key, "sound")

    # How it is done

    def free_lines(self) -> list[str]:
        """Those that a call could come in on now."""
        return [name for name, line in self._lines.items() if line.can_dial]

    def _line_for(self, number: str, wanted: str, keep_free: int) -> Line:
        """The named line, else the best: of the number's own network, then the one with the strongest signal."""
        free = self.free_lines()
        if wanted and wanted not in free:
            raise Refusal("no_line", f"{wanted} cannot dial now.", "Look at the lines; leave the line open to choose.")
        if not free:
            raise Refusal("no_line", "No line can dial now.", "All are in use or without network; or send a text.")
        if len(free) <= keep_free:
            raise Refusal(
                "kept_free", f"Only {len(free)} free: kept for those who call in.",
                "End a call on another line first. calls.keep_free in the site file says how many are kept.",
            )  # fmt: skip
        if wanted:
            return self._lines[wanted]
        home = operator_of_number(number, self._operators)

        def rank(name: str) -> tuple[bool, int, str]:
            line = self._lines[name]
            stranger = home is not None and plan_of(line.operator or "", self._operators) is not home
            return stranger, -(NO_SIGNAL if line.signal_dbm is None else line.signal_dbm), name

        return self._lines[min(free, key=rank)]

    @staticmethod
    def _diallable(number: str) -> None:
        try:
            diallable(number)
        except NumberRefused as e:
            raise Refusal("not_dialled", str(e), "Dial emergency numbers from a telephone.") from e

    def _telephone(self, name: str) -> Telephone:
        return self._line(name).telephone

    def _line(self, name: str) -> Line:
        if name not in self._lines:
            raise Refusal("no_line", f"There is no line {name!r}.", f"Lines: {', '.join(self._lines) or 'none'}.")
        return self._lines[name]
