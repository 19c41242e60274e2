"""Calls to stations' phones: says an order or that it is taken back, and hears the key. One call a phone at a time.

What a call came to is in the journal before the call is forgotten here.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from appliance import alert_events as al
from appliance.alerting.spoken_order import Language, spoken
from appliance.config import Station
from appliance.journal import Appended
from appliance.logs import about
from appliance.model import Path
from appliance.state import Alert, Delivery, State
from drivers.jsonsocket import Refusal

BOX = "box"  # the actor of calls that nobody dialled
LEAVE = 120.0  # s in which a call of before a restart is tried to be ended; its modem has to come back first
LEAVE_EACH = 2.0

log = logging.getLogger("siaga.alerting")


class Said(Protocol):
    """What came of a call: "heard", or why not."""

    @property
    def outcome(self) -> str: ...
    @property
    def line(self) -> str: ...
    @property
    def call(self) -> str: ...


class Telephone(Protocol):
    """The lines with their voice, as this needs them."""

    def able(self) -> bool:
        """Whether any line speaks at all."""
        ...

    def free(self) -> int:
        """How many calls could be dialled now, beside the lines that are kept for who calls in."""
        ...

    async def speak(
        self, number: str, texts: tuple[tuple[Language, str], ...], on_dialled: Callable[[str, str], None]
    ) -> Said:
        """Says it, and comes back with what came of it; hangs up when it is cancelled."""
        ...

    async def hang_up(self, line: str, call: str, actor: str) -> object: ...


class NoTelephone:
    """A box whose lines have no sound."""

    def able(self) -> bool:
        return False

    def free(self) -> int:
        return 0

    async def speak(
        self, number: str, texts: tuple[tuple[Language, str], ...], on_dialled: Callable[[str, str], None]
    ) -> Said:
        raise NotImplementedError("no line speaks")

    async def hang_up(self, line: str, call: str, actor: str) -> object:
        raise Refusal("no_line", "No line speaks.")


@dataclass(eq=False)
class UnderWay:
    """One call of ours. `call` is its id once it was dialled."""

    alert: str
    station: str
    action: str
    number: str
    call: str = ""
    hung_up: bool = False
    task: asyncio.Task[Said] | None = None


class Caller:
    """`append` writes to the journal, `state` is its fold. `group` owns the calls; whoever runs the centre sets it."""

    def __init__(
        self, *, state: State, append: Callable[..., Appended], telephone: Telephone, wake: Callable[[], None]
    ) -> None:
        self._state, self._append, self._telephone, self._wake = state, append, telephone, wake
        self._calls: list[UnderWay] = []
        self.group: asyncio.TaskGroup | None = None

    @property
    def under_way(self) -> int:
        return len(self._calls)

    def able(self) -> bool:
        """Whether a station could ever be called."""
        return self._telephone.able()

    def free(self) -> int:
        """How many calls could begin now. One that is being dialled has its line, though that does not show yet."""
        return max(0, self._telephone.free() - sum(1 for call in self._calls if not call.call))

    def calling(self, alert: str, station: str) -> tuple[str, bool]:
        """The action of a call that is under way for this delivery, or an empty string; whether it was answered."""
        found = self._find(alert, station)
        return (found.action, self._answered(found.call)) if found else ("", False)

    def call(self, alert: Alert, delivery: Delivery, station: Station, action: str) -> None:
        """Begin a call. What it comes to is journaled."""
        if self.group is None or not station.phone or self._rings_at(station.phone):
            return
        self._append(
            al.DeliverySent(alert=alert.id, station=delivery.station, path=Path.VOICE, action=action, sequence=0)
        )
        call = UnderWay(alert.id, delivery.station, action, station.phone)
        texts = spoken(alert, action, station.name, alert.zones.get(station.id, ()), station.language)
        self._calls.append(call)
        call.task = self.group.create_task(self._call(call, texts))
        call.task.add_done_callback(lambda task: self._over(call, task))

    def hang_up(self, alert: str, station: str) -> None:
        """End the call of this delivery, whatever it is at."""
        call = self._find(alert, station)
        if call and call.task and not call.hung_up:
            call.hung_up = True
            call.task.cancel()

    def cut(self, alert: Alert, delivery: Delivery, action: str) -> None:
        """A call of before a restart. What was answered may have been understood."""
        answered = self._answered(delivery.call[1])
        self._failed(alert.id, delivery.station, action, "cut_off" if answered else "restarted")

    def leave(self, delivery: Delivery) -> None:
        """The last call of a delivery is of before a restart: it is ended, if it stands yet."""
        line, call = delivery.call
        if self.group and self._live(call) and all(call != mine.call for mine in self._calls):
            self.group.create_task(self._leave(line, call))

    async def _call(self, call: UnderWay, texts: tuple[tuple[Language, str], ...]) -> Said:
        def dialled(line: str, name: str) -> None:
            call.call = name
            ids: dict[str, str] = {"alert": call.alert, "station": call.station, "action": call.action}
            self._append(al.DeliveryCalled(**ids, line=line, call=name))

        return await self._telephone.speak(call.number, texts, dialled)

    def _over(self, call: UnderWay, task: asyncio.Task[Said]) -> None:
        self._calls.remove(call)
        if task.cancelled():
            if call.hung_up:  # else it ends because we do, and the next start of core says so
                self._failed(
                    call.alert, call.station, call.action, "cut_off" if self._answered(call.call) else "stopped"
                )
        elif task.exception() is None:  # else the group tells whoever runs the centre
            self._came_to(call, task.result())
        self._wake()

    def _came_to(self, call: UnderWay, said: Said) -> None:
        if said.outcome != "heard":
            self._failed(call.alert, call.station, call.action, said.outcome)
            return
        ids: dict[str, str] = {"alert": call.alert, "station": call.station}
        self._append(al.DeliverySpoken(**ids, action=call.action, line=said.line, call=said.call))
        if call.action == "start":
            self._append(al.DeliveryAcknowledged(**ids, path=Path.VOICE))

    def _failed(self, alert: str, station: str, action: str, why: str) -> None:
        self._append(al.DeliverySendFailed(alert=alert, station=station, path=Path.VOICE, action=action, reason=why))

    async def _leave(self, line: str, call: str) -> None:
        for _ in range(int(LEAVE / LEAVE_EACH)):
            if not self._live(call):
                return
            try:
                await self._telephone.hang_up(line, call, BOX)
            except Refusal as e:
                log.debug("a call of before the restart stands yet: %s", e)
            await asyncio.sleep(LEAVE_EACH)
        log.warning("%s: a call of before the restart does not end", line, extra=about(line=line))

    def _rings_at(self, number: str) -> bool:
        return any(call.number == number for call in self._calls)

    def _find(self, alert: str, station: str) -> UnderWay | None:
        return next((c for c in self._calls if c.alert == alert and c.station == station), None)

    def _live(self, call: str) -> bool:
        known = self._state.calls.get(call)
        return known is not None and known.live

    def _answered(self, call: str) -> bool:
        known = self._state.calls.get(call)
        return known is not None and known.answered is not None
