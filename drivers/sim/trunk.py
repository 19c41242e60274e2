"""The gateway of a simulated 112 trunk: a SIP server over UDP that answers OPTIONS, refuses all else, and can be dead.

`python -m drivers.sim.trunk --port 0 --knobs PATH` prints `{"ready": true, "port": N}`. It is on 127.0.0.1.
"""

import argparse
import asyncio
import random
import secrets
import signal
import sys
from pathlib import Path
from typing import Any, cast

import msgspec

from drivers.clock import Clock
from drivers.sim.knobs import Knobs

METHODS = ("INVITE", "ACK", "CANCEL", "BYE", "REGISTER", "OPTIONS", "INFO", "MESSAGE")
NEEDED = ("via", "from", "to", "call-id", "cseq", "max-forwards")  # RFC 3261 clause 8.1.1
SHORT = {"v": "via", "f": "from", "t": "to", "i": "call-id", "l": "content-length"}
COPIED = ("via", "from", "to", "call-id", "cseq")  # into every answer, clause 8.2.6.2
PHRASES = {200: "OK", 400: "Bad Request", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed",
           408: "Request Timeout", 483: "Too Many Hops", 486: "Busy Here", 500: "Server Internal Error",
           503: "Service Unavailable", 603: "Decline"}  # fmt: skip

Address = tuple[str, int]


class Request:
    """One request, cut into its fields in the order in which they came. Raises ValueError when it is none."""

    def __init__(self, datagram: bytes) -> None:
        head = datagram.decode("utf-8").split("\r\n\r\n", 1)[0]
        first, *rest = head.replace("\r\n ", " ").replace("\r\n\t", " ").split("\r\n")
        self.method, self.uri, version = first.split(" ")
        if version != "SIP/2.0" or not self.uri.lower().startswith(("sip:", "sips:", "tel:")):
            raise ValueError(f"no SIP request: {first[:60]!r}")
        self.fields: list[tuple[str, str]] = []
        for line in rest:
            name, colon, value = line.partition(":")
            if not colon:
                raise ValueError(f"no field: {line[:60]!r}")
            self.fields.append((SHORT.get(name.strip().lower(), name.strip().lower()), value.strip()))

    def get(self, name: str) -> str:
        return next((value for key, value in self.fields if key == name), "")

    def flaw(self) -> str:
        """What a strict server would not take, or an empty string."""
        for name in NEEDED:
            if not self.get(name):
                return f"{name} is missing"
        number, _, method = self.get("cseq").partition(" ")
        if not number.isdigit() or method.strip() != self.method:
            return "CSeq does not fit the method"
        if ";branch=z9hG4bK" not in self.get("via").replace(" ", ""):
            return "the Via has no branch"
        if ";tag=" not in self.get("from").replace(" ", ""):
            return "the From has no tag"
        return "" if self.get("max-forwards").isdigit() else "Max-Forwards is no number"

    def answered(self, status: int, source: Address, reason: str = "") -> bytes:
        """The answer's octets: the copied fields, a tag behind To, where the request really came from in the Via."""
        lines = [f"SIP/2.0 {status} {reason or PHRASES.get(status, 'Unknown')}"]
        first_via = True
        for name, value in self.fields:
            if name not in COPIED:
                continue
            if name == "via" and first_via:
                first_via = False
                value = value.replace(";rport", f";rport={source[1]}", 1) + f";received={source[0]}"
            if name == "to" and ";tag=" not in value and status != 100:
                value += f";tag={secrets.token_hex(4)}"
            lines.append(f"{name.title() if name != 'cseq' else 'CSeq'}: {value}")
        lines += [f"Allow: {', '.join(METHODS)}", "Accept: application/sdp", "Server: trunk-sim", "Content-Length: 0"]
        return ("\r\n".join(lines) + "\r\n\r\n").encode()


class Gateway(asyncio.DatagramProtocol):
    """Answers on the socket it is given. Its knobs change what it is."""

    def __init__(self) -> None:
        self.is_dead = False
        self.loss_percent = 0.0
        self.code = 200
        self.heard = self.answered = self.lost = self.refused = self.not_sip = 0
        self.last_from: Address | None = None
        self.last_flaw = ""
        self._dice = random.Random()
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)  # asyncio's own class is none by inheritance

    @property
    def port(self) -> int:
        assert self._transport is not None
        return int(self._transport.get_extra_info("sockname")[1])

    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:
        source: Address = (addr[0], addr[1])
        self.heard += 1
        self.last_from = source
        if self.is_dead or self._dice.random() * 100 < self.loss_percent:
            self.lost += 1
            return
        if not data.strip():
            return  # a keep-alive
        try:
            request = Request(data)
        except ValueError as e:
            self.not_sip += 1
            self.last_flaw = str(e)
            return
        self._answer(request, source)

    def _answer(self, request: Request, source: Address) -> None:
        if request.method == "ACK":
            return
        if flaw := request.flaw():
            self.last_flaw = flaw
            status, reason = 400, f"Bad Request: {flaw}"
        elif request.get("max-forwards") == "0":
            status, reason = 483, ""
        elif request.method == "OPTIONS":
            status, reason = self.code, ""
        else:
            status, reason = 405, ""
        self.answered += status == self.code
        self.refused += status != self.code
        assert self._transport is not None
        self._transport.sendto(request.answered(status, source, reason), source)

    def dead(self, on: bool = True) -> None:
        """Hear everything and answer nothing."""
        if not isinstance(on, bool):
            raise ValueError(f"on is {on!r}; it must be true or false")
        self.is_dead = on

    def loss(self, percent: float) -> None:
        """Of the datagrams that come in."""
        if isinstance(percent, bool) or not isinstance(percent, int | float) or not 0 <= percent <= 100:
            raise ValueError(f"percent is {percent!r}; it must be a number from 0 to 100")
        self.loss_percent = float(percent)

    def status_code(self, code: int) -> None:
        """What OPTIONS is answered with."""
        if isinstance(code, bool) or not isinstance(code, int) or not 200 <= code <= 699:
            raise ValueError(f"code is {code!r}; it must be a final SIP status, from 200 to 699")
        self.code = code

    def status(self) -> dict[str, Any]:
        return {
            "port": self.port,
            "dead": self.is_dead,
            "loss": self.loss_percent,
            "code": self.code,
            "heard": self.heard,
            "answered": self.answered,
            "refused": self.refused,
            "lost": self.lost,
            "not_sip": self.not_sip,
            "last_from": self.last_from,
            "last_flaw": self.last_flaw,
        }


def knobs_of(gateway: Gateway, path: Path) -> Knobs:
    return Knobs(
        path,
        {
            "trunk.dead": gateway.dead,
            "trunk.loss": gateway.loss,
            "trunk.status_code": gateway.status_code,
            "status": gateway.status,
        },
    )


async def serve(port: int, knobs_path: Path) -> None:
    """Run the gateway and its knobs until SIGTERM or SIGINT."""
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    transport, gateway = await loop.create_datagram_endpoint(Gateway, local_addr=("127.0.0.1", port))
    knobs = knobs_of(gateway, knobs_path)
    try:
        await knobs.start()
        sys.stdout.write(msgspec.json.encode({"ready": True, "port": gateway.port}).decode() + "\n")
        sys.stdout.flush()
        await ended.wait()
    finally:
        await knobs.stop()
        transport.close()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m drivers.sim.trunk", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="on 127.0.0.1; 0: any free one")
    parser.add_argument("--knobs", type=Path, required=True, help="the Unix socket of its knobs")
    arguments = parser.parse_args()
    try:
        Clock.from_environment().run(serve(arguments.port, arguments.knobs))
    except OSError as e:
        sys.exit(f"port {arguments.port}, knobs {arguments.knobs}: {e}")


if __name__ == "__main__":
    main()
