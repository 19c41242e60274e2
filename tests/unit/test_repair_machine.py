"""What is done about a line that is silent in a call, rung by rung."""

import asyncio

from appliance.model import CallPhase
from appliance.sound.modem_sound import ModemSound
from appliance.sound.repair import Repair
from appliance.sound.repair_machine import LOOK, RESTS, Ladder, Rung
from appliance.stamp import Stamp
from appliance.state import Call, State
from drivers.clock import Clock


def busy() -> bool:
    return True


def idle() -> bool:
    return False


def test_the_end_is_opened_anew_first_then_the_modems_sound_then_after_the_call_the_modem() -> None:
    ladder = Ladder()
    ladder.silent("a", 0.0)
    assert ladder.due(0.0, busy, False) is Rung.REOPEN
    assert ladder.due(1.0, busy, False) is None
    assert ladder.due(LOOK, busy, False) is Rung.SOUND
    assert ladder.due(2 * LOOK, busy, False) is None, "a caller is on the line"
    assert ladder.due(100.0, idle, True) is None, "every line is needed"
    assert ladder.due(101.0, idle, False) is Rung.MODEM
    assert ladder.due(200.0, idle, False) is None


def test_sound_that_is_back_ends_the_climb_and_owes_nothing() -> None:
    ladder = Ladder()
    ladder.silent("a", 0.0)
    ladder.due(0.0, busy, False)
    ladder.due(LOOK, busy, False)
    ladder.heard("a")
    assert ladder.due(100.0, idle, False) is None


def test_a_second_word_of_the_same_silence_does_not_begin_anew() -> None:
    ladder = Ladder()
    ladder.silent("a", 0.0)
    ladder.due(0.0, busy, False)
    ladder.silent("a", 0.5)
    assert ladder.due(0.6, busy, False) is None


def test_a_modem_is_not_reset_twice_within_an_hour() -> None:
    ladder = Ladder()
    told = []
    for begins in (0.0, 100.0, RESTS + 200.0):
        ladder.silent(f"call{begins}", begins)
        told += [ladder.due(begins + at, busy, False) for at in (0.0, LOOK, 2 * LOOK)]
        told.append(ladder.due(begins + 50.0, idle, False))
    assert told.count(Rung.MODEM) == 2


class Deaf:
    """Lines and modems that take every word; `on_reopen` is what happens meanwhile."""

    async def sound(self, line: str, *, on: bool) -> bool:
        return True

    async def reset_sound(self, line: str) -> bool:
        return True


async def test_a_second_line_that_falls_silent_while_the_first_is_repaired_is_repaired_too() -> None:
    opened: list[str] = []
    both = asyncio.Event()

    async def reopen(call: str) -> None:
        opened.append(call)
        if call == "a":
            repair.told("l2", "b", "silent")
            await asyncio.sleep(0)
        else:
            both.set()

    state, voices = State(), Deaf()
    for name, line in (("a", "l1"), ("b", "l2")):
        state.calls[name] = Call(line, name, None, CallPhase.TALKING, Stamp(), Stamp())
    repair = Repair(voices, ModemSound(voices), state, Clock(), reopen, lambda: False)
    running = asyncio.create_task(repair.run())
    try:
        repair.told("l1", "a", "silent")
        async with asyncio.timeout(10):
            await asyncio.wait({running, asyncio.ensure_future(both.wait())}, return_when=asyncio.FIRST_COMPLETED)
        assert not running.done(), "one line's repair ended all repairs"
        assert opened == ["a", "b"]
    finally:
        running.cancel()
        await asyncio.wait({running})
