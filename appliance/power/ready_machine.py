"""Lines of the readiness list that went bad or good: told once, after they have stayed so."""

from collections.abc import Mapping

from appliance import power_events as pw
from appliance.event import Event

HELD_S = 120.0  # s; a crank pulls a battery down, and a charger takes a minute to lift it again


class ReadyWatch:
    """`told` are the lines that the journal has as bad: why, by "genset/g1/battery"."""

    def __init__(self, told: Mapping[str, str]) -> None:
        self._bad = dict(told)
        self._since: dict[str, float] = {}  # since when a line differs from what was told

    def step(self, lines: Mapping[tuple[str, str], tuple[bool | None, str]], now: float) -> list[Event]:
        """`lines`: whether it is so, and why not, by device and item. What is not known changes nothing."""
        events: list[Event] = []
        for (device, item), (ok, why) in lines.items():
            name = f"{device}/{item}"
            if ok is None or ok != (name in self._bad):
                self._since.pop(name, None)
            elif now - self._since.setdefault(name, now) >= HELD_S:
                del self._since[name]
                if ok:
                    del self._bad[name]
                    events.append(pw.ReadyItemGood(device=device, item=item))
                else:
                    self._bad[name] = why
                    events.append(pw.ReadyItemFailed(device=device, item=item, why=why))
        return events
