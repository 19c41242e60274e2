"""One set's fuel: what it takes for a kilowatt-hour in each band of load, and whether it goes while the set stands.

Levels are medians of ten minutes: a tank's sender swings while the engine shakes it.
"""

from collections import deque
from statistics import median

from appliance import power_events as pw
from appliance.event import Event
from appliance.model import GensetPhase
from appliance.power.run_machine import Measures
from appliance.power_state import Burn, GensetRecord

SMOOTH_S = 600.0  # s that one level is the median of
KEPT = 144  # of these: a day
FALL = 3.0  # % of the tank in a day; diesel shrinks by 0.08 % a degree, a hot day and a cold night make one of them
STEADY = 6  # levels in a row, an hour, that fall no more
LEAST_DROP = 5.0  # % that a figure is learned from: senders step by one
BANDS = (0, 25, 50, 75)  # % of the rating, where consumption curves are given
LIKELY = (0.15, 1.5)  # l/kWh; what lies outside is a refill, a leak or a wrong tank
MOST_KWH = 2000.0  # that a figure rests on at most, so that an engine's age still moves it


def band(load: float) -> str:
    """The band's least load in %: "0", "25", "50", "75"."""
    return str(max(b for b in BANDS if b <= max(load, 0.0)))


class Mean:
    """A mean that needs no memory: a set without a fuel level may run for weeks."""

    def __init__(self) -> None:
        self._sum, self._count = 0.0, 0

    def take(self, value: float) -> None:
        self._sum, self._count = self._sum + value, self._count + 1

    @property
    def value(self) -> float | None:
        return self._sum / self._count if self._count else None


class FuelWatch:
    """Fuel of one set. `tank_litres` None: what it takes is not learned."""

    def __init__(self, id: str, tank_litres: float | None, falling: bool) -> None:
        self.id, self._tank, self._falling = id, tank_litres, falling
        self._samples: list[float] = []
        self._since: float | None = None
        self._levels: deque[float] = deque(maxlen=KEPT)  # at rest
        self._segment: tuple[float, float] | None = None  # fuel and kWh where what is being learned began
        self._segment_loads = Mean()
        self._loads = Mean()
        self._turned = False

    def step(self, phase: GensetPhase, seen: Measures, now: float, record: GensetRecord) -> list[Event]:
        """Each new measurement once."""
        events: list[Event] = []
        if not phase.at_rest and phase is not GensetPhase.UNKNOWN:
            self._turned = True
            self._levels.clear()
            events += self._steady()
        if phase is GensetPhase.ON_LOAD and seen.load is not None:
            self._loads.take(seen.load)
        if seen.fuel is None or phase is GensetPhase.UNKNOWN:
            return events
        if self._since is None:
            self._since = now
        self._samples.append(seen.fuel)
        if now - self._since < SMOOTH_S:
            return events
        level, self._samples, self._since = median(self._samples), [], None
        if phase.at_rest:
            turned, self._turned = self._turned, False
            if not turned:  # the first level after a run is still settling
                events += self._at_rest(level)
        load, self._loads = self._loads.value, Mean()
        return events + self._learn(level, seen, load, record)

    def _at_rest(self, level: float) -> list[Event]:
        self._levels.append(level)
        most = max(self._levels)
        if not self._falling and most - level >= FALL:
            self._falling = True
            ago = len(self._levels) - 1 - max(i for i, one in enumerate(self._levels) if one == most)
            return [pw.GensetFuelFalling(genset=self.id, was=most, now=level, minutes=ago * SMOOTH_S / 60)]
        last = list(self._levels)[-STEADY:]
        if self._falling and len(last) == STEADY and last[-1] >= max(last) - 1.0:
            self._levels = deque(last, maxlen=KEPT)
            return self._steady()
        return []

    def _steady(self) -> list[Event]:
        if not self._falling:
            return []
        self._falling = False
        return [pw.GensetFuelSteady(genset=self.id)]

    def _learn(self, level: float, seen: Measures, load: float | None, record: GensetRecord) -> list[Event]:
        if self._tank is None or seen.kwh is None:
            return []
        if load is None:
            self._segment = None
            return []
        if self._segment is None or level > self._segment[0] + 1.0:
            self._segment, self._segment_loads = (level, seen.kwh), Mean()
            return []
        self._segment_loads.take(load)
        dropped, kwh = self._segment[0] - level, seen.kwh - self._segment[1]
        if dropped < LEAST_DROP or kwh <= 0:
            return []
        litres_per_kwh = dropped / 100 * self._tank / kwh
        where = band(self._segment_loads.value or 0.0)
        self._segment = None
        if not LIKELY[0] <= litres_per_kwh <= LIKELY[1]:
            return []
        known = record.burns.get(where, Burn(0.0, 0.0))
        total = kwh + known.kwh
        learned = (litres_per_kwh * kwh + known.litres_per_kwh * known.kwh) / total
        return [
            pw.GensetFuelLearned(
                genset=self.id, band=where, litres_per_kwh=round(learned, 3), kwh=round(min(total, MOST_KWH), 1)
            )
        ]
