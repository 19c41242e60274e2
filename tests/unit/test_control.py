"""The control socket: people, tokens, rows without gaps."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from appliance import events as ev
from appliance.call_commands import AnswerCall
from appliance.commands import AnyCommand
from appliance.control import RING, Control
from appliance.journal import Journal
from appliance.logins import Logins
from appliance.people import TRIES, People, set_password
from appliance.stamp import Stamp
from appliance.state import Link
from appliance.view import View
from drivers.clock import Clock
from drivers.jsonsocket import Client, Message, Refusal

PASSWORD = "correct horse"


class Node:
    """A journal and a control socket without rooms."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.clock, self.obeyed = folder, Clock(), list[tuple[AnyCommand, str]]()
        self.links: dict[str, Link] = {}
        self.people = People(folder / "people.json", Logins(folder / "logins.json"))
        set_password(folder / "people.json", "operator", "operator", PASSWORD)
        self.journal = Journal(folder / "j.db", self.clock, "b", lambda: "ntp", lambda e: self.control.on_entry(e))
        self.control = Control(
            folder / "c.sock", folder / "j.db", self.journal, self.clock, self.people, self.view, self.obey
        )

    def view(self) -> View:
        return cast(View, SimpleNamespace(links=self.links))

    async def obey(self, command: AnyCommand, actor: str) -> Any:
        self.obeyed.append((command, actor))
        return {"done": True}

    async def client(self) -> tuple[Client, list[Message]]:
        pushes: list[Message] = []
        client = Client(self.folder / "c.sock", pushes.append)
        await client.connect()
        return client, pushes


@pytest.fixture
async def node(tmp_path: Path) -> AsyncIterator[Node]:
    node = Node(tmp_path)
    node.journal.open()
    await node.control.start()
    yield node
    await node.control.stop()
    node.journal.close()


async def test_a_command_with_a_token_is_obeyed_as_its_holder(node: Node) -> None:
    client, _ = await node.client()
    token = (await client.request({"do": "login", "name": "operator", "password": PASSWORD}))["token"]
    await client.request({"do": "call.answer", "line": "l1", "token": token})
    assert node.obeyed == [(AnswerCall(line="l1"), "operator")]
    await client.request({"do": "logout", "token": token})
    with pytest.raises(Refusal, match="login has ended"):
        await client.request({"do": "call.answer", "line": "l1", "token": token})


async def test_a_restart_of_core_logs_nobody_out_and_no_token_lies_on_disk(node: Node) -> None:
    client, _ = await node.client()
    token = (await client.request({"do": "login", "name": "operator", "password": PASSWORD}))["token"]
    logins = node.folder / "logins.json"
    assert token not in logins.read_text()
    assert logins.stat().st_mode & 0o077 == 0
    again = Logins(logins)
    holder = again.holder(token, node.clock.now())
    assert holder is not None
    assert holder.name == "operator"
    assert again.holder(token, holder.ends) is None
    again.end(token)
    assert Logins(logins).holder(token, node.clock.now()) is None


async def test_a_token_that_nobody_gave_out_orders_nothing(node: Node) -> None:
    client, _ = await node.client()
    for token in ("", "made-up", None):
        with pytest.raises(Refusal, match="login has ended"):
            await client.request({"do": "call.answer", "line": "l1", "token": token})
    assert not node.obeyed


async def test_the_console_orders_as_the_person_at_it(node: Node) -> None:
    client, _ = await node.client()
    await client.request({"do": "call.answer", "line": "l1"})
    assert node.obeyed[0][1].startswith("console:")


async def test_a_wrong_password_is_journaled_and_guessing_is_slowed(node: Node) -> None:
    client, _ = await node.client()
    for _ in range(TRIES):
        with pytest.raises(Refusal, match="Name or password is wrong"):
            await client.request({"do": "login", "name": "operator", "password": "no"})
    with pytest.raises(Refusal, match="Too many wrong"):
        await client.request({"do": "login", "name": "operator", "password": PASSWORD})
    rows = (await client.request({"do": "journal", "last": 50}))["rows"]
    assert [r["body"]["reason"] for r in rows if r["kind"] == "person.login_refused"] == ["wrong"] * TRIES + [
        "slow_down"
    ]


async def test_trouble_with_tls_is_a_lost_link_told_once(node: Node) -> None:
    client, _ = await node.client()
    for why in ("", "/x/authority.pem: mode", "/x/authority.pem: mode", ""):
        await client.request({"do": "web.tls", "why": why})
        if why:
            node.links["tls"] = Link(False, Stamp(1, 0.0, 0.0, "b", ""), why)
    rows = (await client.request({"do": "journal", "after": 0}))["rows"]
    assert [(r["kind"], r["body"]) for r in rows] == [
        ("system.link_lost", {"link": "tls", "reason": "/x/authority.pem: mode"})
    ], "it is back within ten seconds: told when it stays so"
    client.close()


async def test_a_command_with_a_wrong_field_is_refused_whole(node: Node) -> None:
    client, _ = await node.client()
    for fields in ({}, {"line": 3}, {"line": "l1", "speed": 2}):
        with pytest.raises(Refusal, match=r"call\.answer"):
            await client.request({"do": "call.answer", **fields})
    with pytest.raises(Refusal, match="There is no 'dance' here"):
        await client.request({"do": "dance"})
    assert not node.obeyed


async def test_a_subscriber_gets_every_row_from_where_it_was_once_and_in_order(node: Node) -> None:
    for n in range(30):
        node.journal.append(ev.Stopped(reason=f"{n}"))
    client, pushes = await node.client()
    assert (await client.request({"do": "subscribe", "after": 10}))["seq"] == 30
    for n in range(30, 40):
        node.journal.append(ev.Stopped(reason=f"{n}"))
    async with asyncio.timeout(5):
        while len(pushes) < 30:
            await asyncio.sleep(0.005)
    assert [p["entry"]["seq"] for p in pushes] == list(range(11, 41))


async def test_rows_that_left_the_ring_are_read_from_the_file(node: Node) -> None:
    for n in range(RING + 50):
        last = node.journal.append(ev.Stopped(reason=f"{n}"))
    assert await last.durable(20)
    client, _ = await node.client()
    rows = (await client.request({"do": "journal", "after": 5, "last": 20}))["rows"]
    assert [r["seq"] for r in rows] == list(range(6, 26))
    with pytest.raises(Refusal, match="Read them with `journal` first"):
        await client.request({"do": "subscribe", "after": 1})
