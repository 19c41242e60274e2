"""A process that verifies signatures and nothing else: `python -m appliance.alerting.verifying`, started by core.

It reads pieces from its standard input and answers each with one octet a signature: 1 right, 0 wrong. A piece is u32
octets that follow, then for each signature: key 32, signature 64, u16 octets that were signed, and these.
"""

import functools
import signal
import struct
import sys

from nacl.exceptions import CryptoError
from nacl.signing import VerifyKey

LENGTH = struct.Struct(">I")
HEAD = struct.Struct(">32s64sH")


def piece(claims: list[tuple[bytes, bytes, bytes]]) -> bytes:
    """Key, what was signed, signature of each."""
    body = b"".join(HEAD.pack(key, signature, len(signed)) + signed for key, signed, signature in claims)
    return LENGTH.pack(len(body)) + body


def verdicts(body: bytes) -> bytes:
    found, at = bytearray(), 0
    while at < len(body):
        key, signature, length = HEAD.unpack_from(body, at)
        at += HEAD.size
        found.append(_right(key, body[at : at + length], signature))
        at += length
    return bytes(found)


def _right(key: bytes, signed: bytes, signature: bytes) -> bool:
    try:
        _key(key).verify(signed, signature)
    except CryptoError:
        return False
    return True


@functools.lru_cache(maxsize=4096)
def _key(octets: bytes) -> VerifyKey:
    return VerifyKey(octets)


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for core, whose end ends the input here
    given, told = sys.stdin.buffer, sys.stdout.buffer
    while len(head := given.read(LENGTH.size)) == LENGTH.size:
        told.write(verdicts(given.read(LENGTH.unpack(head)[0])))
        told.flush()


if __name__ == "__main__":
    main()
