"""The wiring as a drawing for the box's door: the header with its wires, and the terminals beneath. A4 upright."""

import textwrap
from collections.abc import Iterator
from xml.sax.saxutils import escape

from appliance.page_words import Words
from appliance.wiring_plan import HEADER, Plan, Wire
from appliance.wiring_text import cautions_of, label_of

WIDE, HIGH = 794, 1123  # px; A4 at 96 dpi
MIDDLE, PITCH, TOP = WIDE / 2, 24, 110  # px; the header's middle, from pin to pin, and its first row
ROW = 18  # px from line to line of the tables
COLUMNS = (40, 150, 300, 640)  # px; where the tables' columns begin
LONGEST = 105  # letters in a line of the width
REACH = 96  # px from a pin to its label
# Colours that differ in brightness too: a drawing is copied in black and white.
FILL = {"3V3": "#e8b33c", "5V": "#c8412f", "GND": "#222222", "ID": "#bbbbbb"}
OUTPUT, INPUT, FREE = "#1f5fa8", "#7fb069", "#ffffff"
STYLE = "text{font-family:sans-serif;font-size:12px}.t{font-size:18px;font-weight:bold}.h{font-weight:bold}"


def svg_of(plan: Plan, words: Words) -> str:
    """A whole SVG document; it grows beyond A4 rather than leaving something out."""
    below = TOP + len(HEADER) / 2 * PITCH + 24
    rows = [*_strips(plan, words), *_cautions(plan, words)]
    high = max(HIGH, below + len(rows) * ROW + 40)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDE} {high:g}" width="{WIDE}" height="{high:g}">',
        f'<style>{STYLE}</style><rect width="{WIDE}" height="{high:g}" fill="#fff"/>',
        _text(40, 50, f"{_say(words, 'title')}: {plan.name} ({plan.site})", "t"),
        _text(40, 76, _say(words, "header")),
        *_header(plan),
    ]
    for number, row in enumerate(rows):
        y = below + number * ROW
        parts += [_text(x, y, text, "h" if len(row) == 1 else "") for x, text in zip(COLUMNS, row, strict=False)]
    return "\n".join([*parts, "</svg>", ""])


def _strips(plan: Plan, words: Words) -> Iterator[tuple[str, ...]]:
    yield (_say(words, "terminals"),)
    for wire in plan.wires:
        of = f" → {wire.of}" if wire.of else ""
        most = f", ≤ {wire.most_s:g} s" if wire.most_s else ""
        yield (wire.place, wire.name, f"{_say(words, f'kind.{wire.word}')}{of}{most}", f"GPIO{wire.gpio}")
    for serial in plan.serials:
        units = ", ".join(serial.units)
        place = f"{serial.place} (A B C)" if serial.place else _say(words, "plug")
        yield (place, f"{_say(words, serial.what)} {serial.name}", f"{serial.port} {serial.settings}", units)


def _cautions(plan: Plan, words: Words) -> Iterator[tuple[str, ...]]:
    yield ("", "")
    yield (_say(words, "before"),)
    for caution in cautions_of(plan, words):
        for row in textwrap.wrap(caution, LONGEST):
            yield (row, "")


def _header(plan: Plan) -> Iterator[str]:
    height = len(HEADER) / 2 * PITCH
    yield f'<rect x="{MIDDLE - 26}" y="{TOP - 14}" width="52" height="{height + 4}" rx="4" fill="#ddd"/>'
    for place, pin in enumerate(HEADER):
        left, y = place % 2 == 0, TOP + place // 2 * PITCH
        toward = -1 if left else 1
        x, wire = MIDDLE + toward * 12, plan.at(pin)
        label = label_of(wire, pin)
        shape = f'stroke="#000" fill="{_fill(wire, pin)}"'
        if wire:
            end = x + toward * (REACH - 8)
            yield f'<line x1="{x}" y1="{y}" x2="{end}" y2="{y}" stroke="{_fill(wire, pin)}" stroke-width="2"/>'
        if place == 0:  # pin 1 is square on the board
            yield f'<rect x="{x - 8}" y="{y - 8}" width="16" height="16" {shape}/>'
        else:
            yield f'<circle cx="{x}" cy="{y}" r="8" {shape}/>'
        anchor = "end" if left else "start"
        line = f"GPIO{pin}" if isinstance(pin, int) else ""
        yield _text(x + toward * 18, y - 3 if wire else y + 4, f"{place + 1} {line}", anchor=anchor, size=9)
        yield _text(x + toward * REACH, y + 4, label, "h" if wire else "", anchor=anchor)


def _fill(wire: Wire | None, pin: int | str) -> str:
    if wire:
        return OUTPUT if wire.side == "output" else INPUT
    return FILL.get(str(pin), FREE)


def _say(words: Words, key: str) -> str:
    return words.get(f"wiring.{key}", key)


def _text(x: float, y: float, text: str, of: str = "", *, anchor: str = "start", size: int = 0) -> str:
    given = (f' class="{of}"' if of else "") + (f' style="font-size:{size}px"' if size else "")
    return f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}"{given}>{escape(text)}</text>'
