"""Whatever is asked of the annunciator in whatever order: no sound without an order that may, none without an end."""

import asyncio
import tempfile
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.annunciator import Annunciator
from appliance.annunciator_config import AnnunciatorConfig, check
from drivers.clock import VirtualClock
from drivers.gpio.factory import open_board
from drivers.jsonsocket import Peer, Refusal
from drivers.sim.pins import SimulatedPins
from drivers.sim.wires import Wire

SLACK = 1e-6  # s; floats
LONGEST, PRESS_S, DOOR_S, STOVE_S = 30.0, 20.0, 5.0, 50.0
CONFIG = msgspec.convert(
    {
        "socket": "/run/a.sock",
        "factory": "mock",
        "output": {
            "siren": {"pin": 17, "kind": "siren", "max_s": LONGEST},
            "bell": {"pin": 18, "kind": "buzzer", "max_s": LONGEST, "pwm": True, "ramp_s": 2},
            "light": {"pin": 22, "kind": "light", "follows": "siren"},
            "gate": {"pin": 26, "kind": "door", "follows": "siren"},
            "stove": {"pin": 16, "kind": "stove", "follows": "siren", "hold_s": STOVE_S},
            "local": {"pin": 10, "kind": "lamp"},
        },
        "input": {
            "button": {"pin": 23, "kind": "button"},
            "current": {"pin": 5, "kind": "current", "of": "siren"},
        },
        "button": {"input": "button", "output": "siren", "seconds": PRESS_S, "lamp": "local"},
    },
    AnnunciatorConfig,
)
SIRENS = ("siren", "bell")
MAY_SOUND = ("actual", "sounding_test")

orders = st.integers(0, 4).map(lambda n: f"{n:x}")
sounds = st.fixed_dictionaries(
    {
        "do": st.just("sound"),
        "order": orders,
        "output": st.sampled_from(SIRENS),
        "pattern": st.sampled_from(["steady", "steady", "wail", "pulse", "morse"]),
        "seconds": st.sampled_from([1.0, 4.0, 12.5, 60.0]),
        "kind": st.sampled_from([*MAY_SOUND, "silent_test", "drill"]),
        "priority": st.integers(1, 3),
        "level": st.sampled_from([1, 40, 100]),
    }
)
steps = st.lists(
    st.one_of(
        sounds,
        sounds,
        st.builds(lambda o: {"do": "stop", "orders": [o]}, orders),
        st.builds(lambda o: {"do": "silence", "output": o}, st.sampled_from(SIRENS)),
        st.builds(lambda on: {"do": "light", "output": "light", "on": on}, st.booleans()),
        st.sampled_from(
            [{"do": "hello"}, {"do": "core dies"}, {"do": "press"}, {"do": "restart"}, {"do": "weld"}, {"do": "free"}]
        ),
        st.builds(lambda s: {"do": "wait", "s": s}, st.sampled_from([0.01, 0.7, 3.0, 11.0, 40.0])),
    ),
    max_size=25,
)


class Bench:
    """One annunciator after the other on simulated pins, and what its orders allow, by hand."""

    def __init__(self, clock: VirtualClock, folder: Path) -> None:
        self.clock, self.folder = clock, folder
        self.may: dict[str, list[tuple[float, float]]] = {name: [] for name in CONFIG.output}
        self.highs: dict[str, list[tuple[float, float]]] = {name: [] for name in CONFIG.output}
        self.start()

    def start(self) -> None:
        board = open_board("mock")
        names = {name: wired.pin for name, wired in (CONFIG.output | CONFIG.input).items()}
        self.pins = SimulatedPins(board.factory, names, self.folder / "k", {"current": Wire("siren", True)})
        self.box = Annunciator(CONFIG)
        self.box.claim(board)
        self.core = self.peer()

    def peer(self) -> Peer:
        peer = Peer(lambda peer, message: None)
        peer.uid = 0
        return peer

    def end(self) -> None:
        self.box.close()
        for name in CONFIG.output:
            moved = [(c["at"], c["value"]) for c in self.pins.record(name)]
            assert not moved or moved[-1][1] == 0, name
            rises = [(at, until) for (at, level), (until, _) in pairwise(moved) if level]
            self.highs[name] += rises

    async def do(self, step: dict[str, Any]) -> None:
        now = self.clock.now()
        match step:
            case {"do": "wait", "s": s}:
                await asyncio.sleep(s)
            case {"do": "press"}:
                self.allow("siren", "actual", now, 0.6 + PRESS_S)  # at once, or when core has not taken it
                await self.pins.press("button", hold_s=0.2)
                await asyncio.sleep(0.3)
            case {"do": "restart"}:
                self.end()
                self.start()
            case {"do": "core dies"}:
                self.box.gone(self.core)
                self.core = self.peer()
            case {"do": "weld" | "free" as what}:
                self.pins.weld("siren", what == "weld")
            case _:
                await self.ask(step)

    async def ask(self, request: dict[str, Any]) -> None:
        if request["do"] == "sound" and request["kind"] in MAY_SOUND:
            self.allow(request["output"], request["kind"], self.clock.now(), request["seconds"])
        code = ""
        try:
            await self.box.answer(self.core, request)
        except Refusal as no:
            code = no.code
        may = request.get("kind", "actual") in MAY_SOUND
        assert code in ("", "stopped") if may else code == "not_allowed"

    def allow(self, output: str, kind: str, at: float, seconds: float) -> None:
        self.may[output].append((at, at + seconds))
        if output == "siren" and kind == "actual":
            late = 0.6 if seconds > PRESS_S and seconds < 21 else 0.0  # a press sounds when core did not take it
            self.may["gate"].append((at, at + late + DOOR_S))
            self.may["stove"].append((at, at + late + STOVE_S))

    def check(self) -> None:
        for name in (*SIRENS, "gate", "stove"):
            for began, ended in self.highs[name]:
                assert covered(began, ended, self.may[name]), (name, began, ended, self.may[name])
                if name in SIRENS:
                    assert ended - began <= LONGEST + SLACK


def covered(began: float, ended: float, windows: list[tuple[float, float]]) -> bool:
    """Whether the windows together cover all of it."""
    for opens, closes in sorted(windows):
        if opens <= began + SLACK:
            began = max(began, closes)
    return began >= ended - SLACK


def test_the_wiring_is_one_that_is_taken() -> None:
    assert check(CONFIG) == []


@settings(max_examples=40, deadline=None)
@given(steps)
def test_nothing_sounds_opens_or_is_cut_off_without_an_order_that_may_or_beyond_its_time(
    told: list[dict[str, Any]],
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        clock = VirtualClock()

        async def main() -> None:
            bench = Bench(clock, Path(folder))
            for step in told:
                await bench.do(step)
            await bench.ask({"do": "stop", "orders": [f"{n:x}" for n in range(5)]})
            for siren in SIRENS:
                ever = {"do": "sound", "order": "ff", "output": siren, "pattern": "steady", "seconds": 3600.0}
                await bench.ask({**ever, "kind": "actual"})
            await bench.do({"do": "wait", "s": 100})
            bench.end()
            bench.check()

        clock.run(main())


@settings(max_examples=40, deadline=None)
@given(steps)
def test_a_stop_of_every_order_is_silence_at_once(told: list[dict[str, Any]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        clock = VirtualClock()

        async def main() -> None:
            bench = Bench(clock, Path(folder))
            for step in told:
                if step["do"] != "press":
                    await bench.do(step)
            await bench.ask({"do": "stop", "orders": [f"{n:x}" for n in range(5)]})
            assert [bench.pins.read()[name] for name in SIRENS] == [0, 0]
            bench.end()

        clock.run(main())
