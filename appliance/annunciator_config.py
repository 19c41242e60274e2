"""What is wired to which pin: the annunciator's own file, and the same structs inside the site's configuration."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import msgspec

from drivers.gpio.patterns import PATTERNS

NAME = re.compile(r"[a-z][a-z0-9_-]{0,31}")
PINS = range(2, 28)  # BCM numbers on the 40-pin header; 0 and 1 belong to a HAT's EEPROM
FIXED_PULL_UP = (2, 3)  # 1.8 kOhm on the board itself, for I2C
HIGH_AT_RESET = range(2, 9)  # BCM2835 peripherals, table 6-31: pulled up until software says otherwise
MOST_SOUNDING = 900.0  # s; Aceh's real warning sounds 6 minutes, the longest known here
MOST_STARTED = 86_400.0  # s; a day, as a set's tank lasts. An outage that lasts longer has people at the set
MOST_DEBOUNCE = 1.0  # s
TAKE_WITHIN = (0.05, 2.0)  # s; a person who presses waits no longer for a sound
LONGEST_SOCKET = 107  # bytes, unix(7)
SOUNDING = ("siren", "buzzer")
AT_BOOT = {"siren": "sounds", "start": "starts the set"}  # what a line does that is driven while the board starts


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    pass


class OutputConfig(_Table, frozen=True):
    """A relay or a lamp. `max_s`: the longest it is ever on at once; sirens and buzzers must have one."""

    pin: int
    kind: Literal["siren", "light", "buzzer", "lamp", "start"]  # start: the second way to start a generator
    max_s: float | None = None
    active_high: bool = True


class InputConfig(_Table, frozen=True):
    """A contact that closes against the pull."""

    pin: int
    kind: Literal["button", "acknowledge", "contact", "feedback"]
    debounce_s: float = 0.05
    pull: Literal["up", "down"] = "up"


class ButtonConfig(_Table, frozen=True):
    """The red button: what it sounds by itself when core does not take the press within `take_within_s`."""

    input: str
    output: str
    pattern: str = "steady"
    seconds: float = 60.0
    take_within_s: float = 0.5
    lamp: str | None = None  # the lamp "local only"


class AnnunciatorConfig(_Table, frozen=True):
    """`uids`: users besides root and the annunciator's own that may use its socket. `knobs`: with `mock` only."""

    socket: str
    factory: Literal["lgpio", "mock"]
    knobs: str | None = None
    output: dict[str, OutputConfig] = {}
    input: dict[str, InputConfig] = {}
    button: ButtonConfig | None = None
    uids: tuple[int, ...] = ()


class ConfigRefused(Exception):
    """The file cannot be used; the text names each key that is wrong."""


def load(path: Path) -> AnnunciatorConfig:
    """Read and check a TOML file: a site's, whose other tables are none of our business, or one of this alone.

    Its paths are taken from the file's folder. Raises ConfigRefused.
    """
    try:
        whole = msgspec.toml.decode(path.read_bytes())
        config = msgspec.convert(whole.get("annunciator", whole), AnnunciatorConfig)
    except (OSError, msgspec.DecodeError) as e:
        raise ConfigRefused(f"{path}: {e}") from e
    here = path.resolve().parent
    config = msgspec.structs.replace(
        config, socket=str(here / config.socket), knobs=str(here / config.knobs) if config.knobs else None
    )
    if reasons := check(config):
        raise ConfigRefused("\n".join(f"{path}: {reason}" for reason in reasons))
    return config


def check(config: AnnunciatorConfig) -> list[str]:
    """Why this cannot be wired so, one sentence a key; empty when it can."""
    return [*_check_process(config), *_check_pins(config), *_check_outputs(config), *_check_button(config)]


def _check_process(config: AnnunciatorConfig) -> Iterator[str]:
    if not 0 < len(config.socket.encode()) <= LONGEST_SOCKET:
        yield f"socket: a path of 1 to {LONGEST_SOCKET} bytes is needed."
    if config.knobs is not None and config.factory != "mock":
        yield 'knobs: only factory = "mock" has knobs; remove this line.'
    if any(not 0 <= uid < 1 << 32 for uid in config.uids):
        yield "uids: a user's number is 0 to 4294967295."


def _check_pins(config: AnnunciatorConfig) -> Iterator[str]:
    taken: dict[int, str] = {}
    names: set[str] = set()
    lines: list[tuple[str, str, int]] = [("output", n, o.pin) for n, o in config.output.items()]
    lines += [("input", n, i.pin) for n, i in config.input.items()]
    for table, name, pin in lines:
        key = f"{table}.{name}"
        if not NAME.fullmatch(name):
            yield f"{key}: a name is small letters, digits, _ and -, at most 32, and starts with a letter."
        if name in names:
            yield f"{key}: this name is used twice; name inputs and outputs apart."
        names.add(name)
        if pin not in PINS:
            yield f"{key}.pin: GPIO {pin} is not on the header; use {PINS[0]} to {PINS[-1]}."
        if pin in taken:
            yield f"{key}.pin: GPIO {pin} is already that of {taken[pin]}."
        taken.setdefault(pin, key)
    for name, wired in config.input.items():
        if not 0 <= wired.debounce_s <= MOST_DEBOUNCE:
            yield f"input.{name}.debounce_s: {wired.debounce_s:g} is not between 0 and {MOST_DEBOUNCE:g} s."
        if wired.pull == "down" and wired.pin in FIXED_PULL_UP:
            yield f'input.{name}.pull: GPIO {wired.pin} has a pull-up on the board; use pull = "up" or another pin.'


def _check_outputs(config: AnnunciatorConfig) -> Iterator[str]:
    for name, wired in config.output.items():
        key = f"output.{name}"
        most = MOST_STARTED if wired.kind == "start" else MOST_SOUNDING
        if wired.kind in (*SOUNDING, "start") and wired.max_s is None:
            yield f"{key}.max_s: a {wired.kind} needs a longest time, in seconds."
        if wired.max_s is not None and not 1 <= wired.max_s <= most:
            yield f"{key}.max_s: {wired.max_s:g} is not between 1 and {most:g} s."
        if wired.kind in AT_BOOT and not wired.active_high:
            acts = AT_BOOT[wired.kind]
            yield f"{key}.active_high: a {wired.kind} that is on when its line is low {acts} whenever the board starts."
        if wired.kind in AT_BOOT and wired.pin in HIGH_AT_RESET:
            yield f"{key}.pin: GPIO {wired.pin} is pulled high while the board starts; use 9 to 27 for a {wired.kind}."


def _check_button(config: AnnunciatorConfig) -> Iterator[str]:
    button = config.button
    if button is None:
        return
    pressed, sounds = config.input.get(button.input), config.output.get(button.output)
    lamp = config.output.get(button.lamp) if button.lamp is not None else None
    if pressed is None or pressed.kind != "button":
        yield f'button.input: {button.input!r} is no input of kind "button".'
    if sounds is None or sounds.kind not in SOUNDING:
        yield f"button.output: {button.output!r} is no output of kind siren or buzzer."
    elif sounds.max_s is not None and not 1 <= button.seconds <= sounds.max_s:
        yield f"button.seconds: {button.seconds:g} is not between 1 and output.{button.output}.max_s."
    if button.pattern not in PATTERNS:
        yield f"button.pattern: {button.pattern!r} is not one of {', '.join(PATTERNS)}."
    least, most = TAKE_WITHIN
    if not least <= button.take_within_s <= most:
        yield f"button.take_within_s: {button.take_within_s:g} is not between {least:g} and {most:g} s."
    if button.lamp is not None and (lamp is None or lamp.kind != "lamp"):
        yield f'button.lamp: {button.lamp!r} is no output of kind "lamp".'
