"""A station's own state, signed by its key: what is wrong there, what feeds it, how old its keys are.

`docs/order-format.md` is the specification. Bytes of any origin raise nothing but `WireError`.
"""

import struct
from collections.abc import Mapping
from enum import IntEnum, IntFlag
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from msgspec import Struct

from appliance.alerting.wire_codec import (
    BATTERY_UNKNOWN,
    ID_SIZE,
    NO_ID,
    SIGNATURE_SIZE,
    Supply,
    body_of,
    check_key,
    first_octet,
    member,
    pack,
    require,
    signed,
    verify,
)

HEALTH_VERSION: Final = 0x82
HEALTH_CONTEXT: Final = b"siaga health 1\0"
PERCENT_UNKNOWN: Final = 255
DAYS_UNKNOWN: Final = 65535
# version, supply, battery, disk_free_percent, clock_quality, spare, station, key, session, counter, uptime_s, faults,
# supply_mv, cert_days, key_days, lock_minutes, wall
_HEALTH: Final = struct.Struct(">BBBBBBII8sIIIHHHHI")
HEALTH_SIZE: Final = _HEALTH.size + SIGNATURE_SIZE  # 110


class Fault(IntFlag):
    """What is wrong at the station. Events and alarms use the names in lower case."""

    SIREN_LINE = 1  # the output did not do what it was told
    SIREN_STUCK = 2  # it does not open
    NO_CURRENT = 4  # on, and no current flowed
    NOT_HEARD = 8  # on, and no microphone heard it
    ANNUNCIATOR = 16  # the process that owns the outputs does not answer
    DISK = 32
    SUPPLY_LOW = 64
    ON_BATTERY = 128
    TAMPER = 256
    DOOR = 512
    CENTRE_SILENT = 1024
    MODEM = 2048
    BROKER = 4096
    CLOCK = 8192
    AUDIO = 16384
    KEY_OLD = 32768
    BUTTON_STUCK = 65536
    PRESS_BARRED = 131072


KNOWN_FAULTS: Final = sum(Fault)


class ClockQuality(IntEnum):
    """Where the station's wall clock has its time from. The names are those of the box's own."""

    UNKNOWN = 0
    NTP = 1
    GPS = 2
    NITZ = 3
    HELD = 4


class Health(Struct, frozen=True, forbid_unknown_fields=True):
    """The `counter` is of the same count as that of answers, and so is `session`."""

    station: int  # u32
    key: int  # u32, the signing key's id
    session: bytes
    counter: int  # u32 from 1
    uptime_s: int  # u32, s since the session began
    faults: Fault = Fault(0)
    supply: Supply = Supply.UNKNOWN
    battery: int = BATTERY_UNKNOWN  # u8, percent
    disk_free_percent: int = PERCENT_UNKNOWN  # u8
    clock_quality: ClockQuality = ClockQuality.UNKNOWN
    supply_mv: int = 0  # u16; 0: unknown
    cert_days: int = DAYS_UNKNOWN  # u16, since the broker's certificate was made
    key_days: int = DAYS_UNKNOWN  # u16, since the key was made
    lock_minutes: int = 0  # u16, until the lockout ends, rounded up; 0: not locked out
    wall: int = 0  # u32, unix s of the station's own clock; 0: unknown


def is_health(data: bytes) -> bool:
    """Whether octets that came from a station want to be its health; nothing is proven by that."""
    return data[:1] == bytes((HEALTH_VERSION,))


def fault_names(faults: Fault) -> tuple[str, ...]:
    """As events and alarms name them, sorted."""
    return tuple(sorted(fault.name.lower() for fault in faults if fault.name))


def encode_health(health: Health, key: Ed25519PrivateKey) -> bytes:
    """110 octets. Raises WireError for fields that do not fit and for a key that is not `health.key`."""
    check_key(health.key, key)
    _check(health)
    body = pack(
        _HEALTH,
        HEALTH_VERSION,
        health.supply,
        health.battery,
        health.disk_free_percent,
        health.clock_quality,
        0,
        health.station,
        health.key,
        health.session,
        health.counter,
        health.uptime_s,
        int(health.faults),
        health.supply_mv,
        health.cert_days,
        health.key_days,
        health.lock_minutes,
        health.wall,
    )
    return signed(body, HEALTH_CONTEXT, key)


def decode_health(data: bytes, stations: Mapping[int, Mapping[int, Ed25519PublicKey]]) -> Health:
    """The health in `data`, signed by a key that `stations` holds, by key id, for its number. Raises WireError."""
    first_octet(data, HEALTH_VERSION)
    body = body_of(data, _HEALTH.size)
    _, supply, battery, disk, clock, spare, station, key, session, counter, uptime_s, faults, *figures = _HEALTH.unpack(
        body
    )
    supply_mv, cert_days, key_days, lock_minutes, wall = figures
    public = stations.get(station, {}).get(key)
    verify(data, body, HEALTH_CONTEXT, public, f"Station {station} is not enrolled with the key {key:08x}.")
    require(spare == 0, "The spare octet is zero in this version.")
    health = Health(
        station=station,
        key=key,
        session=session,
        counter=counter,
        uptime_s=uptime_s,
        faults=Fault(faults),
        supply=member(Supply, supply),
        battery=battery,
        disk_free_percent=disk,
        clock_quality=member(ClockQuality, clock),
        supply_mv=supply_mv,
        cert_days=cert_days,
        key_days=key_days,
        lock_minutes=lock_minutes,
        wall=wall,
    )
    _check(health)
    return health


def _check(health: Health) -> None:
    require(len(health.session) == ID_SIZE and health.session != NO_ID, "A session is 8 octets, never all zeros.")
    require(not int(health.faults) & ~KNOWN_FAULTS, f"0x{health.faults:08x} holds a fault unknown to this version.")
    require(health.counter > 0, "Counters begin at 1.")
    for percent in (health.battery, health.disk_free_percent):
        require(percent <= 100 or percent == PERCENT_UNKNOWN, "A share is 0 to 100 percent, or 255.")
