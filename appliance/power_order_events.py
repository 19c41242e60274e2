"""Events of orders to the plant: each ends as proven or failed. `power.order_failed` raises an alarm."""

from appliance.event import Event


class PlantOrderEvent(Event, frozen=True):
    """`order` is its id; the person is the actor of the first row."""

    SUBJECT = ("device",)
    order: str
    device: str  # "genset/g1", "ups/u1"
    command: str  # power_commands.PlantCommand


class PlantOrderRequested(PlantOrderEvent, tag="power.order_requested", frozen=True):
    """It was let through; from here on it is never sent again."""

    key: str = ""


class PlantOrderSent(PlantOrderEvent, tag="power.order_sent", frozen=True):
    """It went out and may have reached the device. `within_s`: by then it is proven, or it has failed."""

    way: str  # "modbus", "nut", "relay"
    within_s: float


class PlantOrderAccepted(PlantOrderEvent, tag="power.order_accepted", frozen=True):
    """The device said yes itself, or the relay's line read back; its effect has not been seen."""

    word: str  # "device", "relay=True"


class PlantOrderProven(PlantOrderEvent, tag="power.order_proven", frozen=True):
    proof: str  # point=value that was measured


class PlantOrderFailed(PlantOrderEvent, tag="power.order_failed", frozen=True):
    """`why`: not_ready, not_sent, refused, not_observed, relay_refused, relay_released, restarted."""

    why: str
    seen: str = ""  # point=value that was measured instead


class PlantOrderRefused(Event, tag="power.order_refused", frozen=True):
    """A person asked for it and an interlock, or their role, stood in the way; nothing was sent."""

    SUBJECT = ("device",)
    device: str
    command: str
    why: str


class StartRelayHeld(Event, tag="power.relay_held", frozen=True):
    """The contact at a set's remote start input is closed."""

    SUBJECT = ("genset",)
    genset: str
    output: str
    order: str


class StartRelayReleased(Event, tag="power.relay_released", frozen=True):
    """It is open again. `why`: cancelled, limit, core_left, annunciator_lost, failed."""

    SUBJECT = ("genset",)
    genset: str
    output: str
    why: str
