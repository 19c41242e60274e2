"""Kind and place of an order, spoken in the station: behind the siren, never before it, and never instead of it."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any, Protocol

from appliance.alerting.window import drop_oldest
from appliance.alerting.wire_text import Language as Tongue
from appliance.alerting.wire_text import Text, TextAbout
from appliance.config import Site
from appliance.journal import Appended
from appliance.model import Language
from appliance.station.active import Active
from appliance.station.quiet import gain_db
from appliance.station.words import words
from appliance.station_events import Announced

BEHIND_SIREN = 6.0  # s of siren first: it wakes, and the microphone has heard it by then
MOST_ANNOUNCED = 64
LANGUAGES: dict[Tongue, Language] = {Tongue.ID: "id", Tongue.EN: "en"}

log = logging.getLogger("siaga.station")


class Speaker(Protocol):
    async def speak(self, language: Language, text: str, gain_db: float) -> bool: ...


class Announcer:
    """`speaker` None: nothing is spoken here. `level`: how loud it may be, in percent."""

    def __init__(
        self, site: Site, speaker: Speaker | None, level: Callable[[], int], append: Callable[..., Appended],
        spawn: Callable[[Coroutine[Any, Any, None]], None],
    ) -> None:  # fmt: skip
        assert site.own is not None
        self._zones, self._language, self._speaker = site.own.zone, site.language, speaker
        self._level, self._append, self._spawn = level, append, spawn
        self._announced: dict[str, str] = {}  # alert: the centre's words that were said with it

    def began(self, active: Active, text: Callable[[], Text | None]) -> None:
        """An order sounds; whatever words have come in some seconds are spoken."""
        if self._speaker is not None and self._meant(active) is not None:
            self._spawn(self._soon(active, text))

    async def _soon(self, active: Active, text: Callable[[], Text | None]) -> None:
        await asyncio.sleep(BEHIND_SIREN)
        if not active.ended:
            await self._announce(active, text(), TextAbout.ANNOUNCE)

    def came(self, active: Active, text: Text) -> None:
        """Words for an order that is known: said at once where it was announced without them."""
        if self._speaker is None or not active.may_sound or self._meant(active) is None:
            return
        late = not active.ended and self._announced.get(active.alert) == ""
        if text.about is not TextAbout.ANNOUNCE or late:
            self._spawn(self._announce(active, text, text.about))

    def _meant(self, active: Active) -> tuple[str, ...] | None:
        """The zones in which it is spoken; None: in none. A station without zones has one loudspeaker."""
        if not self._zones:
            return ()
        zones = tuple(z.id for z in self._zones if z.speaks and (not active.zones or z.id in active.zones))
        return zones or None

    async def _announce(self, active: Active, text: Text | None, about: TextAbout) -> None:
        assert self._speaker is not None
        said = text.text if text else ""
        if about is TextAbout.ANNOUNCE:
            if self._announced.get(active.alert) == said:
                return
            self._announced[active.alert] = said
            drop_oldest(self._announced, MOST_ANNOUNCED)
        language = LANGUAGES[text.language] if text else self._language
        names = tuple(z.name for z in self._zones if z.id in active.zones)
        spoken = words(language, active.kind, active.order.incident, said, names, about)
        done = await self._speaker.speak(language, spoken, gain_db(self._level()))
        self._append(
            Announced(
                alert=active.alert, about=about.name.lower(), zones=self._meant(active) or (),
                outcome="spoken" if done else "no_sound",
            )
        )  # fmt: skip
