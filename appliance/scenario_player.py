"""Plays one story against its own simulated site and prints what happened when."""

import asyncio
import os
import shlex
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from appliance.demo import Demo
from appliance.demo_site import CENTRE
from appliance.journal_file import read_entries
from appliance.scenario import Step, Story
from appliance.scenario_sight import Site
from appliance.supervisor import NotStarted
from drivers.clock import Clock
from drivers.jsonsocket import Client, Gone, Refusal
from drivers.sim.broker import free_port

MACHINE_S = 1.0  # s of real life that a step gets on top when time passes faster: disks and processors are not scaled
LOOK = 0.04  # s of real life between looks
SETTLE = 60.0  # s that a fresh site may take until stations, devices and lines are known


class Miss(Exception):
    """A step that was not seen, or could not be done."""


class Player:
    """`clock` is the one the whole site runs by; `say` gets one line a step."""

    def __init__(self, story: Story, clock: Clock, say: Callable[[str], None] = print) -> None:
        self._story, self._clock, self._say = story, clock, say
        self._began = self._last_do = 0.0
        self._token = ""
        self._machine_s = MACHINE_S * max(0.0, clock.speed - 1)

    async def play(self, keep: bool = False) -> bool:
        """True when every step was seen."""
        folder = Path(tempfile.mkdtemp(prefix="siaga-"))
        demo = Demo(folder, self._clock, web_port=free_port())
        speed = f", time x{self._clock.speed:g}" if self._clock.speed != 1 else ""
        self._say(f"{self._story.title}{speed}")
        good = False
        try:
            await demo.start()
            self._site = Site(demo.where())
            await self._settle()
            self._began = self._last_do = self._clock.now()
            self._site.mark()
            for number, step in enumerate(self._story.step, 1):
                await self._step(number, step)
            good = True
        except (Miss, NotStarted, Gone, Refusal, OSError) as e:
            self._line("✗", str(e))
            self._explain(demo)
        finally:
            await demo.stop()
            if good and not keep:
                shutil.rmtree(folder, ignore_errors=True)
            else:
                self._say(f"  its files stay in {folder}")
        self._say("  held" if good else "  MISSED")
        return good

    async def _settle(self) -> None:
        """A story begins when the site is as it is on an ordinary day."""
        for sight in (
            {"view": "power.source", "is": "mains"},
            {"view": "lines.l1.can_take_call", "is": "registered"},
            {"view": "lines.l2.can_take_call", "is": "registered"},
            {"view": "stations.damkar-kota.contact.online", "is": True},
            {"view": "stations.damkar-passo.contact.online", "is": True},
            {"view": "lines.l1.can_take_call", "is": "registered", "node": "damkar-kota"},
            {"view": "lines.l1.can_take_call", "is": "registered", "node": "damkar-passo"},
            {"view": "trunk.up", "is": True},
            {"event": "genset.ready"},
        ):
            await self._await(sight, self._clock.now() + SETTLE * self._clock.speed, "the site does not settle")

    async def _step(self, number: int, step: Step) -> None:
        if step.at is not None:
            await asyncio.sleep(max(0.0, self._began + step.at - self._clock.now()))
        if step.do is not None:
            self._site.mark()
            self._last_do = self._clock.now()
            self._line("→", _words(step.do))
            await self._do(step.do)
        elif step.expect is not None:
            what = await self._await(step.expect, self._last_do + step.within + self._machine_s, f"step {number}")
            self._line("✓", f"{_words(step.expect)}   {what}")
        elif step.never is not None:
            until = self._clock.now() + step.during
            while True:
                seen, what = await self._site.see(step.never)
                if seen:
                    raise Miss(f"step {number}: must never be: {what}")
                if self._clock.now() >= until:
                    break
                await asyncio.sleep(LOOK * self._clock.speed)
            self._line("✓", f"not: {_words(step.never)}")

    async def _await(self, sight: dict[str, Any], deadline: float, where: str) -> str:
        while True:
            begun = self._clock.now()
            seen, what = await self._site.see(sight)
            if seen:
                return what
            if begun >= deadline:  # looked once more after the deadline: a slow look is no miss
                raise Miss(f"{where}: not seen in time: {_words(sight)}. Seen: {what}")
            await asyncio.sleep(LOOK * self._clock.speed)

    async def _do(self, do: dict[str, Any]) -> None:
        rest = {k: v for k, v in do.items() if k not in ("sim", "command", "post", "siaga")}
        if "sim" in do:
            await self._site.knob(do["sim"], rest)
        elif "post" in do:
            await self._site.page.post(do["post"], rest)
        elif "siaga" in do:
            await self._siaga(shlex.split(do["siaga"]), rest.get("exit", 0))
        else:
            await self._command(do["command"], rest)

    async def _command(self, name: str, fields: dict[str, Any]) -> None:
        """At the centre's control socket, as the operator."""
        where = self._site.where
        client = Client(Path(where["nodes"][CENTRE]["control"]))
        await client.connect()
        try:
            if not self._token:
                login = {"do": "login", "name": where["operator"], "password": where["password"]}
                self._token = (await client.request(login))["token"]
            await client.request({"do": name, "token": self._token, **fields}, timeout=20.0)
        finally:
            client.close()

    async def _siaga(self, words: list[str], wanted: int) -> None:
        site = self._site.where["nodes"][CENTRE]["site_file"]
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "appliance.cli", *words,
            env={**os.environ, **self._clock.environment(), "SIAGA_SITE": site},
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        out, _ = await process.communicate()
        if process.returncode != wanted:
            raise Miss(f"siaga {shlex.join(words)} ended with {process.returncode}: {out.decode()[-500:]}")

    def _line(self, mark: str, text: str) -> None:
        self._say(f"  [{self._clock.now() - self._began:8.2f} s] {mark} {text[:220]}")

    def _explain(self, demo: Demo) -> None:
        """What a person wants to see after a miss: the journals' last rows, and the last words of each process."""
        for node in demo.nodes().values():
            path = Path(node["state"]) / "journal.db"
            if path.exists():
                self._say(f"  {path}:")
                for entry in read_entries(path, last=25):
                    self._say(f"    {entry.seq} {entry.kind} {entry.subject} {entry.body.decode()[:150]}")
        for child in demo.children.values():
            if words := child.last_words(6):
                self._say(f"  {child.log}:")
                self._say("    " + words.replace("\n", "\n    "))


def _words(table: dict[str, Any]) -> str:
    return " ".join(f"{k}={v}" for k, v in table.items())
