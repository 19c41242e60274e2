"""Signatures verified beside core: by a real process, that is wrong about nothing and whose death costs nothing."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from appliance.alerting import foresight
from appliance.alerting.foresight import Foresight
from appliance.alerting.wire import Answer, What, WireError, decode_answer, encode_answer
from appliance.keys import key_id

KEYS = [Ed25519PrivateKey.generate() for _ in range(2)]
IDS = [key_id(key.public_key()) for key in KEYS]
STATIONS = {number: {IDS[number - 1]: KEYS[number - 1].public_key()} for number in (1, 2)}
WITHIN = 20.0  # s; an interpreter on a busy machine


def answer(counter: int, station: int = 1) -> bytes:
    said = Answer(
        what=What.ALIVE, station=station, key=IDS[station - 1], session=b"session.", counter=counter, uptime_s=9
    )
    return encode_answer(said, KEYS[station - 1])


@contextlib.asynccontextmanager
async def running() -> AsyncIterator[Foresight]:
    ahead = Foresight(STATIONS)
    task = asyncio.create_task(ahead.run())
    try:
        async with asyncio.timeout(WITHIN):
            while ahead._process is None:
                await asyncio.sleep(0.01)
        yield ahead
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def proven(ahead: Foresight, messages: list[bytes]) -> None:
    begun = ahead.look_ahead(messages)
    assert begun is not None
    await begun


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(foresight, "WITHIN", WITHIN)


@pytest.mark.usefixtures("patient")
async def test_what_is_rightly_signed_is_proven_and_nothing_else() -> None:
    async with running() as ahead:
        good = [answer(n, 1 + n % 2) for n in range(1, 41)]
        forged = [data[:-1] + bytes([data[-1] ^ 1]) for data in good]
        mixed = [data for pair in zip(good, forged, strict=True) for data in pair]
        await proven(ahead, [*mixed, b"", b"\x81", good[0][:-1], bytes(118)])
        assert set(ahead.proven) == set(good)
        for data in good:
            assert decode_answer(data, STATIONS, ahead.proven) == decode_answer(data, STATIONS)
        for data in forged:
            with pytest.raises(WireError):
                decode_answer(data, STATIONS, ahead.proven)


@pytest.mark.usefixtures("patient")
async def test_a_key_that_was_revoked_since_or_another_one_counts_for_nothing() -> None:
    async with running() as ahead:
        messages = [answer(n) for n in range(1, 11)]
        await proven(ahead, messages)
    with pytest.raises(WireError, match="not enrolled"):
        decode_answer(messages[0], {1: {}}, ahead.proven)
    other = {1: {IDS[0]: KEYS[1].public_key()}}  # an id that two keys have
    with pytest.raises(WireError, match="signature"):
        decode_answer(messages[0], other, ahead.proven)


async def test_few_messages_and_a_process_that_is_not_there_are_left_to_core() -> None:
    many = [answer(n) for n in range(1, 21)]
    assert Foresight(STATIONS).look_ahead(many) is None
    async with running() as ahead:
        assert ahead.look_ahead(many[:3]) is None


async def test_a_process_that_hangs_is_not_waited_for_and_is_killed() -> None:
    async with running() as ahead:
        process = ahead._process
        assert process is not None
        process.send_signal(19)  # SIGSTOP
        async with asyncio.timeout(WITHIN):  # an end at all; how long one waits is `foresight.WITHIN`
            for n in range(foresight.MOST_ASKED):
                await proven(ahead, [answer(m) for m in range(n * 20 + 1, n * 20 + 21)])
        assert ahead.proven == {}
        assert ahead.look_ahead([answer(n) for n in range(1, 21)]) is None
        async with asyncio.timeout(WITHIN):
            assert await process.wait() != 0  # -9, or 255 where a second kill took its end from asyncio's watcher


@pytest.mark.usefixtures("patient")
async def test_a_process_that_dies_in_the_middle_holds_nobody_up() -> None:
    ahead = Foresight(STATIONS)
    task = asyncio.create_task(ahead.run())
    async with asyncio.timeout(WITHIN):
        while ahead._process is None:
            await asyncio.sleep(0.01)
        ahead._process.send_signal(19)
        begun = ahead.look_ahead([answer(n) for n in range(1, 21)])
        assert begun is not None
        ahead._process.kill()
        await begun
        await task  # it ends, for its owner to start again
    assert ahead.look_ahead([answer(n) for n in range(1, 21)]) is None


@pytest.mark.usefixtures("patient")
async def test_what_is_kept_as_proven_is_bounded() -> None:
    async with running() as ahead:
        messages = [answer(n) for n in range(1, foresight.MOST_PROVEN + 101)]
        for at in range(0, len(messages), 50):
            await proven(ahead, messages[at : at + 50])
        assert list(ahead.proven) == messages[-foresight.MOST_PROVEN :]
