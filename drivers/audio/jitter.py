"""Between an end's clock and the bridge's: sound comes late, in lumps and a little too fast, and leaves as frames.

`Hearing` is the way in, `Telling` the way out. Both hold little, bridge gaps by fading, and cut what is too much.
"""

import numpy as np

from drivers.audio.endpoint import BRIDGE_RATE, FRAME_S, Endpoint, Pcm
from drivers.audio.resample import Resampler, Sound
from drivers.audio.steering import LEAST_MARGIN, Steering

FRAME = round(BRIDGE_RATE * FRAME_S)  # samples
FADE = BRIDGE_RATE // 100  # 10 ms: short enough to pass for a plosive, long enough not to click
MOST_HELD = 0.25  # s; more can only be what piled up while we stood still
MOST_WAITING = 0.25  # s in a device, for the same reason
SMOOTH = 0.04  # of each tick in the told delay: half a second

SILENCE: Sound = np.zeros(FRAME, np.float32)
SILENCE.setflags(write=False)
_DOWN: Sound = np.linspace(1, 0, FADE, dtype=np.float32)
_ACROSS: Sound = np.linspace(1, 0, FRAME, dtype=np.float32)


class Hearing:
    """What an end says, as frames of the bridge. Call `frame` once a tick. `margin`: s to begin with."""

    def __init__(self, endpoint: Endpoint, margin: float = LEAST_MARGIN) -> None:
        self.gaps = 0
        self.trims = 0
        self._endpoint = endpoint
        self._live = endpoint.live
        self._straight = not endpoint.live and endpoint.rate == BRIDGE_RATE
        self._store = Resampler(endpoint.rate, BRIDGE_RATE)
        self._steering = Steering(margin)
        self._last: Sound = SILENCE
        self._tail: Sound = SILENCE  # of what dies away in a gap
        self._flowing = False
        self._delay = 0.0

    @property
    def delay_s(self) -> float:
        """How old the sound is when the bridge gets it, mean of the last half second."""
        return self._delay + self._store.delay_s if self._flowing and not self._straight else 0.0

    @property
    def drift_ppm(self) -> float:
        """How fast its clock is against ours."""
        return self._steering.learnt

    def frame(self) -> Sound:
        """FRAME samples; silence where nothing is."""
        came = self._endpoint.take()
        if self._straight:
            return _whole(came)
        self._store.push(came)
        if self._live:
            self._last = self._steered()
        else:
            ready = min(FRAME, self._store.ready())
            self._last = _whole(self._store.pull(ready))
            self._flowing = ready > 0
        return self._last

    def _steered(self) -> Sound:
        store, steering = self._store, self._steering
        if store.waiting_s > MOST_HELD:
            if not self._flowing:
                store.skip(store.waiting_s - steering.margin - FRAME_S)
            else:
                return self._trimmed(store.waiting_s - steering.margin - FRAME_S)
        if not self._flowing:
            tail, self._tail = self._tail, SILENCE
            return tail if store.waiting_s < steering.margin + FRAME_S else tail + self._begun()
        if store.ready(steering.ppm) < FRAME:
            return self._fading()
        if excess := steering.excess_s:
            return self._trimmed(excess)
        frame = store.pull(FRAME, steering.ppm)
        steering.observe(store.waiting_s)
        self._delay += SMOOTH * (store.waiting_s - self._delay)
        return frame

    def _begun(self) -> Sound:
        self._flowing = True
        frame = self._store.pull(FRAME, self._steering.ppm)
        frame[:FADE] *= _DOWN[::-1]
        self._delay = self._store.waiting_s
        return frame

    def _fading(self) -> Sound:
        """It ran dry: what is left, then that mirrored and dying away."""
        self.gaps += 1
        self._flowing = False
        self._steering.ran_dry()
        left = self._store.pull(self._store.ready())[:FRAME]
        mirrored = np.concatenate((self._last, left))[: -FADE - 1 : -1] * _DOWN
        out = np.concatenate((left, mirrored, SILENCE, SILENCE))
        self._tail = out[FRAME : 2 * FRAME]
        return out[:FRAME]

    def _trimmed(self, seconds: float) -> Sound:
        """A frame that begins as the sound was to go on and ends as it is `seconds` later."""
        self.trims += 1
        before = self._store.look(FRAME)
        self._store.skip(min(seconds, self._store.waiting_s - FRAME_S))
        after = self._store.pull(min(FRAME, self._store.ready()))
        self._steering.forget()
        self._delay = self._store.waiting_s
        return before * _ACROSS + _whole(after) * (1 - _ACROSS)


class Telling:
    """What the bridge gives an end, at the end's own rate and pace. Call `give` once a tick. `margin`: as above."""

    def __init__(self, endpoint: Endpoint, margin: float = LEAST_MARGIN) -> None:
        self.gaps = 0
        self.trims = 0
        self._endpoint = endpoint
        self._live = endpoint.live
        self._straight = not endpoint.live and endpoint.rate == BRIDGE_RATE
        self._store = Resampler(BRIDGE_RATE, endpoint.rate)
        self._steering = Steering(margin)
        self._primed = False
        self._paced = False  # it tells what waits in it; else it takes everything at once
        self._too_much_s = 0.0  # still to be left out
        self._left_out: Pcm | None = None  # the first frame of it

    @property
    def drift_ppm(self) -> float:
        """How fast its clock is against ours."""
        return -self._steering.learnt

    def give(self, frame: Pcm) -> None:
        """FRAME samples."""
        if self._straight:
            self._endpoint.give(frame)
        elif not self._live or self._paced_well():
            sound = frame if self._left_out is None else self._left_out * _ACROSS + frame * (1 - _ACROSS)
            self._left_out = None
            self._store.push(sound)
            ppm = self._steering.ppm
            self._endpoint.give(_integers(self._store.pull(self._store.ready(ppm), ppm)))
        elif self._left_out is None:
            self.trims += 1
            self._left_out = frame

    def _paced_well(self) -> bool:
        """Whether the next frame may go out: not while too much waits. Sees to it that enough does."""
        steering, waiting = self._steering, self._endpoint.waiting_s
        if not self._primed:
            self._primed = True
            self._fill(steering.margin + FRAME_S)
            return True
        self._paced = self._paced or waiting > 0
        if not self._paced:
            return True
        if waiting <= 0:
            self.gaps += 1
            steering.ran_dry()
            self._fill(steering.margin)
        elif waiting > MOST_WAITING or steering.excess_s:
            self._too_much_s = waiting - steering.margin - FRAME_S
            steering.forget()
        elif self._too_much_s <= 0:
            steering.observe(waiting)
        self._too_much_s = max(0.0, self._too_much_s - FRAME_S)
        return self._too_much_s <= 0

    def _fill(self, seconds: float) -> None:
        self._endpoint.give(np.zeros(round(seconds * self._endpoint.rate), np.int16))


def _whole(sound: Pcm | Sound) -> Sound:
    """Exactly a frame of it."""
    if len(sound) == FRAME:
        return sound.astype(np.float32, copy=False)
    return np.concatenate((sound[:FRAME], SILENCE[: FRAME - len(sound[:FRAME])]), dtype=np.float32)


def _integers(sound: Sound) -> Pcm:
    return np.clip(np.rint(sound), -32768, 32767).astype(np.int16)
