"""What a poller does about a read that failed: asked once again at once, in another length; and what a hurry does."""

import asyncio

import msgspec
import pytest
from modbus_controller import SMALL, polled
from modbus_slave import Slave, addresses, crc, registers, until

from drivers.clock import VirtualClock
from drivers.modbus.blocks import Block
from drivers.modbus.bus import Bus
from drivers.modbus.line import SerialLine
from drivers.modbus.profile import Read
from drivers.quality import Quality

ANSWERS_S = 0.02
ONE = msgspec.structs.replace(SMALL, point={"a": SMALL.point["a"]})


class Line:
    """A slave that answers each request by what `fate` says of its number, counted from the last `begin`."""

    def __init__(self, folder, fate=lambda n: ANSWERS_S):
        self.fate = fate
        self.asked = 0
        self.slave = Slave(str(folder / "tty"), self._answer)
        self.bus = Bus(SerialLine(str(folder / "tty")))

    def _answer(self, request):
        self.asked += 1
        delay_s = self.fate(self.asked)
        return (0.0, b"") if delay_s is None else (delay_s, registers(request))

    def begin(self, fate):
        self.slave.requests.clear()
        self.slave.heard_at.clear()
        self.asked, self.fate = 0, fate

    def close(self):
        self.bus.close()
        self.slave.unplug()


def played(folder, story):
    """`story(line, poller, seen)` in virtual time, once the poller knows how quick the unit is."""

    async def run():
        line = Line(folder)
        try:
            async with polled(line.bus, SMALL) as (poller, seen):
                await asyncio.sleep(5.5)
                await story(line, poller, seen)
        finally:
            line.close()

    VirtualClock().run(run())


def counts(slave):
    return [int.from_bytes(request[4:6], "big") for request in slave.requests]


def test_a_read_that_was_lost_comes_within_the_same_poll(tmp_path):
    async def story(line, _poller, seen):
        line.begin(lambda n: None if n == 1 else ANSWERS_S)
        polls = len(seen.batches)
        await asyncio.sleep(1.4)
        assert addresses(line.slave) == [1, 1, 100], "the block again, then the next one"
        assert counts(line.slave)[0] != counts(line.slave)[1], "in another length"
        assert line.slave.heard_at[1] - line.slave.heard_at[0] < 0.7
        assert len(seen.batches) == polls + 1
        assert [(r.point, r.value) for r in seen.batches[-1]] == [("a", 1), ("b", 100)]

    played(tmp_path, story)


def test_it_is_asked_once_again_and_not_more(tmp_path):
    async def story(line, _poller, _seen):
        line.begin(lambda n: None)
        await asyncio.sleep(2.2)
        assert len(line.slave.requests) == 2, "the second one has its whole time"
        line.slave.requests.clear()
        await until(lambda: line.slave.requests)
        await asyncio.sleep(1.2)
        assert len(line.slave.requests) == 1, "a unit that was silent is not asked again at once"

    played(tmp_path, story)


@pytest.mark.parametrize("late_s", [0.4, 0.5, 0.6, 0.75, 0.9, 0.99])
def test_an_answer_to_the_first_question_is_never_taken_for_one_to_the_second(tmp_path, late_s):
    async def story(line, _poller, seen):
        def old(n):
            return late_s if n == 1 else ANSWERS_S

        line.begin(old)
        told = line.slave.answer

        def numbered(request):
            """What was asked first says 7 in every register: it was measured before what is asked for later."""
            delay_s, answer = told(request)
            if line.asked == 1:
                count = request[5]
                body = bytes([request[0], request[1], 2 * count, *([0, 7] * count)])
                return delay_s, body + crc(body)
            return delay_s, answer

        line.slave.answer = numbered
        polls = len(seen.batches)
        await asyncio.sleep(4.0)
        assert {r.value for batch in seen.batches[polls:] for r in batch} <= {1, 100}
        assert {r.quality for batch in seen.batches[polls:] for r in batch} == {Quality.GOOD}

    played(tmp_path, story)


def test_a_unit_that_turns_slow_is_learned_and_not_lost(tmp_path):
    async def story(line, _poller, seen):
        line.begin(lambda n: 0.6)
        await asyncio.sleep(20.0)
        assert {r.quality for batch in seen.batches for r in batch} == {Quality.GOOD}
        line.slave.requests.clear()
        await asyncio.sleep(6.0)
        assert len(set(counts(line.slave))) == 2, "no question is asked twice any more"

    played(tmp_path, story)


def test_a_hurry_asks_for_what_it_names_and_more_often_and_ends(tmp_path):
    async def story(line, poller, _seen):
        line.begin(lambda n: ANSWERS_S)
        poller.hurry({"b"})
        await asyncio.sleep(0.9)
        assert set(addresses(line.slave)) == {100}
        assert len(line.slave.requests) == 4
        line.slave.requests.clear()
        await asyncio.sleep(5.0)
        assert 5 <= addresses(line.slave).count(1) <= 6
        assert addresses(line.slave).count(1) == addresses(line.slave).count(100)

    played(tmp_path, story)


def test_units_of_one_bus_keep_their_turns_apart_also_behind_a_hurry(tmp_path):
    def apart(slave):
        """Seconds from each question for unit 1 to the next one for unit 2."""
        asked = [(at, request[0]) for at, request in zip(slave.heard_at, slave.requests, strict=True)]
        first = [at for at, unit in asked if unit == 1]
        return [min(at - one for at, unit in asked if unit == 2 and at > one) for one in first[:-2]]

    async def run():
        line = Line(tmp_path)
        try:
            async with polled(line.bus, ONE, 1) as (one, _), polled(line.bus, ONE, 2, offset_s=0.5) as (two, _):
                await asyncio.sleep(3.3)
                for poller in (one, two):
                    poller.hurry({"a"})
                await asyncio.sleep(2.0)
                line.begin(lambda n: ANSWERS_S)
                await asyncio.sleep(6.0)
                assert apart(line.slave) == pytest.approx([0.5] * len(apart(line.slave)), abs=0.06)
                assert len(apart(line.slave)) >= 3
        finally:
            line.close()

    VirtualClock().run(run())


def test_a_silent_unit_is_never_hurried(tmp_path):
    async def story(line, poller, _seen):
        line.begin(lambda n: None)
        await asyncio.sleep(60.0)
        line.slave.requests.clear()
        for _ in range(20):
            poller.hurry({"a"})
            await asyncio.sleep(0.5)
        assert len(line.slave.requests) <= 6, "as seldom as ever: every 2 s, alone on its bus"

    played(tmp_path, story)


def test_no_two_questions_for_a_unit_are_of_one_length_and_what_is_wanted_exactly_has_no_second_form():
    blocks = SMALL.blocks()
    again = SMALL.second_asks(blocks)
    assert {b.address: b.count for b in again.values()} == {1: 3, 100: 4}
    assert len({b.count for b in (*blocks, *again.values())}) == 4, "no two of one length"
    exactly = msgspec.structs.replace(SMALL, read=Read(exact=((1, 1),)))
    assert Block(1, 1) not in exactly.second_asks(exactly.blocks())
    as_they_are = msgspec.structs.replace(SMALL, read=Read(bridge=0))
    assert as_they_are.second_asks(as_they_are.blocks()) == {}
