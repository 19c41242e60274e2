"""U-Boot's view of which slot to start, as the octets that lie on the disk: CRC-32 and NAME=VALUE strings."""

import struct
import zlib

from siaga_image.layout import STATE_SIZE

TRIES = 3
FIRST = {"BOOT_ORDER": "A B", "BOOT_A_LEFT": str(TRIES), "BOOT_B_LEFT": "0"}  # nothing is in slot B yet


def encode(values: dict[str, str]) -> bytes:
    """One copy, STATE_SIZE octets."""
    text = b"".join(f"{name}={value}\0".encode() for name, value in values.items()) + b"\0"
    data = text.ljust(STATE_SIZE - 4, b"\0")
    return struct.pack("<I", zlib.crc32(data)) + data


def decode(octets: bytes) -> dict[str, str]:
    """Raises ValueError for a copy that is not whole."""
    data = octets[4:STATE_SIZE]
    if struct.unpack("<I", octets[:4])[0] != zlib.crc32(data):
        raise ValueError("The boot state's check does not fit: it was cut while it was written, or never was.")
    rows = data.split(b"\0\0")[0].split(b"\0")
    return dict(row.decode().split("=", 1) for row in rows if row)
