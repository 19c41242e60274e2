"""An end that plays a sound: a file, a text, a tone. It makes a frame whenever it is asked."""

import numpy as np

from drivers.audio.endpoint import BRIDGE_RATE, FRAME_S, Pcm

FRAME = round(BRIDGE_RATE * FRAME_S)
LONGEST_REST = 3600.0  # s


class Player:
    """`times` over (0: for ever) with `rest_s` of silence between; what it is given it drops."""

    rate = BRIDGE_RATE
    live = False
    waiting_s = 0.0
    lost = ""

    def __init__(self, pcm: Pcm, times: int = 1, rest_s: float = 1.0) -> None:
        if times < 0 or not 0 <= rest_s <= LONGEST_REST:
            raise ValueError(f"{times} times with {rest_s:g} s of rest: choose 0 or more, and 0 to {LONGEST_REST:g} s.")
        self._pcm = pcm
        self._left = times or -1
        self._round = len(pcm) + round(rest_s * BRIDGE_RATE)
        self._at = 0
        self.finished = not len(pcm)

    def take(self) -> Pcm:
        """Exactly a frame; nothing once it is finished."""
        if self.finished:
            return self._pcm[:0]
        frame = np.zeros(FRAME, np.int16)
        filled = 0
        while filled < FRAME and not self.finished:
            filled += self._play(frame[filled:])
        return frame

    def give(self, pcm: Pcm) -> None:
        pass

    def close(self) -> None:
        self.finished = True

    def _play(self, room: Pcm) -> int:
        """Put into `room` what comes next of one round; how much that was."""
        sound = self._pcm[self._at : self._at + len(room)]
        room[: len(sound)] = sound
        took = min(len(room), self._round - self._at)
        self._at += took
        if self._at >= len(self._pcm) and self._left == 1:
            self.finished = True
        elif self._at >= self._round:
            self._at = 0
            self._left = max(-1, self._left - 1)
        return took
