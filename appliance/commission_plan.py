"""What a technician is walked through at a new box, in this order: measured, inputs, outputs, lines, buses, others."""

from dataclasses import dataclass
from typing import Literal

from appliance.config import Site
from appliance.model import Role
from appliance.wiring_plan import Wire, plan_of

MEASURED = 10  # rows of the table in docs/hardware.md, "With a meter, before the siren is connected"

Kind = Literal["meter", "input", "output", "line", "device", "trunk", "station", "broker"]
AT_PINS: tuple[Kind, ...] = ("input", "output")  # these need core stopped: a press must not wake a city
OF_CORE: tuple[Kind, ...] = ("line", "device", "trunk", "station", "broker")  # and these need it running


@dataclass(frozen=True)
class Step:
    """One question. `id` is its place in the record: it does not change while the site file's names do not."""

    id: str
    kind: Kind
    name: str
    wire: Wire | None = None


def steps_of(site: Site) -> list[Step]:
    """Every input, output, line, device, station and link of a site file, each once."""
    wires = plan_of(site).wires
    steps = [Step(f"meter.{n}", "meter", str(n)) for n in range(1, MEASURED + 1)]
    steps += [Step(f"input.{w.name}", "input", w.name, w) for w in wires if w.side == "input"]
    steps += [Step(f"output.{w.name}", "output", w.name, w) for w in wires if w.side == "output"]
    steps += [Step(f"line.{line.id}", "line", line.id) for line in site.line]
    steps += [Step(f"device.{d.id}", "device", d.id) for d in (*site.genset, *site.ups, *site.meter)]
    if site.trunk:
        steps.append(Step("trunk", "trunk", site.trunk.host))
    if site.broker:
        steps.append(Step("broker", "broker", site.broker.host))
    if site.role is Role.CENTRE:
        steps += [Step(f"station.{s.id}", "station", s.id) for s in site.station if not s.local]
    return steps
