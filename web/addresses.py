"""The names and addresses under which this box can be reached, without a subprocess and without netlink.

The unit lets web open no netlink socket: IPv4 comes from the oldest ioctl there is, IPv6 from /proc.
"""

import array
import fcntl
import ipaddress
import re
import socket
import struct
from pathlib import Path

SIOCGIFCONF = 0x8912  # netdevice(7): name and IPv4 address of every interface that has one
ROW = 40 if struct.calcsize("P") == 8 else 32  # octets of a struct ifreq
MOST_INTERFACES = 64
IPV6 = Path("/proc/net/if_inet6")
HOST_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*")


def own_names(bound: str, given: tuple[str, ...] = ()) -> set[str]:
    """This machine's, as they are now: `bound` is where it serves, `given` are the site file's."""
    host = socket.gethostname().lower()
    names = {"localhost", host, f"{host.partition('.')[0]}.local", *(name.lower() for name in given)}
    if not is_any(bound):
        names.add(bound.lower())
    return {name for name in names | addresses() if is_name(name)}


def addresses() -> set[str]:
    """IPv4 and IPv6 addresses of all interfaces, without link-local IPv6: browsers cannot name an interface."""
    return {"127.0.0.1", "::1", *_ipv4(), *_ipv6()}


def is_name(text: str) -> bool:
    """Whether a certificate can hold it: an address, or a host name of ordinary letters."""
    return _is_address(text) or (len(text) <= 253 and bool(HOST_NAME.fullmatch(text)))


def is_any(bound: str) -> bool:
    """Whether it stands for all addresses of the machine."""
    return bound in ("", "0.0.0.0", "::")


def is_loopback(host: str) -> bool:
    """Whether only this machine itself can mean it."""
    return host == "localhost" or (_is_address(host) and ipaddress.ip_address(host).is_loopback)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return "%" not in text


def _ipv4() -> set[str]:
    room = array.array("B", bytes(ROW * MOST_INTERFACES))
    asked = struct.pack("iP", len(room), room.buffer_info()[0])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        try:
            used = struct.unpack("iP", fcntl.ioctl(any_socket, SIOCGIFCONF, asked))[0]
        except OSError:
            return set()
    rows = room.tobytes()[:used]
    return {socket.inet_ntoa(rows[at + 20 : at + 24]) for at in range(0, used - ROW + 1, ROW)}


def _ipv6() -> set[str]:
    try:
        rows = IPV6.read_text().split("\n")
    except OSError:
        return set()
    found = (ipaddress.IPv6Address(bytes.fromhex(row.split()[0])) for row in rows if row)
    return {str(address) for address in found if not address.is_link_local}
