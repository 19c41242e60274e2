"""Who is told of tests by SMS, and the telling; the same text goes to nobody twice, after a restart neither."""

import logging
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple, Protocol

from appliance.config import Site
from drivers.jsonsocket import Refusal

LIFETIME_S = 4 * 3600  # that a text is tried for
MOBILE = ("+628", "08")  # Indonesian mobile numbers begin so; only they take a text

log = logging.getLogger("siaga.tests")


class Give(Protocol):
    async def __call__(self, number: str, text: str, *, lifetime_s: int, key: str) -> str:
        """Take a text of the box's own on. The same key makes no second one. Raises Refusal."""
        ...


class Person(NamedTuple):
    number: str
    language: str


class Notices:
    def __init__(self, site: Site, give: Give) -> None:
        self._site, self._give = site, give

    async def report(self, key: str, text: Callable[[str], str]) -> int:
        """To those on duty, the first level of them. `text` by language; how many texts are on their way."""
        duty = [d for d in self._site.duty if d.alarms]
        first = min((d.level for d in duty), default=0)
        return await self._tell(key, text, (Person(d.number, d.language) for d in duty if d.level == first))

    async def announce(self, key: str, text: Callable[[str], str]) -> int:
        """To everybody who will hear the sirens or be asked about them."""
        return await self._tell(key, text, self._everybody())

    def _everybody(self) -> Iterator[Person]:
        yield from (Person(d.number, d.language) for d in self._site.duty)
        yield from (Person(c.sms, c.language) for c in self._site.contact if c.sms)
        for station in self._site.station:
            if station.phone and station.phone.startswith(MOBILE):
                yield Person(station.phone, station.language)

    async def _tell(self, key: str, text: Callable[[str], str], people: Iterable[Person]) -> int:
        told = 0
        for person in dict.fromkeys(people):
            try:
                await self._give(
                    person.number, text(person.language), lifetime_s=LIFETIME_S, key=f"{key}/{person.number}"
                )
                told += 1
            except Refusal as e:
                log.error("%s is not told of %s: %s", person.number, key, e)
        return told
