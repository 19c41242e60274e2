"""Everything that can go wrong between the box and a Modbus device; pymodbus's exceptions end here.

`sent` is the question that matters for a write: may it have reached the device?
"""

EXCEPTION_NAMES = {  # Modbus application protocol 1.1b3, section 7
    1: "illegal function",
    2: "illegal address",
    3: "illegal value",
    4: "device failure",
    5: "accepted, still working",
    6: "busy",
    7: "negative acknowledge",
    8: "memory parity error",
}
GATEWAY_SILENCE = frozenset({10, 11})  # the gateway answers for a unit that does not: that is no answer


class BusError(Exception):
    """A transaction without a right answer. `sent` says whether the device may have got the question."""

    sent = True


class NoAnswer(BusError):
    """Nothing came within the time-out, or a gateway says that the unit is silent."""


class BadAnswer(BusError):
    """Something came, and it was not the answer to this question: wrong unit, function, count, echo or checksum."""


class LineNeverQuiet(BadAnswer):
    """Bytes keep coming though nobody was asked; nothing was sent."""

    sent = False


class BusCrowded(BusError):
    """Too many wait for the line already; nothing was sent."""

    sent = False


class DeviceRefused(BusError):
    """The device understood and said no, with a Modbus exception `code`."""

    def __init__(self, text: str, code: int) -> None:
        super().__init__(f"{text}: {EXCEPTION_NAMES.get(code, 'unknown exception')} (exception {code})")
        self.code = code


class LinkLost(BusError):
    """The port or the connection is gone, or could not be opened."""

    def __init__(self, text: str, *, sent: bool = False) -> None:
        super().__init__(text)
        self.sent = sent


class ProfileError(ValueError):
    """A profile that must not be used; the text lists every fault with its place."""


class CommandError(Exception):
    """A command that did not end in its proof."""


class UnknownCommand(CommandError):
    """The profile has no such command."""


class NotReady(CommandError):
    """What the command needs is not so, or not known freshly enough; nothing was sent."""


class NotAccepted(CommandError):
    """The command arrived, and the device's own word is not the one for yes."""


class NotObserved(CommandError):
    """The command was sent, and its effect was not seen within its deadline."""
