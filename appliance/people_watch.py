"""Whose password was made or changed is journaled, whoever did it and whether core ran then or not.

`siaga people` writes the file and asks core to look; core looks by itself when it starts.
"""

import hashlib
import logging
from collections.abc import Callable, Mapping

import msgspec

from appliance.event import Event
from appliance.events import PasswordSet, PersonGone
from appliance.people import People, Person

MARKED = 8  # hex digits; they tell one password's record from another's and nothing of the password

log = logging.getLogger("siaga.people")


def mark(person: Person) -> str:
    """Changes with the password and with the role."""
    return hashlib.sha256(f"{person.salt} {person.hash} {person.role}".encode()).hexdigest()[:MARKED]


class PeopleWatch:
    """`known`: by name, the mark that the journal was last told."""

    def __init__(self, people: People, known: Mapping[str, str], append: Callable[..., object]) -> None:
        self._people, self._known, self._append = people, known, append

    def look(self, actor: str = "") -> list[str]:
        """Journal what changed, and log out whom it is about; their names. An unreadable file changes nobody."""
        try:
            there = self._people.read()
        except (OSError, msgspec.DecodeError) as e:
            log.error("who may log in cannot be read: %s", e)
            return []
        events: list[Event] = [
            PasswordSet(name=p.name, role=p.role, mark=mark(p))
            for p in there.values()
            if self._known.get(p.name) != mark(p)
        ]
        events += [PersonGone(name=name) for name in self._known if name not in there]
        changed = [e.name for e in events if isinstance(e, PasswordSet | PersonGone)]
        for event in events:
            self._append(event, actor=actor)
        for name in changed:
            self._people.logins.end_of(name)
        return changed
