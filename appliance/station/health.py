"""The station's own faults and figures, signed to the centre: each minute, and at once when a fault comes or goes."""

from collections.abc import Callable, Collection
from typing import Protocol

from appliance.alerting.wire import Supply
from appliance.alerting.wire_health import DAYS_UNKNOWN, ClockQuality, Fault, Health
from appliance.config import Site
from appliance.station.vitals import Look
from drivers.clock import Clock

BROKER_DOWN = 30.0  # s; a broker that restarts is no fault
MODEM_DOWN = 60.0
ANNUNCIATOR_DOWN = 5.0  # it restarts in two
AUDIO_DOWN = 15.0
BUTTON_HELD = 60.0  # s; nobody presses so long
SMS_REST = 900.0  # s between healths by SMS: a fault that comes and goes must not eat the credit
DISK_LOW = 5  # percent
KEY_OLD = 1095  # days since a key or a certificate was made; no certificate of ours ends
SIREN_FAULTS = {
    "line": Fault.SIREN_LINE,
    "stuck": Fault.SIREN_STUCK,
    "no_current": Fault.NO_CURRENT,
    "not_heard": Fault.NOT_HEARD,
}


class Says(Protocol):
    def health(self, of: Callable[[int, int, bytes, int, int], Health], *, sms: bool) -> bool: ...


class Down:
    """Something that is a fault only when it lasts."""

    def __init__(self, after_s: float, now: float) -> None:
        self._after_s, self._good_at = after_s, now

    def lasts(self, good: bool, now: float) -> bool:
        if good:
            self._good_at = now
        return now - self._good_at >= self._after_s


class HealthTeller:
    """`siren_faults` are names of SirenFault; `inputs` by name; the rest are callables that say what is so now."""

    def __init__(
        self, site: Site, clock: Clock, says: Says, *, siren_faults: Callable[[], Collection[str]],
        inputs: Callable[[], dict[str, bool]], silent: Callable[[], bool], lock_minutes: Callable[[], int],
        annunciator_up: Callable[[], bool], broker_up: Callable[[], bool], audio_up: Callable[[], bool] | None,
        vitals: Look, barred: Callable[[], bool] = lambda: False,
    ) -> None:  # fmt: skip
        assert site.own is not None
        self._watch, self._every = site.own.watch, site.supervision.health_s
        self._buttons = [name for name, i in site.annunciator.input.items() if i.kind == "button"]
        self._clock, self._says, self._vitals = clock, says, vitals
        self._siren_faults, self._inputs, self._silent = siren_faults, inputs, silent
        self._lock_minutes, self._audio_up = lock_minutes, audio_up
        self._annunciator_up, self._broker_up, self._barred = annunciator_up, broker_up, barred
        now = clock.now()
        self._downs = {
            Fault.BROKER: Down(BROKER_DOWN, now), Fault.MODEM: Down(MODEM_DOWN, now),
            Fault.ANNUNCIATOR: Down(ANNUNCIATOR_DOWN, now), Fault.AUDIO: Down(AUDIO_DOWN, now),
            Fault.BUTTON_STUCK: Down(BUTTON_HELD, now),
        }  # fmt: skip
        self.told: Fault | None = None
        self._told_at, self._sms_at = -self._every, -SMS_REST
        self._sms_told = Fault(0)

    def faults(self) -> Fault:
        """All that is wrong now."""
        now, vitals, inputs = self._clock.now(), self._vitals(), self._inputs()
        found = Fault(0)
        for name in self._siren_faults():
            found |= SIREN_FAULTS[name]
        good = {
            Fault.BROKER: self._broker_up(),
            Fault.MODEM: vitals.can_send_sms is not False,
            Fault.ANNUNCIATOR: self._annunciator_up(),
            Fault.AUDIO: self._audio_up is None or self._audio_up(),
            Fault.BUTTON_STUCK: not any(inputs.get(name) for name in self._buttons),
        }
        for fault, is_good in good.items():
            if self._downs[fault].lasts(is_good, now):
                found |= fault
        so = {
            Fault.DISK: vitals.disk_failed or vitals.disk_free_percent < DISK_LOW,
            Fault.SUPPLY_LOW: self._closed(self._watch.battery_low, inputs) or vitals.battery_low,
            Fault.ON_BATTERY: self.supply() is Supply.BATTERY,
            Fault.TAMPER: self._closed(self._watch.tamper, inputs),
            Fault.DOOR: self._closed(self._watch.door, inputs),
            Fault.CENTRE_SILENT: self._silent(),
            Fault.PRESS_BARRED: self._barred(),
            Fault.CLOCK: vitals.clock_quality == "unknown",
            Fault.KEY_OLD: any(KEY_OLD < days < DAYS_UNKNOWN for days in (vitals.cert_days, vitals.key_days)),
        }
        for fault, stands in so.items():
            if stands:
                found |= fault
        return found

    @staticmethod
    def _closed(name: str | None, inputs: dict[str, bool]) -> bool:
        return name is not None and inputs.get(name, False)

    def supply(self) -> Supply:
        """By the contact that tells that the mains is there; without one by what the box measures of its power."""
        name = self._watch.supply
        if name is None or (there := self._inputs().get(name)) is None:
            return self._vitals().supply
        return Supply.MAINS if there else Supply.BATTERY

    def tick(self) -> None:
        """Tell what is due."""
        now, faults = self._clock.now(), self.faults()
        # By SMS only while the broker is not reached for longer than a restart of it takes, or while it takes our
        # words and no centre answers them: a broker that is there proves nothing of who listens.
        unheard = Fault.BROKER in faults or Fault.CENTRE_SILENT in faults
        by_sms = unheard and faults != self._sms_told and now - self._sms_at >= SMS_REST
        if faults == self.told and now - self._told_at < self._every and not by_sms:
            return
        taken = self._says.health(lambda *who: self._health(faults, *who), sms=by_sms)
        self.told, self._told_at = faults, now
        if by_sms or (taken and Fault.CENTRE_SILENT not in faults):
            self._sms_told = faults
        if by_sms:
            self._sms_at = now

    def _health(self, faults: Fault, station: int, key: int, session: bytes, counter: int, uptime: int) -> Health:
        vitals = self._vitals()
        return Health(
            station=station,
            key=key,
            session=session,
            counter=counter,
            uptime_s=uptime,
            faults=faults,
            supply=self.supply(),
            battery=vitals.battery,
            disk_free_percent=vitals.disk_free_percent,
            clock_quality=ClockQuality[vitals.clock_quality.upper()],
            supply_mv=vitals.supply_mv,
            cert_days=vitals.cert_days,
            key_days=vitals.key_days,
            lock_minutes=min(0xFFFF, self._lock_minutes()),
            wall=int(self._clock.wall()) & 0xFFFFFFFF if vitals.clock_quality != "unknown" else 0,
        )
