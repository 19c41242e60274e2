"""What one line knows of its SIM and its network beside calls and messages: SIM, cell, signal's trend, time, credit."""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from appliance.clock import boot_id
from appliance.config import ZONES, CreditConfig, Stability
from appliance.config import Line as LineConfig
from appliance.figure import Figure
from appliance.journal import Appended
from appliance.lines import stability_machine
from appliance.lines.camping import Camping
from appliance.lines.credit import Credit
from appliance.lines.network_watch import NetworkWatch
from appliance.lines.operator_plan import OperatorPlan
from appliance.lines.sim_watch import SimWatch
from appliance.lines.trend import Trend
from appliance.lines.ussd_talk import UssdTalk
from appliance.stamp import Stamp
from appliance.state import LineRecord, State
from appliance.view import LineView
from drivers.clock import Clock
from drivers.modem.events import NetworkTime
from drivers.modem.modem import Modem
from drivers.quality import Quality

LOOK_EVERY = 5.0  # s; nothing of this is urgent
STATUS_FRESH = 30.0  # s, as of the line's other figures
TIME_FRESH = 2 * 3600.0  # s; the modem is asked every hour
HALF_SECOND = 0.5  # s; networks tell whole seconds, so half of one is missing on average


@dataclass(frozen=True)
class Means:
    """What all lines of a box share. `urgent`: an order is open; `others`: another line than this is registered."""

    plans: tuple[OperatorPlan, ...] | None = ()
    credit: CreditConfig = field(default_factory=CreditConfig)
    zone: ZoneInfo = ZONES["WIT"]
    urgent: Callable[[], bool] = lambda: False
    others: Callable[[str], bool] = lambda line: False
    on_time: Callable[[str, float], None] = lambda line, offset: None  # s to add to the box's clock
    uniform: Callable[[float, float], float] = random.uniform
    stability: Stability = field(default_factory=Stability)


class Surroundings:
    """`run` it as long as the line; `occupied` tells whether a call is on it or an order goes out."""

    def __init__(
        self, config: LineConfig, modem: Modem, talk: UssdTalk, state: State, clock: Clock,
        append: Callable[..., Appended], occupied: Callable[[], bool], means: Means,
    ) -> None:  # fmt: skip
        self._id, self._modem, self._state, self._clock = config.id, modem, state, clock
        self._append, self._means, self._boot = append, means, boot_id()
        self._sim, self._camping, self._trend = SimWatch(config.id), Camping(config.id), Trend()
        self._network = NetworkWatch(config.id)
        self._offset: tuple[float, float] | None = None  # s to add to our clock, and when that was told
        self._credit = Credit(
            config.id, modem, talk, state, clock, append,
            postpaid=config.credit == "postpaid", plans=means.plans, config=means.credit, zone=means.zone,
            free=lambda: not occupied() and not means.urgent(), may_narrow=lambda: means.others(config.id),
            uniform=means.uniform,
        )  # fmt: skip

    @property
    def _record(self) -> LineRecord:
        return self._state.lines.get(self._id) or LineRecord()

    def time_told(self, told: NetworkTime) -> None:
        """The network told the time, just now."""
        offset = round(told.time.timestamp() + HALF_SECOND - self._clock.wall(), 1)
        self._offset = offset, self._clock.now()
        self._means.on_time(self._id, offset)

    async def run(self) -> None:
        """Raises nothing that the modem does."""
        while True:
            self._tick()
            await self._credit.look()
            await asyncio.sleep(LOOK_EVERY)

    def _tick(self) -> None:
        now, status = self._clock.now(), self._modem.status
        self._trend.add(now, status.signal_dbm)
        self._sim.seen(status.sim_state, status.sim_reason, now)
        if found := self._sim.tick(now, self._record.sim_bad):
            self._append(found)
        self._network.seen(status.registration, status.sim_state, now)
        if lost_or_found := self._network.tick(now, self._record.unregistered):
            self._append(lost_or_found)
        if steady_or_not := stability_machine.due(
            self._id, self._record, self._means.stability.falls, self._means.stability.minutes, self._since
        ):
            self._append(steady_or_not)
        if moved := self._camping.tick(status.area, status.cell, now, self._record.cell):
            self._append(moved)

    def _since(self, stamp: Stamp) -> float:
        return stamp.elapsed(self._clock.now(), self._clock.wall(), self._boot)

    def onto(self, view: LineView, at: float) -> LineView:
        """The same view with what is known here; `at` is when the modem was last asked."""
        status = self._modem.status
        quality = Quality.NO_LINK if not self._modem.up else Quality.GOOD if status.cell else Quality.UNIMPLEMENTED
        place = f"{status.area} {status.cell}".strip() if quality is Quality.GOOD else None
        view.cell = Figure(place, "", quality, at, STATUS_FRESH)
        view.credit, view.credit_why = self._credit.figure(), self._credit.why()
        view.credit_until, view.credit_forecast = self._credit.until(), self._credit.forecast()
        view.trend = self._trend.medians(self._clock.now())
        view.proof = self._record.proof
        if self._offset:
            view.time_offset = Figure(self._offset[0], "s", Quality.GOOD, self._offset[1], TIME_FRESH)
        return view
