"""One UPS's battery as it empties: how long it really lasts, by its own discharges beside its own word."""

from collections.abc import Callable

import msgspec

from appliance import power_events as pw
from appliance.event import Event
from appliance.power_state import Ups, UpsRecord
from appliance.stamp import Stamp

LEAST_FALL = 2.0  # % of charge from which on a rate is seen: figures step by one, or less
LEAST_S = 60.0  # s; the first moments of a discharge show a lead battery's surface charge only
LEARN_FALL = 10.0  # % of charge that a rate is kept from
LEAST_LOAD = 1.0  # %; below it a load compares with nothing


class BatterySeen(msgspec.Struct, frozen=True):
    """One UPS's figures now; None is not known."""

    at: float = 0.0
    charge: float | None = None  # %
    load: float | None = None  # %
    runtime_s: float | None = None  # its own word
    runtime_at: float = 0.0


class DischargeWatch:
    """One UPS. What it was at the beginning of a discharge is in the journal, so a restart goes on."""

    def __init__(self, id: str, since: Callable[[Stamp], float], now: float, known: Ups) -> None:
        self.id = id
        self._began = now - since(known.since) if known.on_battery else None
        self._from = known.charge if known.on_battery else None
        self._now: tuple[float, float] | None = None  # when and charge, last seen on battery
        self._load, self._seconds = 0.0, 0.0  # %-seconds, and the seconds they were seen for
        self._last = now

    def step(self, on_battery: bool | None, seen: BatterySeen) -> list[Event]:
        """`on_battery` as the machine believes it; None changes nothing."""
        if on_battery is None:
            return []
        if not on_battery:
            told = self._learned()
            self._began, self._from, self._now = None, None, None
            self._load = self._seconds = 0.0
            return told
        if self._began is None:
            self._began, self._from, self._last = seen.at, seen.charge, seen.at
        if seen.charge is not None and seen.at > self._last:
            if self._from is None:
                self._began, self._from = seen.at, seen.charge
            if seen.load is not None:
                self._load += seen.load * (seen.at - self._last)
                self._seconds += seen.at - self._last
            self._last, self._now = seen.at, (seen.at, seen.charge)
        return []

    def minutes_left(self, seen: BatterySeen, record: UpsRecord | None) -> float | None:
        """By this discharge once it shows, until then by the last one's, at the load of now. None: not known."""
        if seen.charge is None:
            return None
        rate = self._rate()
        if rate is not None:
            return seen.charge / rate
        if record is None or record.full_minutes is None:
            return None
        as_then = record.full_minutes * seen.charge / 100
        if record.load is None or seen.load is None or min(record.load, seen.load) < LEAST_LOAD:
            return as_then
        return as_then * min(1.0, record.load / seen.load)  # at less load it lasts longer: by how much is not known

    def _fall(self) -> tuple[float, float]:
        """% and seconds of this discharge."""
        if self._began is None or self._from is None or self._now is None:
            return 0.0, 0.0
        return self._from - self._now[1], self._now[0] - self._began

    def _rate(self) -> float | None:
        """% a minute."""
        fell, seconds = self._fall()
        return fell * 60 / seconds if fell >= LEAST_FALL and seconds >= LEAST_S else None

    def _learned(self) -> list[Event]:
        fell, seconds = self._fall()
        if fell < LEARN_FALL or seconds < LEAST_S or self._from is None:
            return []
        minutes = seconds / 60
        return [
            pw.UpsDischarged(
                ups=self.id, minutes=round(minutes, 1), charge_from=self._from, charge_to=round(self._from - fell, 1),
                load=round(self._load / self._seconds, 1) if self._seconds else None,
                full_minutes=round(100 / fell * minutes, 1),
            )
        ]  # fmt: skip
