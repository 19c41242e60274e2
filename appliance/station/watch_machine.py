"""Whether a centre is silent: no fresh word signed by it for too long. Pure; time is an argument.

Only what the station accepted counts, so that no recording keeps a dead centre alive.
"""

from collections.abc import Iterable

import msgspec


class Silence(msgspec.Struct, frozen=True):
    """`silent` False: it is heard again."""

    issuer: str
    silent: bool
    seconds: float = 0.0


class CentreWatch:
    """By the issuer's name. The time runs from the start: a station that never hears its centre says so too."""

    def __init__(self, issuers: Iterable[str], within_s: float, now: float, silent: Iterable[str] = ()) -> None:
        self._within_s = within_s
        self.heard_at: dict[str, float | None] = dict.fromkeys(issuers)
        self._since = now
        self.silent = set(silent) & set(self.heard_at)

    def heard(self, issuer: str, now: float) -> Silence | None:
        """A fresh word of it."""
        self.heard_at[issuer] = now
        if issuer not in self.silent:
            return None
        self.silent.discard(issuer)
        return Silence(issuer, silent=False)

    def look(self, now: float) -> list[Silence]:
        """Those that have become silent."""
        found = []
        for issuer, at in self.heard_at.items():
            quiet = now - (self._since if at is None else at)
            if quiet >= self._within_s and issuer not in self.silent:
                self.silent.add(issuer)
                found.append(Silence(issuer, silent=True, seconds=quiet))
        return found
