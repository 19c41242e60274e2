"""Events of a line that falls and comes back again and again."""

from appliance.event import Event


class LineUnstable(Event, tag="line.unstable", frozen=True):
    """It fell so often within so many minutes: one fault, told as one. Falls go on being told."""

    SUBJECT = ("line",)
    line: str
    falls: int
    minutes: float


class LineSteadied(Event, tag="line.steadied", frozen=True):
    """It did not fall for a while; or it stays down."""

    SUBJECT = ("line",)
    line: str
    up: bool
