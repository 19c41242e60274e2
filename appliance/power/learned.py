"""All that is learned of the plant as it lives: runs, starts, fuel, batteries, and what is not ready. Events only."""

from collections.abc import Callable, Iterable, Mapping

from appliance.config import Site
from appliance.event import Event
from appliance.model import GensetPhase
from appliance.power.discharge_machine import BatterySeen, DischargeWatch
from appliance.power.fuel_machine import FuelWatch
from appliance.power.readiness import TOLD
from appliance.power.ready_machine import ReadyWatch
from appliance.power.run_machine import ExerciseRule, Measures, RunWatch
from appliance.power_state import GensetRecord, Ups
from appliance.power_view import Ready
from appliance.stamp import Stamp
from appliance.state import State


class Learned:
    """Made from the folded state, so that a restart goes on."""

    def __init__(self, site: Site, state: State, since: Callable[[Stamp], float], now: float) -> None:
        rule = site.power.exercise
        self._rule = ExerciseRule(rule.every_days, rule.minutes, rule.load_percent)
        self._state = state
        records = state.genset_records
        self.runs = {
            g.id: RunWatch(g.id, self._rule, records.get(g.id, GensetRecord()), since, now) for g in site.genset
        }
        self.fuel = {
            g.id: FuelWatch(g.id, g.tank_litres, records.get(g.id, GensetRecord()).fuel_falling) for g in site.genset
        }
        self.batteries = {u.id: DischargeWatch(u.id, since, now, state.ups.get(u.id, Ups())) for u in site.ups}
        self._ready = ReadyWatch(state.unready)

    @property
    def outage(self) -> bool:
        """Some set's run has seen mains lost."""
        return any(run.outage for run in self.runs.values())

    def step(
        self, *, phases: Mapping[str, GensetPhase], measures: Mapping[str, Measures],
        on_battery: Mapping[str, bool | None], batteries: Mapping[str, BatterySeen], lines: Iterable[Ready],
        lost: bool, now: float, age: Callable[[Stamp], float],
    ) -> list[Event]:  # fmt: skip
        """What was learned at `now`; the plant machine's own events are in the state by then."""
        events: list[Event] = []
        for id, run in self.runs.items():
            record = self._state.genset_records.get(id, GensetRecord())
            events += run.step(phases[id], measures[id], now, lost, record, age)
            events += self.fuel[id].step(phases[id], measures[id], now, record)
        for id, battery in self.batteries.items():
            events += battery.step(on_battery[id], batteries[id])
        told = {(line.about, line.item): (line.ok, line.why) for line in lines if line.item in TOLD}
        return events + self._ready.step(told, now)
