"""A sound device in simulated time whose clock is off and whose frames come late; and how late its sound is at another.

It shares no code with the bridge: it hears a wave that it is given, and keeps what it played with the moment it did.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Pcm = npt.NDArray[np.int16]
Wave = Callable[[int, int], Pcm]  # from which sample on, how many

PERIOD_S, CALL_S = 0.5, 0.1  # of `calls`
LATEST_S = 0.4  # what is later is taken for lost


def sine(rate: int, hz: float, size: float = 8000.0) -> Wave:
    return lambda at, count: np.rint(size * np.sin(2 * np.pi * hz * (np.arange(count) + at) / rate)).astype(np.int16)


def one_call(rate: int) -> npt.NDArray[np.float64]:
    """A rising tone of 0.1 s inside a telephone's band."""
    time = np.arange(round(CALL_S * rate)) / rate
    return 8000 * np.sin(2 * np.pi * (400 * time + 13_000 * time**2)) * np.hanning(len(time))


def calls(rate: int) -> Wave:
    """`one_call` twice a second."""
    period = np.zeros(round(PERIOD_S * rate), np.int16)
    period[: round(CALL_S * rate)] = np.rint(one_call(rate))
    twice = np.concatenate((period, period))  # a frame is shorter than a period
    return lambda at, count: twice[at % len(period) :][:count]


class Device:
    """Call `pass_to` with the time before each tick. Frames of `frame_s`, up to `late_s` late, clock `ppm` fast."""

    live = True
    finished = False

    def __init__(
        self, rate: int, wave: Wave, *, ppm: float = 0.0, late_s: float = 0.0, frame_s: float = 0.02, seed: int = 1
    ) -> None:
        self.rate, self.lost, self.closed = rate, "", False
        self.most_waiting_s = 0.0
        self.ran_dry = 0
        self._wave, self._true, self._late_s = wave, rate * (1 + ppm * 1e-6), late_s
        self._random = np.random.default_rng(seed)
        self._frame = round(rate * frame_s)
        self._start = float(self._random.random()) * frame_s
        self._made = 0
        self._late = 0.0
        self._came: list[Pcm] = []
        self._buffer: Pcm = np.zeros(0, np.int16)
        self._played: list[Pcm] = []

    def pass_to(self, now: float, *, hears: bool = True) -> None:
        while self._start + (self._made + self._frame) / self._true + self._late <= now:
            if hears:
                self._came.append(self._wave(self._made, self._frame))
            self._made += self._frame
            self._late = float(self._random.random()) * self._late_s
        while self._start + len(self._played) * self._frame / self._true <= now:
            out, self._buffer = self._buffer[: self._frame], self._buffer[self._frame :]
            self.ran_dry += len(out) < self._frame
            self._played.append(np.concatenate((out, np.zeros(self._frame - len(out), np.int16))))

    @property
    def waiting_s(self) -> float:
        return len(self._buffer) / self.rate

    def take(self) -> Pcm:
        came, self._came = self._came, []
        return np.concatenate(came) if came else np.zeros(0, np.int16)

    def give(self, pcm: Pcm) -> None:
        assert pcm.dtype == np.int16
        self._buffer = np.concatenate((self._buffer, pcm))
        self.most_waiting_s = max(self.most_waiting_s, self.waiting_s)

    def close(self) -> None:
        self.closed = True

    def played(self) -> Pcm:
        """All of it, at its own rate."""
        return np.concatenate(self._played)

    def spoke_at(self, sample: float) -> float:
        """When its microphone heard this sample."""
        return self._start + sample / self._true

    def sample_at(self, when: float) -> int:
        """Which sample it played then."""
        return int((when - self._start) * self._true)


def mouth_to_ear(speaker: Device, listener: Device, seconds: float, every: int = 1) -> list[float]:
    """Of the `calls` that the speaker made: s from its microphone to the listener's loudspeaker; 9 if lost."""
    heard, wanted = listener.played().astype(float), one_call(listener.rate)
    found = []
    for number in range(2, int(seconds / PERIOD_S) - 2, every):
        said_at = speaker.spoke_at(round(number * PERIOD_S * speaker.rate))
        first = listener.sample_at(said_at)
        piece = heard[first : first + round((LATEST_S + CALL_S) * listener.rate)]
        fits = np.abs(np.correlate(piece, wanted))
        best = int(fits.argmax())
        energy = float(piece[best : best + len(wanted)] @ piece[best : best + len(wanted)]) * float(wanted @ wanted)
        sure = energy > 0 and fits[best] / energy**0.5 > 0.5
        found.append(best / listener.rate if sure else 9.0)
    return found
