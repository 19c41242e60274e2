"""Inside a network namespace: a box with the firewall loaded, and neighbours that try its ports. Says what came in.

`python firewall_try.py NFTABLES_CONF`. Each neighbour is a process in a namespace of its own, at the other end of a
cable.
"""

import contextlib
import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

TCP = (22, 80, 443, 1884, 3493, 5432, 8112, 8114, 8443, 8883, 8884)
UDP = (123, 5353)
LED_AWAY = 443
NEIGHBOURS = {"near": "192.168.112.9", "far": "203.0.113.9"}
BOX = {"near": "192.168.112.1", "far": "203.0.113.1"}
WAIT = 2.0  # s; a dropped packet is never answered; one that is lost in a burst comes again after one second
WARM = 15.0  # s in which a new cable must carry
OPEN_TO_ALL = 8883


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


def carries(address: str) -> None:
    """Until the new cable has both its ends up and knows its neighbour, what is sent is lost."""
    deadline = time.monotonic() + WARM
    while not connects(address, OPEN_TO_ALL):
        if time.monotonic() > deadline:
            raise SystemExit(f"{address} is never reached")


def neighbour(name: str, cable: str, tcp: Iterable[int], udp: Iterable[int]) -> None:
    """In its own namespace: says that it is there, waits for its cable, tries, says what it reached."""
    sys.stdout.write("here\n")
    sys.stdout.flush()
    sys.stdin.readline()
    run("ip", "addr", "add", f"{NEIGHBOURS[name]}/24", "dev", f"{cable}1")
    run("ip", "link", "set", f"{cable}1", "up")
    carries(BOX[name])
    sys.stdout.write(json.dumps({"tcp": those(connects, BOX[name], tcp), "udp": those(answers, BOX[name], udp)}))


def elsewhere(name: str, cable: str, tcp: Iterable[int], udp: Iterable[int] = ()) -> Any:
    """What a neighbour reaches by a new `cable`."""
    told = json.dumps([name, cable, list(tcp), list(udp)])
    command = ["unshare", "--net", sys.executable, __file__, "--neighbour", told]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdout.readline()
        run("ip", "link", "add", f"{cable}0", "type", "veth", "peer", "name", f"{cable}1", "netns", str(process.pid))
        run("ip", "link", "set", f"{cable}0", "up")
        run("ip", "addr", "replace", f"{BOX[name]}/24", "dev", f"{cable}0")
        return json.loads(process.communicate("go\n")[0])


def listen() -> None:
    """Every port of the box is served; 443 by where it leads."""
    for port in TCP:
        if port != LED_AWAY:
            server = socket.create_server(("0.0.0.0", port), backlog=1024)
            threading.Thread(target=_serve, args=(server,), daemon=True).start()
    for port in UDP:
        ours = socket.socket(type=socket.SOCK_DGRAM)
        ours.bind(("0.0.0.0", port))
        threading.Thread(target=_echo, args=(ours,), daemon=True).start()


def _serve(server: socket.socket) -> None:
    while True:
        server.accept()[0].close()


def _echo(ours: socket.socket) -> None:
    while True:
        _, who = ours.recvfrom(16)
        ours.sendto(b"!", who)


def main() -> None:
    if sys.argv[1] == "--neighbour":
        neighbour(*json.loads(sys.argv[2]))
        return
    run("ip", "link", "set", "lo", "up")
    run("nft", "-f", sys.argv[1])
    listen()
    found = {
        **{name: elsewhere(name, name, TCP, UDP) for name in NEIGHBOURS},
        "itself": those(connects, "127.0.0.1", (1884, 3493, 8112, 8883, 8884)),
        "logins": len(elsewhere("near", "again", [22] * 40)["tcp"]),
        "stations": len(elsewhere("near", "many", [8883] * 500)["tcp"]),
    }
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main()
