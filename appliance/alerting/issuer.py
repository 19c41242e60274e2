"""The centre's signing hand: sequences, its own time, and one order's bytes for one session of one station."""

import secrets
from collections.abc import Mapping

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from appliance.alerting.wire import Action, Answer, Kind, Order, Pattern, encode_order, hello_id
from appliance.alerting.wire_text import Language, Text, TextAbout, encode_text
from appliance.keyring import Hands
from appliance.model import About
from appliance.state import Alert
from drivers.clock import Clock

SEQUENCE_GAP = 1000  # left at each start for hellos of before, which no journal counts; a u32 lasts for ages

SPOKEN_KINDS = {k.name.lower(): k for k in Kind}
SPOKEN_PATTERNS = {p.name.lower(): p for p in Pattern}


class Issuer:
    """Signs with the key that a station knows. `sequences` are the highest that the journal has, by station number.

    Each station has a count of its own: what one says that it has seen moves nobody else's.
    """

    def __init__(self, key: Ed25519PrivateKey | Hands, clock: Clock, sequences: Mapping[int, int]) -> None:
        self._hands, self._clock = key if isinstance(key, Hands) else Hands(key), clock
        self._sequences = {station: highest + SEQUENCE_GAP for station, highest in sequences.items()}
        # Wall time once, then the monotonic clock: a stepped clock must not age orders on their way.
        self._ahead = clock.wall() - clock.now()

    def id_for(self, station: int) -> int:
        """Of the key that an order to this station is signed by."""
        return self._hands.id_for(station)

    def time(self) -> int:
        """The issuer's time, s, u32."""
        return int(self._clock.now() + self._ahead) & 0xFFFFFFFF

    def learn_highest(self, answer: Answer) -> None:
        """A station has seen a higher sequence of ours than we remember: go on behind it."""
        if answer.issuer in self._hands:
            self._sequences[answer.station] = max(self._sequences.get(answer.station, 0), answer.highest)

    def next_sequence(self, station: int) -> int:
        """For one order to one station; beyond a u32 it cannot be signed, and `sign` says so."""
        self._sequences[station] = self._sequences.get(station, 0) + 1
        return self._sequences[station]

    def hello(self, answer: Answer) -> Order:
        """Our time, for the session that asked with this answer."""
        return Order(
            action=Action.HELLO,
            kind=Kind.NONE,
            pattern=Pattern.NONE,
            seconds=0,
            alert=hello_id(answer.counter, secrets.token_bytes(4)),
            issuer=self._hands.id_for(answer.station),
            station=answer.station,
            session=answer.session,
            sequence=self.next_sequence(answer.station),
            issued_at=self.time(),
            lifetime_s=0,
        )

    def order(
        self, alert: Alert, action: str, station: int, session: bytes, sequence: int, seconds: int, lifetime_s: int,
        zones: int = 0,
    ) -> Order:  # fmt: skip
        """A start (sounding `seconds`) or a stop of `alert`, to be believed for `lifetime_s` from now.

        `zones` are bits of the station's zones; a stop ends all of them.
        """
        starts = action == "start"
        return Order(
            action=Action.START if starts else Action.STOP,
            kind=SPOKEN_KINDS[alert.kind],
            pattern=SPOKEN_PATTERNS[alert.pattern] if starts else Pattern.NONE,
            seconds=seconds if starts else 0,
            alert=bytes.fromhex(alert.id),
            issuer=self._hands.id_for(station),
            station=station,
            session=session,
            sequence=sequence,
            issued_at=self.time(),
            lifetime_s=lifetime_s,
            incident=alert.incident_code,
            zones=zones if starts else 0,
        )

    def sign(self, order: Order) -> bytes:
        """Raises WireError when a field does not fit."""
        return encode_order(order, self._hands[order.issuer])

    def text(self, alert: Alert, about: About, station: int, session: bytes, language: str, words: str) -> bytes:
        """The octets of an alert's words for one session of one station. Raises WireError when a field does not fit."""
        return self.words(bytes.fromhex(alert.id), TextAbout[about.name], station, session, language, words)

    def words(self, id: bytes, about: TextAbout, station: int, session: bytes, language: str, words: str) -> bytes:
        """The octets of a signed text. Raises WireError when a field does not fit."""
        issuer = self._hands.id_for(station)
        text = Text(
            about=about,
            language=Language[language.upper()],
            alert=id,
            issuer=issuer,
            station=station,
            session=session,
            text=words,
        )
        return encode_text(text, self._hands[issuer])
