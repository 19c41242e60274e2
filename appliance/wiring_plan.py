"""Which terminal, header pin and line of the chip belongs to what: a site file as an electrician reads it.

Terminals are numbered here, in the order of the file: strip X1 are the relays' contacts, X2 the inputs (two terminals
each), X3 the RS-485 buses (A, B, common). The box's door carries the same numbers.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from appliance.annunciator_config import AT_BOOT, FIXED_PULL_UP, HIGH_AT_RESET, InputConfig, OutputConfig
from appliance.config import Site

# The 40-pin header of every Raspberry Pi since the B+, row by row: a BCM number, or what is fixed on the pin.
HEADER: tuple[int | str, ...] = (
    "3V3", "5V", 2, "5V", 3, "GND", 4, 14, "GND", 15, 17, 18, 27, "GND", 22, 23, "3V3", 24, 10, "GND",
    9, 25, 11, 8, "GND", 7, "ID", "ID", 5, "GND", 6, 12, 13, "GND", 19, 16, 26, 20, "GND", 21,
)  # fmt: skip
AT_HEADER = {line: place for place, line in enumerate(HEADER, 1) if isinstance(line, int)}
A_PAIR, A_BUS = 2, 3  # terminals of a contact, and of an RS-485 bus

Caution = Literal["timer", "clock", "on_at_start", "uart"]


@dataclass(frozen=True)
class Wire:
    """One line of the chip. `rest`: its level when nothing is wanted; `start`: its level before Linux runs."""

    side: Literal["output", "input"]
    name: str
    kind: str
    gpio: int
    strip: str
    terminals: tuple[int, ...]
    rest: Literal["low", "high"]
    start: Literal["low", "high"]
    most_s: float | None = None
    of: str = ""  # the output that it follows or proves
    zone: str = ""
    cautions: tuple[Caution, ...] = ()

    @property
    def header(self) -> int:
        return AT_HEADER[self.gpio]

    @property
    def word(self) -> str:
        """The code of its kind; a door is opened by an output and watched by an input."""
        return "door_contact" if (self.side, self.kind) == ("input", "door") else self.kind

    @property
    def place(self) -> str:
        return f"{self.strip}:{self.terminals[0]}-{self.terminals[-1]}"


@dataclass(frozen=True)
class Serial:
    """What hangs on a serial port: a modem's line by its USB port, or a bus of a pair of wires."""

    what: Literal["line", "bus"]
    name: str
    port: str
    place: str  # terminals, or empty for a plug
    settings: str
    units: tuple[str, ...] = ()


@dataclass(frozen=True)
class Plan:
    site: str
    name: str
    wires: tuple[Wire, ...]
    serials: tuple[Serial, ...]

    def at(self, gpio: int | str) -> Wire | None:
        """What is wired to a line of the chip."""
        return next((w for w in self.wires if w.gpio == gpio), None)


def plan_of(site: Site) -> Plan:
    """The wiring of a site file that was loaded, and so holds no pin twice and none that is dangerous at start."""
    wired = site.annunciator
    outputs = [_output(n, o, i) for i, (n, o) in enumerate(wired.output.items())]
    inputs = [_input(n, w, i) for i, (n, w) in enumerate(wired.input.items())]
    return Plan(site.id, site.name, (*outputs, *inputs), tuple(_serials(site)))


def _start(gpio: int) -> Literal["low", "high"]:
    return "high" if gpio in HIGH_AT_RESET else "low"


def _output(name: str, wired: OutputConfig, place: int) -> Wire:
    rest: Literal["low", "high"] = "low" if wired.active_high else "high"
    cautions: list[Caution] = []
    if wired.kind in ("siren", "start"):
        cautions.append("timer")
    if rest != _start(wired.pin) and wired.kind not in AT_BOOT:
        cautions.append("on_at_start")
    return Wire(
        "output", name, wired.kind, wired.pin, "X1", _terminals(place, A_PAIR), rest, _start(wired.pin),
        wired.max_s, wired.follows or "", wired.zone, (*cautions, *_shared(wired.pin)),
    )  # fmt: skip


def _input(name: str, wired: InputConfig, place: int) -> Wire:
    rest: Literal["low", "high"] = "high" if wired.pull == "up" else "low"
    return Wire(
        "input", name, wired.kind, wired.pin, "X2", _terminals(place, A_PAIR), rest, _start(wired.pin),
        of=wired.of or "", cautions=_shared(wired.pin),
    )  # fmt: skip


def _shared(gpio: int) -> tuple[Caution, ...]:
    """What else uses a line on many boards."""
    if gpio in FIXED_PULL_UP:
        return ("clock",)
    return ("uart",) if gpio in (14, 15) else ()


def _terminals(place: int, width: int) -> tuple[int, ...]:
    return tuple(range(place * width + 1, (place + 1) * width + 1))


def _serials(site: Site) -> Iterator[Serial]:
    for line in site.line:
        yield Serial("line", line.id, line.port, "", line.number)
    devices = [*site.genset, *site.ups, *site.meter]
    pairs = 0
    for bus in site.bus:
        units = tuple(f"{d.id} = {d.unit}" for d in devices if d.bus == bus.id)
        if bus.kind != "rtu":
            yield Serial("bus", bus.id, f"{bus.host}:{bus.tcp_port}", "", bus.kind, units)
            continue
        first, *_, last = _terminals(pairs, A_BUS)
        pairs += 1
        settings = f"{bus.baud} 8{bus.parity}{bus.stopbits}"
        yield Serial("bus", bus.id, bus.port, f"X3:{first}-{last}", settings, units)
