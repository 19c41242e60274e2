"""What a person says behind an alert: all clear or false alarm to everybody who was told, and what a contact answered.

An alert that is still open is stopped first: no siren sounds under an all clear.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from appliance import alert_events as al
from appliance.alerting.contact_machine import OPEN
from appliance.alerting.recipients import check_text
from appliance.commands import AnswerForContact, HandleCard, StopAlert, TellRecipients
from appliance.journal import Appended
from appliance.model import About, ContactState
from appliance.state import Alert, State
from drivers.jsonsocket import Refusal

ANSWER_WITHIN = 0.5  # s that a person waits to hear whether it is on disk
BEHIND = (About.ALL_CLEAR, About.FALSE_ALARM)
CARD = "delivery.card"  # the alarm
BY_HAND = "person"  # the path


class Telling:
    """`stop` is the centre's."""

    def __init__(
        self, *, state: State, append: Callable[..., Appended], stop: Callable[[StopAlert, str], Awaitable[Any]]
    ) -> None:
        self._state, self._append, self._stop = state, append, stop

    async def tell(self, command: TellRecipients, actor: str) -> dict[str, Any]:
        """Each of both is said once; the same again changes nothing. Raises Refusal."""
        alert = self._alert(command.alert)
        if command.about not in BEHIND:
            raise Refusal(
                "bad_command", f"{command.about} is not said behind an alert.", "Say all clear or false alarm."
            )
        check_text(command.text)
        if any(t.about is command.about for t in alert.told):
            return {"alert": alert.id, "durable": True, "repeated": True}
        if alert.ended is None and alert.stopped is None:
            await self._stop(StopAlert(alerts=(alert.id,), via="command"), actor)
        told = al.RecipientsTold(alert=alert.id, about=command.about, text=command.text, key=command.key)
        row = self._append(told, actor=actor)
        return {"alert": alert.id, "durable": await row.durable(ANSWER_WITHIN), "repeated": False}

    async def answer(self, command: AnswerForContact, actor: str) -> dict[str, Any]:
        """A person has it from the contact itself. Raises Refusal."""
        alert = self._alert(command.alert)
        contact = alert.contacts.get(command.contact)
        if contact is None:
            there = ", ".join(alert.contacts) or "none"
            raise Refusal("no_contact", f"{command.contact} is no contact of that alert.", f"There is: {there}.")
        ids = {"alert": alert.id, "contact": contact.contact, "about": About.ANNOUNCE}
        event: al.ContactEvent
        match command.answer:
            case "accepted" if contact.state is not ContactState.ACCEPTED:
                event = al.ContactAccepted(**ids, path=BY_HAND, by=actor)
            case "declined" if contact.state is not ContactState.DECLINED:
                event = al.ContactDeclined(**ids, path=BY_HAND, by=actor)
            case "told" if contact.state in (*OPEN[:2], ContactState.UNREACHED):
                event = al.ContactDelivered(**ids, path=BY_HAND)
            case _:
                return {"alert": alert.id, "durable": True, "repeated": True}
        row = self._append(event, actor=actor)
        return {"alert": alert.id, "durable": await row.durable(ANSWER_WITHIN), "repeated": False}

    async def handle(self, command: HandleCard, actor: str) -> dict[str, Any]:
        """What came of cards. Of an alert that is forgotten stations are named, whose alarms stand. Raises Refusal."""
        known = self._state.alerts.get(command.alert)
        waiting = [d.station for d in known.deliveries.values() if d.unhandled] if known else []
        alarms = {s: self._state.alarms.get(f"{CARD}/{command.alert}/{s}") for s in command.stations}
        stands = [s for s, alarm in alarms.items() if alarm is not None and alarm.cleared is None]
        # What a stop has settled may be noted too: the record asks for it.
        cards = {s for s, d in known.deliveries.items() if d.card and d.handled is None} if known else set()
        named = [s for s in command.stations if s in cards or s in stands] if command.stations else waiting
        if not named:
            alert = self._alert(command.alert) if not command.stations or known else known
            over = alert is not None and all(
                s in alert.deliveries and alert.deliveries[s].card for s in command.stations
            )
            if over and command.stations:
                return {"alert": command.alert, "stations": [], "durable": True, "repeated": True}
            raise Refusal("no_card", "No such card waits for anybody.", "See: siaga alert list")
        rows = [
            self._append(
                al.CardHandled(alert=command.alert, station=s, outcome=command.outcome, text=command.text), actor=actor
            )
            for s in named
        ]
        durable = all([await row.durable(ANSWER_WITHIN) for row in rows])
        return {"alert": command.alert, "stations": named, "durable": durable, "repeated": False}

    def _alert(self, id: str) -> Alert:
        if (alert := self._state.alerts.get(id)) is None:
            raise Refusal(
                "no_alert", f"There is no alert {id}.", "Nothing was said. Older ones are in the journal only."
            )
        return alert
