"""Faults of sound that are over, seen by levels: an end that was lost or silent, and is heard in this call.

The watch of an end that was opened anew since, or of another process, tells only what goes wrong from then on.
"""

from collections.abc import Iterable, Iterator

from appliance.audio_protocol import QUIET_DBFS, BridgeStanding
from appliance.call_events import CallSound
from appliance.sound.sound_machine import BOX, LINE
from appliance.state import State


def mended(standing: Iterable[BridgeStanding], state: State) -> Iterator[CallSound]:
    """What is to be journaled; each is looked at in the state as it is then."""
    for bridge in standing:
        call = state.calls.get(bridge.bridge)
        if call is None:
            continue
        for end in bridge.ends:
            what = LINE if end.end == LINE else "person"
            if end.end == BOX or end.lost or f"{call.line}/{what}" not in state.sound_faults:
                continue
            if what == LINE and (end.heard_dbfs is None or end.heard_dbfs <= QUIET_DBFS):
                continue
            yield CallSound(line=call.line, call=call.id, end=what, what="heard")
