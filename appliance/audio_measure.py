"""A proof of voice: a known sound into one line of ours, heard at another that it is in a call with, and back."""

import asyncio
import contextlib

import numpy as np

from appliance.audio_ends import Ends
from appliance.audio_protocol import EndKind, Measured, Way
from drivers.audio.endpoint import BRIDGE_RATE, FRAME_S, Endpoint, Pcm
from drivers.audio.jitter import Hearing, Telling
from drivers.audio.measure import find, probe

BEGINS_WITHIN = 5.0  # s from opening until both modems send; what is given before would lie there and come late
SETTLE_S = 1.0  # s; buffers fill
TAIL_S = 1.5  # s behind the probe: two legs of a mobile network are some 0.3 late
FRAME = round(BRIDGE_RATE * FRAME_S)
SILENT_FRAME = np.zeros(FRAME, np.int16)


async def measure(ends: Ends, one: EndKind, other: EndKind) -> Measured:
    """Takes some 14 s. Raises what opening the ends raises."""
    here = await ends.made(one)
    try:
        there = await ends.made(other)
        try:
            return await _both_ways(here, there)
        finally:
            there.close()
    finally:
        here.close()


async def _begun(*ends: Endpoint) -> None:
    """Wait until all send, or as long as one that never will is waited for: it is measured as mute."""
    began: set[Endpoint] = set()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(BEGINS_WITHIN):
            while len(began) < len(ends):
                await asyncio.sleep(FRAME_S)
                began |= {end for end in ends if len(end.take())}  # of all: what is left would come late


async def _both_ways(one: Endpoint, other: Endpoint) -> Measured:
    await _begun(one, other)
    hearing = {one: Hearing(one), other: Hearing(other)}
    telling = {one: Telling(one), other: Telling(other)}
    loop = asyncio.get_running_loop()
    next_at = loop.time()

    async def play(sent: Pcm, into: Endpoint, seconds: float) -> Pcm:
        """What the other one hears meanwhile."""
        nonlocal next_at
        heard: list[Pcm] = []
        for number in range(round(seconds / FRAME_S)):
            frame = sent[number * FRAME : (number + 1) * FRAME]
            frame = frame if len(frame) == FRAME else np.concatenate((frame, SILENT_FRAME))[:FRAME]
            for end in (one, other):
                sound = hearing[end].frame()
                if end is not into:
                    heard.append(np.clip(np.rint(sound), -32768, 32767).astype(np.int16))
                telling[end].give(frame if end is into else SILENT_FRAME)
            next_at += FRAME_S  # every frame counts here: one that is late follows at once
            await asyncio.sleep(max(0.0, next_at - loop.time()))
        return np.concatenate(heard)

    sent = probe()
    lasts = len(sent) / BRIDGE_RATE + TAIL_S
    await play(sent[:0], one, SETTLE_S)
    there = _way(await play(sent, one, lasts))
    back = _way(await play(sent, other, lasts))
    return Measured(there, back)


def _way(heard: Pcm) -> Way:
    found = find(heard)
    return Way(found.heard, found.level_db, found.delay_ms, found.lost_percent)
