"""Drills of voice between the box's own lines: when they may be, what they prove, and to whom they give way."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from appliance.audio_protocol import EndKind, Measured, Serial, Way
from appliance.call_events import CallAlerting, CallDialled, CallOfDrill, VoiceProven
from appliance.config_sound import ProofRules
from appliance.entry import Entry
from appliance.event import Event
from appliance.events import CallAnswered, CallEnded, CallMissed, CallRinging
from appliance.fold import apply
from appliance.journal import Journal
from appliance.sound.drill import Drill, judged
from appliance.state import State
from drivers.clock import VirtualClock
from drivers.jsonsocket import Refusal

NUMBERS = {"l1": "+62000000001", "l2": "+62000000002"}
KINDS: dict[str, EndKind] = {"l1": Serial("/dev/l1"), "l2": Serial("/dev/l2")}
GOOD = Way(heard=True, level_db=-3.0, delay_ms=180.0, lost_percent=0.5)
MEASURES_S = 12.0


class Box:
    """Two lines on one network; l1's call to l2 rings there with its number or `shown`, unless `rings` is not set."""

    def __init__(self, folder: Path, clock: VirtualClock) -> None:
        self.state, self.entries = State(), list[Event]()
        self.shown = ""  # another number than the calling line's own
        self.rings, self.urgent, self.withheld = True, False, False
        self.answered: list[str] = []
        self.hung_up: list[str] = []
        self.apart: list[tuple[str, bool]] = []
        self.measured = Measured(GOOD, GOOD)
        self._later: set[asyncio.Task[None]] = set()
        self.journal = Journal(folder / "journal.db", clock, "boot", lambda: "ntp", self._on_entry)
        self.journal.open()
        clock.busy = lambda: self.journal.writing
        self.drill = Drill(
            rules=ProofRules(at="03:30"), numbers=NUMBERS, kinds=KINDS, state=self.state, clock=clock,
            zone=ZoneInfo("Asia/Jayapura"), append=self.journal.append, sound=self, phone=self,
            needed=lambda: self.urgent, bearer=lambda line: "volte",
        )  # fmt: skip

    def _on_entry(self, entry: Entry) -> None:
        apply(self.state, entry)
        self.entries.append(entry.event)
        if hasattr(self, "drill"):
            self.drill.on_entry(entry)

    def append(self, event: Event) -> None:
        self.journal.append(event)

    def proofs(self) -> list[VoiceProven]:
        return [e for e in self.entries if isinstance(e, VoiceProven)]

    def free_lines(self) -> list[str]:
        return [line for line in NUMBERS if not self.state.calls_on(line)]

    def later(self, seconds: float, event: Event) -> None:
        async def come() -> None:
            await asyncio.sleep(seconds)
            self.append(event)

        task = asyncio.create_task(come())
        self._later.add(task)
        task.add_done_callback(self._later.discard)

    async def dial(self, number: str, actor: str, line: str = "", why: str = "") -> dict[str, str]:
        self.append(CallDialled(line=line, call="out", number=number, why=why))
        if self.rings:
            other = next(name for name, own in NUMBERS.items() if own == number)
            shown = "" if self.withheld else self.shown or NUMBERS[line]
            self.later(3.0, CallRinging(line=other, call="in", number=shown))
            self.later(4.0, CallAlerting(line=line, call="out"))
        return {"line": line, "call": "out"}

    async def answer(self, line: str, call: str, actor: str) -> object:
        self.answered.append(call)
        self.append(CallAnswered(line=line, call=call))
        self.later(0.5, CallAnswered(line="l1" if line == "l2" else "l2", call="out"))
        return {}

    async def hang_up(self, line: str, call: str, actor: str) -> object:
        self.hung_up.append(call)
        for known in list(self.state.calls.values()):
            if known.live and known.id in ("in", "out"):
                self.append(CallEnded(line=known.line, call=known.id, seconds=1.0, reason="operator"))
        return {}

    def set_apart(self, call: str, on: bool) -> None:
        self.apart.append((call, on))

    async def measure(self, one: EndKind, other: EndKind) -> Measured:
        await asyncio.sleep(MEASURES_S)
        return self.measured


def play(folder: Path, story: Callable[[Box], Awaitable[None]]) -> None:
    async def main() -> None:
        box = Box(folder, clock)
        try:
            await story(box)
        finally:
            box.journal.close()

    clock = VirtualClock()  # it begins at 09:00 in Jayapura
    clock.run(main())


def test_tones_that_go_both_ways_prove_that_the_called_line_takes_calls(tmp_path: Path) -> None:
    async def story(box: Box) -> None:
        proven = await box.drill.prove("l1", "l2", "budi")
        assert proven == VoiceProven(
            line="l1", other="l2", ok=True, level_db=-3.0, delay_ms=180.0, lost_percent=0.5, bearer="volte"
        )
        assert box.state.voices["l2"]["volte"].took
        assert "l1" not in box.state.voices, "it was not called"
        assert not any(call.live for call in box.state.calls.values())
        assert box.apart == [("out", True), ("in", True), ("out", False), ("in", False)]
        assert box.state.calls["in"].why == "proof", "the desk leaves it out"

    play(tmp_path, story)


@pytest.mark.parametrize(
    ("there", "back", "why"),
    [
        (GOOD, Way(heard=False), "one_way"),
        (Way(heard=False), Way(heard=False), "mute"),
        (GOOD, Way(heard=True, level_db=-40.0), "quiet"),
        (Way(heard=True, lost_percent=20.0), GOOD, "gaps"),
        (Way(heard=True, delay_ms=1500.0), GOOD, "late"),
    ],
)
def test_a_voice_that_nobody_would_understand_is_no_proof(there: Way, back: Way, why: str) -> None:
    proven = judged("l1", "l2", Measured(there, back), "2g")
    assert (proven.ok, proven.why) == (False, why)


def test_it_is_refused_while_an_order_is_open_or_any_call_is_on(tmp_path: Path) -> None:
    async def story(box: Box) -> None:
        box.urgent = True
        with pytest.raises(Refusal, match="needed"):
            await box.drill.prove("l1", "l2", "budi")
        box.urgent = False
        box.append(CallRinging(line="l2", call="citizen", number="+62000000100"))
        with pytest.raises(Refusal, match="needed"):
            await box.drill.prove("l1", "l2", "budi")
        assert box.entries[-1].kind == "call.ringing", "nothing was dialled"

    play(tmp_path, story)


def test_a_citizen_who_calls_while_it_rings_is_not_answered_by_it_and_it_gives_way(tmp_path: Path) -> None:
    async def story(box: Box) -> None:
        box.shown = "+62000000100"
        proven = await box.drill.prove("l1", "l2", "budi")
        assert (proven.ok, proven.why) == (False, "needed")
        assert box.answered == []
        assert box.hung_up == ["out"]
        assert "l2" not in box.state.voices, "it says nothing of the line"

    play(tmp_path, story)


def test_a_call_or_an_order_that_comes_while_tones_sound_ends_it_at_once(tmp_path: Path) -> None:
    async def story(box: Box) -> None:
        box.later(6.0, CallRinging(line="l3", call="citizen", number="+62000000100"))
        began = asyncio.get_running_loop().time()
        proven = await box.drill.prove("l1", "l2", "budi")
        assert (proven.ok, proven.why) == (False, "needed")
        assert asyncio.get_running_loop().time() - began < 6.5
        assert not any(call.live for call in box.state.calls.values() if call.id != "citizen")

    play(tmp_path, story)


def test_a_line_that_does_not_ring_is_not_proven(tmp_path: Path) -> None:
    async def story(box: Box) -> None:
        box.rings = False
        assert (await box.drill.prove("l1", "l2", "budi")).why == "no_ring"
        assert not box.state.voices["l2"]["volte"].drill.ok

    play(tmp_path, story)


def test_each_line_is_called_once_a_night_at_the_sites_quiet_hour(tmp_path: Path) -> None:
    async def story(box: Box) -> None:
        running = asyncio.create_task(box.drill.run())
        await asyncio.sleep(18 * 3600.0)
        assert box.proofs() == []
        await asyncio.sleep(3600.0)
        assert [(p.line, p.other, p.ok) for p in box.proofs()] == [("l2", "l1", True), ("l1", "l2", True)]
        running.cancel()
        await asyncio.wait({running})

    play(tmp_path, story)


def test_a_missed_ring_is_no_answer(tmp_path: Path) -> None:
    async def story(box: Box) -> None:
        box.rings = False
        box.later(2.0, CallRinging(line="l2", call="in"))  # without a number it may be anybody's
        box.later(9.0, CallMissed(line="l2", call="in"))
        assert (await box.drill.prove("l1", "l2", "budi")).why == "no_ring"
        assert box.answered == []

    play(tmp_path, story)


def test_a_box_that_was_late_itself_says_so_and_nothing_of_the_lines(tmp_path: Path) -> None:
    async def story(box: Box) -> None:
        await box.drill.prove("l1", "l2", "budi")
        box.measured = Measured(GOOD, Way(heard=True, lost_percent=30.0), late_percent=4.0)
        assert (await box.drill.prove("l1", "l2", "budi")).why == "box_busy"
        assert box.state.voices["l2"]["volte"].drill.ok, "what was proven before stands"
        box.measured = Measured(GOOD, GOOD, late_percent=4.0)
        assert (await box.drill.prove("l1", "l2", "budi")).ok, "a good measure is good, however late the box was"

    play(tmp_path, story)


def test_a_call_without_a_number_that_rings_alone_while_ours_rings_is_ours(tmp_path: Path) -> None:
    async def story(box: Box) -> None:
        box.withheld = True
        assert (await box.drill.prove("l1", "l2", "budi")).ok
        assert [e.call for e in box.entries if isinstance(e, CallOfDrill)] == ["in"]

    play(tmp_path, story)


def test_of_two_calls_without_a_number_none_is_answered(tmp_path: Path) -> None:
    async def story(box: Box) -> None:
        box.withheld = True
        box.later(5.0, CallRinging(line="l2", call="citizen", waiting=True))
        assert (await box.drill.prove("l1", "l2", "budi")).why == "needed"
        assert box.answered == []
        assert box.hung_up == ["out"]
        assert box.state.calls["citizen"].live

    play(tmp_path, story)


def test_who_dials_has_the_lines_back_at_once(tmp_path: Path) -> None:
    async def story(box: Box) -> None:
        drilling = asyncio.create_task(box.drill.prove("l1", "l2", "budi"))
        await asyncio.sleep(6.0)
        began = asyncio.get_running_loop().time()
        await box.drill.give_way()
        assert asyncio.get_running_loop().time() - began < 0.5
        assert box.free_lines() == ["l1", "l2"]
        assert (await drilling).why == "needed"
        assert (await box.drill.prove("l1", "l2", "budi")).ok, "the next one is not hindered by it"

    play(tmp_path, story)


def test_an_order_that_is_given_while_it_rings_ends_it_before_it_is_answered(tmp_path: Path) -> None:
    async def story(box: Box) -> None:
        drilling = asyncio.create_task(box.drill.prove("l1", "l2", "budi"))
        await asyncio.sleep(1.0)
        box.urgent = True
        assert (await drilling).why == "needed"
        assert box.answered == []

    play(tmp_path, story)


def test_a_scheduled_drill_that_gave_way_is_tried_again_the_same_night(tmp_path: Path) -> None:
    async def story(box: Box) -> None:
        running = asyncio.create_task(box.drill.run())
        box.later(18.5 * 3600.0 + 5.0, CallRinging(line="l1", call="citizen", number="+62000000100"))
        box.later(18.5 * 3600.0 + 60.0, CallMissed(line="l1", call="citizen"))
        await asyncio.sleep(19 * 3600.0)
        assert [(p.other, p.ok, p.why) for p in box.proofs()] == [
            ("l1", False, "needed"), ("l1", True, ""), ("l2", True, ""),
        ]  # fmt: skip
        running.cancel()
        await asyncio.wait({running})

    play(tmp_path, story)


def test_proofs_are_of_a_line_and_what_carries_its_voice_and_a_failure_speaks_against_both(tmp_path: Path) -> None:
    async def story(box: Box) -> None:
        await box.drill.prove("l1", "l2", "budi")
        await box.drill.prove("l2", "l1", "budi")
        assert {line: proof["volte"].drill.ok for line, proof in box.state.voices.items()} == {"l1": True, "l2": True}
        box.measured = Measured(Way(heard=False), Way(heard=False))
        await box.drill.prove("l1", "l2", "budi")
        assert not box.state.voices["l2"]["volte"].drill.ok
        assert not box.state.voices["l1"][""].drill.ok

    play(tmp_path, story)
