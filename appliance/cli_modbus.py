"""`siaga modbus`: look at what is on a bus, without core: who answers, what it is, what it says, and how well.

It reads and never writes. A serial port has one master: while core polls it, these tools are refused.
"""

import argparse
import asyncio
import os
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path

from appliance.bus_line import line_of
from appliance.cli import say_no
from appliance.cli_node import NoNode, add_node_arguments, site_file
from appliance.config import SiteError, load_site
from drivers.clock import Clock
from drivers.modbus.bus import TIMEOUT_S, Bus
from drivers.modbus.errors import BusError, LinkLost, ProfileError
from drivers.modbus.line import Line, RtuTcpLine, SerialLine, TcpLine
from drivers.modbus.profile import Profile, load

PROFILES = Path(__file__).resolve().parent.parent / "firmware-config"
KINDS = ("gensets", "ups", "meters")
TCP_PORT = 502
BAUDS = (2400, 4800, 9600, 19200, 38400, 57600, 115200)

Talk = Callable[[Bus, argparse.Namespace], Awaitable[int]]


class Unusable(Exception):
    """What was asked for is not there; the text says what is."""


def add_arguments(_name: str, parser: argparse.ArgumentParser) -> None:
    from appliance.cli_modbus_read import dump, probe, watch
    from appliance.cli_modbus_replay import replay
    from appliance.cli_modbus_scan import scan

    verbs = parser.add_subparsers(dest="verb", metavar="scan|probe|dump|replay|watch", required=True)

    def verb(name: str, text: str, talk: Talk) -> argparse.ArgumentParser:
        added = verbs.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.")
        _add_line(added)
        added.set_defaults(run=_on_bus(talk))
        return added

    found = verb("scan", "find the units on a line, and guess what they are", scan)
    found.add_argument("--units", default="1-247", help="as 1-32 or 1,5,10 (default: %(default)s)")
    found.add_argument("--quick", action="store_true", help="only who answers, not what it is")
    for name, text, talk in (
        ("probe", "read one device by a profile: each point with its quality and its raw registers", probe),
        ("dump", "write one device's raw registers as TOML, as golden dumps are", dump),
        ("watch", "show one device's values live, and how the line does", watch),
    ):
        added = verb(name, text, talk)
        added.add_argument("profile", help="a profile's name, as dse_7320_mk2, or its file")
        added.add_argument("--unit", type=int, default=1, help="default: %(default)s")
        if name == "watch":
            added.add_argument("--every", type=float, default=1.0, metavar="S", help="default: %(default)s")
            added.add_argument("--seconds", type=float, help="end by itself; default: until Ctrl-C")
        if name == "dump":
            added.add_argument("--title", default="", help="what the device was doing just then")
    again = verbs.add_parser("replay", help="serve a dump as a device, on a pty or a TCP port")
    again.add_argument("file", type=Path, help="what siaga modbus dump wrote, or a golden dump")
    again.add_argument("--case", type=int, default=1, help="which case of the file (default: %(default)s)")
    again.add_argument("--unit", type=int, default=1, help="default: %(default)s")
    where = again.add_mutually_exclusive_group(required=True)
    where.add_argument("--pty", type=Path, metavar="PATH", help="a serial port is made there, paced like --baud")
    where.add_argument("--tcp", type=int, metavar="PORT", help="listen on this port of 127.0.0.1; 0: any free one")
    again.add_argument("--baud", type=int, choices=BAUDS, default=9600, help="default: %(default)s")
    again.set_defaults(run=replay)


def _add_line(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("line", help="a serial port (/dev/ttyUSB0), HOST or HOST:PORT, or a bus of the site file")
    parser.add_argument("--rtu", action="store_true", help="HOST is a serial server that carries RTU")
    parser.add_argument("--baud", type=int, choices=BAUDS, default=9600, help="default: %(default)s")
    parser.add_argument("--parity", choices=("N", "E", "O"), default="N", help="default: %(default)s")
    parser.add_argument("--stopbits", type=int, choices=(1, 2), default=1, help="default: %(default)s")
    parser.add_argument("--timeout", type=float, metavar="S", help=f"of an answer; default {TIMEOUT_S:g}, scan 0.3")
    add_node_arguments(parser)


def _on_bus(talk: Talk) -> Callable[[argparse.Namespace], int]:
    def run(options: argparse.Namespace) -> int:
        async def story() -> int:
            with closing(Bus(chosen_line(options), timeout_s=options.timeout or TIMEOUT_S)) as bus:
                return await talk(bus, options)

        try:
            return Clock.from_environment().run(story())
        except (Unusable, NoNode, SiteError, ProfileError, ValueError) as e:
            return say_no(str(e), code=2)
        except LinkLost as e:
            held = " Core has its serial ports for itself: stop it first." if os.sep in str(options.line) else ""
            return say_no(f"{e}{held}")
        except BusError as e:
            return say_no(str(e))

    return run


def chosen_line(options: argparse.Namespace) -> Line:
    """The line that is meant. Raises Unusable, NoNode or SiteError."""
    name = str(options.line)
    wire = {"baud": options.baud, "parity": options.parity, "stopbits": options.stopbits}
    if os.sep in name:
        return SerialLine(name, **wire)
    if "." in name or ":" in name or name == "localhost":
        host, _, port = name.partition(":")
        if port and not port.isdecimal():
            raise Unusable(f"{name}: after the colon there must be a TCP port, as 502.")
        number = int(port or TCP_PORT)
        return RtuTcpLine(host, number, **wire) if options.rtu else TcpLine(host, number)
    site = load_site(site_file(options))
    for config in site.bus:
        if config.id == name:
            return line_of(config)
    known = ", ".join(config.id for config in site.bus) or "none"
    raise Unusable(f"{name}: is no serial port (with a /), no HOST:PORT and no bus of the site, which has {known}.")


def profiles(kinds: tuple[str, ...] = KINDS) -> dict[str, Path]:
    """The shipped profiles by name."""
    files = (file for kind in kinds for file in sorted((PROFILES / kind).glob("*.toml")))
    return {file.stem: file for file in files if not file.name.endswith(".dump.toml")}


def chosen_profile(name: str) -> Profile:
    """A profile by its name or file. Raises Unusable or ProfileError."""
    known = profiles()
    file = known.get(name, Path(name))
    try:
        return load(file)
    except OSError as e:
        raise Unusable(f"{name}: is no profile. Give a file, or one of {', '.join(known)}.") from e


async def loaded() -> dict[str, Profile]:
    """All shipped profiles, read beside the loop."""
    return await asyncio.to_thread(lambda: {name: load(file) for name, file in profiles().items()})
