"""When the bridge's ticks are due. A loop that comes late catches up by some and lets the rest go."""

from drivers.audio.endpoint import FRAME_S

MOST_AT_ONCE = 3  # ticks; what the jitter buffers can fill, and no storm behind a machine that slept


class Beat:
    """Every FRAME_S from `now` on; ask `due` whenever awake, sleep until `next_at`. Pure: times come from outside."""

    def __init__(self, now: float) -> None:
        self.next_at = now
        self.skipped = 0
        self.late = 0  # ticks that were done, or let go, more than a frame behind their time

    def due(self, now: float) -> int:
        """How many ticks to do now, 0 to MOST_AT_ONCE."""
        late = int((now - self.next_at) / FRAME_S) + 1 if now >= self.next_at else 0
        self.next_at += late * FRAME_S
        self.late += max(0, late - 1)
        self.skipped += max(0, late - MOST_AT_ONCE)
        return min(late, MOST_AT_ONCE)
