"""A call on disk: FLAC, 16 kHz, the line left and the person right. A thread writes; a bad disk costs only the file.

Killed at any moment, all but the last half second is there: `flac.mend` makes such a file whole.
"""

import asyncio
import hashlib
import logging
import os
import queue
import threading
from pathlib import Path

import msgspec
import numpy as np
import soundfile

from drivers.audio.endpoint import BRIDGE_RATE, Pcm
from drivers.audio.flac import NotMendable, mend

BATCH = 10  # frames: 0.2 s; the thread wakes five times a second
MOST_WAITING = 50  # batches: 10 s for a disk that hangs, 640 kB
SYNC_EVERY = 5.0  # s of sound; what a power cut may cost, against wear of the card
CLOSE_S = 10.0  # a disk that takes longer to close a file is bad
READ_AT_ONCE = 1 << 20

log = logging.getLogger("siaga.audio")


class Recorded(msgspec.Struct, frozen=True):
    """What is on disk. `sha256` in hex, of the whole file; `failed`: why it may be shorter than the call, or empty."""

    file: Path
    seconds: float
    octets: int
    sha256: str
    failed: str = ""


class Recording:
    """Write frames, then await `close`. Nothing here raises or waits for the disk: look at `failed`.

    `failed`: file_exists, disk_error, disk_slow; empty while it is well.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        self.failed = ""
        self._batch: list[Pcm] = []
        self._waiting: queue.Queue[Pcm | None] = queue.Queue(MOST_WAITING + 1)
        self._seconds = 0.0
        self._done: Recorded | None = None
        self._thread = threading.Thread(target=self._work, name=f"recording {file.name}", daemon=True)
        self._thread.start()

    def write(self, line: Pcm, person: Pcm) -> None:
        """A frame of either side, equally long, at BRIDGE_RATE."""
        if self.failed:
            return
        self._batch.append(np.stack((line, person), axis=1))
        if len(self._batch) >= BATCH:
            self._hand_over()

    async def close(self) -> Recorded:
        """End it, synced and hashed; within CLOSE_S. May be called again."""
        self._hand_over()
        if self._done is None and self._thread.is_alive():
            try:
                self._waiting.put_nowait(None)
            except queue.Full:
                self.failed = self.failed or "disk_slow"
            await asyncio.to_thread(self._thread.join, CLOSE_S)
        if self._done is None:
            self.failed = self.failed or "disk_slow"
            return Recorded(self.file, 0.0, 0, "", self.failed)
        return self._done

    def _hand_over(self) -> None:
        batch, self._batch = self._batch, []
        if not batch or self.failed:
            return
        if self._waiting.qsize() < MOST_WAITING:  # one place is left for the end
            self._waiting.put_nowait(np.concatenate(batch))
        else:
            self.failed = "disk_slow"
            log.warning("%s: the disk does not keep up, the recording ends here. Next: look at the disk.", self.file)

    # In the thread

    def _work(self) -> None:
        try:
            descriptor = os.open(self.file, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o640)
        except OSError as e:
            self._fail("file_exists" if isinstance(e, FileExistsError) else "disk_error", e)
            self._done = Recorded(self.file, 0.0, 0, "", self.failed)
            return
        try:
            self._record(descriptor)
        except (OSError, soundfile.LibsndfileError) as e:
            self._fail("disk_error", e)
        finally:
            os.close(descriptor)
        self._done = self._finished()

    def _record(self, descriptor: int) -> None:
        unsynced = 0.0
        _sync_folder(self.file)
        with soundfile.SoundFile(
            descriptor, "w", BRIDGE_RATE, 2, subtype="PCM_16", format="FLAC", closefd=False
        ) as sound:
            while (batch := self._waiting.get()) is not None:
                sound.write(batch)
                self._seconds += len(batch) / BRIDGE_RATE
                unsynced += len(batch) / BRIDGE_RATE
                if unsynced >= SYNC_EVERY:
                    unsynced = 0.0
                    os.fsync(descriptor)
        os.fsync(descriptor)

    def _finished(self) -> Recorded:
        try:
            if self.failed:
                self._seconds = mend(self.file)
            octets, digest = digest_of(self.file)
        except (OSError, NotMendable) as e:
            self._fail("disk_error", e)
            return Recorded(self.file, 0.0, 0, "", self.failed)
        return Recorded(self.file, round(self._seconds, 3), octets, digest, self.failed)

    def _fail(self, code: str, why: Exception) -> None:
        if not self.failed:
            self.failed = code
            log.warning("%s: no recording from here on (%s). Next: look at the disk.", self.file, why)


def digest_of(file: Path) -> tuple[int, str]:
    """Octets and SHA-256 in hex of a file; call it in a thread. Raises OSError."""
    digest, octets = hashlib.sha256(), 0
    with file.open("rb") as opened:
        while piece := opened.read(READ_AT_ONCE):
            digest.update(piece)
            octets += len(piece)
    return octets, digest.hexdigest()


def mend_leftover(file: Path) -> Recorded:
    """A recording whose process died, made whole; 0 seconds where nothing was kept. In a thread.

    Raises OSError, NotMendable.
    """
    seconds = mend(file)
    octets, digest = digest_of(file)
    return Recorded(file, round(seconds, 3), octets, digest, "cut_off")


def _sync_folder(file: Path) -> None:
    folder = os.open(file.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
