"""What contacts answer by text: pure, from the texts that came in. "YA 482" accepts, "TIDAK 482" declines.

The number stands in the text that asked. Without it an answer counts only where one alert alone waits for it.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping

from appliance import alert_events as al
from appliance.alert_state import ContactDelivery
from appliance.event import Event
from appliance.model import About, ContactState
from appliance.state import Alert, Message

ACCEPTS = frozenset(("ya", "y", "ok", "oke", "okay", "iya", "siap", "yes", "bisa", "1"))
DECLINES = frozenset(("tidak", "tdk", "tak", "gak", "no", "n", "2"))
FINAL = (ContactState.ACCEPTED, ContactState.DECLINED)
DEAF = (ContactState.SPARED, ContactState.CANCELLED)  # what they say changes nothing any more

REPLY_WITHIN = 3600.0  # s from being asked; what comes later is about something else

Same = Callable[[str, str], bool]  # whether two numbers are one telephone


def code(alert: str) -> str:
    """Three digits by which a person names an alert in an answer."""
    return str(int(alert, 16) % 900 + 100)


def understand(text: str) -> tuple[bool | None, str]:
    """Whether it accepts, None where it says neither, and the code that it names or an empty string."""
    words = re.findall(r"[a-z0-9]+", text.lower())
    codes = [w for w in words[:4] if len(w) == 3 and w.isdigit()]
    said = [w for w in words[:1] if w not in codes] or words[1:2]  # "482 YA" is one too
    word = said[0] if said else ""
    return (True if word in ACCEPTS else False if word in DECLINES else None), codes[0] if codes else ""


def replies(
    alerts: Iterable[Alert], numbers: Mapping[str, str], messages: Iterable[Message], same: Same
) -> Iterator[Event]:
    """What the texts say that has not been folded yet, the oldest first. `numbers` are the contacts' for texts."""
    known = [a for a in alerts if any(c.tries for c in a.contacts.values())]
    first = min((c.tries[0][2].seq for a in known for c in a.contacts.values() if c.tries), default=None)
    for message in messages:
        if first is None or message.at.seq < first:
            continue
        yes, named = understand(message.text)
        contact = next((c for c, number in numbers.items() if same(number, message.number)), None)
        if yes is None or contact is None:
            continue
        asked = [a for a in known if contact in a.contacts and _asked(a.contacts[contact], message)]
        waiting = [a for a in asked if not _answered(a.contacts[contact], message.at.seq)]
        meant = [a for a in asked if code(a.id) == named] if named else waiting or asked
        if len(meant) == 1 and _is_news(meant[0].contacts[contact], message.at.seq, yes):
            kind = al.ContactAccepted if yes else al.ContactDeclined
            yield kind(alert=meant[0].id, contact=contact, about=About.ANNOUNCE, path="sms", by="text")


def _asked(contact: ContactDelivery, message: Message) -> bool:
    """Whether it was asked not too long before that text came."""
    if not contact.tries:
        return False
    asked, at = contact.tries[0][2], message.at
    return asked.seq < at.seq and asked.elapsed(at.mono, at.wall, at.boot) <= REPLY_WITHIN


def _answered(contact: ContactDelivery, seq: int) -> bool:
    return contact.state in (*FINAL, *DEAF) and contact.since.seq < seq


def _is_news(contact: ContactDelivery, seq: int, yes: bool) -> bool:
    if contact.state in FINAL:  # who has answered may say otherwise later
        return contact.since.seq < seq and (contact.state is ContactState.ACCEPTED) is not yes
    return contact.state not in DEAF
