"""A station's own state, signed by its key: what is wrong there, what feeds it, how old its keys are.

`docs/order-format.md` is the specification. Bytes of any origin raise nothing but `WireError`.
"""

from enum import STRICT, IntEnum, IntFlag
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec import Struct

from appliance.alerting.wire_codec import (
    BATTERY_UNKNOWN,
    ID_SIZE,
    NO_ID,
    OCTETS8,
    U8,
    U16,
    U32,
    Field,
    Form,
    Stations,
    Supply,
    check_key,
    require,
    station_in,
)

HEALTH_VERSION: Final = 0x82
HEALTH_CONTEXT: Final = b"siaga health 1\0"
PERCENT_UNKNOWN: Final = 255
DAYS_UNKNOWN: Final = 65535


class Fault(IntFlag, boundary=STRICT):
    """What is wrong at the station, as events and alarms name it in lower case. A bit without a name is refused."""

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


_HEALTH: Final = Form(
    HEALTH_VERSION,
    HEALTH_CONTEXT,
    Field("supply", U8, Supply),
    Field("battery", U8),
    Field("disk_free_percent", U8),
    Field("clock_quality", U8, ClockQuality),
    Field("spare", U8),
    Field("station", U32),
    Field("key", U32),
    Field("session", OCTETS8),
    Field("counter", U32),
    Field("uptime_s", U32),
    Field("faults", U32, Fault),
    Field("supply_mv", U16),
    Field("cert_days", U16),
    Field("key_days", U16),
    Field("lock_minutes", U16),
    Field("wall", U32),
)
HEALTH_SIZE: Final = _HEALTH.size  # 110


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
    return _HEALTH.sign(health, key, spare=0)


def decode_health(data: bytes, stations: Stations) -> Health:
    """The health in `data`, signed by a key that `stations` holds for its station. Raises WireError."""
    fields, _ = _HEALTH.open(data, station_in(stations))
    require(fields.pop("spare") == 0, "The spare octet is zero in this version.")
    health = Health(**fields)
    _check(health)
    return health


def _check(health: Health) -> None:
    require(len(health.session) == ID_SIZE and health.session != NO_ID, "A session is 8 octets, never all zeros.")
    require(health.counter > 0, "Counters begin at 1.")
    for percent in (health.battery, health.disk_free_percent):
        require(percent <= 100 or percent == PERCENT_UNKNOWN, "A share is 0 to 100 percent, or 255.")
