"""Wires calls' sound with the lines, and carries its commands: where a person talks, mute, proofs of voice."""

from collections.abc import Callable
from typing import Any

import msgspec

from appliance.audio_protocol import BridgeStanding, EndKind, Measured
from appliance.call_commands import MuteCall, ProveVoice, TalkAt
from appliance.clock import boot_id
from appliance.commands import AnyCommand
from appliance.config import ZONES, Places, Site
from appliance.entry import Entry
from appliance.journal import Appended
from appliance.keeper import Keeper
from appliance.lines.service import Lines
from appliance.model import CallPhase
from appliance.sound.drill import Drill
from appliance.sound.service import Sound
from appliance.sound.sound_machine import BOX, LINE
from appliance.sound.spoken import SpokenTexts
from appliance.state import Call, State, VoiceProof
from appliance.view import LineView, SoundView
from drivers.clock import Clock
from drivers.jsonsocket import Refusal

COMMANDS = (TalkAt, MuteCall, ProveVoice)
DAY = 24 * 3600.0
TALKED_ON = (CallPhase.TALKING, CallPhase.JOINED, CallPhase.DIALLING, CallPhase.ALERTING)


class SoundRoom:
    """`urgent`: an order is open or a siren sounds. `speaks`, `talk`, `place` and `quiet_s` are what the desk needs."""

    def __init__(
        self, *, site: Site, places: Places, state: State, clock: Clock, append: Callable[..., Appended],
        on_changed: Callable[[], None], lines: Lines, urgent: Callable[[], bool],
        time_known: Callable[[], bool] = lambda: True,
    ) -> None:  # fmt: skip
        self._site, self._state, self._clock, self._lines = site, state, clock, lines
        self._boot = boot_id()
        self._sound = Sound(
            site=site, places=places, state=state, clock=clock, append=append, on_changed=on_changed, lines=lines,
            needed=lambda: urgent() or self._others_busy(), time_known=time_known,
        )  # fmt: skip
        self.speaks, self.talk, self.quiet_s = self._sound.speaks, self._sound.talk, self._sound.quiet_s
        self.place = self._sound.place
        self._spoken = SpokenTexts(
            state=state, clock=clock, append=append, voice=self._sound, phone=lines, folder=places.phrases,
            language=site.language, allowed=site.sms.speak and self._sound.used,
        )  # fmt: skip
        self.speak = self._spoken.speak
        self._drill = Drill(
            rules=site.sound.proof, numbers={line.id: line.number for line in site.line},
            kinds=self._sound.rules.lines, state=state, clock=clock, zone=ZONES[site.zone], append=append,
            sound=_Measuring(self._sound), phone=lines, needed=urgent, bearer=self._bearer,
        )  # fmt: skip
        self.give_way = self._drill.give_way

    def keep(self, keeper: Keeper) -> None:
        keeper.keep("calls' sound", self._sound.run)
        keeper.keep("spoken texts", self._spoken.run)
        keeper.keep("drills of voice", self._drill.run)

    def on_entry(self, entry: Entry) -> None:
        self._sound.on_entry(entry.event)
        self._spoken.on_entry(entry)
        self._drill.on_entry(entry)

    def talked_on(self, line: str) -> Call | None:
        return next((call for call in self._state.calls_on(line) if call.phase in TALKED_ON), None)

    def carry(self, line: str, before: Call | None, actor: str) -> None:
        """Behind a swap: a call that waited is taken by who talked on the line, at the same place."""
        now = self.talked_on(line)
        if now is not None and now.taken is None and before is not None and before.id != now.id:
            self._sound.carry(before.id, now.id, actor)

    async def obey(self, command: AnyCommand, actor: str) -> Any:
        """One of COMMANDS. Raises Refusal."""
        match command:
            case TalkAt(line=line, talk=talk):
                call = self._talked_on(line)
                self._sound.talk(call.id, talk, actor)
                return {"line": line, "call": call.id}
            case MuteCall(line=line, on=on):
                call = self._talked_on(line)
                self._sound.mute(call.id, on)
                return {"line": line, "call": call.id}
            case ProveVoice(line=line, other=other):
                return msgspec.to_builtins(await self._drill.prove(line, other, actor))
        raise Refusal("unknown", f"{command} is not known of sound.")

    def onto(self, views: list[LineView]) -> list[LineView]:
        """The lines' views with what is known of their sound: a fresh proof makes more of "registered"."""
        for view in views:
            view.voice = self._voice(view)
            fault = self._state.sound_faults.get(f"{view.id}/line")
            view.sound = fault.what if fault else ""
            if view.can_take_call == "registered" and self._proven(view) and not view.sound:
                view.can_take_call = "proven"
        return views

    def _voice(self, view: LineView) -> VoiceProof | None:
        """The newest drill that says something of the line as it is now: by what carries a voice on it."""
        bearer = str(view.bearer.value or "") if view.bearer else ""
        known = self._state.voices.get(view.id, {})
        return max((known[by] for by in {bearer, ""} if by in known), key=lambda proof: proof.at.seq, default=None)

    def view(self) -> SoundView | None:
        """What pages show of sound itself; None where no line has any."""
        if not self._sound.used:
            return None
        live = [call.id for call in self._state.calls.values() if call.live]
        levels = {call: _levels(standing) for call in live if (standing := self._sound.standing(call))}
        muted = tuple(call for call in live if self._sound.muted(call))
        return SoundView(self._sound.rules.headset is not None, muted, levels)

    def _proven(self, view: LineView) -> bool:
        proof = view.voice
        if proof is None or not proof.drill.ok or not proof.took:
            return False
        age = proof.at.elapsed(self._clock.now(), self._clock.wall(), self._boot)
        return age <= self._site.sound.proof.good_days * DAY

    def _bearer(self, line: str) -> str:
        for view in self._lines.views():
            if view.id == line and view.bearer is not None:
                return str(view.bearer.value or "")
        return ""

    def _talked_on(self, line: str) -> Call:
        if call := self.talked_on(line):
            return call
        raise Refusal("no_call", f"No call is talked on on {line}.", "Answer or resume one first.")

    def _others_busy(self) -> bool:
        """No other line is free: a modem that restarts would leave nobody to answer."""
        return not self._lines.free_lines()[1:]


def _levels(bridge: BridgeStanding) -> tuple[int | None, int | None]:
    line = [e.heard_dbfs for e in bridge.ends if e.end == LINE and e.heard_dbfs is not None]
    people = [e.heard_dbfs for e in bridge.ends if e.end not in (LINE, BOX) and e.heard_dbfs is not None]
    return round(line[0]) if line else None, round(max(people)) if people else None


class _Measuring:
    """The sound room and its link, as a drill needs them."""

    def __init__(self, sound: Sound) -> None:
        self._sound = sound
        self.set_apart = sound.set_apart

    async def measure(self, one: EndKind, other: EndKind) -> Measured:
        return await self._sound.link.measure(one, other)
