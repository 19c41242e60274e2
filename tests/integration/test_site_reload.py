"""A changed site file is taken over by running processes: what sounds is not touched, what is open goes on."""

import asyncio
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
import tomli_w

from appliance.entry import Entry
from appliance.events import SiteRefused, SiteTaken, Started
from appliance.journal import follow_chain
from appliance.journal_file import read_entries
from drivers.jsonsocket import Client, Gone
from drivers.sim.knobs import turn

WITHIN = 30.0  # s for processes on a busy machine

SITE: dict[str, Any] = {
    "role": "centre", "site": "ambon", "id": "pusat", "name": "Pusat",
    "annunciator": {
        "socket": "run/a.sock", "factory": "mock", "knobs": "run/k.sock",
        "output": {
            "siren": {"pin": 17, "kind": "siren", "max_s": 600},
            "amber": {"pin": 22, "kind": "light"},
            "genset": {"pin": 25, "kind": "start", "max_s": 600},
        },
    },
    "own": {"id": "pusat", "number": 1, "siren": "siren"},
    "station": [{"id": "pusat", "number": 1, "name": "Pusat", "local": True}],
}  # fmt: skip


async def page(port: int) -> str:
    async with httpx.AsyncClient() as client:
        return (await client.get(f"http://127.0.0.1:{port}/stations")).text


class Node:
    """Annunciator and core, as processes."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.file = folder, folder / "site.toml"
        self.site = msgspec.json.decode(msgspec.json.encode(SITE))
        (folder / "run").mkdir()
        self.save()
        self.annunciator, self.core = self._start("annunciator"), self._start("core")

    def save(self) -> None:
        self.file.write_text(tomli_w.dumps(self.site))

    def _start(self, name: str) -> subprocess.Popen[bytes]:
        with (self.folder / f"{name}.log").open("wb") as said:
            command = [sys.executable, "-m", "appliance.cli", name, "--config", str(self.file)]
            return subprocess.Popen(command, stdout=said, stderr=said)

    async def siaga(self, *words: str) -> tuple[int, str]:
        command = [sys.executable, "-m", "appliance.cli", words[0], *words[1:], "--config", str(self.file)]
        process = await asyncio.create_subprocess_exec(
            *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
        )
        said, _ = await asyncio.wait_for(process.communicate(), WITHIN)
        assert process.returncode is not None
        return process.returncode, said.decode()

    async def ask(self, do: str, **fields: Any) -> Any:
        client = Client(self.folder / "run/control.sock")
        await client.connect()
        try:
            return await client.request({"do": do, **fields}, timeout=10.0)
        finally:
            client.close()

    async def until(self, what: Callable[[], Any], said: str) -> None:
        try:
            async with asyncio.timeout(WITHIN):
                while not await self._is(what):
                    await asyncio.sleep(0.05)
        except TimeoutError:
            logs = "\n".join((self.folder / f"{name}.log").read_text()[-2000:] for name in ("core", "annunciator"))
            raise AssertionError(f"{said} did not come:\n{logs}") from None

    async def _is(self, what: Callable[[], Any]) -> bool:
        try:
            return bool(await what())
        except Gone:
            return False

    async def ready(self) -> bool:
        view = await self.ask("view")
        return bool(view["links"].get("annunciator", {}).get("up"))

    def rows(self) -> list[Entry]:
        return list(read_entries(self.folder / "state/journal.db"))

    def events(self, *kinds: type) -> list[Any]:
        return [row.event for row in self.rows() if isinstance(row.event, kinds)]

    async def levels(self) -> list[tuple[float, float]]:
        return [
            (one["at"], one["value"]) for one in await turn(self.folder / "run/k.sock", "pins.record", name="siren")
        ]

    def end(self) -> None:
        for process in (self.core, self.annunciator):
            process.send_signal(signal.SIGTERM)
            process.wait(WITHIN)


@asynccontextmanager
async def running(folder: Path) -> AsyncIterator[Node]:
    node = Node(folder)
    try:
        await node.until(node.ready, "core has its annunciator")
        yield node
    finally:
        node.end()


@pytest.fixture
def folder() -> Iterator[Path]:
    made = Path(tempfile.mkdtemp(prefix="siaga-r-"))
    yield made
    shutil.rmtree(made)


async def test_a_siren_sounds_on_while_its_limit_and_the_stations_change(folder: Path) -> None:
    async with running(folder) as node:
        code, said = await node.siaga("alert", "sound", "pusat", "--seconds", "8")
        assert code == 0, said
        node.site["annunciator"]["output"]["siren"]["max_s"] = 3
        node.site["own"]["max_s"] = 3
        node.site["annunciator"]["output"]["beacon"] = {"pin": 23, "kind": "light"}
        node.site["station"].append({"id": "damkar", "number": 7, "name": "Damkar", "phone": "+62000000001"})
        node.save()
        pid = (await node.ask("hello"))["pid"]
        code, said = await node.siaga("reload")
        assert code == 0, said
        assert "Waits until it is off: siren." in said
        away = float(re.search(r"with it, ([0-9.]+) s later", said)[1])  # type: ignore[index]
        assert away < 10, "some 0.4 s on a quiet PC"
        assert (await node.ask("hello"))["pid"] == pid, "no process was started"
        assert [s["id"] for s in (await node.ask("view"))["stations"]] == ["pusat", "damkar"]

        async def over() -> bool:
            return (await node.levels())[-1][1] == 0

        began = (await node.levels())[-1]
        assert began[1] == 1, "it sounds"
        await node.until(over, "the order's end")
        levels = await node.levels()
        on, off = levels[-2:]
        assert on == began, "nothing between its begin and its end"
        assert off[0] - on[0] == pytest.approx(8, abs=0.8)

        async def ended() -> bool:
            return "alert.ended" in {row.kind for row in node.rows()} or "delivery.ended" in {
                r.kind for r in node.rows()
            }

        await node.until(ended, "core wrote the end of an order that it gave before")
        taken = [(row.actor, row.event) for row in node.rows() if isinstance(row.event, SiteTaken)]
        assert taken[0][0].startswith("console:")
        assert set(taken[0][1].changed) == {"annunciator", "own", "station"}
        assert taken[0][1].waiting == ("siren",)
        assert len(taken) == 1
    assert follow_chain(read_entries(folder / "state/journal.db")) is None


async def test_a_wrong_file_is_refused_whole_and_told(folder: Path) -> None:
    async with running(folder) as node:
        node.site["annunciator"]["output"]["siren"]["pin"] = 99
        node.site["station"].append({"id": "pusat", "number": 7, "name": "Twice"})
        node.save()
        code, said = await node.siaga("reload")
        assert code == 2
        assert "annunciator.output.siren.pin" in said
        assert "stands there twice" in said
        node.core.send_signal(signal.SIGHUP)

        async def refused() -> bool:
            return bool(node.events(SiteRefused))

        await node.until(refused, "the refusal is in the journal")
        assert node.events(SiteRefused)[0].code == "site"
        assert [s["id"] for s in (await node.ask("view"))["stations"]] == ["pusat"]
        assert node.events(SiteTaken) == []


async def test_what_a_box_is_does_not_change_while_it_runs(folder: Path) -> None:
    async with running(folder) as node:
        node.site["site"] = "tual"
        node.save()
        code, said = await node.siaga("reload")
        assert code == 1
        assert "what the box is" in said
        node.site["site"] = "ambon"
        node.save()
        assert (await node.siaga("reload")) == (0, "Nothing is different from what is in force.\n")


async def test_while_a_start_contact_is_held_nothing_is_taken_over(folder: Path) -> None:
    async with running(folder) as node:
        holds = Client(folder / "run/a.sock")
        await holds.connect()
        await holds.request({"do": "hello"}, timeout=5.0)
        await holds.request({"do": "hold", "output": "genset", "on": True}, timeout=5.0)
        node.site["name"] = "Pusat baru"
        node.save()
        code, said = await node.siaga("reload")
        assert code == 1
        assert "genset holds a generator's start input" in said
        assert "end of its order" in said
        levels = await turn(folder / "run/k.sock", "pins.record", name="genset")
        assert [one["value"] for one in levels][-1] == 1, "it did not even open for a moment"
        assert len([one for one in levels if one["value"]]) == 1
        assert node.events(SiteRefused)[-1].code == "held"
        await holds.request({"do": "hold", "output": "genset", "on": False}, timeout=5.0)
        holds.close()
        assert (await node.siaga("reload"))[0] == 0


async def test_a_change_while_core_was_down_is_in_the_journal(folder: Path) -> None:
    async with running(folder) as node:
        node.core.send_signal(signal.SIGTERM)
        node.core.wait(WITHIN)
        node.site["name"] = "Pusat baru"
        node.save()
        node.core = node._start("core")
        await node.until(node.ready, "core is back")
        assert [event.changed for event in node.events(SiteTaken)] == [("name",)]
        assert len(node.events(Started)) == 2


async def test_pages_name_what_the_new_file_names(folder: Path) -> None:
    async with running(folder) as node:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = int(free.getsockname()[1])
        node.site["web"] = {"port": port}
        node.save()
        assert (await node.siaga("reload"))[0] == 0
        web = node._start("web")

        async def shown(name: str) -> bool:
            try:
                return name in await page(port)
            except httpx.HTTPError:
                return False

        try:
            await node.until(lambda: shown("Pusat"), "the page")
            node.site["station"].append({"id": "damkar", "number": 7, "name": "Damkar Baru", "phone": "+62000000001"})
            node.save()
            assert (await node.siaga("reload"))[0] == 0
            await node.until(lambda: shown("Damkar Baru"), "the new station on the page")
            assert web.poll() is None
        finally:
            web.send_signal(signal.SIGTERM)
            web.wait(WITHIN)
