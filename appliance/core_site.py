"""A changed site file, taken over while the box is on duty: checked whole, then annunciator, then core itself.

Core's rooms are made anew from the journal within the same process: what is open goes on, no siren is touched.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

from appliance.annunciator_client import AnnunciatorLink
from appliance.config import Site, SiteError
from appliance.event import Event
from appliance.events import SiteRefused, SiteTaken
from appliance.journal import Appended
from appliance.site_print import FIXED, differs, prints
from drivers.jsonsocket import Gone, Refusal

MOST_TOLD = 300  # characters of a refusal in the journal; who asked gets all of it
ANSWERED = 0.1  # s in which the answer to who asked goes out, before the control socket closes for a moment

T = TypeVar("T")

log = logging.getLogger("siaga.core.site")


class SiteChange:
    """`again` is called with the new file once it was taken; nothing else of core knows of it before.

    `hung_up` outlives this: what is asked while core is made anew is asked of the new one. `rest` returns when nothing
    is under way that could not be taken up again, so that nobody gets a text twice.
    """

    def __init__(
        self, site: Site, file: Path, annunciator: AnnunciatorLink, append: Callable[..., Appended],
        again: Callable[[Site], None], read: Callable[[Path], Site], hung_up: asyncio.Event,
        rest: Callable[[], Awaitable[None]],
    ) -> None:  # fmt: skip
        self._site, self._file, self._annunciator, self._append, self._again = site, file, annunciator, append, again
        self._read, self._rest = read, rest
        self._under_way = asyncio.Lock()  # held for ever once a file is taken: nothing more is for this core
        self._hung_up = hung_up

    async def run(self) -> None:
        """SIGHUP asks for it too; a refusal is then in the journal and the log."""
        while True:
            await self._hung_up.wait()
            async with self._under_way:
                self._hung_up.clear()
            try:
                await self.take("console:SIGHUP")
            except Refusal as e:
                log.error("the site file is not taken over: %s", e)

    async def take(self, actor: str) -> dict[str, Any]:
        """What changed, and what waits. Raises Refusal: then all is as it was."""
        if self._under_way.locked():
            raise Refusal("busy", "A changed file is being taken over.", "Look again in a second.")
        await self._under_way.acquire()
        try:
            new = await self._checked(actor)
            names = differs(self._site, new)
            if not names:
                self._under_way.release()
                return {"changed": [], "waiting": []}
            waiting = await self._wired(actor) if "annunciator" in names else ()
        except Refusal:
            self._under_way.release()
            raise
        await self._rest()
        self._append(SiteTaken(changed=names, waiting=waiting, site=prints(new)), actor=actor)
        asyncio.get_running_loop().call_later(ANSWERED, self._again, new)
        return {"changed": list(names), "waiting": list(waiting)}

    async def _checked(self, actor: str) -> Site:
        try:
            new = await asyncio.to_thread(self._read, self._file)
        except SiteError as e:
            raise self._no(actor, "site", str(e), "Repair it; all is as it was.") from e
        if fixed := [name for name in FIXED if getattr(self._site, name) != getattr(new, name)]:
            raise self._no(
                actor, "restart", f"{', '.join(fixed)}: what the box is cannot change while it runs.",
                "Put it back, or restart the box.",
            )  # fmt: skip
        starts = [name for name, out in self._site.annunciator.output.items() if out.kind == "start"]
        if starts and self._annunciator.up:
            outputs = (await self._asked(self._annunciator.look())).outputs
            if held := [name for name in starts if name in outputs and outputs[name].on]:
                raise self._no(
                    actor, "held", f"{', '.join(held)} holds a generator's start input; it would open for a moment.",
                    "Wait for the end of its order.",
                )  # fmt: skip
        return new

    async def _wired(self, actor: str) -> tuple[str, ...]:
        """By the annunciator, which checks the file by itself. One that is not there reads it when it starts."""
        if not self._annunciator.up:
            return ("annunciator",)
        try:
            return (await self._asked(self._annunciator.reload())).waiting
        except Refusal as e:
            raise self._no(actor, e.code, e.text, e.next) from e

    async def _asked(self, question: Awaitable[T]) -> T:
        try:
            return await question
        except Gone as e:
            raise Refusal("annunciator", f"The annunciator does not answer ({e}).", "Ask again.") from e

    def _no(self, actor: str, code: str, why: str, then: str) -> Refusal:
        told: Event = SiteRefused(code=code, reason=why[:MOST_TOLD])
        self._append(told, actor=actor)
        return Refusal(code, why, then)
