"""What it costs to read and to write an SMS: our codec, and where they are installed two others beside it.

`python -m tests.bench.codec` prints the rows, with `--install` after it installed the others into build/rivals/codec.
The messages to read are made by the simulated network's own encoder, not by the codec under test. All take turns, in
the same minute of the same machine, and the CPU time of each one's best turn counts.
"""

import argparse
import sys
from itertools import product

from drivers.modem.pdu import decode, encode_submit
from drivers.sim.sms_pdu import deliver, service_centre
from drivers.sim.sms_text import text_parts
from tests.bench.rivals import codec as rivals
from tests.bench.rivals.codec import GAMMU, GSMMODEM, Job, Rivals, one_turn
from tests.bench.table import Row, beside, missing, plain, summary, text

OURS = "SMS"
NUMBER = "+6281234567890"
SERVICE_CENTRE = "+62811000000"
SENT_AT, ZONE = 1_767_225_600.0, 9 * 3600  # any moment; WIT
PLAIN = "Kebakaran di Pasar Mardika, dua rumah terbakar, air terbatas. Jawab YA jika unit berangkat sekarang. "
CASES = {
    "7 bit, 1 part": PLAIN,
    "UCS-2, 1 part": "Kebakaran di Pasar Mardika ▲ jalan ditutup → lewat utara",
    "7 bit, 3 parts": PLAIN * 4,
}
TURNS = 7

# How many times a rival's time ours may take. python-gammu's decoder is C; what it makes of a PDU is a plain dict.
MOST = {("read", GSMMODEM): 1.0, ("write", GSMMODEM): 1.0, ("read", GAMMU): 2.0, ("write", GAMMU): 1.0}


def received(message: str) -> list[str]:
    """The PDUs by which a modem would hand over this text."""
    lead = service_centre(SERVICE_CENTRE)
    return [(lead + deliver(NUMBER, part, SENT_AT, ZONE)).hex().upper() for part in text_parts(message, 7)]


def rows() -> list[Row]:
    """Microseconds a message; ours, then each beside a rival's. Raises WrongText."""
    installed = rivals.PYTHON.exists()
    others = Rivals() if installed else None
    try:
        best = _best(others)
    finally:
        if others is not None:
            others.close()
    found = []
    for case, doing in product(CASES, ("read", "write")):
        name, value = f"{OURS}: {doing} {case}", best[OURS, doing, case]
        found.append(plain(name, value, "us"))
        found += [
            beside(f"{name} ({rival})", value, "us", best[rival, doing, case], MOST[doing, rival])
            for rival in (GSMMODEM, GAMMU)
            if installed
        ]
    if not installed:
        found.append(missing(f"{OURS} beside other codecs", "us", "not installed: make bench-rivals"))
    return found


def _best(others: Rivals | None) -> dict[tuple[str, str, str], float]:
    """The best turn by library, what it does, and case."""
    pdus = {case: received(message) for case, message in CASES.items()}
    libraries = (OURS,) if others is None else (OURS, GSMMODEM, GAMMU)
    best: dict[tuple[str, str, str], float] = {}
    for _, case, doing, library in product(range(TURNS), CASES, ("read", "write"), libraries):
        job: Job = (library, doing, NUMBER, CASES[case], pdus[case])
        took = one_turn(OURS, _read, _write, job) if library == OURS or others is None else others.turn(job)
        key = library, doing, case
        best[key] = min(took, best.get(key, took))
    return best


def _read(pdu: str) -> str:
    return decode(bytes.fromhex(pdu), has_smsc=True, direction="deliver").text or ""


def _write(number: str, message: str) -> list[str]:
    return [part.hex for part in encode_submit(number, message, reference=7)]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.codec", description=__doc__)
    parser.add_argument("--install", action="store_true", help="install the other codecs first")
    try:
        if parser.parse_args().install:
            rivals.install()
        found = rows()
    except (rivals.NotInstalled, rivals.WrongText) as e:
        print(e, file=sys.stderr)
        return 1
    print(text(found))
    print(summary(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
