"""Events of the 112 trunk beyond lost and restored, and of who was told of the fallback."""

from appliance.event import Event

BY_PERSON = "person"  # why a fallback was declared, or ended
RESTORED = "restored"  # why it ended


class TrunkBlamed(Event, tag="trunk.blamed", frozen=True):
    """The trunk is lost as before, and now it is seen where."""

    SUBJECT = ("trunk",)
    trunk: str
    layer: str  # "trunk", "route", "dns", "carrier"
    reason: str


class TrunkDegraded(Event, tag="trunk.degraded", frozen=True):
    """Calls may still come over the trunk, and something on the way to it is not well."""

    SUBJECT = ("trunk",)
    trunk: str
    layer: str  # "route", "dns", "carrier", "loss"
    reason: str


class TrunkSteady(Event, tag="trunk.steady", frozen=True):
    SUBJECT = ("trunk",)
    trunk: str


class FallbackNotified(Event, tag="fallback.notified", frozen=True):
    """A text to a person on duty was taken on; `message` is its row. Without one, `why` is the code of why not."""

    SUBJECT = ("duty",)
    duty: str
    what: str  # "declared", "over"
    message: str
    why: str = ""


class FallbackTold(Event, tag="fallback.told", frozen=True):
    """An agency was told by a person which number it uses now; the actor is in the row."""

    SUBJECT = ("agency",)
    agency: str
