"""Orders as people give them: checked, in the journal, and durable before the first station hears of them."""

import secrets
from collections.abc import Callable
from typing import Any

from appliance import alert_events as al
from appliance.alerting.recipients import resolve
from appliance.alerting.sender import Append
from appliance.alerting.window import drop_oldest
from appliance.commands import IssueAlert, StopAlert
from appliance.config import Site
from appliance.journal import Appended
from appliance.state import State
from drivers.jsonsocket import Refusal

DURABLE_WITHIN = 0.5  # s that an order waits for the disk; then it goes out all the same
MOST_SECONDS = 3600
MOST_WRITTEN = 64  # orders of which is known when they were on disk; an older one is, or the disk is dead


class Giving:
    """`look` carries out all that is due: it is called once an order may go out."""

    def __init__(self, *, site: Site, state: State, append: Append, look: Callable[[], None]) -> None:
        self._site, self._state, self._append, self._look = site, state, append, look
        self._written: dict[str, Appended] = {}
        self._held: set[str] = set()

    def holds(self, alert: str) -> bool:
        """Whether the order waits for the disk."""
        return alert in self._held

    async def issue(self, command: IssueAlert, actor: str, test: str = "") -> dict[str, Any]:
        """Sound. Returns the alert's id and whether it is on disk; raises Refusal for what cannot be ordered.

        `test` is the run of a test that it is a part of: what fails is told there and raises no card.
        """
        if known := next((a for a in self._state.alerts.values() if command.key and a.key == command.key), None):
            return {"alert": known.id, "durable": await self._is_durable(known.id), "repeated": True}
        to = resolve(self._site, command)
        if not 1 <= command.seconds <= MOST_SECONDS or not 0 <= command.incident_code <= 0xFFFF:
            raise Refusal("out_of_range", f"{command.seconds} s is not between 1 and {MOST_SECONDS} s.")
        alert = secrets.token_hex(8)
        self._held.add(alert)
        self._written[alert] = self._append(
            al.AlertIssued(
                alert=alert,
                alert_kind=command.alert_kind,
                pattern=command.pattern,
                seconds=command.seconds,
                lifetime_s=self._site.ladder.lifetime_s,
                incident_code=command.incident_code,
                stations=to.stations,
                via=command.via,
                key=command.key,
                zones=to.zones,
                groups=to.groups,
                contacts=to.contacts,
                sequences=to.sequences,
                text=command.text,
                language=command.language,
                priority=command.priority,
                paths=tuple(command.paths),
                test=test,
            ),
            actor=actor,
        )
        drop_oldest(self._written, MOST_WRITTEN)
        try:
            durable = await self._is_durable(alert)
        finally:
            self._held.discard(alert)
        self._look()
        return {"alert": alert, "durable": durable, "repeated": False}

    async def _is_durable(self, alert: str) -> bool:
        written = self._written.get(alert)
        return written is None or await written.durable(DURABLE_WITHIN)  # None: it came from the disk

    async def stop(self, command: StopAlert, actor: str) -> dict[str, Any]:
        """End the alerts named, or all open ones."""
        open_ids = [a.id for a in self._state.open_alerts()]
        unknown = [a for a in command.alerts if a not in self._state.alerts]
        if unknown:
            raise Refusal("no_alert", f"There is no alert {', '.join(unknown)}.", "Nothing was stopped.")
        named = [a for a in (command.alerts or open_ids) if a in open_ids]
        written = [
            self._append(al.AlertStopped(alert=a, via=command.via), actor=actor)
            for a in named
            if self._state.alerts[a].stopped is None
        ]
        self._look()  # a stop is never held back by a disk: silence is the safe state
        durable = all([await w.durable(DURABLE_WITHIN) for w in written])
        return {"alerts": named, "durable": durable}
