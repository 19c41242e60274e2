"""Lockouts of sirens: a person's word, carried to the station until that confirms it by its signature.

A restart goes on from the journal: what nobody has confirmed is said again, under the same id.
"""

import asyncio
import secrets
from collections.abc import Callable, Mapping
from math import ceil
from typing import Any

from appliance.commands import LockSiren, UnlockSiren
from appliance.config import Site
from appliance.entry import Entry
from appliance.journal import Appended
from appliance.stamp import Stamp
from appliance.state import State
from appliance.station_events import LockConfirmed, SirenLocked, SirenUnlocked
from appliance.supervision.lock_machine import Do, due, stands
from drivers.clock import Clock
from drivers.jsonsocket import Refusal

TICK = 1.0  # s
DURABLE_WITHIN = 0.5  # s that the disk gets before the answer
MINUTE = 60.0
ONLINE = "station.online"

Send = Callable[[str, str, int, str], None]  # station, lock, minutes (0: unlock), path


class Lockouts:
    """`paths` names the ways by which a station can be told now."""

    def __init__(
        self, *, site: Site, state: State, clock: Clock, append: Callable[..., Appended],
        since: Callable[[Stamp], float], paths: Callable[[str], tuple[str, ...]], send: Send,
    ) -> None:  # fmt: skip
        self._stations = {s.id: s for s in site.station}
        self._state, self._clock, self._append = state, clock, append
        self._since, self._paths, self._send = since, paths, send
        self._tried: dict[str, dict[str, float]] = {}
        self._lost: set[str] = set()

    async def run(self) -> None:
        while True:
            self.look()
            await asyncio.sleep(TICK)

    def look(self) -> None:
        """Say what was not confirmed, and end what is over."""
        now = self._clock.now()
        for name, lockout in list(self._state.lockouts.items()):
            if lockout.ended is None and lockout.end_confirmed is not None:
                self._append(SirenUnlocked(station=name, lock=lockout.lock, why="station"))
                continue
            tried = self._tried.setdefault(name, {})
            paths = self._paths(name) if name in self._stations else ()
            for step in due(lockout, self._since, now, tried, paths, lost=name in self._lost):
                if step.do is Do.END:
                    self._append(SirenUnlocked(station=name, lock=lockout.lock, why="ended"))
                    continue
                tried[step.path] = now
                self._send(name, lockout.lock, step.minutes if step.do is Do.LOCK else 0, step.path)

    async def lock(self, command: LockSiren, actor: str) -> dict[str, Any]:
        """Take a siren out of service; a second lockout takes the place of the first. Raises Refusal."""
        self._must_be_there(command.station)
        station = self._stations[command.station]
        minutes = ceil(command.hours * 60)
        lock = secrets.token_hex(8)
        until = self._clock.wall() + minutes * MINUTE
        self._forget(station.id)
        written = self._append(
            SirenLocked(station=station.id, lock=lock, minutes=minutes, until=until, reason=command.reason), actor=actor
        )
        self.look()
        return {"lock": lock, "until": until, "durable": await written.durable(DURABLE_WITHIN)}

    async def unlock(self, command: UnlockSiren, actor: str) -> dict[str, Any]:
        """Give it back before its time. Raises Refusal when it is not locked."""
        lockout = self._state.lockouts.get(command.station)
        if lockout is None:
            self._must_be_there(command.station)
        if lockout is None or lockout.ended is not None:
            raise Refusal("not_locked", f"The siren of {command.station} is not locked out.", "Nothing was done.")
        self._forget(command.station)
        written = self._append(SirenUnlocked(station=command.station, lock=lockout.lock, why="person"), actor=actor)
        self.look()
        return {"lock": lockout.lock, "durable": await written.durable(DURABLE_WITHIN)}

    def _must_be_there(self, station: str) -> None:
        if station not in self._stations:
            there = ", ".join(self._stations)
            raise Refusal("no_station", f"There is no station {station}.", f"There is: {there}.")

    def locked(self, station: str) -> bool:
        """Whether a person here took its siren out of service, and its time is not over."""
        return stands(self._state.lockouts.get(station), self._since)

    def on_answer(self, station: str, lock: str, locked: bool, path: str) -> None:
        """The station's signed word on a lockout."""
        known = self._state.lockouts.get(station)
        if known is None or known.lock != lock:
            return
        if locked:
            self._lost.discard(station)
        if (known.confirmed if locked else known.end_confirmed) is None:
            self._append(LockConfirmed(station=station, lock=lock, locked=locked, path=path))

    def on_health(self, station: str, lock_minutes: int) -> None:
        """Its word how long its siren is still locked; one that has lost a lockout is told again."""
        lockout = self._state.lockouts.get(station)
        if lockout is None or not self.locked(station) or lockout.confirmed is None:
            return
        if lock_minutes:
            self._lost.discard(station)
        elif station not in self._lost:
            self._lost.add(station)
            self._tried.pop(station, None)

    def on_annunciator(self, station: str, held: Mapping[str, float]) -> None:
        """Our own siren's annunciator is there (again). `held`: outputs that it has locked, with their seconds."""
        lockout = self._state.lockouts.get(station)
        if lockout is not None and self.locked(station) and lockout.confirmed is not None and not held:
            self._lost.add(station)
        self._tried.pop(station, None)

    def on_entry(self, entry: Entry) -> None:
        if entry.kind == ONLINE:  # back, or with a new session: it may not have heard the last try
            self._tried.pop(entry.subject, None)

    def _forget(self, station: str) -> None:
        self._tried.pop(station, None)
        self._lost.discard(station)
