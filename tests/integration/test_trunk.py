"""The 112 trunk's watch: real datagrams, a simulated gateway that can be dead, and sipp as a stranger at either end."""

import asyncio
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from appliance.annunciator_config import AnnunciatorConfig
from appliance.config import Site, Trunk
from appliance.entry import Entry
from appliance.events import TrunkLost, TrunkRestored
from appliance.fold import apply
from appliance.journal import Journal
from appliance.model import Role
from appliance.state import State
from appliance.trunk.watch import TrunkWatch
from appliance.trunk_events import TrunkDegraded
from appliance.trunk_view import WitnessView
from drivers.clock import Clock, VirtualClock
from drivers.jsonsocket import Refusal
from drivers.sim.knobs import turn
from drivers.sim.trunk import Gateway, knobs_of
from drivers.sip import NoAnswer, Options, Probe

SPEED = 10.0  # with sipp, which knows no virtual time
PATIENCE = 200.0  # s of the scaled loop: 20 s of life
ROOT = Path(__file__).parents[2]


def scaled(story: Callable[[], Awaitable[None]]) -> None:
    async def main() -> None:
        await story()

    Clock(SPEED).run(main())


# The simulated gateway, on a story's own loop and as a process


class There:
    """A gateway by its port and its knobs."""

    def __init__(self, port: int, knobs: Path) -> None:
        self.port, self._knobs = port, knobs

    async def turn(self, do: str, **args: Any) -> Any:
        return await turn(self._knobs, do, timeout=PATIENCE, **args)

    async def until(self, counter: str, more: int) -> None:
        """Wait until the status counts so many more."""
        wanted = (await self.turn("status"))[counter] + more
        async with asyncio.timeout(PATIENCE):
            while (await self.turn("status"))[counter] < wanted:
                await asyncio.sleep(1.0)


@asynccontextmanager
async def gateway_here(folder: Path) -> AsyncIterator[There]:
    loop = asyncio.get_running_loop()
    transport, made = await loop.create_datagram_endpoint(Gateway, local_addr=("127.0.0.1", 0))
    knobs = knobs_of(made, folder / "trunk.sock")
    try:
        await knobs.start()
        yield There(made.port, folder / "trunk.sock")
    finally:
        await knobs.stop()
        transport.close()


@contextmanager
def gateway_process(folder: Path) -> Iterator[There]:
    """`python -m drivers.sim.trunk`."""
    knobs = folder / "trunk.sock"
    command = [sys.executable, "-m", "drivers.sim.trunk", "--port", "0", "--knobs", str(knobs)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            said = msgspec.json.decode(process.stdout.readline())
            assert said["ready"] is True
            yield There(said["port"], knobs)
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(10) == 0
    assert not knobs.exists()


class Watch:
    """A TrunkWatch with a journal of its own."""

    def __init__(self, folder: Path, clock: Clock, port: int, poll_s: float = 2.0) -> None:
        self.state = State()
        self.entries: list[Entry] = []
        self._wake = asyncio.Event()
        self.journal = Journal(folder / "journal.db", clock, "boot", lambda: "ntp", self._on_entry)
        self.journal.open()
        site = Site(
            role=Role.CENTRE, site="s", id="c", name="C", trunk=Trunk(host="127.0.0.1", port=port, poll_s=poll_s),
            annunciator=AnnunciatorConfig(socket="a.sock", factory="mock"),
        )  # fmt: skip
        self._watch = TrunkWatch(site, self.journal.append)
        self._task = asyncio.create_task(self._watch.run())

    def _on_entry(self, entry: Entry) -> None:
        apply(self.state, entry)
        self.entries.append(entry)
        self._wake.set()

    def witness(self, name: str) -> WitnessView:
        return next(view for view in self._watch.views() if view.id == name)

    async def next(self) -> TrunkLost | TrunkRestored | TrunkDegraded:
        """The next event, with a deadline."""
        async with asyncio.timeout(PATIENCE):
            while not self.entries:
                self._wake.clear()
                await self._wake.wait()
        event = self.entries.pop(0).event
        assert isinstance(event, TrunkLost | TrunkRestored | TrunkDegraded)
        return event

    async def stop(self) -> None:
        self._task.cancel()
        await asyncio.wait({self._task})
        self.journal.close()


Story = Callable[[There, Watch], Awaitable[None]]


@pytest.fixture
def tell(tmp_path: Path) -> Callable[[Story], None]:
    def run(story: Story) -> None:
        async def main() -> None:
            async with gateway_here(tmp_path) as there:
                watch = Watch(tmp_path, clock, there.port)
                clock.busy = lambda: watch.journal.writing
                try:
                    await story(there, watch)
                finally:
                    await watch.stop()

        clock = VirtualClock()
        clock.run(main())

    return run


def test_a_dead_gateway_is_lost_within_ten_seconds_and_restored_when_it_answers(tell: Callable[[Story], None]) -> None:
    async def story(there: There, watch: Watch) -> None:
        loop = asyncio.get_running_loop()
        name = f"127.0.0.1:{there.port}"
        assert await watch.next() == TrunkRestored(trunk=name)
        await there.turn("trunk.dead")
        began = loop.time()
        assert await watch.next() == TrunkLost(trunk=name, reason="no_answer")
        assert loop.time() - began < 10
        assert watch.state.trunk is not None
        assert (watch.state.trunk.up, watch.state.trunk.reason) == (False, "no_answer")
        await there.turn("trunk.dead", on=False)
        assert await watch.next() == TrunkRestored(trunk=name)
        assert watch.state.trunk.up

    tell(story)


def test_a_gateway_that_says_it_cannot_is_lost_and_one_that_refuses_is_not(tell: Callable[[Story], None]) -> None:
    async def story(there: There, watch: Watch) -> None:
        await watch.next()
        await there.turn("trunk.status_code", code=404)
        await there.until("heard", 4)
        assert watch.entries == []
        await there.turn("trunk.status_code", code=503)
        lost = await watch.next()
        assert isinstance(lost, TrunkLost)
        assert lost.reason == "status_503"
        await there.turn("trunk.status_code", code=200)
        assert isinstance(await watch.next(), TrunkRestored)

    tell(story)


def test_lost_packets_alone_lose_no_trunk(tell: Callable[[Story], None]) -> None:
    async def story(there: There, watch: Watch) -> None:
        await watch.next()
        await there.turn(
            "trunk.loss", percent=20
        )  # a probe is three packets, a lost trunk three probes: 1 in 2 million
        await there.until("lost", 3)
        assert watch.entries == []

    tell(story)


def test_the_knobs_say_what_is_possible(tell: Callable[[Story], None]) -> None:
    async def story(there: There, watch: Watch) -> None:
        for do, args, reason in (
            ("trunk.loss", {"percent": 101}, "from 0 to 100"),
            ("trunk.status_code", {"code": 100}, "from 200 to 699"),
            ("trunk.dead", {"on": "yes"}, "true or false"),
            ("trunk.sing", {}, "Knobs: status, trunk.dead"),
        ):
            with pytest.raises(Refusal, match=reason):
                await there.turn(do, **args)

    tell(story)


def test_the_gateway_is_as_strict_as_the_standard(tmp_path: Path) -> None:
    good = Options.fresh("127.0.0.1", 5060, "127.0.0.1", 9).encode()
    cases = [
        (good, b"SIP/2.0 200 OK"),
        (good.replace(b"OPTIONS", b"INVITE"), b"SIP/2.0 405 Method Not Allowed"),
        (good.replace(b"Max-Forwards: 70\r\n", b""), b"SIP/2.0 400 Bad Request: max-forwards is missing"),
        (good.replace(b"Max-Forwards: 70", b"Max-Forwards: 0"), b"SIP/2.0 483 Too Many Hops"),
        (good.replace(b"z9hG4bK", b"1"), b"SIP/2.0 400 Bad Request: the Via has no branch"),
        (good.replace(b";tag=", b";gat="), b"SIP/2.0 400 Bad Request: the From has no tag"),
        (good.replace(b"1 OPTIONS", b"1 INVITE"), b"SIP/2.0 400 Bad Request: CSeq does not fit the method"),
    ]
    with gateway_process(tmp_path) as there, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(5)
        sock.connect(("127.0.0.1", there.port))
        sock.send(b"\r\n\r\n")
        sock.send(b"\xff\x00 nonsense")
        for request, first in cases:
            sock.send(request)
            answer = sock.recv(65535)
            assert answer.split(b"\r\n")[0] == first
        assert b";received=127.0.0.1" in answer
        assert f";rport={sock.getsockname()[1]}".encode() in answer


# sipp, which knows nothing of us

ASKING = """<?xml version="1.0"?><scenario name="options">
<send retrans="500"><![CDATA[
OPTIONS sip:[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
Max-Forwards: 70
From: <sip:sipp@[local_ip]:[local_port]>;tag=[call_number]
To: <sip:[remote_ip]:[remote_port]>
Call-ID: [call_id]
CSeq: 1 OPTIONS
Contact: sip:sipp@[local_ip]:[local_port]
Content-Length: 0

]]></send><recv response="200"/></scenario>"""

ANSWERING = """<?xml version="1.0"?><scenario name="answer options">
<recv request="OPTIONS"/>
<send><![CDATA[
SIP/2.0 200 OK
[last_Via:]
[last_From:]
[last_To:];tag=[call_number]
[last_Call-ID:]
[last_CSeq:]
Contact: <sip:[local_ip]:[local_port];transport=[transport]>
Allow: INVITE, ACK, OPTIONS, BYE
Content-Length: 0

]]></send></scenario>"""

needs_sipp = pytest.mark.skipif(shutil.which("sipp") is None, reason="sipp is not installed")


def sipp(folder: Path, scenario: str, *words: str) -> "subprocess.Popen[bytes]":
    (folder / "scenario.xml").write_text(scenario)
    command = ["sipp", "-sf", str(folder / "scenario.xml"), "-i", "127.0.0.1", "-nostdin", "-timeout", "15s", *words]
    return subprocess.Popen(
        [*command, "-timeout_error"],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


@needs_sipp
def test_sipp_is_answered_by_the_gateway(tmp_path: Path) -> None:
    with gateway_process(tmp_path) as there:
        with sipp(tmp_path, ASKING, "-m", "20", "-r", "50", f"127.0.0.1:{there.port}") as running:
            said, _ = running.communicate(timeout=30)
        assert running.returncode == 0, said[-2000:]
        assert asyncio.run(there.turn("status"))["answered"] >= 20


@needs_sipp
def test_the_probe_is_answered_by_sipp(tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    async def story() -> None:
        probe = Probe("127.0.0.1", port)
        async with asyncio.timeout(PATIENCE):
            while True:  # until sipp listens
                try:
                    response = await probe.ask(2.0)
                    break
                except NoAnswer:
                    await asyncio.sleep(1.0)
        assert (response.status, response.reason, response.method) == (200, "OK", "OPTIONS")
        for _ in range(4):
            assert (await probe.ask(20.0)).status == 200

    with sipp(tmp_path, ANSWERING, "-p", str(port), "-m", "5") as running:
        try:
            scaled(story)
            said, _ = running.communicate(timeout=30)
        finally:
            running.kill()
    assert running.returncode == 0, said[-2000:]


@needs_sipp
def test_a_sipp_that_stops_refuses_or_drops_packets_is_judged_as_what_it_is(tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    out_of_service = ANSWERING.replace("200 OK", "503 Service Unavailable")

    async def story() -> None:
        watch = Watch(tmp_path, Clock(SPEED), port, poll_s=1.0)
        try:
            with answering(tmp_path, port, ANSWERING):
                assert isinstance(await watch.next(), TrunkRestored)
            lost = await watch.next()  # it stopped: the kernel says that nobody listens
            assert isinstance(lost, TrunkLost)
            assert (lost.layer, lost.reason) == ("trunk", "port_closed")
            with answering(tmp_path, port, ANSWERING):
                assert isinstance(await watch.next(), TrunkRestored)
            assert isinstance(await watch.next(), TrunkLost)
            with answering(tmp_path, port, out_of_service):
                async with asyncio.timeout(PATIENCE):
                    while watch.witness("trunk").why != "status_503":
                        await asyncio.sleep(1.0)
                assert watch.entries == []  # lost as before
            with answering(tmp_path, port, ANSWERING):
                assert isinstance(await watch.next(), TrunkRestored)
            assert isinstance(await watch.next(), TrunkLost)
            with answering(tmp_path, port, ANSWERING, "-lost", "25"):
                worn = await watch.next()
                while not isinstance(worn, TrunkDegraded):  # three dropped in a row are a loss, and it comes back
                    worn = await watch.next()
                assert isinstance(worn, TrunkDegraded)
                assert (worn.layer, watch.witness("loss").standing) == ("loss", "lost")
                assert (watch.witness("loss").value or 0) >= 10
        finally:
            await watch.stop()

    scaled(story)


@contextmanager
def answering(folder: Path, port: int, scenario: str, *words: str) -> Iterator[None]:
    running = sipp(folder, scenario, "-p", str(port), *words)
    try:
        yield
    finally:
        running.kill()
        running.communicate(timeout=10)
