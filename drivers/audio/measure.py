"""Is a path there, how loud, how late, how whole; and is speech that went through it still the same speech.

Everything measured lies between 300 and 3,400 Hz, and survives a codec of GSM: nothing asks for the same waveform.
"""

from itertools import pairwise

import msgspec
import numpy as np
import numpy.typing as npt

from drivers.audio.endpoint import BRIDGE_RATE, FRAME_S, Pcm
from drivers.audio.tones import edged, sines, sweep

Floats = npt.NDArray[np.float64]

# The probe: a sweep, tones that hop, the sweep again. Codecs and noise suppressors take a steady tone for noise.
MARK_S, REST_S, HOP_S = 0.4, 0.1, 0.1
LOW, HIGH = 400.0, 3100.0  # Hz of the sweep
HOPS = 30
HOP_HZ = (450, 550, 700, 850, 1050, 1300, 1600, 1900)  # above, GSM 06.10 takes 60 ms to find a new tone
STEP = 3  # tones further each time: no hop follows its neighbour
PROBE_DBFS = -15.0
LONGEST_DELAY = 3.0  # s; two GSM legs are some 0.3

FOUND = 0.35  # normalised correlation: GSM 06.10 leaves 0.9 of a sweep, noise and speech reach 0.15
WEAK = 10 ** (-8 / 10)  # a frame whose tone is 8 dB under what that tone usually has is lost: 60 % of it is away
TONAL = 0.25  # or whose energy is mostly not its tone
SLIPS_MOST, SLIP_STEP = 0.2, 0.01  # s: a buffer that ran dry, or cut, leaves all that follows so much later or earlier
DRIFT_MOST = 1e-3  # more than any clock is off; beyond it the marks tell of a slip

# Likeness of speech: loudness of ten bands over time, as an ear follows it.
BANDS = 10
EDGES = np.geomspace(300, 3400, BANDS + 1)
WINDOW, HOP = 512, 160  # 32 ms every 10
FLOOR_DB = 35.0  # below a band's loudest; what is under it is rest
SEGMENT = 100  # windows, 1 s: the two are compared piece by piece, so that drift and a gap cost only what they are
RECOGNISABLE = 0.7  # see docs/audio.md: codec and bridge leave 0.9, another text by the same voice 0.3, noise 0.1


class Found(msgspec.Struct, frozen=True):
    """One direction. `level_db`: received against sent; `lost_percent`: of 20 ms frames; `drift_ppm`: its clock's.

    A slip, by which all that follows comes later or earlier, counts as one frame lost.
    """

    heard: bool
    level_db: float = 0.0
    delay_ms: float = 0.0
    lost_percent: float = 100.0
    drift_ppm: float = 0.0


def probe() -> Pcm:
    """What is sent: 4 s at BRIDGE_RATE."""
    rest = np.zeros(round(REST_S * BRIDGE_RATE), np.int16)
    hops = [edged(sines((hz,), HOP_S, PROBE_DBFS)) for hz in _hops()]
    return np.concatenate([_mark(), rest, *hops, rest, _mark()])


def find(received: Pcm) -> Found:
    """The probe in what came, at BRIDGE_RATE from the moment on when it was sent."""
    mark, sent, came = _mark().astype(float), probe().astype(float), received.astype(float)
    first, sure = _place(mark, came[: round((LONGEST_DELAY + MARK_S) * BRIDGE_RATE)])
    if sure < FOUND:
        return Found(heard=False)
    second_at = len(sent) - len(mark)
    around = round(0.05 * BRIDGE_RATE)
    from_here = max(0, first + second_at - around)
    second, still_sure = _place(mark, came[from_here : first + len(sent) + around])
    slipped = (from_here + second - first - second_at) / second_at if still_sure >= FOUND else 0.0
    gains = _gains(sent, came, first, slipped if abs(slipped) <= DRIFT_MOST else 0.0)
    best = gains.max(axis=1)
    there = gains[:, gains.shape[1] // 2]
    usual = float(np.median(there[there > 0] if there.any() else best[best > 0])) if best.any() else 0.0
    lost = _lost(gains / _of_tones(best, usual)) if usual else len(gains)
    return Found(
        heard=True,
        level_db=round(10 * float(np.log10(usual)), 1) if usual else 0.0,
        delay_ms=round(first / BRIDGE_RATE * 1e3, 1),
        lost_percent=round(100 * lost / len(gains), 1),
        drift_ppm=round(-slipped * 1e6),
    )


def likeness(sent: Pcm, received: Pcm) -> float:
    """How much the received speech is the sent one, -1 to 1; RECOGNISABLE and up is. Lateness up to 3 s is allowed."""
    one, other = _bands(sent), _bands(received)
    if len(one) < SEGMENT // 2 or not len(other):
        return 0.0
    late = _lateness(one, other)
    scores: list[float] = []
    for start in range(0, max(1, len(one) - SEGMENT // 2), SEGMENT):
        piece = one[start : start + SEGMENT]
        if float(piece.max()) <= 0:
            continue  # nothing is said
        nearby = range(start + late - 4, start + late + 5)
        scores.append(max(_alike(piece, _cut(other, at, len(piece))) for at in nearby))
    return float(np.mean(scores)) if scores else 0.0


def _hops() -> list[int]:
    return [HOP_HZ[number * STEP % len(HOP_HZ)] for number in range(HOPS)]


def _mark() -> Pcm:
    return sweep(LOW, HIGH, MARK_S, PROBE_DBFS)


def _place(mark: Floats, sound: Floats) -> tuple[int, float]:
    """Where it fits best, and how well: 1 is the same, either way up."""
    if len(sound) < len(mark):
        return 0, 0.0
    size = 1 << (len(sound) + len(mark)).bit_length()
    product = np.fft.irfft(np.fft.rfft(sound, size) * np.conj(np.fft.rfft(mark, size)), size)
    places = len(sound) - len(mark) + 1
    energy = np.concatenate(([0.0], np.cumsum(sound**2)))
    here = energy[len(mark) :] - energy[: -len(mark)]
    fits = np.abs(product[:places]) / np.sqrt(np.maximum(here, len(mark)) * float(mark @ mark))
    best = int(fits.argmax())
    return best, float(fits[best])


def _gains(sent: Floats, came: Floats, first: int, slipped: float) -> Floats:
    """Power of each frame's own tone (rows) against the sent one's, by slip (columns); 0 where it is not there."""
    frame = round(FRAME_S * BRIDGE_RATE)
    start = round((MARK_S + REST_S) * BRIDGE_RATE)
    most = round(SLIPS_MOST * BRIDGE_RATE)
    slips = np.arange(-most, most + 1, round(SLIP_STEP * BRIDGE_RATE))
    padded = np.concatenate((np.zeros(most), came, np.zeros(most + len(sent) + frame)))
    gains = []
    for number, hz in enumerate(_hops()):
        turns = np.exp(-2j * np.pi * hz * np.arange(frame) / BRIDGE_RATE)
        for part in range(round(HOP_S / FRAME_S)):
            at = start + round(number * HOP_S * BRIDGE_RATE) + part * frame
            there = most + first + round(at * (1 + slipped))
            here = np.lib.stride_tricks.sliding_window_view(padded[there - most : there + most + frame], frame)
            here = here[slips + most]
            tones = np.abs(here @ turns) ** 2
            energy = (here**2).sum(axis=1) * frame / 2
            gain = tones / abs(sent[at : at + frame] @ turns) ** 2
            gains.append(np.where(tones > TONAL * energy, gain, 0.0))
    return np.array(gains)


def _of_tones(best: Floats, usual: float) -> Floats:
    """What each frame's tone usually has, as a column: a line carries some worse, a tone that it hardly carries at most
    14 dB so.
    """
    tones = np.repeat(_hops(), round(HOP_S / FRAME_S))
    medians = {hz: float(np.median(best[tones == hz])) for hz in HOP_HZ}
    return np.array([[max(medians[int(hz)], usual * 0.04)] for hz in tones])


def _lost(gains: Floats) -> int:
    """Frames lost and slips made on the way through frames (rows) and slips (columns) that explains the most of it.

    What half of a window lacks costs on that way too, or each hole would be explained by a slip of half a frame.
    """
    costs = 1.0 - np.minimum(1.0, gains)
    lost = (gains <= WEAK).astype(int)
    cost, count = costs[0], lost[0]
    for row, gone in zip(costs[1:], lost[1:], strict=True):
        best = int(cost.argmin())
        slips = cost[best] + 1.0 < cost
        cost = np.where(slips, cost[best] + 1.0, cost) + row
        count = np.where(slips, count[best] + 1, count) + gone
    return int(count[int(cost.argmin())])


def _bands(pcm: Pcm) -> Floats:
    """Loudness of each band (columns) in each window (rows), in dB over the band's rest."""
    count = (len(pcm) - WINDOW) // HOP + 1
    if count < 1:
        return np.zeros((0, BANDS))
    windows = np.lib.stride_tricks.sliding_window_view(pcm.astype(np.float32), WINDOW)[::HOP][:count]
    power = np.abs(np.fft.rfft(windows * np.hanning(WINDOW), axis=1)) ** 2
    hz = np.fft.rfftfreq(WINDOW, 1 / BRIDGE_RATE)
    bands = np.stack([power[:, (hz >= low) & (hz < high)].sum(1) for low, high in pairwise(EDGES)], 1)
    loud = 10 * np.log10(bands + 1e4)  # 1e4: some rounding noise of int16, so that silence is none
    over: Floats = np.maximum(loud - np.maximum(loud.max(axis=0) - FLOOR_DB, 45.0), 0.0)
    return over


def _lateness(one: Floats, other: Floats) -> int:
    """In windows."""
    a, b = one.sum(1) - one.sum(1).mean(), other.sum(1) - other.sum(1).mean()
    size = 1 << (len(a) + len(b)).bit_length()
    product = np.fft.irfft(np.fft.rfft(b, size) * np.conj(np.fft.rfft(a, size)), size)
    return int(product[: round(LONGEST_DELAY * BRIDGE_RATE / HOP)].argmax())


def _cut(bands: Floats, at: int, length: int) -> Floats:
    """`length` rows from `at` on; rest where there are none."""
    out = np.zeros((length, BANDS))
    first, last = max(0, at), min(len(bands), at + length)
    if first < last:
        out[first - at : last - at] = bands[first:last]
    return out


def _alike(one: Floats, other: Floats) -> float:
    """Mean of the bands' correlations; a band in which the sent one rests does not count."""
    a, b = one - one.mean(0), other - other.mean(0)
    sizes = np.sqrt((a**2).sum(0)), np.sqrt((b**2).sum(0))
    counted = sizes[0] > 0
    both = (a * b).sum(0)[counted] / np.maximum((sizes[0] * sizes[1])[counted], 1e-9)
    return float(both.mean()) if counted.any() else 0.0
