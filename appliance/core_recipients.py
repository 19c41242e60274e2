"""Wires who is told beside the sirens: contacts, the words behind an order, and what is said when it is over."""

from collections.abc import Callable
from typing import Any

from appliance.alerting.centre import Centre
from appliance.alerting.contacts import Contacts, Mouth
from appliance.alerting.issuer import Issuer
from appliance.alerting.sender import Publish
from appliance.alerting.station_texts import StationTexts
from appliance.alerting.telling import Telling
from appliance.commands import AnswerForContact, HandleCard, TellRecipients
from appliance.config import Site
from appliance.entry import Entry
from appliance.journal import Appended
from appliance.keeper import Keeper
from appliance.lines.service import Lines
from appliance.model import Purpose
from appliance.state import State
from drivers.clock import Clock

COMMANDS = (TellRecipients, AnswerForContact, HandleCard)
WAKING = ("alert.", "contact.", "sequence.", "delivery.", "station.", "sms.", "call.")


class RecipientRoom:
    """At a centre. `phones`: the lines with their voice."""

    def __init__(
        self, *, site: Site, state: State, clock: Clock, boot: str, append: Callable[..., Appended], issuer: Issuer,
        centre: Centre, publish: Publish, broker_up: Callable[[], bool], lines: Lines, phones: Mouth,
    ) -> None:  # fmt: skip
        async def give(number: str, text: str, *, lifetime_s: int, key: str) -> str:
            told = await lines.outgoing.text(number, text, "", "", lifetime_s, key, Purpose.ALERT)
            return str(told["message"])

        self._contacts = Contacts(
            site=site, state=state, clock=clock, boot=boot, append=append, give=give,
            mouth=phones if any(line.sound for line in site.line) else None,
        )  # fmt: skip
        self._texts = StationTexts(
            site=site, state=state, clock=clock, boot=boot, append=append, issuer=issuer, contacts=centre.contacts,
            publish=publish, broker_up=broker_up, send_sms=lines.send_data, sms_up=lines.up,
        )  # fmt: skip
        self._telling = Telling(state=state, append=append, stop=centre.stop)

    def keep(self, keeper: Keeper) -> None:
        """Start its tasks."""
        keeper.keep("contacts", self._contacts.run)
        keeper.keep("words to stations", self._texts.run)

    def on_entry(self, entry: Entry) -> None:
        if entry.kind.startswith(WAKING):
            self._contacts.wake()
            self._texts.wake()

    async def obey(self, command: TellRecipients | AnswerForContact | HandleCard, actor: str) -> Any:
        """Raises Refusal."""
        if isinstance(command, TellRecipients):
            return await self._telling.tell(command, actor)
        if isinstance(command, HandleCard):
            return await self._telling.handle(command, actor)
        return await self._telling.answer(command, actor)
