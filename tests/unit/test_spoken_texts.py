"""Texts that nobody could deliver in writing are spoken, and a key says that they were understood."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from appliance.audio_protocol import Speech
from appliance.call_events import CallDialled, CallKey, TextCalled, TextHeard, TextUnheard
from appliance.entry import Entry
from appliance.event import Event
from appliance.events import CallAnswered, CallEnded
from appliance.fold import apply
from appliance.journal import Journal
from appliance.model import OutgoingState, Purpose
from appliance.sms_events import SmsQueued, SmsUndelivered
from appliance.sound.spoken import SpokenTexts
from appliance.state import State
from drivers.clock import VirtualClock
from drivers.jsonsocket import Refusal

NUMBER = "+62000000100"


class Box:
    """A journal, a line, and a mouth; `answers` plays the other side of each call."""

    def __init__(self, folder: Path, clock: VirtualClock, answers: Callable[["Box", str], Awaitable[None]]) -> None:
        self.state, self.entries = State(), list[Event]()
        self._answers = answers
        self._playing: set[asyncio.Task[None]] = set()
        self.said: dict[str, Speech] = {}
        self.all_said: list[Speech] = []
        self.finished: dict[str, Callable[[], None]] = {}
        self.free = ["l1", "l2"]
        self.hung_up: list[str] = []
        self.journal = Journal(folder / "journal.db", clock, "boot", lambda: "ntp", self._on_entry)
        self.journal.open()
        clock.busy = lambda: self.journal.writing
        self.texts = SpokenTexts(
            state=self.state, clock=clock, append=self.journal.append, voice=self, phone=self, folder=None,
            language="id", allowed=True,
        )  # fmt: skip

    def _on_entry(self, entry: Entry) -> None:
        apply(self.state, entry)
        self.entries.append(entry.event)
        if hasattr(self, "texts"):
            self.texts.on_entry(entry)

    def append(self, event: Event) -> None:
        self.journal.append(event)

    def undelivered(self, reason: str = "expired", purpose: str = Purpose.TEXT) -> None:
        self.append(SmsQueued(message="aaaa", number=NUMBER, purpose=purpose, text="Kebakaran di Passo", parts=1))
        self.append(SmsUndelivered(message="aaaa", number=NUMBER, purpose=purpose, reason=reason))

    def kinds(self, *kinds: type[Event]) -> list[Event]:
        return [e for e in self.entries if isinstance(e, kinds)]

    # The lines

    def free_lines(self) -> list[str]:
        return self.free

    async def dial(self, number: str, actor: str, line: str = "", why: str = "") -> dict[str, str]:
        if not self.free:
            raise Refusal("no_line", "none")
        call = f"call{len(self.kinds(CallDialled)) + 1}"
        self.append(CallDialled(line=line, call=call, number=number, why=why))
        task = asyncio.create_task(self._answers(self, call))
        self._playing.add(task)
        task.add_done_callback(self._playing.discard)
        return {"line": line, "call": call}

    async def hang_up(self, line: str, call: str, actor: str) -> object:
        self.hung_up.append(call)
        self.ends(call, "operator")
        return {}

    def ends(self, call: str, reason: str) -> None:
        self.append(CallEnded(line="l1", call=call, seconds=0.0, reason=reason))

    # The sound

    def speaks(self, line: str) -> bool:
        return line == "l1"

    def say(self, call: str, what: Speech | None) -> None:
        if what is not None:
            self.said[call] = what
            self.all_said.append(what)

    def listen(self, call: str, on: Callable[[], None] | None) -> None:
        if on is not None:
            self.finished[call] = on


def play(folder: Path, answers: Callable[[Box, str], Awaitable[None]], story: Callable[[Box], Awaitable[None]]) -> None:
    async def main() -> None:
        box = Box(folder, clock, answers)
        running = asyncio.create_task(box.texts.run())
        try:
            await story(box)
        finally:
            running.cancel()
            await asyncio.wait({running})
            box.journal.close()

    clock = VirtualClock()
    clock.run(main())


async def presses_one(box: Box, call: str) -> None:
    await asyncio.sleep(4.0)
    box.append(CallAnswered(line="l1", call=call))
    await asyncio.sleep(8.0)
    box.append(CallKey(line="l1", call=call, key="1", source="sound"))


async def listens_only(box: Box, call: str) -> None:
    await asyncio.sleep(4.0)
    box.append(CallAnswered(line="l1", call=call))
    await asyncio.sleep(20.0)
    box.finished[call]()


async def is_busy(box: Box, call: str) -> None:
    await asyncio.sleep(2.0)
    box.ends(call, "busy")


async def never_answers(box: Box, call: str) -> None:
    pass


def test_who_presses_the_key_has_the_text_and_its_row_ends_as_delivered(tmp_path: Path) -> None:
    async def story(box: Box) -> None:
        box.undelivered()
        await asyncio.sleep(30.0)
        called, heard = box.kinds(TextCalled, TextHeard)
        assert isinstance(called, TextCalled)
        assert called.line == "l1", "the line that has sound"
        assert isinstance(heard, TextHeard)
        row = box.state.outgoing["aaaa"]
        assert (row.state, row.reason) == (OutgoingState.DELIVERED, "voice")
        assert [t.outcome for t in row.spoken] == ["heard"]
        words = [text for _, text in box.said["call1"].texts]
        assert words[1] == "Kebakaran di Passo"
        assert "1" in words[2]
        assert box.hung_up == ["call1"]
        await asyncio.sleep(3600.0)
        assert len(box.kinds(TextCalled)) == 1

    play(tmp_path, presses_one, story)


def test_without_a_key_it_is_spoken_once_more_and_then_given_up(tmp_path: Path) -> None:
    async def story(box: Box) -> None:
        box.undelivered()
        await asyncio.sleep(3600.0)
        assert [getattr(e, "why", "") for e in box.kinds(TextUnheard)] == ["no_key", "no_key"]
        assert box.state.outgoing["aaaa"].state is OutgoingState.UNDELIVERED

    play(tmp_path, listens_only, story)


def test_an_engaged_recipient_is_called_again_a_minute_later(tmp_path: Path) -> None:
    async def story(box: Box) -> None:
        box.undelivered()
        await asyncio.sleep(30.0)
        assert len(box.kinds(TextCalled)) == 1
        await asyncio.sleep(60.0)
        assert len(box.kinds(TextCalled)) == 2
        await asyncio.sleep(10.0)
        assert [getattr(e, "why", "") for e in box.kinds(TextUnheard)] == ["busy", "busy"]
        assert box.all_said == [], "nothing was said into a busy tone"

    play(tmp_path, is_busy, story)


def test_who_does_not_answer_is_not_rung_for_ever(tmp_path: Path) -> None:
    async def story(box: Box) -> None:
        box.undelivered()
        await asyncio.sleep(60.0)
        assert box.hung_up == ["call1"]
        assert [getattr(e, "why", "") for e in box.kinds(TextUnheard)] == ["no_answer"]

    play(tmp_path, never_answers, story)


def test_a_number_that_is_none_and_a_technicians_trial_are_not_called(tmp_path: Path) -> None:
    async def story(box: Box) -> None:
        for reason, purpose in (("recipient", Purpose.TEXT), ("refused", Purpose.TRIAL), ("message", Purpose.TEXT)):
            box.undelivered(reason, purpose)
            await asyncio.sleep(100.0)
        assert box.kinds(TextCalled) == []

    play(tmp_path, presses_one, story)


def test_while_no_line_is_free_it_waits_and_after_a_quarter_of_an_hour_it_is_told(tmp_path: Path) -> None:
    async def story(box: Box) -> None:
        box.free = ["l2"]
        box.undelivered()
        await asyncio.sleep(800.0)
        assert box.kinds(TextCalled, TextUnheard) == []
        await asyncio.sleep(200.0)
        assert [getattr(e, "why", "") for e in box.kinds(TextUnheard)] == ["no_line"]
        box.free = ["l1"]
        await asyncio.sleep(1000.0)
        assert box.kinds(TextCalled) == []

    play(tmp_path, presses_one, story)


def test_a_call_that_a_restart_cut_off_is_made_again(tmp_path: Path) -> None:
    async def first(box: Box) -> None:
        box.undelivered()
        await asyncio.sleep(2.0)

    async def second(box: Box) -> None:
        box.ends("call1", "operator")
        await asyncio.sleep(100.0)
        assert [getattr(e, "why", "") for e in box.kinds(TextUnheard)] == ["restarted"]
        assert len(box.kinds(TextHeard)) == 1

    play(tmp_path, never_answers, first)
    play(tmp_path, presses_one, second)


def test_who_is_asked_may_say_no_by_another_key_and_hears_which(tmp_path: Path) -> None:
    async def says_no(box: Box, call: str) -> None:
        await asyncio.sleep(4.0)
        box.append(CallAnswered(line="l1", call=call))
        await asyncio.sleep(8.0)
        box.append(CallKey(line="l1", call=call, key="2", source="sound"))

    async def story(box: Box) -> None:
        said = await box.texts.speak(NUMBER, (("id", "3 korban"),), decline="2")
        assert (said.outcome, said.line) == ("declined", "l1")
        assert box.all_said[0].texts[-1] == (
            "id",
            "Tekan angka 1 jika Anda menyanggupi. Tekan angka 2 jika tidak.",
        )
        assert len(box.hung_up) == 1
        without = asyncio.create_task(box.texts.speak(NUMBER, (("id", "3 korban"),)))
        await asyncio.sleep(30.0)
        assert not without.done()  # a text that only wants to be understood knows no such key
        without.cancel()
        await asyncio.wait({without})

    play(tmp_path, says_no, story)
