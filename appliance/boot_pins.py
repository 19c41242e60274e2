"""What the header's pins are told before Linux runs, as lines of a Raspberry Pi's config.txt.

A relay is driven off from the firmware's first second. All other pins stay as they are at power on: a line that
nobody knows is never driven, so it cannot work against a driver that somebody has wired to it.
"""

from collections.abc import Iterable, Iterator

from appliance.annunciator_config import HIGH_AT_RESET, PINS, AnnunciatorConfig

BEGIN, END = "# pins: begin", "# pins: end"
RESERVED = frozenset({2, 3, 14, 15})  # the battery clock's bus and the console, unless a site wires them
LONGEST_LINE = 98  # octets; the firmware passes over what is behind them


class PinsRefused(Exception):
    """There is no place for the lines; the text says which and what to do."""


def lines(*wired: AnnunciatorConfig) -> list[str]:
    """The `gpio=` lines for a box wired as any of these: an output of one is driven off although another reads it."""
    outputs = [output for one in wired for output in one.output.values()]
    high = {output.pin for output in outputs if not output.active_high}
    low = {output.pin for output in outputs} - high
    named = low | high | {read.pin for one in wired for read in one.input.values()}
    others = {pin for pin in PINS if pin in named or pin not in RESERVED} - low - high
    groups = (
        (others & set(HIGH_AT_RESET), "ip,pu"), (others - set(HIGH_AT_RESET), "ip,pd"), (low, "op,dl"), (high, "op,dh"),
    )  # fmt: skip
    return [line for pins, state in groups for line in _wrapped(list(_ranges(pins)), state)]


def placed(config: str, pins: Iterable[str]) -> str:
    """`config` with the lines between its two marks changed for `pins`. Raises PinsRefused."""
    before, begun, rest = config.partition(f"{BEGIN}\n")
    _, ended, after = rest.partition(f"{END}\n")
    if not begun or not ended:
        raise PinsRefused(f'The lines "{BEGIN}" and "{END}" are not both there; take firmware-config/boot/config.txt.')
    return "".join((before, begun, *(f"{line}\n" for line in pins), ended, after))


def _ranges(pins: set[int]) -> Iterator[str]:
    for first in sorted(pin for pin in pins if pin - 1 not in pins):
        last = first
        while last + 1 in pins:
            last += 1
        yield f"{first}" if first == last else f"{first}-{last}"


def _wrapped(ranges: list[str], state: str) -> Iterator[str]:
    while ranges:
        count = next(n for n in range(len(ranges), 0, -1) if len(_line(ranges[:n], state)) <= LONGEST_LINE)
        yield _line(ranges[:count], state)
        ranges = ranges[count:]


def _line(ranges: list[str], state: str) -> str:
    return f"gpio={','.join(ranges)}={state}"
