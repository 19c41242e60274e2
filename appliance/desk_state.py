"""What the journal's events add up to for the desk: callers, call-backs, blocks, and the calls that are not over."""

import msgspec

from appliance.stamp import Stamp


class PastCall(msgspec.Struct):
    """A call with a number, either way. `outcome`: "answered" (by a person), "abandoned", "refused", "out", "open"."""

    call: str
    line: str
    direction: str  # "in", "out"
    at: Stamp
    outcome: str = "open"
    mark: str = ""
    note: str = ""
    alerts: tuple[str, ...] = ()  # orders that were given during it


class Caller(msgspec.Struct):
    """What is remembered of one telephone."""

    number: str
    first: Stamp
    calls: int = 0  # both ways
    came: int = 0  # of these, those that came in
    past: list[PastCall] = []  # the last ones, oldest first, one under way too
    pranks: list[str] = []  # calls so marked since the last block


class CallBack(msgspec.Struct):
    """A telephone whose call nobody took."""

    number: str
    line: str
    times: int
    first: Stamp
    last: Stamp
    calls: list[str]  # the last of them, oldest first
    reached: tuple[str, str] | None = None  # why it is done and by which call, from then until it is off the list


class Block(msgspec.Struct):
    number: str
    until: float  # unix seconds
    why: str
    since: Stamp
    refused: int = 0  # calls since


class DeskCall(msgspec.Struct):
    """A call that is not over, as the desk sees it."""

    line: str
    id: str
    number: str  # empty: withheld, or not told yet
    incoming: bool
    began: Stamp
    why: str = ""  # of one that went out
    answered: Stamp | None = None
    greeted: Stamp | None = None
    taken: Stamp | None = None
    refused: str = ""
    ghost: bool = False  # offered
    alerts: tuple[str, ...] = ()


class DeskRecord(msgspec.Struct):
    """Callers, call-backs and blocks are kept by `drivers.modem.numbers.telephone`: one entry a telephone."""

    open: dict[str, DeskCall] = {}
    callers: dict[str, Caller] = {}  # who was heard last stands last
    callbacks: dict[str, CallBack] = {}
    blocks: dict[str, Block] = {}
    recent: dict[str, str] = {}  # number by call, of the last ones
    overflowed: Stamp | None = None
    overflow_why: str = ""
    over: int = 0  # calls that have ended
