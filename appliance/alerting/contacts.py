"""Contacts of an alert: what `contact_machine` says is carried out, by text and by voice, each step a journal row."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any, Protocol

from appliance import alert_events as al
from appliance.alerting import left_call
from appliance.alerting.contact_machine import (
    ACCEPT,
    DECLINE,
    SMS,
    VOICE,
    WITHDRAWN,
    Around,
    Ask,
    Ways,
    due,
    pressed_key,
    stations_wait,
    unsaid,
    wants_call,
)
from appliance.alerting.contact_text import spoken, written
from appliance.alerting.reply_machine import replies
from appliance.config import Site
from appliance.journal import Appended
from appliance.logs import about
from appliance.model import About, Language
from appliance.stamp import Stamp
from appliance.state import Alert, State
from drivers.clock import Clock
from drivers.jsonsocket import Refusal
from drivers.modem.numbers import same_number

TICK = 1.0  # s between looks while somebody is asked; what is waited for is counted in tens of seconds
MOST_PASSES = 50  # of a look: each changes a state, and a contact has few
COOL_DOWN = 5.0  # s behind a text or a call that could not even begin
LIFETIME = 300  # s of an announcement by text: the shortest there is
LIFETIME_AFTER = 3600  # s of what is said behind it
BEHIND_ORDERS = 1.0  # s from an alert's issue: sirens go first, and what is not on disk by then waits no longer
FOR_NOW = ("full",)  # refusals that may not be one later

log = logging.getLogger("siaga.alerting")

Key = tuple[str, str, str]  # alert, contact, about


class Said(Protocol):
    """What came of a call: "heard", "declined", or why not."""

    @property
    def outcome(self) -> str: ...
    @property
    def call(self) -> str: ...


class Mouth(Protocol):
    """The lines with their voice, as this needs them."""

    def free(self) -> int:
        """How many calls could be dialled now, beside the lines that are kept for who calls in."""
        ...

    async def speak(
        self, number: str, texts: tuple[tuple[Language, str], ...], on_dialled: Callable[[str, str], None],
        decline: str = "",
    ) -> Said:  # fmt: skip
        """Says it, and comes back with what came of it; hangs up when it is cancelled."""
        ...

    async def hang_up(self, line: str, call: str, actor: str) -> object:
        """Raises Refusal."""
        ...


class Give(Protocol):
    async def __call__(self, number: str, text: str, *, lifetime_s: int, key: str) -> str:
        """Take an alert's text on; returns its row. The same key makes no second one. Raises Refusal."""
        ...


class Contacts:
    """At a centre. `append` writes to the journal, `state` is its fold. `mouth` None: no line has a voice."""

    def __init__(
        self, *, site: Site, state: State, clock: Clock, boot: str, append: Callable[..., Appended], give: Give,
        mouth: Mouth | None,
    ) -> None:  # fmt: skip
        self._site, self._state, self._clock, self._boot, self._append = site, state, clock, boot, append
        self._give, self._mouth = give, mouth
        self._contacts = {c.id: c for c in site.contact}
        self._ways = {c.id: Ways(bool(c.sms), bool(c.voice) and mouth is not None) for c in site.contact}
        self._waits = {g.id: g.wait_s for g in site.group}
        self._texting: dict[Key, asyncio.Task[None]] = {}
        self._speaking: dict[Key, asyncio.Task[None]] = {}
        self._cool: dict[tuple[Key, str], float] = {}
        self._leaving: list[asyncio.Task[None]] = []
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Something happened that a contact may wait for."""
        self._woken.set()

    async def run(self) -> None:
        """Ask, listen and tell, for as long as the process lives."""
        self._leave_calls()
        try:
            while True:
                self._woken.clear()
                self.look()
                try:
                    async with asyncio.timeout(TICK if self._busy() else None):
                        await self._woken.wait()
                except TimeoutError:
                    pass
        finally:
            tasks = [*self._texting.values(), *self._speaking.values(), *self._leaving]
            for task in tasks:
                task.cancel()
            if tasks:
                await asyncio.wait(tasks)

    def _leave_calls(self) -> None:
        """What a call of before a restart came to is judged by the keys in it; the call itself has to end."""
        keys = [(a.id, c, about) for a in self._alerts() for c in a.contacts for about in About]
        calls = [call for key in keys if key not in self._speaking and (call := self._call_of(key))]
        if self._mouth is not None:
            lines = {call: self._state.calls[call].line for call in calls if left_call.live(self._state, call)}
            self._leaving = [
                asyncio.create_task(left_call.end(self._state, self._mouth.hang_up, line, call))
                for call, line in lines.items()
            ]

    def look(self) -> None:
        """Carry out all that is due now."""
        for _ in range(MOST_PASSES):
            alerts = self._alerts()
            changed = self._hear(alerts)
            for alert in alerts:
                for step in due(alert, self._around(alert), self._since):
                    if isinstance(step, Ask):
                        self._ask(alert, step)
                    else:
                        self._append(step)
                        changed = True
            self._withdraw(alerts)
            if not changed:
                return
        log.error("what contacts need does not end")

    def _alerts(self) -> list[Alert]:
        """Those with contacts, ended ones too: they are told all clear, and answer late."""
        alerts = (a for a in self._state.alerts.values() if a.contacts)
        return [a for a in alerts if self._since(a.issued) >= BEHIND_ORDERS]

    def _busy(self) -> bool:
        return any(a.contacts and (not a.settled or unsaid(a)) for a in self._state.alerts.values())

    def _hear(self, alerts: list[Alert]) -> bool:
        numbers = {c.id: c.sms for c in self._site.contact if c.sms}
        for event in replies(alerts, numbers, self._state.messages, same_number):
            self._append(event)
            return True  # it changes what the next one means
        return False

    def _around(self, alert: Alert) -> Around:
        free = self._mouth.free() if self._mouth else 0
        dialling = sum(not self._call_of(key) for key in self._speaking)  # takes a line that is still told as free
        held = any(stations_wait(a, self._since) for a in self._state.open_alerts())
        return Around(
            ways=self._ways, waits=self._waits, outgoing=self._state.outgoing, calls=self._state.calls,
            speaking=self._speaking.keys(), can_call=free > dialling and not held,
            rebooted=alert.issued.boot != self._boot,
        )  # fmt: skip

    def _since(self, stamp: Stamp) -> float:
        return stamp.elapsed(self._clock.now(), self._clock.wall(), self._boot)

    # Asking

    def _ask(self, alert: Alert, step: Ask) -> None:
        key = (alert.id, step.contact, str(step.about))
        tasks = self._texting if step.path == SMS else self._speaking
        if key in tasks or self._clock.now() < self._cool.get((key, step.path), float("-inf")):
            return
        if step.path == VOICE and not self._around(alert).can_call:
            return  # another one of this look has the line
        work = self._write(alert, step, key) if step.path == SMS else self._speak(alert, step, key)
        self._begin(tasks, key, work)

    def _begin(self, tasks: dict[Key, asyncio.Task[None]], key: Key, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        tasks[key] = task

        def done(ended: asyncio.Task[None]) -> None:
            if tasks.get(key) is ended:
                del tasks[key]
            if not ended.cancelled() and (error := ended.exception()):
                log.error(
                    "asking %s failed by a flaw of ours",
                    key[1],
                    exc_info=error,
                    extra=about(alert=key[0], contact=key[1]),
                )
                self._rest(key, SMS if tasks is self._texting else VOICE)
            self._woken.set()

        task.add_done_callback(done)

    def _rest(self, key: Key, path: str) -> None:
        now = self._clock.now()
        self._cool = {k: until for k, until in self._cool.items() if until > now}
        self._cool[key, path] = now + COOL_DOWN

    async def _write(self, alert: Alert, step: Ask, key: Key) -> None:
        contact = self._contacts[step.contact]
        assert contact.sms is not None
        chosen = bool(alert.contacts[contact.id].group)
        text = written(alert, step.about, self._site.name, contact.language, chosen=chosen)
        lifetime = LIFETIME if step.about is About.ANNOUNCE else LIFETIME_AFTER
        ids: dict[str, str] = {"alert": alert.id, "contact": contact.id, "about": step.about}
        try:
            message = await self._give(contact.sms, text, lifetime_s=lifetime, key="/".join(key))
        except Refusal as e:
            log.error("%s cannot be sent a text: %s", contact.id, e)
            if e.code in FOR_NOW:
                self._rest(key, SMS)
            else:
                self._append(al.ContactFailed(**ids, path=SMS, reason=e.code))
            return
        self._append(al.ContactAsked(**ids, path=SMS, message=message))

    async def _speak(self, alert: Alert, step: Ask, key: Key) -> None:
        contact = self._contacts[step.contact]
        assert contact.voice is not None
        assert self._mouth is not None
        ids: dict[str, str] = {"alert": alert.id, "contact": contact.id, "about": step.about}

        def dialled(_line: str, call: str) -> None:
            self._append(al.ContactAsked(**ids, path=VOICE, call=call))

        texts = ((contact.language, spoken(alert, step.about, self._site.name, contact.language)),)
        decline = DECLINE if step.about is About.ANNOUNCE else ""
        said = await self._mouth.speak(contact.voice, texts, dialled, decline)
        if not said.call:
            self._rest(key, VOICE)
        elif said.outcome in ("heard", "declined"):
            self._append(pressed_key(ids, ACCEPT if said.outcome == "heard" else DECLINE))
        else:
            self._append(al.ContactFailed(**ids, path=VOICE, reason=said.outcome))

    def _withdraw(self, alerts: list[Alert]) -> None:
        """End the calls that have nothing to say any more: stopped, answered by text, or taken by another."""
        known = {a.id: a for a in alerts}
        for key in [*self._speaking]:
            alert = known.get(key[0])
            if alert is None or not wants_call(alert, alert.contacts[key[1]], key[2]):
                called = self._call_of(key)
                self._speaking.pop(key).cancel()
                if called:
                    ids: dict[str, str] = {"alert": key[0], "contact": key[1], "about": key[2]}
                    self._append(al.ContactFailed(**ids, path=VOICE, reason=WITHDRAWN))

    def _call_of(self, key: Key) -> str:
        """The call that is under way for it, once it was dialled."""
        alert = self._state.alerts.get(key[0])
        contact = alert.contacts.get(key[1]) if alert else None
        if contact is None:
            return ""
        note = contact.notes.get(key[2])
        tries = contact.tries if key[2] == About.ANNOUNCE else note.tries if note else []
        return next((id for path, id, _, outcome in tries if path == VOICE and not outcome), "")
