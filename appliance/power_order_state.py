"""What the journal says of orders to the plant, and of the relays that start sets."""

import msgspec

from appliance.stamp import Stamp

OVER = ("proven", "failed")


class PlantOrder(msgspec.Struct):
    """A command that was given, with its proof or its failure. `state`: requested, sent, accepted, proven, failed."""

    id: str
    device: str
    command: str
    actor: str
    state: str
    requested: Stamp
    since: Stamp
    due: float | None = None  # monotonic: the proof's deadline
    way: str = ""  # "modbus", "relay", "nut"
    why: str = ""  # of the failure
    proof: str = ""  # point=value that proved it; of a failure what was measured instead
    key: str = ""

    @property
    def over(self) -> bool:
        return self.state in OVER


class RelayHeld(msgspec.Struct, frozen=True):
    """A start relay that is energised."""

    output: str
    order: str
    since: Stamp


class PlantOrders(msgspec.Struct):
    """`orders` by id, oldest first; `relays` by genset."""

    orders: dict[str, PlantOrder] = {}
    relays: dict[str, RelayHeld] = {}

    def open_on(self, device: str) -> PlantOrder | None:
        return next((o for o in self.orders.values() if o.device == device and not o.over), None)
