"""One end of a bridge: a device, a stream, a file, a tone. Samples are mono int16; the bridge takes and gives them.

Nothing here blocks: a device's own thread or reader fills and empties bounded buffers behind these calls.
"""

from typing import Protocol

import numpy as np
import numpy.typing as npt

Pcm = npt.NDArray[np.int16]

FRAME_S = 0.02  # s; what modems with serial PCM send at once, and the bridge's beat
BRIDGE_RATE = 16000  # Hz; wide-band voice over LTE, and narrow band loses nothing in it


class Endpoint(Protocol):
    """Made and opened by its own constructor or `open`; `close` may come twice."""

    @property
    def rate(self) -> int:
        """Samples a second of what it takes and gives, Hz."""

    @property
    def live(self) -> bool:
        """Whether its clock is its own, and drifts; else it makes exactly one frame a `take`."""

    @property
    def waiting_s(self) -> float:
        """Seconds of sound that were given and are not played yet; 0 where everything is taken at once."""

    @property
    def lost(self) -> str:
        """Why it is gone (a code, as "unplugged"), empty while it is there."""

    @property
    def finished(self) -> bool:
        """A file, text or tone that has been played to its end; a live one never is."""

    def take(self) -> Pcm:
        """What it heard since the last take, oldest first, a bounded amount; empty when nothing came."""

    def give(self, pcm: Pcm) -> None:
        """Sound for it to play, at its own rate; what only speaks drops it."""

    def close(self) -> None: ...
