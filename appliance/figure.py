"""A measured value as people and dashboards get it: with its quality and its age."""

import msgspec


class Figure(msgspec.Struct, frozen=True):
    """A value with what is known of it. Shown only while quality is good and it is younger than `fresh_s`."""

    value: float | int | str | bool | None
    unit: str
    quality: str
    at: float
    fresh_s: float

    def known(self, now: float) -> bool:
        return self.quality == "good" and self.value is not None and now - self.at <= self.fresh_s

    def quality_at(self, now: float) -> str:
        """Its quality, "stale" once a good one is not known any more."""
        return "stale" if self.quality == "good" and not self.known(now) else self.quality

    @property
    def kind(self) -> str:
        """Of its value: "number", "bool" or "word"; "" while it has none."""
        if self.value is None:
            return ""
        return "word" if isinstance(self.value, str) else "bool" if isinstance(self.value, bool) else "number"
