"""The machine's way out: the default route of the kernel's table, and whether its gateway is there."""

import ipaddress
import sys
from pathlib import Path

from msgspec import Struct

from drivers.ping import NoEcho, Ping

ROUTES = Path("/proc/net/route")  # proc(5): addresses in hex, in the machine's own byte order
NEIGHBOURS = Path("/proc/net/arp")
UP, GATEWAY = 0x1, 0x2  # RTF_UP, RTF_GATEWAY
COMPLETE = 0x2  # ATF_COM: the neighbour has answered


class NoRoute(OSError):
    """There is no way out; `why` is "no_default", "gateway_silent"."""

    def __init__(self, why: str, text: str) -> None:
        super().__init__(text)
        self.why = why


class Route(Struct, frozen=True):
    """`gateway` is empty on a link that has only one other end (ppp, a tunnel)."""

    interface: str
    gateway: str
    metric: int


def decode_routes(table: str) -> list[Route]:
    """The default routes that are up, the preferred first. Lines that are not understood are left out."""
    found: list[Route] = []
    for line in table.splitlines()[1:]:
        words = line.split()
        try:
            name, destination, gateway, flags, _, _, metric, mask = words[:8]
            route = Route(name, _address(gateway) if int(flags, 16) & GATEWAY else "", int(metric))
            if int(flags, 16) & UP and int(destination, 16) == 0 and int(mask, 16) == 0:
                found.append(route)
        except ValueError:
            continue
    return sorted(found, key=lambda route: route.metric)


def _address(octets: str) -> str:
    return str(ipaddress.IPv4Address(int(octets, 16).to_bytes(4, sys.byteorder)))


def is_neighbour(table: str, address: str) -> bool:
    """Whether the kernel knows the address as one that answers on its link."""
    for line in table.splitlines()[1:]:
        words = line.split()
        if len(words) >= 3 and words[0] == address:
            return bool(int(words[2], 16) & COMPLETE)
    return False


def default_route(routes: Path = ROUTES) -> Route:
    """The one in use. The kernel writes its table as it is read: no disk is waited for. Raises NoRoute."""
    try:
        found = decode_routes(routes.read_text())
    except OSError as e:
        raise NoRoute("no_default", f"{routes}: {e.strerror}.") from e
    if not found:
        raise NoRoute("no_default", "There is no default route; see `ip route`.")
    return found[0]


def answered_arp(address: str, neighbours: Path = NEIGHBOURS) -> bool:
    """Whether the kernel has heard it on its link."""
    try:
        return is_neighbour(neighbours.read_text(), address)
    except OSError:
        return False


async def look(timeout: float) -> Route:
    """The default route in use, its gateway seen to answer. Raises NoRoute.

    Many gateways answer no ping; that they answered the kernel's ARP is enough, and an asked one that is gone
    loses that mark within seconds.
    """
    route = default_route()
    if not route.gateway:
        return route
    try:
        await Ping(route.gateway).ask(timeout)
    except NoEcho as e:
        if not answered_arp(route.gateway):
            text = f"The gateway {route.gateway} of the default route answers neither ping nor ARP."
            raise NoRoute("gateway_silent", text) from e
    return route
