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
ONLY_FOLLOWS = ("door", "stove")  # nothing but an actual order at their siren switches them
FOLLOWS = (*ONLY_FOLLOWS, "light", "lamp")
DIMS = (*SOUNDING, "light")
PROVES = ("current", "feedback")  # inputs that tell what became of an output
HELD = (0.5, 14_400.0)  # s; a door's shortest pulse, and the four hours in which a crew is back at its stove
DOOR_HELD = 5.0  # s; a door opener takes a push on its button
RAMP = (0.1, 120.0)  # s; sleepers are woken by light in a minute, and nobody is left in the dark for two
SENDS = 14  # TXD of the header's serial port, high whenever that port is on and silent
# What a line does that is driven while the board starts.
AT_BOOT = {"siren": "sounds", "start": "starts the set", "door": "opens", "stove": "cuts the stove off"}


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    pass


class OutputConfig(_Table, frozen=True):
    """A relay or a lamp. `max_s`: the longest it is ever on at once; sirens and buzzers must have one."""

    pin: int
    kind: Literal["siren", "light", "buzzer", "lamp", "start", "door", "stove"]  # start: a second way to start a set
    max_s: float | None = None
    active_high: bool = True
    follows: str | None = None  # the siren or buzzer whose orders switch it on too
    hold_s: float | None = None  # from an order's beginning; None: as long as the order, and of a door DOOR_HELD
    pattern: str = "steady"  # of a light
    inverse: bool = False  # a light that is on in the pauses of its pattern
    pwm: bool = False
    ramp_s: float = 0.0  # until it is at its full level
    zone: str = ""  # for whoever reads the wiring


class InputConfig(_Table, frozen=True):
    """A contact that closes against the pull. `of`: the output whose current or relay it tells of."""

    pin: int
    kind: Literal[
        "button", "acknowledge", "contact", "feedback", "current", "tamper", "door", "supply", "battery_low"
    ]  # fmt: skip
    debounce_s: float = 0.05
    pull: Literal["up", "down"] = "up"
    of: str | None = None


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
    return [
        *_check_process(config), *_check_pins(config), *_check_outputs(config), *_check_followers(config),
        *_check_dimming(config), *_check_proofs(config), *_check_button(config),
    ]  # fmt: skip


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
        if wired.kind in AT_BOOT and wired.pin == SENDS:
            yield f"{key}.pin: GPIO {SENDS} is high whenever the serial port is on; use another for a {wired.kind}."


def _check_followers(config: AnnunciatorConfig) -> Iterator[str]:
    for name, wired in config.output.items():
        key = f"output.{name}"
        if wired.follows is None:
            if wired.kind in ONLY_FOLLOWS:
                yield f"{key}.follows: a {wired.kind} needs a siren to follow; nothing else switches it."
            if wired.hold_s is not None:
                yield f"{key}.hold_s: only an output that follows a siren is held; remove this line."
            continue
        leader = config.output.get(wired.follows)
        if wired.kind not in FOLLOWS:
            yield f"{key}.follows: a {wired.kind} follows nothing; give it orders of its own."
        elif leader is None or leader.kind not in SOUNDING:
            yield f"{key}.follows: {wired.follows!r} is no output of kind siren or buzzer."
        if config.button and config.button.lamp == name:
            yield f"{key}.follows: this lamp says that a press sounds here only; let another one follow."
        if wired.kind == "stove" and wired.hold_s is None:
            yield f"{key}.hold_s: say how long the stove stays off; it must not burn again when the siren is quiet."
        if wired.hold_s is not None and not HELD[0] <= wired.hold_s <= min(HELD[1], wired.max_s or HELD[1]):
            most = "max_s" if wired.max_s else f"{HELD[1]:g} s"
            yield f"{key}.hold_s: {wired.hold_s:g} is not between {HELD[0]:g} and {most}."


def _check_dimming(config: AnnunciatorConfig) -> Iterator[str]:
    for name, wired in config.output.items():
        key = f"output.{name}"
        if wired.pattern not in PATTERNS:
            yield f"{key}.pattern: {wired.pattern!r} is not one of {', '.join(PATTERNS)}."
        elif wired.pattern != "steady" and wired.kind != "light":
            yield f"{key}.pattern: only a light has a pattern of its own; a {wired.kind}'s comes with its order."
        elif wired.inverse and not all(off for _, off in PATTERNS[wired.pattern]):
            yield f"{key}.inverse: {wired.pattern} has no pauses to be on in; give a pattern that has."
        if wired.pwm and wired.kind not in DIMS:
            yield f"{key}.pwm: a {wired.kind} is on or off; only sirens, buzzers and lights are dimmed."
        elif wired.pwm and not wired.active_high:
            yield f"{key}.active_high: what is dimmed must be off when its line is low, as it is when its process dies."
        elif wired.ramp_s and not wired.pwm:
            yield f"{key}.ramp_s: only what has pwm = true fades in."
        elif wired.ramp_s and not RAMP[0] <= wired.ramp_s <= RAMP[1]:
            yield f"{key}.ramp_s: {wired.ramp_s:g} is not between {RAMP[0]:g} and {RAMP[1]:g} s."


def _check_proofs(config: AnnunciatorConfig) -> Iterator[str]:
    for name, wired in config.input.items():
        if wired.kind == "current" and wired.of is None:
            yield f"input.{name}.of: say whose current this is, the name of an output."
        elif wired.of is not None and wired.kind not in PROVES:
            yield f"input.{name}.of: a {wired.kind} proves no output; remove this line."
        elif wired.of is not None and wired.of not in config.output:
            yield f"input.{name}.of: there is no output {wired.of!r}."


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
