"""Asks a resolver for one name over UDP: the question's octets, the answer's, and no thread that could hang (RFC 1035).

`getaddrinfo` has no deadline and a thread for each question; a watch asks for ever.
"""

import asyncio
import contextlib
import ipaddress
import secrets
import socket
import struct
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from msgspec import Struct

PORT = 53
HEADER = struct.Struct("!HHHHHH")  # id, flags, questions, answers, authorities, additionals
RECURSE = 0x0100
RESPONSE, CODE = 0x8000, 0x000F
TYPE_A, CLASS_IN = 1, 1
MOST_LABEL, MOST_NAME = 63, 255  # octets, RFC 1035 clause 2.3.4
MOST_ANSWER = 4096  # octets
MOST_RESOLVERS = 3  # as the C library takes from resolv.conf
RESOLV_CONF = Path("/etc/resolv.conf")

Why = Literal["no_answer", "no_route", "port_closed", "no_resolver", "no_such_name", "server_failed", "refused"]
CODES: dict[int, Why] = {1: "refused", 2: "server_failed", 3: "no_such_name", 4: "refused", 5: "refused"}


class NoName(OSError):
    """No resolver gave the name; `why` is the code of the reason."""

    def __init__(self, why: Why, text: str) -> None:
        super().__init__(text)
        self.why = why


class Answer(Struct, frozen=True):
    """What is looked at of an answer: the resolver's refusal, if it is one, and how many records it has."""

    refusal: Why | None
    count: int


class Question(Struct, frozen=True):
    """One question for a name's IPv4 address. `name` without a dot at its end."""

    name: str
    number: int

    def encode(self) -> bytes:
        return HEADER.pack(self.number, RECURSE, 1, 0, 0, 0) + self._asked()

    def _asked(self) -> bytes:
        return encode_name(self.name) + struct.pack("!HH", TYPE_A, CLASS_IN)

    def answered_by(self, datagram: bytes) -> Answer | None:
        """The answer, or None for octets that are none to this question: another id, name or kind."""
        asked = self._asked()
        if len(datagram) < HEADER.size + len(asked):
            return None
        number, flags, questions, answers, _, _ = HEADER.unpack_from(datagram)
        mine = datagram[HEADER.size : HEADER.size + len(asked)].lower() == asked.lower()
        if number != self.number or not flags & RESPONSE or questions != 1 or not mine:
            return None
        code = flags & CODE
        return Answer(CODES.get(code, "server_failed") if code else None, answers)


def encode_name(name: str) -> bytes:
    """Length and octets of each label. Raises ValueError for what is no name."""
    try:
        labels = [label.encode("ascii") for label in name.rstrip(".").split(".")]
    except UnicodeEncodeError as e:
        raise ValueError(f"{name!r} has letters that no name on the wire has; write it in its xn-- form.") from e
    encoded = b"".join(bytes((len(label),)) + label for label in labels if len(label) <= MOST_LABEL) + b"\0"
    if not all(0 < len(label) <= MOST_LABEL for label in labels) or len(encoded) > MOST_NAME:
        raise ValueError(f"{name!r} is no name: labels of 1 to {MOST_LABEL} letters between dots.")
    return encoded


def configured_resolvers(file: Path = RESOLV_CONF) -> list[str]:
    """The addresses that the machine asks; none when the file is not there."""
    try:
        lines = file.read_text(errors="replace").splitlines()
    except OSError:
        return []
    found = [words[1] for line in lines if (words := line.split())[:1] == ["nameserver"] and len(words) > 1]
    return found[:MOST_RESOLVERS]


async def ask(name: str, resolvers: Iterable[str], timeout: float, port: int = PORT) -> None:
    """Ask all resolvers at once, as a call would use the first that answers. Raises NoName when none gives the name."""
    addresses = list(resolvers)
    if not addresses:
        raise NoName("no_resolver", "No resolver is configured; see /etc/resolv.conf.")
    tasks = [asyncio.create_task(_ask_one(name, address, timeout, port)) for address in addresses]
    try:
        refused: list[NoName] = []
        for done in asyncio.as_completed(tasks):
            try:
                await done
            except NoName as e:
                refused.append(e)
            else:
                return
        # What a resolver said tells more than another's silence.
        raise next((e for e in refused if e.why != "no_answer"), refused[0])
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _ask_one(name: str, address: str, timeout: float, port: int) -> None:
    loop = asyncio.get_running_loop()
    question = Question(name, secrets.randbits(16))
    family = socket.AF_INET6 if ipaddress.ip_address(address.split("%")[0]).version == 6 else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as sock:
            sock.setblocking(False)
            sock.connect((address, port))  # so that only its answers come in, and a closed port is told
            answer: Answer | None = None
            async with asyncio.timeout(timeout):
                while answer is None:  # sent again once, half way: one lost packet is no lost resolver
                    await loop.sock_sendall(sock, question.encode())
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(timeout / 2):
                            answer = await _received(sock, question)
    except TimeoutError as e:
        raise NoName("no_answer", f"{address}: no answer for {name} within {timeout:g} s.") from e
    except ConnectionRefusedError as e:
        raise NoName("port_closed", f"{address}: nobody listens there.") from e
    except OSError as e:
        raise NoName("no_route", f"{address}: {e.strerror or e}.") from e
    if answer.refusal:
        raise NoName(answer.refusal, f"{address}: {name}: {answer.refusal}.")


async def _received(sock: socket.socket, question: Question) -> Answer:
    loop = asyncio.get_running_loop()
    while True:
        if (answer := question.answered_by(await loop.sock_recv(sock, MOST_ANSWER))) is not None:
            return answer
