"""What is remembered and no more: the last 64 numbers of a sequence, each taken once; the newest keys of a dict."""

from collections.abc import Iterable
from typing import Generic, TypeVar

WINDOW = 64  # numbers; an SMS may come behind this many later orders by MQTT and is still told from a replay

T = TypeVar("T")
K = TypeVar("K")
V = TypeVar("V")


class Window(Generic[T]):
    """What was taken under each number. Holds at most `WINDOW` of them."""

    def __init__(self) -> None:
        self._taken: dict[int, T] = {}
        self.highest = 0

    def too_old(self, number: int) -> bool:
        """Whether the window has moved past `number`, so that nobody knows any more if it was taken."""
        return number <= self.highest - WINDOW

    def taken(self, number: int) -> T | None:
        """What was taken under `number`, if the window still holds it."""
        return self._taken.get(number)

    def held(self) -> Iterable[tuple[int, T]]:
        """All that it still knows, by number."""
        return self._taken.items()

    def take(self, number: int, what: T) -> None:
        """Remember `what`; the caller has seen that the number is neither taken nor too old."""
        self._taken[number] = what
        if number > self.highest:
            before, self.highest = self.highest - WINDOW, number
            for passed in (
                range(max(before, 0), number - WINDOW + 1) if number - before < 2 * WINDOW else [*self._taken]
            ):
                if self.too_old(passed):
                    self._taken.pop(passed, None)


def drop_oldest(held: dict[K, V], most: int) -> None:
    """Keep at most `most` keys: the one that was put in first goes. To be called after each insertion."""
    if len(held) > most:
        del held[next(iter(held))]
