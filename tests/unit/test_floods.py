"""What anybody can send as often as he likes costs little."""

import asyncio
from pathlib import Path

import pytest

from appliance.logins import Logins
from appliance.people import MOST_NAMES, TRIES, People, WrongPassword, set_password
from appliance.sparing import MOST, SAID_AGAIN, WITHIN, Sparing
from drivers.jsonsocket import Client, Message, Peer, Refusal, Server


def test_a_flaw_is_told_at_once_and_again_only_after_a_while() -> None:
    sparing = Sparing()
    assert sparing.says("a", 0.0)
    assert not sparing.says("a", SAID_AGAIN - 0.1)
    assert sparing.says("b", SAID_AGAIN - 0.1)
    assert sparing.says("a", SAID_AGAIN)


def test_ever_new_flaws_are_told_only_so_many_times_and_the_next_time_again() -> None:
    sparing = Sparing()
    assert sum(sparing.says(f"{n}", n * 0.01) for n in range(10_000)) == MOST
    assert sparing.says("new", WITHIN + 100)


async def guess(people: People, name: str, now: float) -> str:
    try:
        await people.login(name, "wrong", now)
    except WrongPassword as e:
        return e.reason
    return "in"


async def test_many_bogus_names_do_not_open_a_name_to_guessing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("appliance.people._hash", lambda password, salt: "no")
    people = People(tmp_path / "people.json", Logins(None))
    for n in range(MOST_NAMES // 2):
        await guess(people, f"bogus{n}", 0.0)
    told = [await guess(people, "kapten", 1.0) for _ in range(TRIES + 3)]
    assert told == ["wrong"] * TRIES + ["slow_down"] * 3


async def test_guesses_made_at_the_same_moment_are_all_counted(tmp_path: Path) -> None:
    people = People(tmp_path / "people.json", Logins(None))
    told = await asyncio.gather(*(guess(people, "kapten", 1.0) for _ in range(TRIES + 3)))
    assert sorted(told) == ["slow_down"] * 3 + ["wrong"] * TRIES


async def test_a_right_password_clears_the_count(tmp_path: Path) -> None:
    people = People(tmp_path / "people.json", Logins(None))
    set_password(tmp_path / "people.json", "kapten", "operator", "right")
    for _ in range(2):
        for _ in range(TRIES - 1):
            assert await guess(people, "kapten", 1.0) == "wrong"
        await people.login("kapten", "right", 1.0)


async def test_a_request_that_fails_by_a_fault_is_answered_at_once(tmp_path: Path) -> None:
    async def fails(_peer: Peer, message: Message) -> object:
        return {}[message["do"]]

    server = Server(tmp_path / "s.sock", fails)
    await server.start()
    client = Client(tmp_path / "s.sock")
    await client.connect()
    with pytest.raises(Refusal) as refused:
        await client.request({"do": "x"}, timeout=2.0)
    assert refused.value.code == "fault"
    client.close()
    await server.stop()
