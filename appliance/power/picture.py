"""The view of power: what feeds what, where the outage is, how long it is until dark, and what is ready."""

from collections.abc import Callable, Iterable

from appliance.config import Site
from appliance.model import GensetPhase, Mains, Source
from appliance.power.dark import Discharging, Tank, dark, learned_rate, source
from appliance.power.learned import Learned
from appliance.power.look import Look
from appliance.power.measured import SLACK_S
from appliance.power.plant_machine import PlantMachine
from appliance.power.readiness import GensetLines, genset_lines, ups_lines
from appliance.power.run_machine import usual
from appliance.power.stage import Times, stage
from appliance.power_state import RUNS_KEPT, Genset, GensetRecord, Ups
from appliance.power_view import DarkPart, FeedView, PowerView, Ready
from appliance.stamp import Stamp
from appliance.state import State

Age = Callable[[Stamp], float]


def picture(
    site: Site, state: State, seen: Look, machine: PlantMachine, learned: Learned, age: Age, now: float
) -> PowerView:
    """All but the devices' own figures and the orders."""
    feeds = source(seen.sets.values(), seen.batteries.values(), machine.witnesses)
    mains = machine.mains
    # An outage stands until its end was seen; "present" needs somebody who says so now.
    believed = Mains.UNKNOWN if mains.believed is Mains.PRESENT and not mains.known else mains.believed
    gensets = {id: _genset(id, state, seen, machine) for id in seen.sets}
    tanks = _tanks(site, state, seen)
    feeding = [tank for id, tank in tanks.items() if seen.sets[id].feeding]
    batteries = [
        Discharging(f"ups/{id}", seen.charges[id], learned.batteries[id].minutes_left(
            seen.charges[id], state.ups_records.get(id)
        ))
        for id, battery in seen.batteries.items() if battery.on_battery
    ]  # fmt: skip
    counted = [b.about for b in batteries] if feeds is Source.BATTERY else [t.about for t in feeding]
    fresh_s = max((seen.fresh_s[about] for about in counted), default=SLACK_S)
    began = now - age(state.mains_since)
    power = site.power
    times = Times(power.start_s, power.load_s, power.retransfer_min * 60, power.cooldown_min * 60)
    outage = learned.outage or any(
        record.began is not None and record.began.wall <= state.mains_since.wall
        for record in state.genset_records.values()
    )
    at, until = stage(believed, state.mains_since, gensets, outage, times, lambda stamp: now - age(stamp))
    lost = believed is Mains.LOST
    return PowerView(
        source=feeds,
        mains=believed,
        mains_since=state.mains_since,
        witnesses=state.witnesses,
        dark=dark(feeds, lost, batteries, feeding, now, fresh_s, _beside(state, gensets, tanks, began, now, site)),
        gensets=gensets,
        ups={id: Ups(b.on_battery, state.ups[id].since, state.ups[id].charge) if id in state.ups else Ups(b.on_battery)
             for id, b in seen.batteries.items()},
        genset_devices=[],
        ups_devices=[],
        stage=at,
        stage_until=until,
        feed=feed(seen, machine, feeds),
        readiness=lines(site, state, seen, machine, age),
        runs=sorted(
            (run for record in state.genset_records.values() for run in record.runs),
            key=lambda run: run.ended.seq if run.ended else 0, reverse=True,
        )[:RUNS_KEPT],
        litres_per_kwh={id: rate for id, tank in tanks.items() if (rate := learned_rate(tank)) is not None},
    )  # fmt: skip


def lines(site: Site, state: State, seen: Look, machine: PlantMachine, age: Age) -> list[Ready]:
    """The readiness list: sets first, then UPSes, as the site file has them."""
    found: list[Ready] = []
    mains = machine.mains.believed is Mains.PRESENT and machine.mains.known
    for genset in site.genset:
        about = f"genset/{genset.id}"
        found += genset_lines(
            GensetLines(
                about=about, seen=seen.sets[genset.id], measures=seen.measures[genset.id],
                record=state.genset_records.get(genset.id, GensetRecord()),
                turns=machine.gensets[genset.id].phase is not GensetPhase.STOPPED, mains=mains,
                fuel_low=site.power.fuel_low_percent, every_days=site.power.exercise.every_days,
            ),
            seen.words[about], age,
        )  # fmt: skip
    for ups in site.ups:
        about = f"ups/{ups.id}"
        found += ups_lines(about, seen.words[about], seen.batteries[ups.id].on_battery)
    return found


def feed(seen: Look, machine: PlantMachine, feeds: Source) -> FeedView:
    """What a one-line diagram draws. The switch's own contacts have the first word on its sides."""
    says = {w.present for w in machine.witnesses}
    switches = seen.switches.values()
    genset_closed = _any([*(s.on_genset for s in switches)] or [None])
    if genset_closed is None:
        genset_closed = _any(s.feeding if s.closed is None else s.closed for s in seen.sets.values())
    mains_closed = _any([*(s.on_mains for s in switches)] or [None])
    if mains_closed is None:
        mains_closed = _any(seen.words[f"genset/{id}"].flag("mains_closed") for id in seen.sets)
    return FeedView(
        mains=False if machine.mains.believed is Mains.LOST else True if True in says else None,
        mains_closed=mains_closed,
        genset_closed=genset_closed,
        genset_running=_any(
            None if not seen.sets[id].linked or watch.phase is GensetPhase.UNKNOWN else watch.phase.runs
            for id, watch in machine.gensets.items()
        ),
        ups_on_battery=_any(b.on_battery for b in seen.batteries.values()),
        load_fed={Source.UNKNOWN: None, Source.DARK: False}.get(feeds, True),
    )


def _any(said: Iterable[bool | None]) -> bool | None:
    """True of one is true; false only when all are known to be."""
    found = list(said)
    if True in found:
        return True
    return None if not found or None in found else False


def _genset(id: str, state: State, look: Look, machine: PlantMachine) -> Genset:
    seen, watch = look.sets[id], machine.gensets[id]
    since = state.gensets[id].since if id in state.gensets else Genset().since
    if not seen.linked:
        return Genset(GensetPhase.UNKNOWN, since, None, "", "")
    proof_holds = seen.mode == "auto" and seen.fault == ""
    ready = None if watch.ready and not proof_holds else watch.ready
    return Genset(watch.phase, since, ready, seen.mode, watch.fault)


def _tanks(site: Site, state: State, seen: Look) -> dict[str, Tank]:
    return {
        g.id: Tank(
            f"genset/{g.id}", seen.measures[g.id], g.tank_litres, g.reserve_percent, g.litres_per_kwh,
            state.genset_records.get(g.id, GensetRecord()).burns,
        )
        for g in site.genset
    }  # fmt: skip


def _beside(
    state: State, gensets: dict[str, Genset], tanks: dict[str, Tank], began: float, now: float, site: Site
) -> list[DarkPart]:
    """While a set is due: when it should feed, by its own starts, else by what the site file allows it."""
    parts = []
    for id, genset in gensets.items():
        if genset.phase not in (GensetPhase.STOPPED, GensetPhase.STARTING):
            continue
        up_s = usual("up_s", state.genset_records.get(id, GensetRecord()).starts)
        due = began + (site.power.start_s if up_s is None else up_s)
        parts.append(DarkPart("genset_start", tanks[id].about, max(0.0, due - now) / 60))
    return parts
