"""Words that the centre signed for alerts: the first of each kind counts, and one may come before its order."""

from appliance.alerting.window import drop_oldest
from appliance.alerting.wire_text import Text, TextAbout

KEPT_S = 60.0  # s that words wait for their order
MOST_WAITING = 16
MOST_KNOWN = 256  # (alert, about); an alert has three at most


class TextBook:
    """`session` and `station` are this one's."""

    def __init__(self, session: bytes, station: int) -> None:
        self._session, self._station = session, station
        self._known: dict[tuple[bytes, TextAbout], Text] = {}
        self._waiting: dict[tuple[bytes, TextAbout], tuple[float, Text]] = {}

    def refuses(self, text: Text) -> str:
        """Why these words are not for us, as a code; empty when they are."""
        if text.station != self._station:
            return "wrong_station"
        return "" if text.session == self._session else "wrong_session"

    def take(self, text: Text, *, has_order: bool, now: float) -> bool:
        """Whether these words are new and count now. Without their order they are kept."""
        key = text.alert, text.about
        if key in self._known:
            return False
        if not has_order:
            self._waiting.setdefault(key, (now, text))
            drop_oldest(self._waiting, MOST_WAITING)
            return False
        self._known[key] = text
        drop_oldest(self._known, MOST_KNOWN)
        return True

    def arrived(self, alert: bytes, now: float) -> list[Text]:
        """The order has come: the words that waited for it."""
        found = [text for key, (at, text) in self._waiting.items() if key[0] == alert and now - at <= KEPT_S]
        self._waiting = {k: (at, t) for k, (at, t) in self._waiting.items() if k[0] != alert and now - at <= KEPT_S}
        return [text for text in found if self.take(text, has_order=True, now=now)]

    def words(self, alert: bytes, about: TextAbout) -> Text | None:
        return self._known.get((alert, about))
