"""An accepted order on the annunciator's outputs: sounded at once, again until the annunciator is there, and stopped.

Nothing here waits for a text, a disk, a microphone or a broker.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Protocol

from appliance.annunciator_client import AnnunciatorLink
from appliance.annunciator_protocol import OutputChange, Standing
from appliance.logs import about
from appliance.model import AlertKind
from appliance.station.active import Active
from drivers.clock import Clock
from drivers.jsonsocket import Gone, Refusal

HARDWARE_WITHIN = 3.0  # s that an accepted order waits for the annunciator, then the centre is told
HARDWARE_AGAIN = 0.2  # s between attempts until then
LEAST = 1.0  # s; less is not worth a start
ACTUAL_FIRST, TESTS_LAST = 1, 3  # priorities on one output
LOCAL = "local"  # orders of the red button, by the annunciator alone
OF_OTHERS = ("ordered", "local", "follows", "stuck", "released")  # changes that end no order

log = logging.getLogger("siaga.station")


class Told(Protocol):
    """Who hears what became of an order."""

    def energised(self, active: Active, output: str, remaining: float) -> None: ...
    def waits(self, active: Active) -> None: ...
    def failed(self, active: Active, output: str) -> None: ...
    def over(self, active: Active, output: str) -> None: ...
    def ended(self, active: Active, why: str) -> None: ...
    def closed(self, active: Active, why: str) -> None: ...


class Sirens:
    """`active` by alert is the node's; `level` gives how loud it may be now, in percent."""

    def __init__(
        self, clock: Clock, annunciator: AnnunciatorLink, active: Mapping[str, Active], told: Told,
        spawn: Callable[[Coroutine[Any, Any, None]], None], level: Callable[[], int],
    ) -> None:  # fmt: skip
        self._clock, self._annunciator, self._active, self._told = clock, annunciator, active, told
        self._spawn, self._level = spawn, level
        self._left: set[str] = set()  # orders of before our restart, that the annunciator sounded when it came

    async def sound(self, active: Active) -> None:
        """All its outputs at once; each for itself."""
        await asyncio.gather(*(self._sound(active, output) for output in active.outputs))

    async def _sound(self, active: Active, output: str) -> None:
        """Sound what remains; try again until the annunciator is there."""
        told = False
        while not (active.ended or active.stopped) and (left := active.until - self._clock.now()) >= LEAST:
            try:
                sound = await self._annunciator.sound(
                    active.alert, output, active.order.pattern.name.lower(), left, kind=active.kind,
                    priority=ACTUAL_FIRST if active.kind is AlertKind.ACTUAL else TESTS_LAST, level=self._level(),
                )  # fmt: skip
            except (Gone, Refusal) as e:
                if isinstance(e, Refusal) and e.code == "stopped":  # a stop of before our restart
                    self._over(active, output, "stopped")
                    return
                if not told:
                    told = True
                    log.error(
                        "the annunciator does not sound alert %s on %s: %s",
                        active.alert,
                        output,
                        e,
                        extra=about(alert=active.alert, output=output),
                    )
                    self._told.waits(active)
                if self._clock.now() - active.accepted_at > HARDWARE_WITHIN:
                    self._failed(active, output)
                    return
                await asyncio.sleep(HARDWARE_AGAIN)
                continue
            if sound.energised:
                self._energised(active, output, sound.remaining_s)
            elif sound.ended in (None, "failed"):
                self._failed(active, output)
            else:
                self._over(active, output, sound.ended)
            return

    async def stop(self, alert: str) -> bool:
        """End an alert wherever it sounds, and bar its late start. False: the annunciator does not take it."""
        active = self._active.get(alert)
        if active:
            active.stopped = True
        began = self._clock.now()
        while True:
            try:
                await self._annunciator.stop([alert])
                break
            except (Gone, Refusal) as e:
                if self._clock.now() - began > HARDWARE_WITHIN:
                    log.error("the annunciator does not take the stop of %s: %s", alert, e, extra=about(alert=alert))
                    return False
            await asyncio.sleep(HARDWARE_AGAIN)
        if active and not active.ended:
            for output in list(active.on):
                self._told.over(active, output)
            active.on.clear()
            active.ended = True
        return True

    def on_standing(self, standing: Standing) -> None:
        """The annunciator is there (again): stop what is to be silent, sound what remains of what it does not sound."""
        now = self._clock.now()
        sounding = {order for at in standing.outputs.values() for order in at.order_ids}
        self._left = {order for order in sounding if order not in self._active and not order.startswith(LOCAL)}
        for active in list(self._active.values()):
            if active.ended or not active.may_sound:
                continue
            if active.stopped:
                self._spawn(self._stop_again(active))
                continue
            for output in active.outputs:
                at = standing.outputs.get(output)
                if output in active.over:
                    continue
                if at is not None and active.alert in at.order_ids:
                    if output in active.failed:
                        self._energised(active, output, active.until - now)
                    continue
                if active.until - now >= LEAST:
                    self._spawn(self._sound(active, output))
                elif output in active.on:
                    self._over(active, output, "ended")  # while nobody told us

    def stop_left(self) -> None:
        """End what an order of before our restart sounds."""
        for alert in self._left - set(self._active):
            self._spawn(self._stop_one_left(alert))

    async def _stop_one_left(self, alert: str) -> None:
        if await self.stop(alert):
            self._left.discard(alert)

    async def _stop_again(self, active: Active) -> None:
        if await self.stop(active.alert):
            self._told.ended(active, "stopped")

    def on_output(self, change: OutputChange) -> None:
        """An output's state changed: the end of an order's sound, or its late beginning, is told to the centre."""
        active = self._active.get(change.order or "")
        if active is None or active.ended or change.output not in active.outputs:
            return
        if change.why == "ordered" and change.output in active.failed and not active.stopped:
            # It was frozen, and now does what it was told while its answer was waited for.
            self._energised(active, change.output, active.until - self._clock.now())
        if change.why in OF_OTHERS:
            return
        if active.stopped and change.why == "stopped":
            return  # `stop` says so, once, when it has the annunciator's word
        if change.why == "failed":
            self._failed(active, change.output)
        else:
            self._over(active, change.output, change.why)

    def _energised(self, active: Active, output: str, remaining: float) -> None:
        active.on.add(output)
        active.failed.discard(output)
        self._told.energised(active, output, max(0.0, remaining))

    def _failed(self, active: Active, output: str) -> None:
        active.on.discard(output)
        active.failed.add(output)
        self._told.failed(active, output)

    def _over(self, active: Active, output: str, why: str) -> None:
        active.on.discard(output)
        active.over.add(output)
        self._told.over(active, output)
        if not active.ended and active.over | active.failed >= set(active.outputs):
            active.ended = True
            self._told.ended(active, why)

    def tick(self, now: float) -> None:
        """An order whose annunciator never came back while it was worth sounding is over."""
        for active in self._active.values():
            if active.may_sound and not active.energised and not active.ended and now > active.until:
                active.ended = True
                self._told.closed(active, "failed")
