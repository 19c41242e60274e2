"""Messages that came in on one line: each part is journaled before it leaves the SIM, each text is told once.

What the journal knows already is known again by its octets: after a crash between storing and deleting, only the
deleting is left to do. Orders and answers to orders are handed on before the disk is asked.
"""

import hashlib
import logging
from collections import OrderedDict
from collections.abc import Callable

from appliance.events import SmsPartReceived, SmsReceived, SmsUnreadable
from appliance.journal import Appended
from appliance.lines import ORDER_PORT
from appliance.logs import about
from appliance.state import State
from drivers.modem import events as heard
from drivers.modem.pdu import Assembler, Deliver, Message, PduError, decode

MOST_SEEN = 500  # PDUs; as many as the state keeps, twice what a SIM and a modem hold

log = logging.getLogger("siaga.lines")


class Ledger:
    """`on_data` gets the sender's number and the octets of what came to ORDER_PORT."""

    def __init__(
        self, line: str, state: State, append: Callable[..., Appended], on_data: Callable[[str, bytes], None]
    ) -> None:
        self._line, self._state, self._append, self._on_data = line, state, append, on_data
        self._assembler = Assembler()
        self._seen: OrderedDict[str, Appended | None] = OrderedDict()  # None: on disk since before the start

    def restore(self) -> None:
        """Take up the parts that the journal has. A text that became whole but was never told is told now."""
        told = {(message.id, message.text) for message in self._state.messages}
        for pdu in [pdu for line, pdu in self._state.parts if line == self._line and pdu not in self._seen]:
            self._see(pdu, None)
            try:
                message = self._assembler.add(_decoded(pdu))
            except PduError as e:
                log.error(
                    "%s: a part in the journal cannot be read again: %s", self._line, e, extra=about(line=self._line)
                )
                continue
            if message and message.text is not None and (self._id(message), message.text) not in told:
                self._tell(message, message.text)
        self._assembler.finish(self._is_told)

    def _is_told(self, part: Deliver) -> bool:
        """Whether the part stands in a text that the journal has: the state forgets a text's first parts first."""
        words = part.text
        return words is not None and any(
            words in message.text and 0 < len(words) < len(message.text)
            for message in self._state.messages
            if message.line == self._line and message.number == part.number
        )

    def take(self, part: heard.SmsPartReceived) -> Appended | None:
        """Store a part and act on what it completes. Returns the row that must be on disk before the part is deleted.

        None: it is on disk already.
        """
        if part.pdu in self._seen:
            return self._seen[part.pdu]
        message = self._assembler.add(part.deliver)
        try:
            if message and message.data is not None and message.ports and message.ports[0] == ORDER_PORT:
                self._on_data(message.number, message.data)
        finally:  # a message that breaks its reader must not break it again at each start
            row = self._append(SmsPartReceived(line=self._line, pdu=part.pdu))
            self._see(part.pdu, row)
        if message and message.text is not None:
            self._tell(message, message.text)
        elif message and not (message.ports and message.ports[0] == ORDER_PORT):
            reason = f"data_for_port_{message.ports[0]}" if message.ports else "data"
            self._append(SmsUnreadable(line=self._line, pdu=part.pdu, reason=reason))
        return row

    def written(self, event: heard.SmsTextReceived) -> None:
        """A text that came without its PDU. Told once, also when the modem says it again after a restart."""
        what = f"{self._line}\0{event.number}\0{event.stamp}\0{event.text}"
        name = hashlib.blake2b(what.encode("utf-16", "surrogatepass"), digest_size=4).hexdigest()
        if not any(message.id == name for message in self._state.messages):
            self._append(SmsReceived(line=self._line, message=name, number=event.number, text=event.text, parts=1))

    def unreadable(self, pdu: str, reason: str) -> Appended | None:
        """Store what is no message. Returns as `take`."""
        key = f"unreadable {pdu}"
        if key not in self._seen:
            self._see(key, self._append(SmsUnreadable(line=self._line, pdu=pdu, reason=reason[:200])))
        return self._seen[key]

    def _see(self, pdu: str, row: Appended | None) -> None:
        self._seen[pdu] = row
        if len(self._seen) > MOST_SEEN:
            self._seen.popitem(last=False)

    def _tell(self, message: Message, text: str) -> None:
        self._append(
            SmsReceived(
                line=self._line, message=self._id(message), number=message.number, text=text, parts=message.parts
            )
        )

    def _id(self, message: Message) -> str:
        """The same for the same message whenever it is put together, so that a restart does not tell it again."""
        what = f"{self._line}\0{message.number}\0{message.timestamp}\0{message.text}"
        return hashlib.blake2b(what.encode("utf-16", "surrogatepass"), digest_size=4).hexdigest()


def _decoded(pdu: str) -> Deliver:
    try:
        octets = bytes.fromhex(pdu)
    except ValueError as e:
        raise PduError(f"{pdu[:40]!r} is not hex.") from e
    return decode(octets, has_smsc=True, direction="deliver")
