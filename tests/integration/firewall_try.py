"""Inside a network namespace: a box with the firewall loaded, and neighbours that try its ports. Says what came in.

`python firewall_try.py NFTABLES_CONF`. Each neighbour is a namespace of its own at the other end of a cable.
"""

import contextlib
import ctypes
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

CLONE_NEWNET = 0x40000000
TCP = (22, 80, 443, 1884, 3493, 5432, 8112, 8114, 8443, 8883, 8884)
UDP = (123, 5353)
NEIGHBOURS = {"near": "192.168.112.9", "far": "203.0.113.9"}
BOX = {"near": "192.168.112.1", "far": "203.0.113.1"}
WAIT = 1.0  # s; a dropped packet is never answered, and a cable of this machine takes microseconds
LOGINS = 40  # connections to port 22 in one go
STATIONS = 500  # to the broker, behind one address


def run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, text=True)


def connects(address: str, port: int) -> bool:
    with socket.socket() as ours:
        ours.settimeout(WAIT)
        return ours.connect_ex((address, port)) == 0


def answers(address: str, port: int) -> bool:
    with socket.socket(type=socket.SOCK_DGRAM) as ours:
        ours.settimeout(WAIT)
        ours.sendto(b"?", (address, port))
        with contextlib.suppress(TimeoutError, ConnectionRefusedError):
            return ours.recv(16) == b"!"
        return False


def those(look: Callable[[str, int], bool], address: str, ports: Iterable[int]) -> list[int]:
    """Tried all at once."""
    every = list(ports)
    with ThreadPoolExecutor(64) as pool:
        return [port for port, yes in zip(every, pool.map(lambda port: look(address, port), every), strict=True) if yes]


def listen() -> None:
    """Every port of the box is served; 443 by where it leads."""
    for port in TCP:
        if port != 443:
            server = socket.create_server(("0.0.0.0", port), backlog=128)
            threading.Thread(target=lambda s=server: [s.accept()[0].close() for _ in iter(int, 1)], daemon=True).start()
    for port in UDP:
        ours = socket.socket(type=socket.SOCK_DGRAM)
        ours.bind(("0.0.0.0", port))
        threading.Thread(target=lambda s=ours: [_echo(s) for _ in iter(int, 1)], daemon=True).start()


def _echo(ours: socket.socket) -> None:
    _, who = ours.recvfrom(16)
    ours.sendto(b"!", who)


def elsewhere(name: str, look: Callable[[], object], cable: str) -> object:
    """What `look` gives in a namespace of its own, with a `cable` to here."""
    out, into = os.pipe()
    ready, go = os.pipe()
    moved, here = os.pipe()
    child = os.fork()
    if child == 0:
        if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET) != 0:
            os._exit(1)
        os.write(here, b".")
        os.read(ready, 1)
        run("ip", "addr", "add", f"{NEIGHBOURS[name]}/24", "dev", f"{cable}1")
        run("ip", "link", "set", f"{cable}1", "up")
        os.write(into, json.dumps(look()).encode())
        os._exit(0)
    os.read(moved, 1)
    run("ip", "link", "add", f"{cable}0", "type", "veth", "peer", "name", f"{cable}1", "netns", str(child))
    run("ip", "link", "set", f"{cable}0", "up")
    run("ip", "addr", "replace", f"{BOX[name]}/24", "dev", f"{cable}0")
    os.write(go, b".")
    os.close(into)
    with os.fdopen(out) as answer:
        found = json.loads(answer.read() or "null")
    os.waitpid(child, 0)
    return found


def main() -> None:
    run("ip", "link", "set", "lo", "up")
    run("nft", "-f", sys.argv[1])
    listen()

    def look(name: str) -> Callable[[], object]:
        return lambda: {"tcp": those(connects, BOX[name], TCP), "udp": those(answers, BOX[name], UDP)}

    def often(port: int, times: int) -> Callable[[], object]:
        return lambda: len(those(connects, BOX["near"], [port] * times))

    found = {name: elsewhere(name, look(name), name) for name in NEIGHBOURS}
    found["itself"] = those(connects, "127.0.0.1", (1884, 3493, 8112, 8883, 8884))
    found["logins"] = elsewhere("near", often(22, LOGINS), "again")
    found["stations"] = elsewhere("near", often(8883, STATIONS), "many")
    sys.stdout.write(json.dumps(found))
    sys.stdout.flush()
    os._exit(0)  # servers are daemons of this namespace alone


if __name__ == "__main__":
    main()
