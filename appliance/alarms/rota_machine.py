"""Who is on duty: shifts by weekday and hour, by level. When nobody is, everybody is; never none."""

from collections.abc import Iterable
from typing import NamedTuple

DAY = 24 * 60


class Person(NamedTuple):
    """`days`: on which a shift begins, 0 is Monday. `begins` and `ends` in minutes of the day; equal: all of it."""

    name: str
    level: int
    days: frozenset[int]
    begins: int
    ends: int

    def on(self, weekday: int, minute: int) -> bool:
        if self.begins == self.ends:
            return weekday in self.days
        if self.begins < self.ends:
            return weekday in self.days and self.begins <= minute < self.ends
        # Over midnight: the morning's part belongs to the day before.
        return (weekday in self.days and minute >= self.begins) or (
            (weekday - 1) % 7 in self.days and minute < self.ends
        )


class Level(NamedTuple):
    level: int
    people: tuple[str, ...]


def rota(people: Iterable[Person], when: tuple[int, int] | None) -> list[Level]:
    """Levels on which somebody is on duty, the first to be told first. `when`: weekday and minute; None: unknown."""
    people = tuple(people)
    on = [p for p in people if when is None or p.on(*when)] or people
    return [Level(n, tuple(p.name for p in on if p.level == n)) for n in sorted({p.level for p in on})]
