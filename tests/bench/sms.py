"""What it costs to read and to write an SMS: our codec, and by the same cases any other.

The messages to read are made by the simulated network's own encoder, not by the codec under test.
"""

import time
from collections.abc import Callable
from functools import partial

from drivers.modem.pdu import decode, encode_submit
from drivers.sim.sms_pdu import deliver, service_centre
from drivers.sim.sms_text import text_parts
from tests.bench.table import Row, percentile, plain

Decode = Callable[[str], str]  # one PDU in hex, with its service centre -> its text
Encode = Callable[[str], list[str]]  # a text -> the PDUs of its parts

NUMBER = "+6281234567890"
SERVICE_CENTRE = "+62811000000"
SENT_AT, ZONE = 1_767_225_600.0, 9 * 3600  # any moment; WIT
PLAIN = "Kebakaran di Pasar Mardika, dua rumah terbakar, air terbatas. Jawab YA jika unit berangkat sekarang. "
CASES = {
    "7 bit, 1 part": PLAIN,
    "UCS-2, 1 part": "Kebakaran di Pasar Mardika ▲ jalan ditutup → lewat utara",
    "7 bit, 3 parts": PLAIN * 4,
}
TURNS, TURN = 7, 0.1  # turns and s of each; the middle one counts


class WrongText(Exception):
    """A codec that does not give back what was sent; its speed is worth nothing."""


def received(text: str) -> list[str]:
    """The PDUs by which a modem would hand over this text."""
    lead = service_centre(SERVICE_CENTRE)
    return [(lead + deliver(NUMBER, part, SENT_AT, ZONE)).hex().upper() for part in text_parts(text, 7)]


def ours() -> list[Row]:
    return rows(
        "SMS",
        lambda pdu: decode(bytes.fromhex(pdu), has_smsc=True, direction="deliver").text or "",
        lambda text: [part.hex for part in encode_submit(NUMBER, text, reference=7)],
    )


def rows(name: str, decode_one: Decode, encode: Encode) -> list[Row]:
    """Microseconds a message. Raises WrongText."""
    found = []
    for case, text in CASES.items():
        pdus = received(text)
        if "".join(map(decode_one, pdus)) != text:
            raise WrongText(f"{name} does not read {case}.")
        if len(encode(text)) != len(pdus):
            raise WrongText(f"{name} does not write {case} in {len(pdus)} parts.")
        found.append(plain(f"{name}: read {case}", _microseconds(partial(_each, decode_one, pdus)), "us"))
        found.append(plain(f"{name}: write {case}", _microseconds(partial(encode, text)), "us"))
    return found


def _each(decode_one: Decode, pdus: list[str]) -> list[str]:
    return [decode_one(pdu) for pdu in pdus]


def _microseconds(work: Callable[[], object]) -> float:
    turns = []
    for _ in range(TURNS):
        done, began = 0, time.perf_counter()
        while (lasted := time.perf_counter() - began) < TURN:
            for _ in range(20):  # as many, so that asking the time costs nothing beside them
                work()
            done += 20
        turns.append(lasted / done * 1e6)
    return percentile(turns, 50)
