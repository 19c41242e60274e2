"""The trunk's probe against a peer that a test writes: real datagrams, answers that are lost, late or nonsense."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, cast

import pytest

from drivers.clock import VirtualClock
from drivers.sip import NoAnswer, Probe


class Peer(asyncio.DatagramProtocol):
    """Does with each request what `does` says: octets to send back, none for silence."""

    def __init__(self, does: Callable[[list[bytes]], list[bytes]]) -> None:
        self.heard: list[bytes] = []
        self._does = does

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.DatagramTransport, transport)  # asyncio's own class is none by inheritance
        self.port = int(transport.get_extra_info("sockname")[1])

    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:
        self.heard.append(data)
        for answer in self._does(self.heard):
            self.transport.sendto(answer, addr)


def answer_to(request: bytes, status: bytes = b"200 OK") -> bytes:
    wanted = (b"Via:", b"From:", b"To:", b"Call-ID:", b"CSeq:")
    kept = [line for line in request.split(b"\r\n") if line.startswith(wanted)]
    return b"\r\n".join([b"SIP/2.0 " + status, *kept, b"", b""])


@asynccontextmanager
async def peer(does: Callable[[list[bytes]], list[bytes]]) -> AsyncIterator[Peer]:
    loop = asyncio.get_running_loop()
    transport, made = await loop.create_datagram_endpoint(lambda: Peer(does), local_addr=("127.0.0.1", 0))
    try:
        yield made
    finally:
        transport.close()


def told(story: Callable[[], Awaitable[None]]) -> None:
    async def main() -> None:
        await story()

    VirtualClock().run(main())


def test_a_lost_request_is_sent_again_and_its_answer_counts() -> None:
    async def story() -> None:
        async with peer(lambda heard: [answer_to(heard[-1])] if len(heard) == 2 else []) as there:
            assert (await Probe("127.0.0.1", there.port).ask(2.0)).status == 200
            assert len(there.heard) == 2
            assert there.heard[0] == there.heard[1]  # the same transaction

    told(story)


def test_noise_a_provisional_answer_and_an_old_answer_are_passed_over() -> None:
    async def story() -> None:
        def does(heard: list[bytes]) -> list[bytes]:
            stale = answer_to(heard[-1], b"503 Old").replace(b"z9hG4bK", b"z9hG4bKold")
            return [b"", b"\xff\xd8", stale, answer_to(heard[-1], b"100 Trying"), answer_to(heard[-1], b"486 Busy")]

        async with peer(does) as there:
            assert (await Probe("127.0.0.1", there.port).ask(2.0)).status == 486

    told(story)


def test_silence_a_closed_port_and_a_name_without_address_are_told_apart() -> None:
    async def story() -> None:
        async with peer(lambda heard: []) as there:
            with pytest.raises(NoAnswer, match="no answer within 2 s") as silent:
                await Probe("127.0.0.1", there.port).ask(2.0)
            closed_port = there.port
        with pytest.raises(NoAnswer, match="nobody listens") as closed:
            await Probe("127.0.0.1", closed_port).ask(2.0)
        with pytest.raises(NoAnswer) as nameless:
            await Probe("no such name", 5060).ask(20.0)
        assert [e.value.why for e in (silent, closed, nameless)] == ["no_answer", "port_closed", "no_address"]

    told(story)
