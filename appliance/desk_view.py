"""What the desk tells: its part of the view, the rows of the call log, and the indicators of a day or month.

Numbers are as the network gave them; an empty one was withheld. Times are stamps or unix seconds, as named.
"""

import msgspec

from appliance.desk_state import PastCall
from appliance.stamp import Stamp


class CallerView(msgspec.Struct, frozen=True):
    """Who calls: what is remembered of the number. `calls` counts earlier ones; `last` are the newest of them."""

    number: str
    name: str = ""  # an agency's or a station's, where the site file knows the number
    agency: str = ""  # its id in the directory
    calls: int = 0
    first: Stamp | None = None
    last: tuple[PastCall, ...] = ()  # newest first
    pranks: int = 0  # calls marked so that still count
    blocked: bool = False


class WaitingView(msgspec.Struct, frozen=True):
    """A call that no person has taken. `greeted`: the box answered it; `spoken`: its announcement is heard."""

    line: str
    call: str
    number: str
    since: Stamp
    greeted: Stamp | None = None
    spoken: bool = False
    behind: bool = False  # it waits on a line on which somebody talks


class CallBackView(msgspec.Struct, frozen=True):
    """One entry a number. `call` is what Dial(call_back=...) and DropCallBack take: the newest abandoned one."""

    call: str
    number: str
    line: str  # that it came in by
    times: int
    first: Stamp
    last: Stamp
    name: str = ""
    calling: str = ""  # the call by which somebody calls them back now


class BlockedView(msgspec.Struct, frozen=True):
    """`until` in unix seconds."""

    number: str
    until: float
    why: str  # "pranks", "person"
    by: str
    since: Stamp
    refused: int = 0  # calls since


class BlockOffer(msgspec.Struct, frozen=True):
    """A number with so many prank marks that a supervisor may block it: BlockCaller(number)."""

    number: str
    pranks: int
    last: Stamp


class AgencyView(msgspec.Struct, frozen=True):
    """One press: Dial(to=id)."""

    id: str
    name: str
    kind: str  # "hospital", "police", "fire", "ambulance", "power", "search_rescue", "other"
    phone: tuple[str, ...]
    sms: str
    languages: tuple[str, ...]


class DeskView(msgspec.Struct, frozen=True):
    queue: tuple[WaitingView, ...] = ()  # who waited longest first
    callers: dict[str, CallerView] = {}  # by call, of every call that is not over
    callbacks: tuple[CallBackView, ...] = ()  # oldest abandoned call first
    blocked: tuple[BlockedView, ...] = ()
    block_offers: tuple[BlockOffer, ...] = ()
    ghost_offers: tuple[str, ...] = ()  # calls in which nothing is heard: MarkCall(mark="ghost") or HangUp
    directory: tuple[AgencyView, ...] = ()
    overflowed: Stamp | None = None
    greet_after_s: float = 0.0  # 0: the box answers no call
    today: "Figures | None" = None  # for the wallboard; None: not counted yet


class Recording(msgspec.Struct, frozen=True):
    """A file that is there, as it was when it was closed. `file` is below the state folder, `sha256` in hex."""

    file: str
    seconds: float
    octets: int
    sha256: str


class CallRow(msgspec.Struct, frozen=True, kw_only=True):
    """One call of the log. `outcome`: "answered" (by a person), "abandoned", "refused", "out", "open".

    `wall` is when it began, in unix seconds. A call that the box greeted and no person took is abandoned.
    """

    call: str
    line: str
    number: str  # "": withheld
    direction: str  # "in", "out"
    wall: float
    outcome: str
    why: str = ""  # of one that went out: CallDialled.why; of a refused one CallRefused.why; else who ended it
    waited_s: float | None = None  # until a person took it, or the other side answered
    greeted: bool = False
    talked_s: float | None = None
    person: str = ""  # who took or dialled it
    place: str = ""
    ended: float | None = None  # unix seconds
    mark: str = ""
    note: str = ""
    persons: tuple[str, ...] = ()  # all who took or dialled it
    recordings: tuple[Recording, ...] = ()  # that are there; more than one when the audio process was killed in it
    recording_removed: str = ""  # why
    alerts: tuple[str, ...] = ()
    call_back: str = ""  # of an abandoned one: why it is off the list; "" while it is on it or never was


class CallLog(msgspec.Struct, frozen=True):
    """`more`: there are older ones that fit; ask with `before` = the last row's call. `behind`: rows not on disk yet.

    `cut`: the search ended at its bound before it had seen all.
    """

    calls: tuple[CallRow, ...]
    more: bool = False
    cut: bool = False
    behind: int = 0


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """Indicators of calls that came in. Shares are of all that came in and were not refused: 0 to 1, None of none.

    Answered is a person: a call that only the box greeted is not. An abandoned call is in no share's upper part.
    """

    period: str  # 2026-11-22 or 2026-11
    calls: int = 0  # that came in, refused ones left out, those not over yet too
    answered: int = 0
    abandoned: int = 0
    refused: int = 0
    greeted: int = 0  # answered by the box first
    greeted_abandoned: int = 0
    withheld: int = 0
    in_10_s: float | None = None  # NFPA 1225: 90 %; COCOM
    in_15_s: float | None = None  # NENA-STA-020: 90 %
    in_20_s: float | None = None  # NENA-STA-020: 95 %
    mean_s: float | None = None  # from the first ring to a person, of answered ones
    slowest_tenth_s: float | None = None  # mean of the slowest tenth, rounded up to whole calls; COCOM
    abandoned_share: float | None = None


class FiguresAnswer(msgspec.Struct, frozen=True):
    """`days`: of a month, those with calls. `cut`: the period has more calls than are counted."""

    whole: Figures
    days: tuple[Figures, ...] = ()
    cut: bool = False
    behind: int = 0
