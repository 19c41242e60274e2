"""A centre's judgement of a station's answers whose signature has been verified: each counts once, and only if live.

A recorded answer of an old session is validly signed too. So a session counts only after it has echoed an alert id
(a hello's, with its random half, or an order's) that this process sent to that very session.
"""

from enum import Enum

from appliance.alerting.window import Window, drop_oldest
from appliance.alerting.wire import NO_ID, Answer, Order
from appliance.alerting.wire_health import Health

MAX_SENT = 256  # ids awaiting an echo; a station gets one hello a few minutes and few orders an alert
MAX_UNPROVEN = 8  # sessions; a station that restarts in a loop announces each of its starts
MAX_ENDED = 64  # sessions; an older one is unproven again, which counts for as little


class Count(Enum):
    """What an answer is worth."""

    NEW = "new"  # believe it
    REPEATED = "repeated"  # had already
    UNPROVEN = "unproven"  # the session has echoed nothing of ours yet: send it a hello, sign open orders for it
    ENDED = "ended"  # from a session before the present one: history, not the state of the station


class AnswerWindow:
    """The answers of one station. The caller gives only what `decode_answer` or `decode_health` returned for it."""

    def __init__(self) -> None:
        self.session: bytes | None = None  # the proven one
        self._window: Window[bytes] = Window()  # the alert that each was about
        self._unproven: dict[bytes, Window[bytes]] = {}
        self._ended: dict[bytes, None] = {}
        self._sent: dict[tuple[bytes, bytes], None] = {}  # (session, alert)

    def is_newest(self, answer: Answer) -> bool:
        """Whether the proven session has said nothing later about the same alert: what it tells is so now.

        What it said later about others says nothing of this one; messages of one moment overtake each other.
        """
        held = self._window.held()
        return answer.session == self.session and not any(n > answer.counter and a == answer.alert for n, a in held)

    def sent(self, order: Order) -> None:
        """An order or a hello goes out to this station; an echo of its alert id will prove its session."""
        if order.session == self.session:
            return  # proven already
        self._sent[order.session, order.alert] = None
        drop_oldest(self._sent, MAX_SENT)

    def take(self, answer: Answer | Health) -> Count:
        """What `answer` is worth. No answer is NEW twice; a health never proves a session, it echoes nothing."""
        if answer.session in self._ended:
            return Count.ENDED
        window = self._window if answer.session == self.session else self._candidate(answer.session)
        if window.too_old(answer.counter) or window.taken(answer.counter) is not None:
            return Count.REPEATED
        window.take(answer.counter, _about(answer))
        if answer.session == self.session:
            return Count.NEW
        if isinstance(answer, Health) or (answer.session, answer.alert) not in self._sent:
            return Count.UNPROVEN
        self._begin(answer.session, window)
        return Count.NEW

    def _candidate(self, session: bytes) -> Window[bytes]:
        window = self._unproven.setdefault(session, Window())
        drop_oldest(self._unproven, MAX_UNPROVEN)
        return window

    def _begin(self, session: bytes, window: Window[bytes]) -> None:
        # Sessions are heard of in their order, or they are recordings: whatever was heard of before is over. What
        # went to those proves nothing any more, or a late answer would bring one back.
        heard = list(self._unproven)
        for over in [self.session, *heard[: heard.index(session)]]:
            if over is not None:
                self._ended[over] = None
                self._unproven.pop(over, None)
                drop_oldest(self._ended, MAX_ENDED)
        self.session, self._window = session, window
        self._sent = {sent: None for sent in self._sent if sent[0] in self._unproven}
        del self._unproven[session]


def _about(answer: Answer | Health) -> bytes:
    """The alert; nothing for a health. One copy of no alert: heartbeats are most of what a window holds."""
    if isinstance(answer, Health):
        return b""
    return NO_ID if answer.alert == NO_ID else answer.alert
