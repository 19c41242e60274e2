"""The label on a box and its card: name, address, key and a QR code of its page, as an SVG of 100 x 60 mm."""

import subprocess
from html import escape

import msgspec

WIDTH, HEIGHT = 100, 60  # mm
QR = 36.0  # mm; some 25 modules of more than a millimetre each, for a telephone at arm's length
MARGIN = 5.0  # mm; four modules of white around the code are asked for (ISO/IEC 18004)
COLUMN = WIDTH - QR - 3 * MARGIN  # mm, for the rows beside it
LETTER = 0.61  # of a monospaced font's size
LEVEL = "M"  # a label gets scratched: 15 % may be lost
ROW = 10.0  # mm
LARGEST = 3.6  # mm, letters


class Label(msgspec.Struct, frozen=True, kw_only=True):
    """`rows`: what stands beside the code, name and text."""

    title: str
    under: str
    rows: tuple[tuple[str, str], ...]
    url: str


class NoQr(Exception):
    """The code cannot be drawn; the text says what to do."""


def modules(text: str) -> list[str]:
    """Rows of the QR code, `#` for black. Raises NoQr."""
    try:
        drawn = subprocess.run(
            ["qrencode", "-t", "ASCII", "-m", "0", "-l", LEVEL, text], capture_output=True, text=True, check=True
        ).stdout
    except FileNotFoundError as e:
        raise NoQr("qrencode is missing: apt-get install qrencode.") from e
    except subprocess.CalledProcessError as e:
        raise NoQr(f"qrencode does not take it: {e.stderr.strip()}") from e
    return [row[::2] for row in drawn.splitlines()]  # it draws each module two letters wide


def svg(label: Label) -> str:
    """Black on white, in millimetres, to be printed at 100 %. Raises NoQr."""
    rows = modules(label.url)
    size = QR / len(rows)
    left, top = WIDTH - QR - MARGIN, HEIGHT - QR - MARGIN
    path = "".join(
        f"M{left + x * size:.3f},{top + y * size:.3f}h{size:.3f}v{size:.3f}h-{size:.3f}z"
        for y, row in enumerate(rows)
        for x, module in enumerate(row)
        if module == "#"
    )
    lines = [
        f'<text x="{MARGIN}" y="{21 + n * ROW:.1f}" font-size="2.6">{escape(name)}</text>'
        f'<text x="{MARGIN}" y="{25 + n * ROW:.1f}" font-size="{_fits(text):.2f}" font-family="monospace">'
        f"{escape(text)}</text>"
        for n, (name, text) in enumerate(label.rows)
    ]
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}mm" height="{HEIGHT}mm" '
        f'viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif">',
        f"<title>{escape(label.title)}</title>",
        f'<rect x="0.5" y="0.5" width="{WIDTH - 1}" height="{HEIGHT - 1}" fill="white" stroke="black" '
        'stroke-width="0.3"/>',
        f'<text x="5" y="9" font-size="6" font-weight="bold">{escape(label.title)}</text>',
        f'<text x="5" y="14.5" font-size="3.4">{escape(label.under)}</text>',
        *lines,
        f'<path d="{path}" fill="black"/>',
        "</svg>", "",
    ])  # fmt: skip


def _fits(text: str) -> float:
    """The size at which it is no wider than its column."""
    return min(LARGEST, COLUMN / (LETTER * max(1, len(text))))
