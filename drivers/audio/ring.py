"""Sound between a device's thread and the loop: bounded, and what is oldest goes first when it runs over."""

import threading

SAMPLE = 2  # octets, s16le


class Ring:
    """Octets of whole samples. `put` and `get` may be called from any thread; neither waits for sound."""

    def __init__(self, most: int) -> None:
        """`most`: samples that are kept."""
        self._most = most * SAMPLE
        self._octets = bytearray()
        self._lock = threading.Lock()  # held for a copy of some hundred octets, never longer
        self.dropped = 0  # samples that ran over

    def __len__(self) -> int:
        """Samples that wait."""
        return len(self._octets) // SAMPLE

    def put(self, octets: bytes) -> None:
        with self._lock:
            self._octets += octets
            if (over := len(self._octets) - self._most) > 0:
                del self._octets[:over]
                self.dropped += over // SAMPLE

    def get(self, samples: int | None = None) -> bytes:
        """The oldest, at most so many; all there are by default."""
        with self._lock:
            size = len(self._octets) if samples is None else samples * SAMPLE
            taken = bytes(self._octets[:size])
            del self._octets[:size]
        return taken

    def clear(self) -> None:
        with self._lock:
            self._octets.clear()
