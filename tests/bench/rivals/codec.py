"""python-gammu (in C) and python-gsmmodem-new read and write the texts that our SMS codec does in `tests.bench.codec`.

They live in a venv of their own, and this file runs there too, as the worker: it needs the standard library alone.
"""

import json
import signal
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path

FOLDER = Path(__file__).parents[3] / "build" / "rivals" / "codec"
PYTHON = FOLDER / "bin" / "python"
GAMMU, GSMMODEM = "python-gammu", "python-gsmmodem-new"
PACKAGES = (f"{GAMMU}==3.5.1", f"{GSMMODEM}==0.13.0")
INSTALL_WITHIN = 180.0  # s
END_WITHIN = 5.0  # s
TURN_WITHIN = 20  # s; a turn that hangs ends the worker, and with it the wait for its answer

TURN = 0.03  # s of CPU; the best of some turns counts, so that other programs on the machine do not
LOT = 20  # as many between two looks at the clock, which then costs nothing beside them

Read = Callable[[str], str]  # one PDU in hex, with its service centre -> its text
Write = Callable[[str, str], list[str]]  # a number and a text -> the PDUs of its parts
Job = tuple[str, str, str, str, list[str]]  # library, "read" or "write", number, text, PDUs that carry it


class NotInstalled(Exception):
    """What pip said."""


class WrongText(Exception):
    """A codec that does not give back what was sent; its speed is worth nothing."""


def install() -> None:
    uv = str(Path(sys.executable).with_name("uv"))
    FOLDER.parent.mkdir(parents=True, exist_ok=True)
    for command in (
        [uv, "venv", "--quiet", "--clear", str(FOLDER)],
        [uv, "pip", "install", "--quiet", "--python", str(PYTHON), *PACKAGES],
    ):
        done = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_WITHIN, check=False)
        if done.returncode:
            raise NotInstalled(f"{', '.join(PACKAGES)} were not installed; uv said:\n{done.stderr[-2000:]}")


class Rivals:
    """The worker in the other venv: it measures one turn when asked to. Close it."""

    def __init__(self) -> None:
        command = [str(PYTHON), str(Path(__file__).resolve())]
        self._worker = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def turn(self, job: Job) -> float:
        """Microseconds a message in one turn. Raises WrongText."""
        assert self._worker.stdin is not None
        assert self._worker.stdout is not None
        self._worker.stdin.write(json.dumps(job) + "\n")
        self._worker.stdin.flush()
        line = self._worker.stdout.readline()
        if not line:
            raise WrongText(f"{job[0]} ended while it was to {job[1]} {job[3]!r}.")
        answer = json.loads(line)
        if isinstance(answer, str):
            raise WrongText(answer)
        return float(answer)

    def close(self) -> None:
        self._worker.kill()
        self._worker.communicate(timeout=END_WITHIN)


def microseconds(work: Callable[[], object]) -> float:
    """CPU time of one call, from one turn of many."""
    done, began = 0, time.process_time()
    while (lasted := time.process_time() - began) < TURN:
        for _ in range(LOT):
            work()
        done += LOT
    return lasted / done * 1e6


def one_turn(library: str, read: Read, write: Write, job: Job) -> float:
    """Of anyone's codec. Raises WrongText."""
    _, doing, number, text, pdus = job
    if doing == "read":
        if "".join(map(read, pdus)) != text:
            raise WrongText(f"{library} does not read {text!r}.")
        return microseconds(partial(_each, read, pdus))
    if len(write(number, text)) != len(pdus):
        raise WrongText(f"{library} does not write {text!r} in {len(pdus)} parts.")
    return microseconds(partial(write, number, text))


def _each(read: Read, pdus: list[str]) -> list[str]:
    return [read(pdu) for pdu in pdus]


def _libraries() -> dict[str, tuple[Read, Write]]:
    import gammu

    with warnings.catch_warnings(action="ignore"):  # it compares strings by `is`; newer Pythons say so
        from gsmmodem.pdu import decodeSmsPdu, encodeSmsSubmitPdu

    def write_by_gammu(number: str, text: str) -> list[str]:
        entry = {"ID": "ConcatenatedTextLong", "Buffer": text}
        parts = gammu.EncodeSMS({"Class": -1, "Unicode": not text.isascii(), "Entries": [entry]})
        for part in parts:
            part["Number"], part["SMSC"] = number, {"Number": "+62811000000"}
        return [gammu.EncodePDU(part).hex().upper() for part in parts]

    return {
        GAMMU: (lambda pdu: str(gammu.DecodePDU(bytes.fromhex(pdu), True)["Text"]), write_by_gammu),
        GSMMODEM: (
            lambda pdu: str(decodeSmsPdu(pdu)["text"]),
            lambda number, text: [str(part) for part in encodeSmsSubmitPdu(number, text, reference=7)],
        ),
    }


def main() -> None:
    libraries = _libraries()
    for line in sys.stdin:
        job: Job = json.loads(line)
        signal.alarm(TURN_WITHIN)
        try:
            answer: float | str = one_turn(job[0], *libraries[job[0]], job)
        except WrongText as e:
            answer = str(e)
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()
        signal.alarm(0)


if __name__ == "__main__":
    main()
