"""`siaga web` beside a real core: logins, orders into the journal, the stream, and what is left when core has gone."""

import asyncio
import json
import re
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import tomli_w

from appliance.config import load_site, places
from appliance.journal_file import read_entries
from appliance.people import set_password
from web.guard import MOST_BODY

ROOT = Path(__file__).parents[2]
START_WITHIN = 20.0  # s; two interpreters on a busy machine
PASSWORD = "abcd-efgh-jkmn"
JSON = {"Content-Type": "application/json"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


async def until(condition: Callable[[], bool | Awaitable[bool]], within: float = START_WITHIN) -> None:
    async with asyncio.timeout(within):
        while True:
            held = condition()
            if held if isinstance(held, bool) else await held:
                return
            await asyncio.sleep(0.02)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


class Node:
    """A centre with one station of its own, no modem, no meter: what core does without them."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.file = folder / "site.toml"
        site = {
            "role": "centre",
            "site": "ambon",
            "id": "pusat",
            "name": "Pusat",
            "web": {"port": self.port},
            "annunciator": {
                "socket": "annunciator.sock",
                "factory": "mock",
                "output": {"siren": {"pin": 17, "kind": "siren", "max_s": 600}},
            },
            "own": {"id": "pusat", "number": 1, "siren": "siren"},
            "station": [{"id": "pusat", "number": 1, "name": "Pusat", "local": True}],
        }
        self.file.write_text(tomli_w.dumps(site))
        self.where = places(load_site(self.file), self.file)
        set_password(self.where.people, "budi", "operator", PASSWORD)
        self.url = f"http://127.0.0.1:{self.port}"
        self._processes: dict[str, asyncio.subprocess.Process] = {}

    async def start(self, name: str) -> None:
        module = ["appliance.cli", "core"] if name == "core" else ["web"]
        self._processes[name] = await asyncio.create_subprocess_exec(
            sys.executable, "-m", *module, "--config", str(self.file), cwd=ROOT, stderr=asyncio.subprocess.DEVNULL
        )
        await until(self.where.control.exists if name == "core" else self._serves)

    async def _serves(self) -> bool:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", self.port)
        except OSError:
            return False
        writer.close()
        return True

    async def end(self, name: str) -> int:
        process = self._processes.pop(name)
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        return await process.wait()

    async def end_all(self) -> None:
        for name in list(self._processes):
            await self.end(name)

    def journal(self, kind: str) -> list[tuple[str, dict[str, Any]]]:
        """Actor and body of the rows of one kind."""
        return [(e.actor, json.loads(e.body)) for e in read_entries(self.where.journal) if e.kind == kind]


@pytest.fixture
async def node(tmp_path: Path) -> AsyncIterator[Node]:
    node = Node(tmp_path)
    try:
        await node.start("core")
        await node.start("web")
        yield node
    finally:
        await node.end_all()


@asynccontextmanager
async def browser(node: Node, *, login: bool = True) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=node.url, timeout=10.0) as client:
        if login:
            await until(lambda: _logged_in(client), 10.0)
        yield client


async def _logged_in(client: httpx.AsyncClient) -> bool:
    answer = await client.post("/login", data={"name": "budi", "password": PASSWORD})
    return answer.headers["location"] == "/"


async def events(client: httpx.AsyncClient, after: str | None = None) -> AsyncIterator[tuple[int, str]]:
    """Ids and data of a stream's events."""
    headers = {} if after is None else {"Last-Event-ID": after}
    async with client.stream("GET", "/events?seq=0", headers=headers) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        number, data = 0, []
        async for line in answer.aiter_lines():
            if line.startswith("id: "):
                number = int(line[4:])
            elif line.startswith("data: "):
                data.append(line[6:])
            elif not line and data:
                yield number, "\n".join(data)
                data = []


async def until_html(stream: AsyncIterator[tuple[int, str]], text: str) -> AsyncIterator[tuple[int, str]]:
    """A stream's events up to the first that has a text."""
    async for number, html in stream:
        yield number, html
        if text in html:
            return


async def test_what_the_page_gives_is_in_the_journal_with_its_giver_before_the_page_says_so(node: Node) -> None:
    async with browser(node) as client:
        order = {"stations": ["pusat"], "pattern": "yelp", "seconds": "90", "kind": "actual", "key": "k1"}
        told = (await client.post("/alert", data=order)).json()
        assert (told["ok"], told["durable"], told["repeated"]) == (True, True, False)
        [(actor, body)] = node.journal("alert.issued")
        assert actor == "budi"
        assert (body["alert"], body["stations"], body["pattern"], body["seconds"], body["via"]) == (
            told["alert"], ["pusat"], "yelp", 90, "page",
        )  # fmt: skip
        again = (await client.post("/alert", json={**order, "seconds": 90})).json()
        assert (again["alert"], again["repeated"]) == (told["alert"], True)
        stop = (await client.post("/alert/stop", data={"alerts": told["alert"]})).json()
        assert stop["alerts"] == [told["alert"]]
        assert [actor for actor, _ in node.journal("alert.stopped")] == ["budi"]
        text = {"number": "0812 5550 404", "text": "Kapal\nSiwalima’", "key": "k2"}
        for repeated in (False, True):
            told = (await client.post("/message", data=text)).json()
            assert (told["ok"], told["durable"], told["repeated"], told["parts"]) == (True, True, repeated, 1)
        [(actor, body)] = node.journal("sms.queued")
        assert (actor, body["number"], body["text"]) == ("budi", "08125550404", text["text"])
        assert "Siwalima" in (await client.get("/messages")).text
        refused = (await client.post("/message", data={**text, "number": "112", "key": "k3"})).json()
        assert (refused["code"], "nomor darurat" in refused["text"]) == ("bad_number", True)


async def test_without_a_login_nothing_is_ordered_though_web_runs_as_cores_own_user(node: Node) -> None:
    async with browser(node, login=False) as client:
        for path in ("/alert", "/alert/stop", "/call/answer", "/call/hangup", "/alarm/acknowledge", "/message"):
            answer = await client.post(
                path,
                data={
                    "stations": "pusat",
                    "line": "l1",
                    "alarm": "x",
                    "about": "y",
                    "number": "08125550404",
                    "text": "x",
                },
            )
            assert (answer.status_code, answer.json()["code"]) == (401, "login"), path
        client.cookies.set("siaga", "no-token-of-ours")
        assert (await client.post("/alert", data={"stations": "pusat"})).status_code == 401
        wrong = await client.post("/login", data={"name": "budi", "password": "x"})
        assert wrong.headers["location"] == "/?login=wrong"
    assert node.journal("alert.issued") == []
    await until(lambda: [body["name"] for _, body in node.journal("person.login_refused")] == ["budi"])


async def test_what_cannot_be_meant_is_refused_and_does_nothing(node: Node) -> None:
    async with browser(node) as client:
        for fields, status in (
            ({"stations": "nowhere"}, 409),
            ({"stations": "pusat", "seconds": "soon"}, 409),
            ({"stations": "pusat", "pattern": "<b>"}, 409),
            ({"stations": "pusat", "kind": "joke"}, 409),
            ({}, 409),
        ):
            answer = await client.post("/alert", data=fields)
            assert (answer.status_code, answer.json()["ok"]) == (status, False), fields
        for path in ("/alert", "/alert/stop"):
            assert (await client.post(path, content=b"x" * (MOST_BODY + 1), headers=FORM)).status_code == 413
            assert (
                await client.post(path, content=b"[1]", headers={"Content-Type": "application/json"})
            ).status_code == 400
        assert (await client.get("/alert")).status_code == 405
        for path in ("/docs", "/redoc", "/openapi.json"):
            assert (await client.get(path)).status_code == 404
    assert node.journal("alert.issued") == []


async def test_a_post_that_another_sites_page_made_is_refused(node: Node) -> None:
    async with browser(node) as client:
        for headers in (
            {"Origin": "http://evil.example"},
            {"Origin": "null"},
            {"Origin": f"{node.url}0"},
            {"Sec-Fetch-Site": "cross-site"},
        ):
            assert (await client.post("/alert", data={"stations": "pusat"}, headers=headers)).status_code == 403
        assert node.journal("alert.issued") == []
        own = await client.post("/alert", data={"stations": "pusat"}, headers={"Origin": node.url})
        assert own.status_code == 200


async def test_a_stream_carries_the_journals_seq_and_resumes_behind_the_last_one(node: Node) -> None:
    async with browser(node) as client:
        stream = events(client)
        first, html = await anext(stream)
        assert 'hx-target="#power"' in html
        assert first > 0
        await client.post("/alert", data={"stations": "pusat", "key": "k"})
        async with asyncio.timeout(10):
            shown = [n async for n, html in until_html(stream, "Hentikan</button>")][-1]
        [row] = [e for e in read_entries(node.where.journal) if e.kind == "alert.issued"]
        assert shown >= row.seq > first
        await stream.aclose()

        async with asyncio.timeout(20):  # core misses its annunciator after 2 s, and the page has heard of it
            while "Annunciator tidak menjawab" not in (await client.get("/")).text:
                await asyncio.sleep(0.05)
        again = events(client, after="1")
        number, html = await anext(again)
        missed = re.search(r"Tersambung lagi\. (\d+) peristiwa", html)
        assert missed is not None
        assert int(missed[1]) == number - 1
        assert 'hx-target="#shout" hx-swap="innerHTML">Annunciator tidak menjawab' in html  # of priority 1
        await again.aclose()

        async for _, html in events(client, after=str(number)):
            assert 'id="alarms"' in html
            assert 'hx-target="#shout"' not in html  # it was called out before
            break


async def test_a_stopped_core_leaves_the_journal_as_history(node: Node) -> None:
    async with browser(node) as client:
        told = (await client.post("/alert", data={"stations": "pusat", "key": "k"})).json()
    assert await node.end("web") == 0
    assert await node.end("core") == 0
    await node.start("web")
    async with browser(node, login=False) as client:

        async def history() -> bool:
            return "hanya catatan jurnal" in (await client.get("/")).text

        await until(history)
        html = (await client.get("/")).text
        assert told["alert"][:4].upper() in html  # the order is still open, and no one knows how it stands
        assert "Ini riwayat, bukan keadaan sekarang" in html
        assert (
            "login=gone"
            in (await client.post("/login", data={"name": "budi", "password": PASSWORD})).headers["location"]
        )
        assert (await client.post("/alert", data={"stations": "pusat"})).json()["code"] == "core_gone"
        await node.start("core")

        async def alive() -> bool:
            return "hanya catatan jurnal" not in (await client.get("/")).text

        await until(alive)


async def test_it_ends_at_once_while_streams_are_open(node: Node) -> None:
    async with browser(node) as client:
        stream = events(client)
        await anext(stream)
        asked = time.monotonic()
        assert await node.end("web") == 0
        assert time.monotonic() - asked < 5.0  # longer, and its supervisor kills it
        rest = [n async for n, _ in stream]  # the stream ends, it is not torn off
        assert len(rest) < 5


async def test_answers_never_wait_for_an_acknowledgement_of_their_first_half(node: Node) -> None:
    async with browser(node) as client:
        for _ in range(100):  # one that is quick is enough, and a busy machine makes most of them slow
            began = time.perf_counter()
            (await client.post("/message/count", data={"text": "air naik"})).raise_for_status()
            took = time.perf_counter() - began
            if took < 0.03:
                break
    assert took < 0.03  # with Nagle's algorithm none is below 0.04, however fast the machine


async def test_a_port_that_is_taken_is_said_so_with_what_to_do(tmp_path: Path) -> None:
    node = Node(tmp_path)
    with socket.create_server(("127.0.0.1", node.port)):
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "web", "--config", str(node.file), cwd=ROOT, stderr=asyncio.subprocess.PIPE
        )
        _, said = await asyncio.wait_for(process.communicate(), START_WITHIN)
    assert process.returncode == 1
    assert f"127.0.0.1:{node.port} cannot be served (Address already in use)" in said.decode()
    assert "web.port" in said.decode()
