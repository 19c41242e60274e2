"""What one make of modem needs and does differently: data in firmware-config/modems/*.toml, loaded once at start."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from drivers.modem.command import Command
from drivers.modem.events import Technology

Name = Annotated[str, Meta(min_length=1, max_length=40)]
Line = Annotated[str, Meta(pattern=r"^AT[ -~]*$", max_length=200)]


class ProfileError(ValueError):
    """A profile that cannot be used; its text names the file and the key."""


class Initial(Struct, frozen=True, forbid_unknown_fields=True):
    """A command at start. An optional one may be refused; a required one that is refused is reported."""

    send: Line
    optional: bool = False


class Quirks(Struct, frozen=True, forbid_unknown_fields=True):
    """What this make does that the standard does not say."""

    rings_without_ring: bool = False  # +CLIP and vendor reports tell of a call, RING may be missing
    reports_calls_by_clcc: bool = False  # +CLCC comes unasked at each change of a call
    second_call_mute: bool = False  # sound stays away from the second call until a reset
    keeps_link_open: bool = False  # AT+CMMS=1 sends the parts of a long message faster


class TimeQuestion(Struct, frozen=True, forbid_unknown_fields=True):
    """How to ask for the network's time, and whether its hours are those of the zone that stands with them."""

    ask: Line
    tells: Literal["local", "utc"] = "local"


class Only2g(Struct, frozen=True, forbid_unknown_fields=True):
    """How to leave LTE for a while, for networks that take USSD on 2G only. Kept by the modem without power.

    It is left alone unless `ask` is answered by `usual`: else a person has chosen otherwise.
    """

    ask: Line
    usual: str
    narrow: Line
    widen: Line


class Sound(Struct, frozen=True, forbid_unknown_fields=True):
    """Commands that start and stop the sound of a call, empty where there is nothing to say."""

    on: Line
    serial: tuple[Line, ...] = ()  # in place of `on` where the sound comes by a serial port
    off: Line | Literal[""] = ""
    after_s: Annotated[float, Meta(ge=0, le=5)] = 0.0  # s behind the call's begin before `on` is taken
    reset: Line | None = None  # restarts a modem whose calls have become mute


class Profile(Struct, frozen=True, forbid_unknown_fields=True):
    """`match` are substrings of what ATI, AT+CGMI and AT+CGMM say; the one profile without any fits all others.

    `init` goes out when the port comes up, `sim_init` once the SIM is ready. `delivery` is how messages come: stored in
    the modem and announced, or direct, each to be acknowledged.
    """

    name: Name
    source: str
    match: tuple[Name, ...]
    audio: Literal["usb", "serial-pcm", "none"]
    init: tuple[Initial, ...]
    sim_init: tuple[Initial, ...]
    urcs: tuple[Name, ...] = ()
    two_line_urcs: tuple[Name, ...] = ()
    restart_urcs: tuple[Name, ...] = ("RDY",)
    delivery: Literal["stored", "direct"] = "stored"
    hangup: Line = "AT+CHUP"  # ends all calls
    refuse: Line = "AT+CHUP"  # of the call that rings alone; who calls hears busy
    key: Line = 'AT+VTS="{key}"'  # sends one telephone key; {call} is the call's index
    sound: Sound | None = None
    reset: Line | None = None  # the maker's own, for when AT+CFUN=1,1 does not help
    signal: tuple[Line, ...] = ("AT+CSQ", "AT+CESQ")  # asked in this order until one tells a strength
    ims: Line | None = None  # asks whether voice over LTE is up
    technology: Technology = "unknown"  # of a modem that knows one only, and does not say so
    time: TimeQuestion | None = None
    only_2g: Only2g | None = None
    quirks: Quirks = Quirks()

    def at_start(self, *, serial_sound: bool) -> tuple[Initial, ...]:
        """`init`, where sound that comes by a serial port is switched there instead of to USB."""
        plan = self.sound
        if plan is None or not plan.serial or not serial_sound:
            return self.init
        instead = tuple(Initial(send=line, optional=True) for line in plan.serial)
        return tuple(one for initial in self.init for one in (instead if initial.send == plan.on else (initial,)))


def load_profile(path: Path) -> Profile:
    """One profile. Raises ProfileError."""
    try:
        profile = msgspec.toml.decode(path.read_bytes(), type=Profile)
        for line in (
            *(initial.send for initial in (*profile.init, *profile.sim_init)),
            profile.hangup,
            profile.refuse,
            profile.key,
            *((s.on, *s.serial, s.off or "AT", s.reset or "AT") if (s := profile.sound) else ()),
            *profile.signal,
            *((profile.time.ask,) if profile.time else ()),
            *((p.ask, p.narrow, p.widen) if (p := profile.only_2g) else ()),
        ):
            Command.of(line)
    except OSError as e:
        raise ProfileError(f"{path}: cannot be read ({e.strerror}).") from e
    except (msgspec.MsgspecError, ValueError) as e:
        raise ProfileError(f"{path}: {e}") from e
    return profile


def load_profiles(folder: Path) -> tuple[Profile, ...]:
    """All profiles of a folder, by file name. Raises ProfileError, also when not exactly one fits all others."""
    profiles = tuple(load_profile(path) for path in sorted(folder.glob("*.toml")))
    generic = [profile.name for profile in profiles if not profile.match]
    if len(generic) != 1:
        raise ProfileError(f"{folder}: exactly one profile must have an empty `match`, found {generic or 'none'}.")
    return profiles


def choose(profiles: Sequence[Profile], identity: str) -> Profile:
    """The profile whose longest `match` stands in the identity; else the one that fits all others."""
    said = identity.casefold()
    fitting = [
        (max((len(part) for part in profile.match if part.casefold() in said), default=0), profile)
        for profile in profiles
    ]
    length, best = max(fitting, key=lambda pair: pair[0])
    return best if length else next(profile for profile in profiles if not profile.match)
