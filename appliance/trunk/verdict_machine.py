"""Whether calls can come over the trunk, and which layer is at fault: what an operator tells the provider.

Pure: witnesses' standings in, events out. Deeper layers are blamed first: without a route nothing else can answer.
"""

from collections.abc import Mapping
from typing import NamedTuple

from appliance.event import Event
from appliance.events import TrunkLost, TrunkRestored
from appliance.model import Layer, Standing, Trunk
from appliance.trunk_events import TrunkBlamed, TrunkDegraded, TrunkSteady

DEEPEST_FIRST = (Layer.ROUTE, Layer.CARRIER, Layer.DNS)
CARRYING = (Layer.ROUTE, Layer.CARRIER)  # without these no packet reaches the provider
NO_ADDRESS = "no_address"  # the gateway's name could not be looked up


class Seen(NamedTuple):
    """What one witness says."""

    standing: Standing
    why: str = ""


class Verdict(NamedTuple):
    standing: Trunk = Trunk.UNKNOWN
    layer: str = ""
    reason: str = ""


def verdict(seen: Mapping[str, Seen], lossy: bool, needs: tuple[str, ...] = ()) -> Verdict:
    """Of the witnesses that are watched, by layer. `needs` are layers without which no call comes."""
    lost = {layer: s.why for layer, s in seen.items() if s.standing is Standing.LOST}
    if layer := _downed_by(seen, lost, needs):
        return Verdict(Trunk.DOWN, layer, lost[layer])
    if all(s.standing is Standing.UNKNOWN for s in seen.values()) or _is_unknown(seen.get(Layer.TRUNK)):
        return Verdict()
    for layer in DEEPEST_FIRST:
        if layer in lost:
            return Verdict(Trunk.DEGRADED, layer, lost[layer])
    return Verdict(Trunk.DEGRADED, Layer.LOSS, Layer.LOSS) if lossy else Verdict(Trunk.UP)


def _is_unknown(trunk: Seen | None) -> bool:
    return trunk is not None and trunk.standing is Standing.UNKNOWN


def _downed_by(seen: Mapping[str, Seen], lost: Mapping[str, str], needs: tuple[str, ...]) -> str:
    """The layer at fault while no call can come, or an empty string."""
    if Layer.TRUNK in lost:
        if found := [layer for layer in CARRYING if layer in lost]:
            return found[0]
        return Layer.DNS if Layer.DNS in lost and lost[Layer.TRUNK] == NO_ADDRESS else Layer.TRUNK
    needed = needs if Layer.TRUNK in seen else CARRYING
    return next((layer for layer in DEEPEST_FIRST if layer in needed and layer in lost), "")


class VerdictMachine:
    """`trunk` is the name that its events carry."""

    def __init__(self, trunk: str) -> None:
        self._trunk = trunk
        self.now = Verdict()

    def judged(self, new: Verdict) -> list[Event]:
        """What follows of a new verdict. One that knows nothing takes nothing back."""
        old = self.now
        if new.standing is Trunk.UNKNOWN or new[:2] == old[:2]:
            return []
        self.now = new
        if new.standing is Trunk.DOWN:
            if old.standing is Trunk.DOWN:
                return [TrunkBlamed(trunk=self._trunk, layer=new.layer, reason=new.reason)]
            return [TrunkLost(trunk=self._trunk, reason=new.reason, layer=new.layer)]
        events: list[Event] = []
        if old.standing in (Trunk.UNKNOWN, Trunk.DOWN):
            events.append(TrunkRestored(trunk=self._trunk))
        elif new.standing is Trunk.UP:
            events.append(TrunkSteady(trunk=self._trunk))
        if new.standing is Trunk.DEGRADED:
            events.append(TrunkDegraded(trunk=self._trunk, layer=new.layer, reason=new.reason))
        return events
