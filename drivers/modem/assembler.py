"""Parts of long messages, put together. Bounded; its state goes to disk and back, so that parts survive a restart.

Parts belong together by sender, reference and total. References are re-used: parts whose time stamps lie far apart,
or that differ under the same number, are of different messages.
"""

import hashlib
from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta

import msgspec
from msgspec import Struct

from drivers.modem import gsm7
from drivers.modem.pdu_types import Deliver, Message, PduError

MAX_PARTS = 512  # of unfinished messages; a modem's store holds 255, and a message of one part never waits
MAX_REMEMBERED = 512  # parts of finished messages, dropped when a network repeats them
SAME_MESSAGE = timedelta(hours=1)  # between time stamps: a centre takes in a message's parts within minutes

Key = tuple[str, int, int, int]


class _Open(Struct):
    key: Key
    parts: dict[int, Deliver]

    def distance(self, part: Deliver) -> timedelta:
        """How far the part's time stamp lies from the nearest one here; unknown stamps are near."""
        known = [p.timestamp for p in self.parts.values() if p.timestamp is not None]
        if part.timestamp is None or not known:
            return timedelta()
        return min(abs(part.timestamp - stamp) for stamp in known)


class _State(Struct):
    open: list[_Open] = []
    finished: list[str] = []
    dropped: int = 0


class Assembler:
    """`dropped` counts unfinished messages that made room for newer ones."""

    def __init__(self, state: bytes | None = None) -> None:
        """Starts empty, or from what `state()` gave. Raises PduError when that cannot be read."""
        try:
            loaded = msgspec.json.decode(state, type=_State) if state else _State()
        except (msgspec.MsgspecError, UnicodeDecodeError) as e:
            raise PduError(f"The kept parts cannot be read: {e}. Begin without them.") from e
        self._open = [message for message in loaded.open if message.parts]
        self._finished = deque(loaded.finished, MAX_REMEMBERED)
        self.dropped = loaded.dropped

    def state(self) -> bytes:
        """Everything that must survive a restart: JSON, below 1 kB a waiting part."""
        return msgspec.json.encode(_State(self._open, list(self._finished), self.dropped))

    @property
    def waiting(self) -> int:
        """Parts of unfinished messages."""
        return sum(len(message.parts) for message in self._open)

    def add(self, part: Deliver) -> Message | None:
        """The message that this part completes; None while parts are missing, and for a repeated part."""
        if part.reference is None or part.total is None or part.sequence is None or part.total == 1:
            return _joined([part])
        key = (part.number, part.reference_bits, part.reference, part.total)
        same_key = [message for message in self._open if message.key == key]
        if _fingerprint(part) in self._finished or any(
            _fingerprint(part) == _fingerprint(known) for message in same_key for known in message.parts.values()
        ):
            return None
        near = [m for m in same_key if part.sequence not in m.parts and m.distance(part) <= SAME_MESSAGE]
        if near:
            message = min(near, key=lambda m: m.distance(part))
        else:
            message = _Open(key, {})
            self._open.append(message)
        message.parts[part.sequence] = part
        if len(message.parts) == part.total:
            self._open.remove(message)
            self._finished.extend(_fingerprint(known) for known in message.parts.values())
            return _joined(_in_order(message))
        while self.waiting > MAX_PARTS:
            self._open.pop(0)
            self.dropped += 1
        return None

    def finish(self, told: Callable[[Deliver], bool]) -> None:
        """Close unfinished messages of which a part is known to be told: of those the rest is only not kept any more.

        Left open, such a part would be taken for one of the next message under the same reference.
        """
        for message in [m for m in self._open if any(map(told, m.parts.values()))]:
            self._open.remove(message)
            self._finished.extend(_fingerprint(part) for part in message.parts.values())

    def give_up(self, before: datetime) -> list[tuple[Message, int]]:
        """Take out messages whose newest part is older than `before`: what is there, and how many parts are missing."""
        stale = [m for m in self._open if all(p.timestamp is None or p.timestamp < before for p in m.parts.values())]
        self._open = [m for m in self._open if m not in stale]
        return [(_joined(_in_order(m)), m.key[3] - len(m.parts)) for m in stale]


def _fingerprint(part: Deliver) -> str:
    what = (part.number, part.reference_bits, part.reference, part.total, part.sequence, part.timestamp, part.raw)
    return hashlib.blake2b(msgspec.json.encode(what), digest_size=12).hexdigest()


def _in_order(message: _Open) -> list[Deliver]:
    return [part for _, part in sorted(message.parts.items())]


def _joined(parts: list[Deliver]) -> Message:
    """User data is joined before it is read, so that a character that a foreign sender cut in two comes out whole."""
    first = parts[0]
    text = data = None
    coding = first.alphabet, first.locking, first.shift
    if all((part.alphabet, part.locking, part.shift) == coding for part in parts):
        raw = b"".join(part.raw for part in parts)
        text = gsm7.text_of_raw(raw, *coding)
        data = raw if text is None else None
    else:
        text = "".join(part.text or "" for part in parts)
    return Message(
        number=first.number,
        number_type=first.number_type,
        text=text,
        data=data,
        timestamp=first.timestamp,
        alphabet=first.alphabet,
        message_class=first.message_class,
        parts=len(parts),
        ports=first.ports,
        smsc=first.smsc,
    )
