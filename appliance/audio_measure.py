"""A proof of voice: a known sound into one line of ours, heard at another that it is in a call with, and back."""

import asyncio

from appliance.audio_ends import Ends
from appliance.audio_protocol import EndKind, Measured, Way
from drivers.audio.beat import Beat
from drivers.audio.endpoint import Endpoint
from drivers.audio.measure import Found
from drivers.audio.proof import Proof


async def measure(ends: Ends, one: EndKind, other: EndKind) -> Measured:
    """Takes some 13 s. Raises what opening the ends raises."""
    here = await ends.made(one)
    try:
        there = await ends.made(other)
        try:
            return await _both_ways(here, there)
        finally:
            there.close()
    finally:
        here.close()


async def _both_ways(one: Endpoint, other: Endpoint) -> Measured:
    proof, loop = Proof(one, other), asyncio.get_running_loop()
    beat, ticks, over = Beat(loop.time()), 0, False
    while not over:
        for _ in range(beat.due(loop.time())):
            ticks += 1
            over = proof.tick()
        await asyncio.sleep(max(0.0, beat.next_at - loop.time()))
    there, back = await asyncio.to_thread(proof.result)
    return Measured(_way(there), _way(back), round(100.0 * beat.late / (ticks + beat.skipped), 1))


def _way(found: Found) -> Way:
    return Way(found.heard, found.level_db, found.delay_ms, found.lost_percent)
