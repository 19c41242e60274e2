"""The wiring as rows of text: the header as it is soldered, the terminals, the serial ports, what to beware of."""

from collections.abc import Callable

from appliance.page_words import Words
from appliance.wiring_plan import HEADER, Plan, Serial, Wire

Say = Callable[[str], str]


def text_of(plan: Plan, words: Words) -> list[str]:
    """Lines for a terminal or a printer, at most 100 columns with names of usual length."""

    def say(key: str) -> str:
        return words.get(f"wiring.{key}", key)

    rows = [f"{say('title')}: {plan.name} ({plan.site})", "", say("header"), ""]
    rows += _header(plan)
    rows += ["", say("terminals"), "", *_table(_terminals(plan, say))]
    if plan.serials:
        rows += ["", say("ports"), "", *_table(_ports(plan, say))]
    rows += ["", say("before"), *(f"- {text}" for text in cautions_of(plan, words))]
    return rows


def cautions_of(plan: Plan, words: Words) -> list[str]:
    """What to see to before anything is connected, one sentence each; the names of what it is about come first."""
    found: dict[str, list[str]] = {}
    for wire in plan.wires:
        for caution in wire.cautions:
            found.setdefault(caution, []).append(wire.name)
    told = [f"{', '.join(names)}: {words.get(f'wiring.caution.{c}', c)}" for c, names in found.items()]
    return [*told, words.get("wiring.caution.meter", "meter")]


def label_of(wire: Wire | None, pin: int | str) -> str:
    """What stands beside a pin of the header."""
    if wire:
        return f"{wire.name} ({wire.place})"
    return pin if isinstance(pin, str) else ""


def _header(plan: Plan) -> list[str]:
    rows = []
    for place in range(0, len(HEADER), 2):
        left, right = HEADER[place], HEADER[place + 1]
        rows.append(
            f"{label_of(plan.at(left), left):>32} {_line(left):>6} {place + 1:>3} | {place + 2:<3} {_line(right):<6}"
            f" {label_of(plan.at(right), right)}".rstrip()
        )
    return rows


def _line(pin: int | str) -> str:
    return f"GPIO{pin}" if isinstance(pin, int) else ""


def _terminals(plan: Plan, say: Say) -> list[tuple[str, ...]]:
    rows = [tuple(say(key) for key in ("terminal", "name", "kind_of", "pin", "line", "rest", "start", "longest", "of"))]
    return rows + [_terminal(wire, say) for wire in plan.wires]


def _terminal(wire: Wire, say: Say) -> tuple[str, ...]:
    kind, most = say(f"kind.{wire.word}"), f"{wire.most_s:g} s" if wire.most_s else ""
    where = (wire.place, wire.name, kind, str(wire.header), f"GPIO{wire.gpio}")
    return (*where, say(wire.rest), say(wire.start), most, wire.of or wire.zone)


def _ports(plan: Plan, say: Say) -> list[tuple[str, ...]]:
    rows = [tuple(say(key) for key in ("terminal", "name", "port", "settings", "units"))]
    return rows + [_port(serial, say) for serial in plan.serials]


def _port(serial: Serial, say: Say) -> tuple[str, ...]:
    place = f"{serial.place} A B C" if serial.place else say("plug")
    return (place, f"{say(serial.what)} {serial.name}", serial.port, serial.settings, ", ".join(serial.units))


def _table(rows: list[tuple[str, ...]]) -> list[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
