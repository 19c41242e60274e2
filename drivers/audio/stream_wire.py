"""How a browser's sound goes from `siaga web` to `siaga audio` over audio-stream.sock: both ends' contract.

The client sends one line of JSON, `{"key":"..."}`, and gets one, `{"ok":{}}` or `{"error":{code, text, next}}` and the
end of the connection. Then both send frames of 20 ms, s16le, mono, 16 kHz, one behind the other without a header.
"""

from typing import Annotated

import msgspec

RATE = 16000  # Hz
FRAME_OCTETS = 640  # 20 ms; nothing shorter or longer is sent, so no length stands before it
MAX_LINE = 512  # octets of the first line, its end included
GREETING_S = 2.0  # s from connecting until the whole first line


class Greeting(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """`key` is what core gave out for this one end; who knows it is let in."""

    key: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]


class Said(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Why a stream is refused: `unknown_key`, `in_use`, `not_allowed`, `bad_greeting`."""

    code: str
    text: str
    next: str = ""


class Answer(msgspec.Struct, forbid_unknown_fields=True, frozen=True, omit_defaults=True):
    """One of the two."""

    ok: dict[str, str] | None = None
    error: Said | None = None


def frames(buffer: bytearray) -> list[bytes]:
    """Whole frames from the front of `buffer`, which keeps the rest."""
    whole = len(buffer) // FRAME_OCTETS
    found = [bytes(buffer[at : at + FRAME_OCTETS]) for at in range(0, whole * FRAME_OCTETS, FRAME_OCTETS)]
    del buffer[: whole * FRAME_OCTETS]
    return found
