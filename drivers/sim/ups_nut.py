"""The simulated UPS as a NUT driver: the real upsd connects to its socket and serves it on.

Written from NUT's developer guide, "Driver/server socket protocol"; the socket must be named DRIVER-UPS in upsd's
state folder. Like a real driver it looks at its UPS only every `poll_s`.
"""

import asyncio
import shlex
from collections.abc import Callable
from pathlib import Path

from drivers.sim.plant import Plant
from drivers.sim.plant_ups import TestResult, Transfer, Ups, UpsState

POLL_S = 2.0  # NUT's `pollinterval`, as it comes
MAX_LINE = 512
MAX_UNSENT = 65_536  # bytes for an upsd that never reads
SELF_TEST, SELF_TEST_STOP, MUTE = "test.battery.start.quick", "test.battery.stop", "beeper.mute"
STATES = {
    UpsState.ONLINE: "OL",
    UpsState.ON_BATTERY: "OB DISCHRG",
    UpsState.TESTING: "OB DISCHRG",  # as usbhid-ups says it; only the newest drivers add TEST
    UpsState.DARK: "OFF",
}
RESULTS = {  # test_read_info of usbhid-ups
    TestResult.NONE: "No test initiated",
    TestResult.RUNNING: "In progress",
    TestResult.PASSED: "Done and passed",
    TestResult.REFUSED: "Done and error",
    TestResult.ABORTED: "Aborted",
}
REASONS = {Transfer.INPUT_LOW: "input voltage out of range", Transfer.SELF_TEST: "self test"}


class NutDriver:
    """`run` serves until it is cancelled. `stale` is a knob: the cable to the UPS is out."""

    def __init__(self, socket: Path, plant: Plant, now: Callable[[], float], poll_s: float = POLL_S) -> None:
        self._socket, self._plant, self._now, self._poll_s = socket, plant, now, poll_s
        self._servers: set[asyncio.StreamWriter] = set()
        self._known: dict[str, str] = {}
        self._muted = False
        self.stale = False
        self.ordered: list[str] = []

    async def run(self) -> None:
        """Listen on the socket and tell every upsd what has changed."""
        server = await asyncio.start_unix_server(self._serve, str(self._socket), limit=MAX_LINE)
        try:
            while True:
                self._look()
                await asyncio.sleep(self._poll_s)
        finally:
            server.close()
            for writer in list(self._servers):
                writer.close()
            self._socket.unlink(missing_ok=True)

    def _look(self) -> None:
        self._plant.step(self._now())
        ups = self._plant.ups
        if self.stale or not ups.answers:
            self._tell(["DATASTALE"])
            return
        if ups.state is UpsState.ONLINE:
            self._muted = False
        new = variables(ups) | {"ups.beeper.status": "muted" if self._muted else "enabled"}
        changed = [_set(name, value) for name, value in new.items() if self._known.get(name) != value]
        gone = [f"DELINFO {name}" for name in self._known.keys() - new.keys()]
        self._known = new
        self._tell([*gone, *changed, "DATAOK"])

    def _tell(self, lines: list[str]) -> None:
        for writer in list(self._servers):
            self._write(writer, lines)

    def _write(self, writer: asyncio.StreamWriter, lines: list[str]) -> None:
        if writer.transport.get_write_buffer_size() > MAX_UNSENT:
            writer.transport.abort()
        else:
            writer.write("".join(f"{line}\n" for line in lines).encode())

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._servers.add(writer)
        try:
            while line := await reader.readline():
                self._write(writer, self._answer(shlex.split(line.decode())))
        except (OSError, ValueError):  # a line too long, or no line at all
            pass
        finally:
            self._servers.discard(writer)
            writer.close()

    def _answer(self, said: list[str]) -> list[str]:
        match said:
            case ["PING", *_]:
                return ["PONG"]
            case ["DUMPALL", *_]:
                sets = [_set(name, value) for name, value in self._known.items()]
                commands = [f"ADDCMD {name}" for name in (SELF_TEST, SELF_TEST_STOP, MUTE)]
                state = "DATASTALE" if self.stale or not self._known else "DATAOK"
                return [*sets, *commands, state, "DUMPDONE"]
            case ["INSTCMD", command, *_]:
                self._order(command)
        return []

    def _order(self, command: str) -> None:
        self._plant.step(self._now())
        self.ordered.append(command)
        if command == SELF_TEST:
            self._plant.ups.start_test()
        elif command == SELF_TEST_STOP:
            self._plant.ups.abort_test()
        elif command == MUTE:
            self._muted = True


def variables(ups: Ups) -> dict[str, str]:
    """What a driver would say of this UPS, as NUT's nut-names.txt names it."""
    status = STATES[ups.state]
    if ups.charging:
        status += " CHRG"
    if ups.shutdown_imminent:
        status += " LB"
    said = [
        ("ups.status", status),
        ("ups.load", f"{100 * ups.load_w / ups.settings.rated_w:.1f}"),
        ("ups.test.result", RESULTS[ups.test_result]),
        ("ups.mfr", "American Power Conversion"),
        ("ups.model", 'Smart-UPS "SRT" 3000'),
        ("battery.charge", f"{ups.charge:.0f}"),
        ("battery.runtime", f"{ups.runtime_s:.0f}"),
        ("battery.voltage", f"{84.0 + 0.17 * ups.charge:.1f}"),
        ("input.voltage", f"{ups.input_v:.1f}"),
        ("input.transfer.low", "184"),
        ("input.transfer.high", "276"),
        ("output.voltage", "230.0" if ups.output_on else "0.0"),
        ("output.frequency", "50.0"),
    ]
    if reason := REASONS.get(ups.transfer):
        said.append(("input.transfer.reason", reason))
    return dict(said)


def _set(name: str, value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'SETINFO {name} "{escaped}"'
