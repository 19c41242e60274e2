"""Plays the steps of one story at a running site and says what happened when."""

import asyncio
import os
import re
import shlex
import sys
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import Any

from appliance.demo_site import CENTRE
from appliance.scenario import Step, Story
from appliance.scenario_page import PageSaysNo
from appliance.scenario_sight import Seen, Site
from drivers.clock import Clock
from drivers.jsonsocket import Client

MACHINE_S = 2.0  # s of real life that a step gets on top when time passes faster: disks and processors are not scaled
ANSWER_S = 20.0  # s of real life for a command: passwords and disks take theirs however fast time passes
LOOK = 0.04  # s of real life between looks
PLACE = re.compile(r"\{([a-z][^{}\"' ]*)\}")  # in a text of a step
SETTLE = 60.0  # s of real life that a fresh site may take until stations, devices and lines are known


class Miss(Exception):
    """A step that was not seen, or could not be done."""


class Player:
    """`clock` is the one the whole site runs by; `say` gets one line a step."""

    def __init__(self, site: Site, clock: Clock, say: Callable[[str], None]) -> None:
        self._site, self._clock, self._say = site, clock, say
        self._began = self._last_do = clock.now()
        self._token = ""
        self._round = 0
        self._machine_s = MACHINE_S * max(0.0, clock.speed - 1)

    async def settle(self, ordinary: Iterable[dict[str, Any]]) -> None:
        """Wait until the site is as it is on an ordinary day. Raises Miss."""
        for sight in ordinary:
            await self._await(sight, self._clock.now() + SETTLE * self._clock.speed, "the site does not settle")

    async def play(self, story: Story) -> None:
        """Raises Miss, Gone, Refusal or OSError at the first step that is not so."""
        self._began = self._last_do = self._clock.now()
        self._site.begin(self._began, story.rounds)
        for self._round in range(1, story.rounds + 1 if story.round else 1):
            for number, step in enumerate(story.round, 1):
                await self._step(f"round {self._round}, step {number}", step)
        for number, step in enumerate(story.step, 1 + len(story.round)):
            await self._step(f"step {number}", step)

    async def rest(self, within: float) -> None:
        """Wait until the site is as the story found it. Raises Miss."""
        what = await self._until(self._site.at_rest, self._clock.now() + within, "in the end")
        self.line("✓", f"at rest   {what}")

    async def _step(self, where: str, step: Step) -> None:
        if step.at is not None:
            await asyncio.sleep(max(0.0, self._began + step.at - self._clock.now()))
        if step.do is not None:
            self._site.mark()
            self._last_do = self._clock.now()
            do = await self._filled(step.do)
            self.line("→", _words(do))
            await self._do(do)
        elif step.expect is not None:
            expected = await self._filled(step.expect)
            what = await self._await(expected, self._last_do + step.within + self._machine_s, where)
            self.line("✓", f"{_words(expected)}   {what}")
        elif step.never is not None:
            until = self._clock.now() + step.during
            while True:
                seen, what = await self._site.see(step.never)
                if seen:
                    raise Miss(f"{where}: must never be: {what}")
                if self._clock.now() >= until:
                    break
                await asyncio.sleep(LOOK * self._clock.speed)
            self.line("✓", f"not: {_words(step.never)}")

    async def _await(self, sight: dict[str, Any], deadline: float, where: str) -> str:
        return await self._until(
            lambda: self._site.see(sight), deadline, f"{where}: not seen in time: {_words(sight)}. Seen"
        )

    async def _until(self, look: Callable[[], Awaitable[Seen]], deadline: float, missed: str) -> str:
        while True:
            begun = self._clock.now()
            seen, what = await look()
            if seen:
                return what
            if begun >= deadline:  # looked once more after the deadline: a slow look is no miss
                raise Miss(f"{missed}: {what}")
            await asyncio.sleep(LOOK * self._clock.speed)

    async def _do(self, do: dict[str, Any]) -> None:
        verb = next(v for v in ("sim", "post", "siaga", "command") if v in do)
        what, rest = do[verb], {k: v for k, v in do.items() if k != verb}
        if verb == "sim":
            await self._site.turn(what, rest)
        elif verb == "post":
            await self._post(what, rest, rest.pop("as", ""), rest.pop("refused", None))
        elif verb == "siaga":
            await self._siaga(shlex.split(what), rest.get("exit", 0), rest.get("node", CENTRE))
        else:
            await self._command(what, rest)

    async def _filled(self, table: dict[str, Any]) -> dict[str, Any]:
        """With what stands in the view, or the round's number, in place of each {path} and {round}. Raises Miss."""
        filled = dict(table)
        for key, value in table.items():
            for found in PLACE.finditer(value) if isinstance(value, str) else ():
                path = found[1]
                known = f"{self._round:03}" if path == "round" else await self._site.value(path)
                if known is None:
                    raise Miss(f"the view has nothing at {path}, for {key}={value}")
                filled[key] = filled[key].replace(found[0], str(known))
        return filled

    async def _post(self, path: str, fields: dict[str, Any], name: str, refused: str | None) -> None:
        try:
            await self._site.page(name).post(path, fields)
        except PageSaysNo as e:
            if refused is None or refused not in str(e):
                raise
        else:
            if refused is not None:
                raise Miss(f"{path} was not refused.")

    async def _command(self, name: str, fields: dict[str, Any]) -> None:
        """At the centre's control socket, as the operator."""
        where = self._site.where
        client = Client(Path(where["nodes"][CENTRE]["control"]))
        await client.connect()
        try:
            if not self._token:
                login = {"do": "login", "name": where["operator"], "password": where["password"]}
                self._token = (await client.request(login, timeout=ANSWER_S * self._clock.speed))["token"]
            order = {"do": name, "token": self._token, **fields}
            await client.request(order, timeout=ANSWER_S * self._clock.speed)
        finally:
            client.close()

    async def _siaga(self, words: list[str], wanted: int, node: str) -> None:
        site = self._site.where["nodes"][node]["site_file"]
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "appliance.cli", *words,
            env={**os.environ, **self._clock.environment(), "SIAGA_SITE": site},
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        out, _ = await process.communicate()
        if process.returncode != wanted:
            raise Miss(f"siaga {shlex.join(words)} ended with {process.returncode}: {out.decode()[-500:]}")

    def line(self, mark: str, text: str) -> None:
        """One line of the telling, with the story's time."""
        self._say(f"  [{self._clock.now() - self._began:8.2f} s] {mark} {text[:220]}")


def _words(table: dict[str, Any]) -> str:
    return " ".join(f"{k}={v}" for k, v in table.items())
