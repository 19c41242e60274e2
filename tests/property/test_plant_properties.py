"""Whatever the devices show, in whatever order: the machine and its journal agree, nothing is told twice or made up."""

from itertools import takewhile
from operator import itemgetter
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance import events as ev
from appliance import power_events as pw
from appliance.entry import Entry
from appliance.event import Event
from appliance.fold import apply
from appliance.model import GensetPhase, Mains
from appliance.power.genset_machine import Engine, GensetSeen
from appliance.power.mains_machine import BOTH_S, JITTER_S
from appliance.power.plant_machine import PlantMachine, UpsSeen
from appliance.power_state import Genset, Ups
from appliance.state import State

BOOT = "b" * 16
START_S = 30.0
STANDBY = GensetSeen(
    linked=True, engine=Engine.STOPPED, feeding=False, mains=True, mode="auto", failed_to_start=False, fault=""
)
GENSET_WORDS = st.fixed_dictionaries(
    {},
    optional={
        "engine": st.sampled_from([None, *(e for e in Engine if e is not Engine.LOADED)]),
        "feeding": st.sampled_from([True, False, None]),
        "mains": st.sampled_from([True, False, None]),
        "mode": st.sampled_from(["auto", "manual", "stop", ""]),
        "failed_to_start": st.sampled_from([True, False, None]),
        "fault": st.sampled_from(["", "emergency_stop", "overspeed", None]),
        "linked": st.booleans(),
    },
)
UPS_WORDS = st.fixed_dictionaries(
    {}, optional={"on_battery": st.sampled_from([True, False, None]), "linked": st.booleans()}
)
CHANGES = st.one_of(
    st.tuples(st.just("genset"), GENSET_WORDS), st.tuples(st.just("ups"), UPS_WORDS), st.just(("restart", {}))
)
STORY = st.lists(st.tuples(CHANGES, st.integers(1, 12), st.sampled_from([0.25, 0.5, 1.0, 3.0])), max_size=30)


class World:
    """One set, one UPS, the machine, and the fold of what it tells."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.genset, self.ups = STANDBY, UpsSeen(linked=True, on_battery=False, off=False)
        self.state, self._head = State(), Entry.before_first()
        self.told: list[Event] = []
        self.samples: dict[str, list[tuple[float, bool]]] = {"genset/g1": [], "ups/u1": []}  # at, says lost
        self.restart()

    def restart(self) -> None:
        links = dict(self.state.links)
        self.machine = PlantMachine(
            gensets=["g1"],
            ups=["u1"],
            silent_s={"genset/g1": 5.0, "ups/u1": 5.0},
            start_s=START_S,
            state=self.state,
            since=lambda stamp: stamp.elapsed(self.now, self.now, BOOT),
            now=self.now,
        )
        assert self.state.links == links

    def change(self, what: str, words: dict[str, Any]) -> None:
        match what:
            case "restart":
                self.restart()
                assert self.step() == [], "a restart told something that was told or is not so"
            case "genset":
                self.genset = msgspec.structs.replace(self.genset, **words)
            case "ups":
                self.ups = msgspec.structs.replace(self.ups, **words)

    def poll(self, seconds: float) -> None:
        self.now += seconds
        at = self.now
        self.genset = msgspec.structs.replace(self.genset, at=at, mains_at=at, mode_at=at, fault_at=at)
        self.ups = msgspec.structs.replace(self.ups, at=at)
        self.samples["genset/g1"].append((at, self.genset.linked and self.genset.mains is False))
        self.samples["ups/u1"].append((at, self.ups.linked and self.ups.on_battery is True))
        self.step()
        assert self.step() == [], "the same measurements were told twice"
        assert self.disagreements() == []

    def step(self) -> list[Event]:
        sets = {"g1": self.genset} if self.genset.linked else {}
        batteries = {"u1": self.ups} if self.ups.linked else {}
        events = self.machine.step(sets, batteries, self.now)
        for event in events:
            self._check(event)
            self._fold(event)
        self.told += events
        return events

    def _check(self, event: Event) -> None:
        """An outage rests on measurements that last: all whom it names say it twice, the first of them for long.

        Behind a suspicion, which may be a blown fuse, all of them for as long.
        """
        if isinstance(event, pw.MainsLost):
            assert event.witnesses == len(event.by)
            spans = []
            for witness in event.by:
                said = [at for at, _ in takewhile(itemgetter(1), reversed(self.samples[witness]))]
                assert len(said) >= 2
                spans.append(said[0] - said[-1])
            must = min(spans) if self.state.mains is Mains.SUSPECT else max(spans)
            assert must >= BOTH_S - JITTER_S

    def _fold(self, event: Event) -> None:
        self._head = Entry.after(
            self._head, wall=self.now, mono=self.now, boot=BOOT, quality="ntp", kind=event.kind,
            subject=event.subject, actor="", cause=None, body=ev.encode_event(event),
        )  # fmt: skip
        apply(self.state, self._head)

    def disagreements(self) -> list[str]:
        """Where the machine believes something else than the fold of what it told."""
        watch, folded = self.machine.gensets["g1"], self.state.gensets.get("g1", Genset())
        at_rest_unsaid = (watch.phase, folded.phase) == (GensetPhase.STOPPED, GensetPhase.UNKNOWN)
        believes = self.machine.on_battery["u1"]
        told = self.state.ups.get("u1", Ups()).on_battery
        pairs = {
            "mains": (self.machine.mains.believed, self.state.mains),
            "phase": (folded.phase if at_rest_unsaid else watch.phase, folded.phase),
            "ready": (watch.ready, folded.ready),
            "fault": (watch.fault, folded.fault),
            "ups": (bool(believes), bool(told)),
        }
        return [f"{name}: {a} is folded {b}" for name, (a, b) in pairs.items() if a != b]


def tell(story: list[Any]) -> World:
    world = World()
    world.poll(1.0)
    for (what, words), polls, seconds in story:
        world.change(what, words)
        for _ in range(polls):
            world.poll(seconds)
    return world


@given(STORY)
@settings(max_examples=120, deadline=None)
def test_the_machine_and_its_fold_never_disagree_and_nothing_is_told_twice_in_a_row(story: list[Any]) -> None:
    def group(event: Event) -> str:
        thing = event.kind.partition(".")[0]
        return thing if thing == "power" else f"{thing}/{event.subject}"

    last: dict[str, Event] = {}
    for event in tell(story).told:  # which looks for disagreements at each poll
        before = last.get(group(event))
        assert before is None or type(before) is not type(event) or isinstance(event, pw.GensetNotInAuto), event
        last[group(event)] = event


@given(st.lists(st.tuples(st.booleans(), st.booleans(), st.sampled_from([0.25, 0.5, 1.0, 5.0])), max_size=60))
@settings(max_examples=100, deadline=None)
def test_witnesses_that_never_say_lost_twice_running_never_make_an_outage(
    samples: list[tuple[bool, bool, float]],
) -> None:
    world = World()
    controller = ups = False
    for by_controller, by_ups, seconds in samples:
        controller, ups = by_controller and not controller, by_ups and not ups
        world.change("genset", {"mains": not controller})
        world.change("ups", {"on_battery": ups})
        world.poll(seconds)
    assert not any(isinstance(e, pw.MainsLost | pw.MainsSuspected) for e in world.told)
