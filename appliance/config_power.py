"""The site file's part for power: buses, devices on them, contacts, and the rules of the plant."""

from typing import Annotated, Literal

import msgspec

Name = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_-]{0,31}$")]
Port = Annotated[int, msgspec.Meta(ge=1, le=65535)]


class Struct(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of the site file."""


class Bus(Struct, frozen=True, kw_only=True):
    """`rtu_tcp`: RTU frames, with their checksum, through a serial server's plain socket."""

    id: Name
    kind: Literal["rtu", "tcp", "rtu_tcp"]
    port: str = ""  # rtu: device
    baud: Literal[2400, 4800, 9600, 19200, 38400, 57600, 115200] = 9600
    parity: Literal["N", "E", "O"] = "N"
    stopbits: Literal[1, 2] = 1
    host: str = ""  # tcp, rtu_tcp
    tcp_port: Port = 502
    timeout_s: Annotated[float, msgspec.Meta(ge=0.1, le=5)] = 1.0  # of a unit that does not say its own


class Device(Struct, frozen=True, kw_only=True):
    """What answers on a bus; a UPS may be asked through NUT's `upsd` instead."""

    id: Name
    name: str
    bus: Name | Literal[""] = ""
    unit: Annotated[int, msgspec.Meta(ge=0, le=255)] = 1
    profile: Name | str = ""
    poll_s: Annotated[float, msgspec.Meta(ge=0.2, le=60)] = 1.0
    timeout_s: Annotated[float, msgspec.Meta(ge=0.1, le=5)] | None = None  # None: the bus's


class Genset(Device, frozen=True, kw_only=True):
    """A generator's controller. What it cannot tell itself is said here, from the plate and the tank."""

    rated_kw: Annotated[float, msgspec.Meta(gt=0, le=10_000)] | None = None
    tank_litres: Annotated[float, msgspec.Meta(gt=0, le=1_000_000)] | None = None
    litres_per_kwh: Annotated[float, msgspec.Meta(ge=0.1, le=2)] = 0.33  # until it was learned; a mid-size diesel's
    reserve_percent: Annotated[float, msgspec.Meta(ge=0, le=50)] = 5.0  # of the tank, that a pump no more draws
    relay: Name | Literal[""] = ""  # output of the annunciator (kind "start"): the second way to start
    relay_running: Name | Literal[""] = ""  # input: contact that closes while the set runs


class Ups(Device, frozen=True, kw_only=True):
    """`nut`: "name@host:port" of a UPS that NUT's upsd serves, instead of bus and profile.

    `nut_login`: file with a user of upsd.users, that may give instant commands, and its password; only orders need it.
    """

    nut: str = ""
    nut_login: str = ""


class Contacts(Struct, frozen=True, kw_only=True):
    """Dry contacts of a transfer switch on the annunciator's inputs: each closes while its word is true."""

    id: Name
    name: str
    mains_present: Name | Literal[""] = ""
    genset_present: Name | Literal[""] = ""
    on_mains: Name | Literal[""] = ""
    on_genset: Name | Literal[""] = ""


class Exercise(Struct, frozen=True, kw_only=True):
    """NFPA 110's monthly run: so long at so much load, and when one is overdue."""

    every_days: Annotated[int, msgspec.Meta(ge=1, le=120)] = 31
    minutes: Annotated[float, msgspec.Meta(ge=1, le=480)] = 30.0
    load_percent: Annotated[float, msgspec.Meta(ge=1, le=100)] = 30.0


class PowerRules(Struct, frozen=True, kw_only=True):
    start_s: Annotated[float, msgspec.Meta(ge=10, le=600)] = 90.0  # three cranks and their rests; then it has failed
    load_s: Annotated[float, msgspec.Meta(ge=2, le=600)] = 30.0  # a running set must have taken the load by then
    retransfer_min: Annotated[float, msgspec.Meta(ge=0, le=120)] = 30.0  # that a good mains is waited for
    cooldown_min: Annotated[float, msgspec.Meta(ge=0, le=60)] = 5.0
    fuel_low_percent: Annotated[float, msgspec.Meta(ge=1, le=90)] = 25.0
    exercise: Exercise = Exercise()
