"""`make fuzz-wire`: octets by the 100,000 into the decoders of orders, answers, texts and healths.

Noise and bent messages must be refused with a `WireError`. Messages that are bent and then signed by the right key, as
a broken or newer box would, may be taken: then they are the one encoding of what was read.
"""

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from appliance.alerting.wire import (
    ANSWER_CONTEXT,
    ORDER_CONTEXT,
    WireError,
    decode_answer,
    decode_order,
    encode_answer,
    encode_order,
)
from appliance.alerting.wire_codec import SIGNATURE_SIZE
from appliance.alerting.wire_health import HEALTH_CONTEXT, decode_health, encode_health
from appliance.alerting.wire_text import TEXT_CONTEXT, decode_text, encode_text
from appliance.keys import key_id

VECTORS = json.loads((Path(__file__).parents[1] / "unit" / "order_vectors.json").read_text())
KEYS = {name: Ed25519PrivateKey.from_private_bytes(bytes.fromhex(key["seed"])) for name, key in VECTORS["keys"].items()}
BY_ID = {key_id(key.public_key()): key for key in KEYS.values()}
PUBLIC = {name: {key_id(key.public_key()): key.public_key()} for name, key in KEYS.items()}  # by key id
ISSUERS = PUBLIC["centre A"] | PUBLIC["centre B"]
STATIONS = {int(number): PUBLIC[name] for number, name in VECTORS["stations"].items()}
# By kind: what is signed before the body, the decoder, the encoder, and where the key's id stands in what was read.
KINDS: dict[str, tuple[bytes, Callable[[bytes], Any], Callable[..., bytes], str]] = {
    "orders": (ORDER_CONTEXT, lambda data: decode_order(data, ISSUERS), encode_order, "issuer"),
    "answers": (ANSWER_CONTEXT, lambda data: decode_answer(data, STATIONS), encode_answer, "key"),
    "texts": (TEXT_CONTEXT, lambda data: decode_text(data, ISSUERS), encode_text, "issuer"),
    "healths": (HEALTH_CONTEXT, lambda data: decode_health(data, STATIONS), encode_health, "key"),
}
GENUINE = [(kind, bytes.fromhex(v["body"] + v["signature"]), v["signer"]) for kind in KINDS for v in VECTORS[kind]]
FIRST = sorted({message[0] for _, message, _ in GENUINE})
LONGEST = 300  # octets of noise; the longest message has 252


def flipped(random: Random, octets: bytes, first: int = 0) -> bytes:
    """Some bits changed, at or behind the octet `first`."""
    bits = bytearray(octets)
    for _ in range(random.choice((1, 1, 2, 8))):
        bits[random.randrange(first, len(bits))] ^= 1 << random.randrange(8)
    return bytes(bits)


def signed_anew(random: Random, kind: str, message: bytes, signer: str) -> bytes:
    """Its body bent, sometimes cut, and signed by its own key."""
    body = flipped(random, message[:-SIGNATURE_SIZE], first=1)
    if random.random() < 0.2:
        body = body[: random.randrange(1, len(body) + 1)]
    return body + KEYS[signer].sign(KINDS[kind][0] + body)


def campaign(seed: int, inputs: int) -> Counter[tuple[str, str, str]]:
    """How often each kind's decoder said what to each sort of octets; ends at the first thing that must not be."""
    random, seen = Random(seed), Counter[tuple[str, str, str]]()
    genuine = {message for _, message, _ in GENUINE}
    for _ in range(inputs):
        kind, message, signer = random.choice(GENUINE)
        sort = random.choice(("noise", "begun right", "bent", "signed anew"))
        data = {
            "noise": lambda: random.randbytes(random.randrange(LONGEST)),
            "begun right": lambda: bytes((random.choice(FIRST),)) + random.randbytes(random.randrange(LONGEST)),
            "bent": lambda m=message: flipped(random, m),
            "signed anew": lambda k=kind, m=message, s=signer: signed_anew(random, k, m, s),
        }[sort]()
        for name, (_, decode, encode, key) in KINDS.items():
            try:
                read = decode(data)
            except WireError as e:
                seen[name, sort, e.flaw] += 1
                continue
            seen[name, sort, "taken"] += 1
            if sort != "signed anew" and data not in genuine:  # two flips of one bit give the message back
                raise AssertionError(f"{sort} was taken for one of {name}: {data.hex()}")
            if encode(read, BY_ID[getattr(read, key)]) != data:
                raise AssertionError(f"one of {name} has two encodings: {data.hex()}")
    return seen


def main() -> int:
    parser = argparse.ArgumentParser(prog="make fuzz-wire", description=__doc__)
    parser.add_argument("--inputs", type=int, default=400_000, help="how many (default 400,000), each to all decoders")
    parser.add_argument("--seed", type=int, default=112, help="the same seed, the same octets (default 112)")
    options = parser.parse_args()
    began = time.monotonic()
    seen = campaign(options.seed, options.inputs)
    rows = [f"{name:8} {sort:12} {came_to:12} {times}" for (name, sort, came_to), times in sorted(seen.items())]
    took = f"{options.inputs} inputs in {time.monotonic() - began:.0f} s, seed {options.seed}: typed refusals only"
    sys.stdout.write("\n".join([*rows, took]) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
