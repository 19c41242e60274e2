"""The conversation: one step after the other, what to do, what the box saw, and the technician's yes or no."""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import TextIO

from appliance.annunciator_config import PROVES
from appliance.commission_hand import Hand
from appliance.commission_plan import Step
from appliance.commission_record import Answer, Said, label
from appliance.commission_seen import seen_of
from appliance.config import Site
from appliance.page_words import Words
from appliance.view import View
from drivers.jsonsocket import Refusal

YES, NO = {"y", "yes", "ya"}, {"n", "no", "t", "tidak"}
SKIP, QUIT = {"s", "skip", "l", "lewati"}, {"q", "quit", "b", "berhenti"}
CLOSE_WITHIN, OPEN_WITHIN = 60.0, 30.0  # s; a walk to the gate and back
MOST_NOTE = 200  # letters
MOVES_PEOPLE = ("siren", "buzzer", "start", "door", "stove")  # asked for before, each time

Keep = Callable[[Step, Answer], None]


class Quit(Exception):
    """The technician wants to go on another day, or the terminal is gone."""


class Person:
    """Who sits at the terminal. Nothing waits for ever but this."""

    def __init__(self, lines: asyncio.StreamReader, words: Words) -> None:
        self._lines, self.words = lines, words

    @classmethod
    async def at(cls, terminal: TextIO, words: Words) -> "Person":
        lines = asyncio.StreamReader()
        loop = asyncio.get_running_loop()
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), terminal)
        return cls(lines, words)

    def tell(self, text: str) -> None:
        print(text, flush=True)

    async def write(self, question: str) -> str:
        """What is typed. Raises Quit at the end of the input."""
        print(f"{question} ", end="", flush=True)
        typed = await self._lines.readline()
        if not typed:
            raise Quit
        return typed.decode(errors="replace").strip()[:MOST_NOTE]

    async def choose(self, question: str) -> Said:
        """Anything else than yes, no and skip is asked again. Raises Quit."""
        answers: tuple[tuple[Said, set[str]], ...] = (("yes", YES), ("no", NO), ("skipped", SKIP))
        while True:
            typed = (await self.write(f"{question} {self.words['commission.keys']}")).lower()
            for said, known in answers:
                if typed in known:
                    return said
            if typed in QUIT:
                raise Quit


class Walk:
    """`view`: what core sees, None while it is stopped. `keep` is called after each answer."""

    def __init__(self, site: Site, person: Person, view: View | None, keep: Keep, by: str) -> None:
        self._site, self._person, self._view, self._keep, self._by = site, person, view, keep, by
        self._words = person.words

    async def through(self, steps: Sequence[Step], hand: Hand | None) -> None:
        """Ask them all. Raises Quit; Gone when the annunciator ends meanwhile."""
        for number, step in enumerate(steps, 1):
            self._person.tell(f"\n[{number}/{len(steps)}] {label(step, self._words)}")
            try:
                said, seen = await self._ask(step, hand)
            except Refusal as e:
                said, seen = "no", str(e)
                self._person.tell(str(e))
            note = await self._person.write(self._words["commission.note"]) if said == "no" else ""
            self._keep(step, Answer(said, self._by, time.time(), note, seen))

    async def _ask(self, step: Step, hand: Hand | None) -> tuple[Said, str]:
        match step.kind:
            case "meter":
                measured = await self._person.write(self._words["commission.measured"])
                return await self._person.choose(self._words["commission.holds"]), measured
            case "input" if hand:
                return await self._input(step, hand)
            case "output" if hand:
                return await self._output(step, hand)
        seen = seen_of(step, self._view) if self._view else ""
        self._person.tell(seen or self._words["commission.nothing_seen"])
        return await self._person.choose(self._words[f"commission.ask.{step.kind}"]), seen

    async def _input(self, step: Step, hand: Hand) -> tuple[Said, str]:
        """Closed and opened again under the technician's hand: the box sees it, and no other than the one meant."""
        words, seen = self._words, []
        if hand.is_closed(step.name):
            self._person.tell(words["commission.closed_already"])
            await hand.until(step.name, False, OPEN_WITHIN)
        self._person.tell(words["commission.close"].format(within=int(CLOSE_WITHIN)))
        closed = await hand.until(step.name, True, CLOSE_WITHIN)
        seen.append(words["commission.saw.closed" if closed else "commission.saw.not_closed"])
        self._person.tell(seen[-1])
        if closed:
            self._person.tell(words["commission.open"])
            opened = await hand.until(step.name, False, OPEN_WITHIN)
            seen.append(words["commission.saw.opened" if opened else "commission.saw.not_opened"])
            self._person.tell(seen[-1])
        return await self._person.choose(words["commission.ask.input"]), ", ".join(seen)

    async def _output(self, step: Step, hand: Hand) -> tuple[Said, str]:
        words, wire, button = self._words, step.wire, self._site.annunciator.button
        assert wire
        if button and button.lamp == wire.name:  # nobody but the annunciator switches it
            return await self._person.choose(words["commission.ask.local_only"]), ""
        if wire.kind in MOVES_PEOPLE:
            ready = await self._person.choose(words[f"commission.before.{wire.kind}"])
            if ready != "yes":
                return "skipped", words["commission.saw.not_tried"]
        told = [self._saw(code) for code in await hand.move(wire, self._witnesses(wire.of or wire.name))]
        self._person.tell(", ".join(told))
        try:
            return await self._person.choose(words[f"commission.ask.{wire.kind}"]), ", ".join(told)
        finally:
            if wire.kind in ("light", "lamp"):
                await hand.dark(wire)

    def _witnesses(self, output: str) -> tuple[str, ...]:
        """Inputs that prove an output."""
        inputs = self._site.annunciator.input
        return tuple(name for name, wired in inputs.items() if wired.kind in PROVES and wired.of == output)

    def _saw(self, code: str) -> str:
        what, _, name = code.partition(" ")
        return f"{name} {self._words[f'commission.saw.{what}']}".strip()
