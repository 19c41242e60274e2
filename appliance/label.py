"""The label on a box and its card: name, address, key and a QR code of its page, as an SVG of 100 x 60 mm."""

import subprocess
from html import escape

import msgspec

WIDTH, HEIGHT = 100, 60  # mm
QR = 44.0  # mm; some 33 modules of more than a millimetre each, for a telephone at arm's length
QUIET = 2.0  # mm to the frame; the code's own margin is white paper
LEVEL = "M"  # a label gets scratched: 15 % may be lost
ROW = 5.6  # mm


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
    left, top = WIDTH - QR - 4, (HEIGHT - QR) / 2
    path = "".join(
        f"M{left + x * size:.3f},{top + y * size:.3f}h{size:.3f}v{size:.3f}h-{size:.3f}z"
        for y, row in enumerate(rows)
        for x, module in enumerate(row)
        if module == "#"
    )
    lines = [
        f'<text x="4" y="{20 + n * 2 * ROW:.1f}" font-size="2.6">{escape(name)}</text>'
        f'<text x="4" y="{20 + n * 2 * ROW + 4:.1f}" font-size="3.6" font-family="monospace">{escape(text)}</text>'
        for n, (name, text) in enumerate(label.rows)
    ]
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}mm" height="{HEIGHT}mm" '
        f'viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif">',
        f"<title>{escape(label.title)}</title>",
        f'<rect x="0.5" y="0.5" width="{WIDTH - 1}" height="{HEIGHT - 1}" fill="white" stroke="black"/>',
        f'<text x="4" y="8" font-size="6" font-weight="bold">{escape(label.title)}</text>',
        f'<text x="4" y="13" font-size="3.4">{escape(label.under)}</text>',
        *lines,
        f'<rect x="{left - QUIET}" y="{top - QUIET}" width="{QR + 2 * QUIET}" height="{QR + 2 * QUIET}" fill="white"/>',
        f'<path d="{path}" fill="black"/>',
        "</svg>", "",
    ])  # fmt: skip
