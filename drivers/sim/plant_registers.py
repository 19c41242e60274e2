"""A register image being filled: 0-based address to word, big-endian, high word first."""

import struct

Image = dict[int, int]


def word(value: float) -> int:
    """The nearest integer as one register; negative values in two's complement."""
    return round(value) & 0xFFFF


def put_long(image: Image, at: int, value: float) -> None:
    """Two registers, high word first; negative values in two's complement."""
    image[at], image[at + 1] = round(value) >> 16 & 0xFFFF, round(value) & 0xFFFF


def text(at: int, said: str, count: int) -> Image:
    """ASCII in `count` registers, two characters each, padded with spaces."""
    words = struct.unpack(f">{count}H", said.encode("ascii").ljust(2 * count))
    return dict(zip(range(at, at + count), words, strict=True))


def put_text(image: Image, at: int, said: str, count: int) -> None:
    """The same into an image."""
    image |= text(at, said, count)
