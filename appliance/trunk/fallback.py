"""The fallback: declared while the trunk is lost or a person says so, told to those on duty, over when 112 is back."""

import asyncio
import logging
from collections.abc import Callable
from typing import Any, Protocol

from appliance.call_events import FallbackDeclared, FallbackOver
from appliance.clock import boot_id
from appliance.config import Site
from appliance.event import Event
from appliance.journal import Appended
from appliance.model import Role
from appliance.stamp import Stamp
from appliance.state import State
from appliance.trunk.fallback_machine import NOTICE_LIFETIME, OVER, Notice, Plan, due, notices
from appliance.trunk.notice_text import declared, over
from appliance.trunk_events import BY_PERSON, FallbackNotified, FallbackTold
from appliance.trunk_view import citizens_of
from drivers.clock import Clock
from drivers.jsonsocket import Refusal

MINUTE = 60.0
TICK = 1.0  # s between looks; what is waited for is counted in tens of seconds
ANSWER_WITHIN = 0.5  # s that a person waits to hear whether it is on disk
FOR_NOW = ("full",)  # refusals that may not be one later

log = logging.getLogger("siaga.fallback")


class GiveNotice(Protocol):
    async def __call__(self, number: str, text: str, *, lifetime_s: int, key: str) -> str:
        """Take a text of the box's own on; returns its row. The same key makes no second one. Raises Refusal."""
        ...


class FallbackKeeper:
    """At a centre. `give` takes a text on."""

    def __init__(
        self, site: Site, state: State, clock: Clock, append: Callable[..., Appended], give: GiveNotice
    ) -> None:
        self._site, self._state, self._clock, self._append, self._give = site, state, clock, append, give
        self._plan = Plan(site.fallback.automatic, site.fallback.after_s, site.fallback.steady_min * MINUTE)
        self._duty = {person.name: person for person in site.duty}
        self._boot = boot_id()
        self._woken = asyncio.Event()

    async def run(self) -> None:
        """Look for ever."""
        while True:
            self._woken.clear()
            if (event := due(self._state, self._plan, self._since)) is not None:
                self._append(event)
            for notice in notices(self._state, self._duty, self._since):
                await self._notify(notice)
            try:
                async with asyncio.timeout(TICK):
                    await self._woken.wait()
            except TimeoutError:
                pass

    def _since(self, stamp: Stamp) -> float:
        return stamp.elapsed(self._clock.now(), self._clock.wall(), self._boot)

    async def _notify(self, notice: Notice) -> None:
        now, person = self._state.fallback, self._duty[notice.duty]
        assert now is not None
        if notice.what == OVER:
            assert now.over is not None
            text = over(self._site, person.language, now.over.wall)
        else:
            text = declared(self._site, person.language, now.why, now.declared.wall, citizens_of(self._site))
        try:
            message = await self._give(person.number, text, lifetime_s=NOTICE_LIFETIME, key=notice.key)
        except Refusal as e:
            log.error("%s is not told by SMS: %s", person.name, e)
            if e.code not in FOR_NOW:
                self._append(FallbackNotified(duty=person.name, what=notice.what, message="", why=e.code))
            return
        self._append(FallbackNotified(duty=person.name, what=notice.what, message=message))

    # What a person orders

    async def declare(self, actor: str) -> dict[str, Any]:
        """By hand: it stands until a person ends it. Raises Refusal at a station."""
        self._check_role()
        now = self._state.fallback
        if now is not None and now.stands and now.why == BY_PERSON:
            return {"repeated": True}
        return await self._ordered(FallbackDeclared(why=BY_PERSON), actor)

    async def end(self, actor: str) -> dict[str, Any]:
        """By hand. Raises Refusal at a station."""
        self._check_role()
        if self._state.fallback is None or not self._state.fallback.stands:
            return {"repeated": True}
        return await self._ordered(FallbackOver(why=BY_PERSON), actor)

    async def told(self, agency: str, actor: str) -> dict[str, Any]:
        """A person has told an agency. Raises Refusal when there is no such agency, or no fallback."""
        self._check_role()
        if agency not in (known := self._site.fallback.agencies):
            raise Refusal("no_agency", f"There is no agency {agency!r}.", f"Agencies: {', '.join(known) or 'none'}.")
        if self._state.fallback is None or not self._state.fallback.stands:
            raise Refusal("no_fallback", "No fallback is in force.", "There is nothing to tell.")
        if agency in self._state.fallback.told:
            return {"repeated": True}
        return await self._ordered(FallbackTold(agency=agency), actor)

    async def _ordered(self, event: Event, actor: str) -> dict[str, Any]:
        row = self._append(event, actor=actor)
        self._woken.set()
        return {"repeated": False, "durable": await row.durable(ANSWER_WITHIN)}

    def _check_role(self) -> None:
        if self._site.role is not Role.CENTRE:
            raise Refusal("no_centre", "This box is a station; the fallback is its centre's.", "Do it at the centre.")
