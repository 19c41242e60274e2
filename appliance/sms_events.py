"""Events of messages that go out: from the queue to a modem, to the network, to the recipient. One id, one history.

`sms.sent` and `sms.failed` of releases before this had no `message`; the fold leaves those out.
"""

from appliance.event import Event


class SmsQueued(Event, tag="sms.queued", frozen=True):
    """A message is taken on. Orders and answers are data, which is not kept: who gave them gives them again."""

    SUBJECT = ("message",)
    message: str  # 8 hex digits
    number: str
    purpose: str  # model.Purpose
    text: str = ""  # empty: data
    parts: int = 1
    line: str = ""  # the only one that may carry it
    lifetime_s: int = 300  # no attempt begins later, and the network drops it
    once: bool = False  # somebody waits for the one attempt


class SmsSending(Event, tag="sms.sending", frozen=True):
    """An attempt begins; on disk before the modem gets the message, but for orders, answers and hellos."""

    SUBJECT = ("line", "message")
    line: str
    message: str
    number: str
    purpose: str
    parts: int
    again: bool  # an attempt before this one may have brought it, whole or in part: it may arrive twice
    allowance: float = 0.0  # parts that the rate cap leaves to the line behind this


class SmsSent(Event, tag="sms.sent", frozen=True):
    """The network took all parts; `references` are what reports will name."""

    SUBJECT = ("line",)
    line: str
    number: str
    purpose: str
    references: tuple[int, ...]
    message: str = ""


class SmsFailed(Event, tag="sms.failed", frozen=True):
    """An attempt is over, and the message is not delivered by it."""

    SUBJECT = ("line",)
    line: str
    number: str
    purpose: str
    reason: str
    message: str = ""
    blame: str = "line"  # "recipient", "message", "line", "moment": what may help (lines/blame.py)
    code: int | None = None  # +CMS ERROR, or TP-ST of the report
    certain: bool = True  # False: the modem had a part and never said what became of it
    references: tuple[int, ...] = ()  # of the parts that went out all the same


class SmsReported(Event, tag="sms.reported", frozen=True):
    """A delivery report, on disk before it leaves the modem. An empty `message`: of none that is known (yet)."""

    SUBJECT = ("line",)
    line: str
    number: str
    reference: int
    status: int  # TP-ST
    discharged: str  # ISO time of the service centre's, or an empty string
    message: str = ""


class OutgoingEnded(Event, frozen=True):
    SUBJECT = ("message",)
    message: str
    number: str
    purpose: str


class SmsDelivered(OutgoingEnded, tag="sms.delivered", frozen=True):
    """All parts are with the recipient, says the network."""

    line: str


class SmsUnconfirmed(OutgoingEnded, tag="sms.unconfirmed", frozen=True):
    """The network took it, and its report is overdue."""

    line: str


class SmsUndelivered(OutgoingEnded, tag="sms.undelivered", frozen=True):
    """Given up. A person has to reach the recipient in another way."""

    reason: str  # "expired", "recipient", "message", "no_modem", "waited", "tried_enough", "refused", "uncertain",
    # "restarted"


class SmsHeld(Event, tag="sms.held", frozen=True):
    """The rate cap holds messages back on this line, for so many seconds; told once until it sends again."""

    SUBJECT = ("line",)
    line: str
    seconds: float
    waiting: int
