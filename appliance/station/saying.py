"""Words of the centre that came: for an order, spoken and shown with it; about a test, shown alone. No siren waits."""

from collections.abc import Callable, Mapping

from appliance.alerting.wire_text import NOTICES, Text, TextAbout
from appliance.journal import Appended
from appliance.model import Path
from appliance.station.active import Active
from appliance.station.announcer import Announcer
from appliance.station.locking import Locking
from appliance.station.record import Record
from appliance.station.refusals import Refusals
from appliance.station.text_book import TextBook
from appliance.station_events import NoticeTaken, TextTaken
from drivers.clock import Clock


class Saying:
    """`active` by alert is the node's; `texts` are those of this session."""

    def __init__(
        self, *, clock: Clock, append: Callable[..., Appended], active: Mapping[str, Active], texts: TextBook,
        locking: Locking, record: Record, announcer: Announcer, refusals: Refusals,
    ) -> None:  # fmt: skip
        self._clock, self._append, self._active, self._texts = clock, append, active, texts
        self._locking, self._record, self._announcer, self._refusals = locking, record, announcer, refusals

    def on_text(self, text: Text, path: Path) -> None:
        """Words that an issuer signed."""
        if why := self._texts.refuses(text):
            self._refusals.note(text.alert.hex(), path, why)
            return
        now, active = self._clock.now(), self._active.get(text.alert.hex())
        if text.about in NOTICES:
            self._notice(text, path, now)
        elif text.about is TextAbout.LOCKOUT:
            self._locking.named(text, now)
        elif active is None and self._locking.shows(text, path, now):
            return
        elif self._texts.take(text, has_order=active is not None, now=now):
            assert active is not None
            self._take(active, text, path)

    def _notice(self, text: Text, path: Path, now: float) -> None:
        about, language, id = text.about.name.lower(), text.language.name.lower(), text.alert.hex()
        if self._texts.take(text, has_order=True, now=now):
            self._append(NoticeTaken(notice=id, about=about, language=language, text=text.text, path=path))

    def arrived(self, active: Active, path: Path) -> None:
        """An order has come: with it the words that waited for it."""
        for text in self._texts.arrived(active.order.alert, self._clock.now()):
            self._take(active, text, path)

    def sounds(self, active: Active) -> None:
        """It is on: what it is about is spoken behind the siren."""
        self._announcer.began(active, lambda: self._texts.words(active.order.alert, TextAbout.ANNOUNCE))

    def _take(self, active: Active, text: Text, path: Path) -> None:
        about, language = text.about.name.lower(), text.language.name.lower()
        event = TextTaken(alert=active.alert, about=about, language=language, text=text.text, path=path)
        self._record.note(active, event)
        self._announcer.came(active, text)
