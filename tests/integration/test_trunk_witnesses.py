"""Route, ping and DNS as the trunk's witnesses: the kernel's own, in network namespaces of a test."""

import asyncio
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest

from drivers import dns_query
from drivers.clock import VirtualClock
from drivers.default_route import Route, decode_routes, is_neighbour
from drivers.dns_query import NoName, Question, configured_resolvers, encode_name
from drivers.ping import Ping, checksum, encode_echo, is_answer

ROOT = Path(__file__).parents[2]


def told(story: Callable[[], Awaitable[None]]) -> None:
    async def main() -> None:
        await story()

    VirtualClock().run(main())


# What the kernel writes (proc(5)), on a machine whose first octet is the lowest

ROUTES = """Iface	Destination	Gateway 	Flags	RefCnt	Use	Metric	Mask		MTU	Window	IRTT
eth0	00000000	010200C0	0003	0	0	100	00000000	0	0	0
wlan0	00000000	01010A0A	0003	0	0	50	00000000	0	0	0
down0	00000000	01010A0A	0002	0	0	1	00000000	0	0	0
eth0	000200C0	00000000	0001	0	0	0	00FFFFFF	0	0	0
ppp0	00000000	00000000	0001	0	0	900	00000000	0	0	0
cut
"""
NEIGHBOURS = """IP address       HW type     Flags       HW address            Mask     Device
192.0.2.1        0x1         0x2         02:42:ac:11:00:01     *        eth0
192.0.2.9        0x1         0x0         00:00:00:00:00:00     *        eth0
"""
little = pytest.mark.skipif(sys.byteorder != "little", reason="the table is of a machine with another byte order")


@little
def test_the_default_route_with_the_lowest_metric_that_is_up_is_the_one() -> None:
    assert decode_routes(ROUTES) == [
        Route("wlan0", "10.10.1.1", 50), Route("eth0", "192.0.2.1", 100), Route("ppp0", "", 900),
    ]  # fmt: skip
    assert decode_routes("") == []


def test_a_neighbour_is_one_that_answered() -> None:
    asked = [is_neighbour(NEIGHBOURS, address) for address in ("192.0.2.1", "192.0.2.9", "192.0.2.7")]
    assert asked == [True, False, False]


# Echo

PAYLOAD = bytes(range(16))


def test_an_echo_is_known_by_its_payload_alone() -> None:
    request = encode_echo(4, 7, PAYLOAD)
    assert checksum(request) == 0  # RFC 1071: over a whole message with its sum the result is zero
    answer = b"\0" + request[1:]
    header = bytes((0x46,)) + bytes(23)  # IPv4 with one option: 24 octets
    assert is_answer(answer, 4, PAYLOAD, headed=False)
    assert is_answer(header + answer, 4, PAYLOAD, headed=True)
    assert not is_answer(request, 4, PAYLOAD, headed=False)  # our own question, heard on loopback
    assert not is_answer(answer, 4, PAYLOAD[::-1], headed=False)
    for octets in (b"", b"\x45", answer[:7]):
        assert not is_answer(octets, 4, PAYLOAD, headed=False)
        assert not is_answer(octets, 4, PAYLOAD, headed=True)


@pytest.mark.parametrize("address", ["gateway.example", "300.1.1.1", ""])
def test_a_name_is_no_address(address: str) -> None:
    with pytest.raises(ValueError, match="IPv4 or IPv6"):
        Ping(address)


# In namespaces of their own: a box and a router, joined by a cable

STORY = """
import asyncio, json, subprocess, sys
from drivers.clock import Clock
from drivers.default_route import NoRoute, look
from drivers.ping import NoEcho, Ping

def sh(words):
    subprocess.run(words, shell=True, check=True)

async def route():
    try:
        return (await look(0.5)).gateway
    except NoRoute as e:
        return e.why

async def ping(address):
    try:
        return (await Ping(address).ask(0.5)).way
    except NoEcho as e:
        return e.why

async def main():
    told = {}
    sh("ip link set lo up")
    told["nothing"] = [await route(), await ping("192.0.2.2")]
    told["loopback"] = [await ping("127.0.0.1"), await ping("::1")]
    sh("sysctl -qw net.ipv4.ping_group_range='0 0'")
    told["allowed"] = [await ping("127.0.0.1"), await ping("::1")]
    router = subprocess.Popen(["unshare", "-n", "sh", "-c", "echo unshared; exec sleep 60"], stdout=subprocess.PIPE)
    try:
        router.stdout.readline()  # before it says so, its namespace is ours, and the cable's far end would lie here
        sh(f"ip link add box type veth peer name far netns {router.pid}")
        far = f"nsenter -t {router.pid} -n "
        sh("ip addr add 192.0.2.1/24 dev box && ip link set box up")
        sh(far + "ip addr add 192.0.2.2/24 dev far && " + far + "ip link set far up")
        sh("ip route add default via 192.0.2.2")
        told["router"] = [await route(), await ping("192.0.2.2"), await ping("192.0.2.9")]
        sh(far + "sysctl -qw net.ipv4.icmp_echo_ignore_all=1")
        told["mute to ping"] = [await route(), await ping("192.0.2.2")]
        sh("ip neigh flush dev box")
        sh(far + "ip link set far down")
        told["unplugged"] = [await route()]
    finally:
        router.kill()
        router.wait()
    print(json.dumps(told))

Clock(1.0).run(main())
"""


def _namespaces() -> str:
    """Why there can be none here, or an empty string."""
    if missing := [tool for tool in ("unshare", "nsenter", "ip", "sysctl") if shutil.which(tool) is None]:
        return f"{', '.join(missing)} is not installed"
    command = ["unshare", "-rn", "ip", "link", "add", "trial", "type", "veth"]
    tried = subprocess.run(command, capture_output=True, text=True)
    return f"the kernel gives no network namespace here: {tried.stderr.strip()}" if tried.returncode else ""


@pytest.mark.skipif(bool(_namespaces()), reason=_namespaces() or "-")
def test_route_gateway_and_echo_are_seen_as_the_kernel_has_them() -> None:
    ran = subprocess.run(
        ["unshare", "-rn", sys.executable, "-c", STORY], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert ran.returncode == 0, ran.stderr
    told = msgspec.json.decode(ran.stdout)
    assert told["nothing"] == ["no_default", "no_route"]
    assert told["loopback"] == ["raw", "raw"]  # the namespace's root may do what a box's core may not
    assert told["allowed"] == ["ping", "ping"]
    assert told["router"] == ["192.0.2.2", "ping", "no_answer"]
    assert told["mute to ping"] == ["192.0.2.2", "no_answer"]  # it answered ARP: the route is good, the carrier not
    assert told["unplugged"] == ["gateway_silent"]


WITHOUT_RIGHTS = """
import asyncio, sys
from drivers.ping import NoEcho, Ping

async def main():
    ping = Ping("127.0.0.1")
    print((await ping.ask(2.0)).way)
    try:
        await Ping("192.0.2.1").ask(0.3)
    except NoEcho as e:
        print(e.why)

asyncio.run(main())
"""


@pytest.mark.skipif(bool(_namespaces()), reason=_namespaces() or "-")
def test_without_rights_a_closed_port_answers_for_ping_and_silence_is_told_as_forbidden() -> None:
    """A namespace without ping sockets (its default), and no capabilities in it; 192.0.2.1 goes nowhere."""
    setup = "ip link set lo up; "
    setup += "ip link add trial type veth peer name far; ip link set far up; "
    setup += "ip addr add 192.0.2.9/24 dev trial; ip link set trial up"
    run = f'{setup}; exec setpriv --bounding-set=-all --inh-caps=-all --no-new-privs "$0" -c "$1"'
    ran = subprocess.run(
        ["unshare", "-rn", "sh", "-c", run, sys.executable, WITHOUT_RIGHTS],
        cwd=ROOT, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert ran.stdout.split() == ["udp", "forbidden"], ran.stderr


# DNS, against a resolver that a test writes

Answers = Callable[[bytes], list[bytes]]


class Resolver(asyncio.DatagramProtocol):
    def __init__(self, answers: Answers) -> None:
        self.heard: list[bytes] = []
        self._answers = answers

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.DatagramTransport, transport)  # asyncio's own class is none by inheritance
        self.port = int(transport.get_extra_info("sockname")[1])

    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:
        self.heard.append(data)
        for answer in self._answers(data):
            self.transport.sendto(answer, addr)


@asynccontextmanager
async def resolver(answers: Answers, port: int = 0, host: str = "127.0.0.1") -> AsyncIterator[Resolver]:
    loop = asyncio.get_running_loop()
    transport, made = await loop.create_datagram_endpoint(lambda: Resolver(answers), local_addr=(host, port))
    try:
        yield made
    finally:
        transport.close()


def answer(question: bytes, code: int = 0) -> bytes:
    """As RFC 1035 writes one: the question repeated, then an A record by a pointer to its name."""
    record = b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\xc0\x00\x02\x05"
    count = b"\x00\x01" if code == 0 else b"\x00\x00"
    return question[:2] + bytes((0x81, 0x80 | code)) + b"\x00\x01" + count + bytes(4) + question[12:] + record


def test_the_question_is_the_standards() -> None:
    asked = Question("sip.provider.example", 0x1234).encode()
    assert asked == bytes.fromhex("1234 0100 0001 0000 0000 0000") + b"\x03sip\x08provider\x07example\0\0\1\0\1"


@pytest.mark.parametrize("name", ["", "a..b", "x" * 64, ".".join(["x" * 60] * 5), "sip.penyedia.é"])
def test_what_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="name"):
        encode_name(name)


def test_octets_that_answer_something_else_are_no_answer() -> None:
    question = Question("sip.example", 7)
    good = answer(question.encode())
    assert question.answered_by(good) is not None
    for octets in (
        b"", good[:11], question.encode(), b"\xff\xff" + good[2:], good.replace(b"sip", b"sap"),
        answer(Question("sip.example.org", 7).encode()), good[:4] + b"\x00\x02" + good[6:],
    ):  # fmt: skip
        assert question.answered_by(octets) is None
    assert question.answered_by(good.replace(b"sip", b"SIP")) is not None


@pytest.mark.parametrize(
    ("code", "why"), [(2, "server_failed"), (3, "no_such_name"), (5, "refused"), (9, "server_failed")]
)
def test_a_resolvers_refusal_is_told_as_what_it_is(code: int, why: str) -> None:
    async def story() -> None:
        async with resolver(lambda asked: [answer(asked, code)]) as there:
            with pytest.raises(NoName) as told:
                await dns_query.ask("sip.example", ["127.0.0.1"], 2.0, there.port)
        assert told.value.why == why

    told(story)


def test_one_lost_question_one_forged_answer_and_one_silent_resolver_cost_nothing() -> None:
    async def story() -> None:
        def answers(asked: bytes) -> list[bytes]:
            forged = bytes((asked[0] ^ 1,)) + answer(asked, 3)[1:]
            return [] if len(there.heard) < 2 else [b"", forged, answer(asked)]

        async with resolver(answers) as there, resolver(lambda asked: [], there.port, "127.0.0.2") as silent:
            await dns_query.ask("sip.example", ["127.0.0.2", "127.0.0.1"], 4.0, there.port)
            assert len(there.heard) == 2
            assert silent.heard

    told(story)


def test_silence_and_a_closed_port_and_no_resolver_are_told_apart_within_the_deadline() -> None:
    async def story() -> None:
        loop = asyncio.get_running_loop()
        async with resolver(lambda asked: []) as there:
            began = loop.time()
            with pytest.raises(NoName) as silent:
                await dns_query.ask("sip.example", ["127.0.0.1"], 2.0, there.port)
            assert loop.time() - began < 6.0
            port = there.port
        await asyncio.sleep(0)  # the transport closes behind the turn
        with pytest.raises(NoName) as closed:
            await dns_query.ask("sip.example", ["127.0.0.1"], 20.0, port)
        with pytest.raises(NoName) as none:
            await dns_query.ask("sip.example", [], 2.0)
        assert [e.value.why for e in (silent, closed, none)] == ["no_answer", "port_closed", "no_resolver"]

    told(story)


def test_the_machines_resolvers_are_read_as_the_c_library_reads_them(tmp_path: Path) -> None:
    file = tmp_path / "resolv.conf"
    file.write_text(
        "# x\nnameserver 192.0.2.1\noptions edns0\n nameserver 2001:db8::1\nnameserver\n" + "nameserver a\n" * 9
    )
    assert configured_resolvers(file) == ["192.0.2.1", "2001:db8::1", "a"]
    assert configured_resolvers(tmp_path / "none") == []
