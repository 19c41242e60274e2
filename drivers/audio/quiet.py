"""What ALSA and JACK print on standard error while PortAudio looks for devices: held back; everything else is kept.

They write to descriptor 2 behind Python's back, some seventy lines at each count on a box without JACK.
"""

import logging
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

STDERR = 2
COMPLAINTS = re.compile(
    rb"(ALSA lib |Expression '|Cannot connect to server|jack server is not running|JackShm|Cannot lock down"
    rb"|attempt to connect to server failed|connect\(2\) call to )"
)
KEPT_MOST = 65536  # octets; what comes in the moment of one count is a few kilobytes

log = logging.getLogger(__name__)


@contextmanager
def quiet() -> Iterator[None]:
    """Descriptor 2 leads elsewhere meanwhile. Lines that are no complaint of theirs are written behind it.

    For one thread of the process at a time.
    """
    saved = os.dup(STDERR)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), STDERR)
        try:
            yield
        finally:
            os.dup2(saved, STDERR)
            os.close(saved)
            held.seek(0)
            said = held.read(KEPT_MOST)
            complaints, kept = sift(said)
            if kept:
                os.write(STDERR, kept)
            if complaints:
                log.debug("PortAudio's libraries: %s", complaints.decode("utf-8", "replace"))


def sift(said: bytes) -> tuple[bytes, bytes]:
    """The lines that are complaints of ALSA, JACK and PortAudio's own checks, and the others. Empty ones go."""
    lines = [line for line in said.splitlines(keepends=True) if line.strip()]
    complaints = [line for line in lines if COMPLAINTS.match(line)]
    return b"".join(complaints), b"".join(line for line in lines if not COMPLAINTS.match(line))
