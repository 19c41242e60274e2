"""Asks a SIP gateway whether it is there: an OPTIONS request over UDP, its bytes and its answer (RFC 3261).

Every probe has its own branch and its own socket, so a late answer is never taken for the next question.
"""

import asyncio
import contextlib
import re
import secrets
import socket
from typing import Literal

from msgspec import Struct

T1 = 0.5  # s; the first retransmission, RFC 3261 clause 17.1.2.1, then twice as long each time
MAX_DATAGRAM = 65_535  # bytes; what UDP can carry, an answer to OPTIONS has some 500
MAX_LINES = 200  # of a head; Via of a long way and every Allow on its own line stay far below
COOKIE = "z9hG4bK"  # begins every branch since RFC 3261

COMPACT = {"v": "via", "i": "call-id", "f": "from", "t": "to", "l": "content-length", "m": "contact"}  # clause 7.3.3
STATUS_LINE = re.compile(r"SIP/2\.0 ([1-6][0-9]{2})(?: (.*))?", re.IGNORECASE)
CSEQ = re.compile(r"([0-9]{1,10})[ \t]+([A-Za-z]+)")
BRANCH = re.compile(r";[ \t]*branch[ \t]*=[ \t]*\"?([^\";, \t]+)", re.IGNORECASE)

Why = Literal["no_answer", "port_closed", "no_route", "no_address"]


class SipError(ValueError):
    """Octets that are no SIP response; the text says what is wrong with them."""


class NoAnswer(OSError):
    """The gateway did not answer a probe; `why` is the code of the reason."""

    def __init__(self, why: Why, text: str) -> None:
        super().__init__(text)
        self.why = why


class Response(Struct, frozen=True):
    """What is looked at of a response. `branch` is the top Via's, `method` the CSeq's."""

    status: int
    reason: str
    branch: str
    call_id: str
    cseq: int
    method: str

    @property
    def final(self) -> bool:
        return self.status >= 200


class Options(Struct, frozen=True):
    """One OPTIONS request, outside any dialogue. Hosts are names or addresses, an IPv6 address in brackets."""

    host: str
    port: int
    local_host: str
    local_port: int
    branch: str
    call_id: str
    tag: str
    cseq: int = 1

    @classmethod
    def fresh(cls, host: str, port: int, local_host: str, local_port: int) -> "Options":
        """With identifiers that nobody else has."""
        return cls(
            host,
            port,
            local_host,
            local_port,
            COOKIE + secrets.token_hex(8),
            secrets.token_hex(12),
            secrets.token_hex(4),
        )

    def encode(self) -> bytes:
        local = f"{self.local_host}:{self.local_port}"
        lines = (
            f"OPTIONS sip:{self.host}:{self.port} SIP/2.0",
            f"Via: SIP/2.0/UDP {local};branch={self.branch};rport",
            "Max-Forwards: 70",
            f"From: <sip:siaga@{local}>;tag={self.tag}",
            f"To: <sip:{self.host}:{self.port}>",
            f"Call-ID: {self.call_id}",
            f"CSeq: {self.cseq} OPTIONS",
            f"Contact: <sip:siaga@{local}>",
            "Accept: application/sdp",
            "Content-Length: 0",
        )
        return ("\r\n".join(lines) + "\r\n\r\n").encode()

    def is_answered_by(self, response: Response) -> bool:
        """Matched by branch and method, RFC 3261 clause 17.1.3; Call-ID and CSeq must agree too."""
        return (response.branch, response.method, response.call_id, response.cseq) == (
            self.branch,
            "OPTIONS",
            self.call_id,
            self.cseq,
        )


def decode_response(datagram: bytes) -> Response:
    """The head of a response; a body is not looked at. Raises SipError, and nothing else."""
    if len(datagram) > MAX_DATAGRAM:
        raise SipError(f"{len(datagram)} octets are more than a datagram holds.")
    head = re.split(rb"\r?\n\r?\n", datagram, maxsplit=1)[0]
    lines = _unfolded(head.decode("utf-8", "replace"))
    start = STATUS_LINE.fullmatch(lines[0].rstrip()) if lines else None
    if start is None:
        raise SipError(f"{lines[0][:60] if lines else ''!r} does not begin a response.")
    fields: dict[str, str] = {}
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        key = name.strip().lower()
        if colon:
            fields.setdefault(COMPACT.get(key, key), value.strip())
    for key in ("via", "call-id", "cseq"):
        if not fields.get(key):
            raise SipError(f"A response without {key} answers nobody.")
    cseq = CSEQ.fullmatch(fields["cseq"])
    branch = BRANCH.search(fields["via"].split(",")[0])
    if cseq is None:
        raise SipError(f"CSeq {fields['cseq'][:40]!r} is not a number and a method.")
    return Response(
        int(start[1]), start[2] or "", branch[1] if branch else "", fields["call-id"], int(cseq[1]), cseq[2].upper()
    )


def _unfolded(head: str) -> list[str]:
    """Lines of the head; one that begins with a space goes on with the one before."""
    lines: list[str] = []
    for line in re.split(r"\r?\n", head):
        if line[:1] in (" ", "\t") and lines:
            lines[-1] += " " + line.strip()
        else:
            lines.append(line)
        if len(lines) > MAX_LINES:
            raise SipError(f"A head of more than {MAX_LINES} lines.")
    return lines


class Probe:
    """Asks one gateway, as often as `ask` is called."""

    def __init__(self, host: str, port: int) -> None:
        self._host, self._port = host, port
        self.sent = 0  # datagrams of the last `ask`; all but the answered one were lost, they or their answers
        self._look_up: asyncio.Future[list[tuple[socket.AddressFamily, tuple[str, int]]]] | None = None

    async def ask(self, timeout: float) -> Response:
        """The final response, whatever its status. Raises NoAnswer when there was none within `timeout` seconds."""
        self.sent = 0
        try:
            async with asyncio.timeout(timeout):
                family, address = await self._address()
                return await self._exchange(family, address)
        except TimeoutError as e:
            raise NoAnswer("no_answer", f"{self._host}:{self._port}: no answer within {timeout:g} s.") from e
        except ConnectionRefusedError as e:
            raise NoAnswer("port_closed", f"{self._host}:{self._port}: nobody listens there.") from e
        except socket.gaierror as e:
            raise NoAnswer("no_address", f"{self._host}: has no address ({e.strerror}).") from e
        except OSError as e:
            raise NoAnswer("no_route", f"{self._host}:{self._port}: {e.strerror or e}.") from e

    async def _address(self) -> tuple[socket.AddressFamily, tuple[str, int]]:
        """At most one look-up at a time: with the network gone each hangs for half a minute in a thread."""
        if self._look_up is None or self._look_up.done():
            self._look_up = asyncio.ensure_future(_addresses(self._host, self._port))
            self._look_up.add_done_callback(lambda done: None if done.cancelled() else done.exception())
        return (await asyncio.shield(self._look_up))[0]

    async def _exchange(self, family: socket.AddressFamily, address: tuple[str, int]) -> Response:
        loop = asyncio.get_running_loop()
        with socket.socket(family, socket.SOCK_DGRAM) as sock:
            sock.setblocking(False)
            sock.connect(address)  # so that the kernel tells of a closed port, and drops what comes from elsewhere
            local_host, local_port = sock.getsockname()[:2]
            options = Options.fresh(_in_uri(self._host), self._port, _in_uri(local_host), local_port)
            wait = T1
            while True:
                await loop.sock_sendall(sock, options.encode())
                self.sent += 1
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(wait):
                        return await _final(sock, options)
                wait *= 2


async def _final(sock: socket.socket, options: Options) -> Response:
    """The final answer to `options`; what is none, or answers something else, is passed over."""
    loop = asyncio.get_running_loop()
    while True:
        datagram = await loop.sock_recv(sock, MAX_DATAGRAM)
        with contextlib.suppress(SipError):
            response = decode_response(datagram)
            if response.final and options.is_answered_by(response):
                return response


async def _addresses(host: str, port: int) -> list[tuple[socket.AddressFamily, tuple[str, int]]]:
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_DGRAM)
    return [(family, (str(address[0]), int(address[1]))) for family, _, _, _, address in found]


def _in_uri(host: str) -> str:
    return f"[{host}]" if ":" in host else host
