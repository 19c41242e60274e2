"""Events of keys: who is believed from now on, and who no more. Keys are named by their ids, 8 hex digits."""

from appliance.event import Event


class KeyEvent(Event, frozen=True):
    SUBJECT = ("holder",)
    holder: str  # id of a station, an issuer or a dashboard
    key: str


class KeyEnrolled(KeyEvent, tag="key.enrolled", frozen=True):
    role: str  # "station", "issuer", "dashboard"


class KeyRotated(KeyEvent, tag="key.rotated", frozen=True):
    before: str  # the key that it takes the place of


class KeyRevoked(KeyEvent, tag="key.revoked", frozen=True):
    why: str  # "rotated", or a person's word
    who: str = ""  # the account at the box, of a person's word


class KeyStatementRefused(Event, tag="key.statement_refused", frozen=True):
    """Somebody told of a key and is not believed."""

    SUBJECT = ("holder",)
    holder: str
    reason: str  # "unsigned", "retained"... a code


class KeysUnreadable(Event, tag="key.book_unreadable", frozen=True):
    """The book on the disk is damaged; the keys known before go on counting."""

    reason: str


class KeysReadable(Event, tag="key.book_readable", frozen=True): ...
