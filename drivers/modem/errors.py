"""What goes wrong between the box and a modem, one type a way of dealing with it."""

from typing import Literal

# 3GPP TS 27.007 clause 9.2 and 27.005 clause 3.2.5, where a person or a rule acts on the difference.
CME_TEXTS = {
    3: "operation not allowed",
    10: "SIM not inserted",
    11: "SIM PIN required",
    12: "SIM PUK required",
    13: "SIM failure",
    14: "SIM busy",
    16: "incorrect password",
    30: "no network service",
    100: "unknown",
}
CMS_TEXTS = {
    302: "operation not allowed",
    304: "invalid PDU mode parameter",
    310: "SIM not inserted",
    314: "SIM busy",
    320: "memory failure",
    321: "invalid memory index",
    322: "memory full",
    330: "SMSC address unknown",
    331: "no network service",
    332: "network timeout",
    340: "no +CNMA acknowledgement expected",
    500: "unknown error",
}


# Why a link is lost: no port, one that another program has, that may not be opened, that fails; its link leads to
# another device; the modem does not answer; it started again; it is not there, which was told before.
LostCode = Literal["no_port", "port_in_use", "port_forbidden", "port_error", "moved", "mute", "restarted", "gone"]


class ModemError(Exception):
    """Any failure of a modem; nothing else leaves this package but PduError, AnswerError and ProfileError."""


class LinkLost(ModemError):
    """The port is gone or the modem is mute. The driver comes back by itself; send again after PortUp."""

    def __init__(self, text: str, code: LostCode = "gone") -> None:
        super().__init__(text)
        self.code = code


class NotDone(ModemError):
    """One command did not succeed; the link stands."""


class NoAnswer(NotDone):
    """The modem answers, but not to this command within its deadline. Whether it was carried out is unknown."""


class PayloadUnanswered(NoAnswer):
    """The modem took a message and never said what became of it: it may have gone out."""


class ModemBusy(NotDone):
    """Too much waits for this modem already, or it waited too long."""


class Outdated(NotDone):
    """What the command was for had passed when its turn came; it was not sent."""


class CommandRefused(NotDone):
    """The modem said no. `code` is its CME or CMS code, None when it gave none."""

    def __init__(self, command: str, final: str, code: int | None = None, detail: str = "") -> None:
        self.command, self.final = command, final
        self.code = _code_of(final, detail) if code is None else code
        text = _texts(final).get(self.code or -1) or detail or "without a reason"
        super().__init__(f"{command}: {final}{f' {self.code}' if self.code is not None else ''}, {text}.")


class SmsFailed(ModemError):
    """A message did not go out whole. `sent` are the references of the parts that did.

    `certain` is False when the modem took a part and never said what became of it: it may arrive. `code` is the
    +CMS ERROR, None where it was another's or none.
    """

    def __init__(self, text: str, sent: tuple[int, ...], *, certain: bool, code: int | None = None) -> None:
        super().__init__(text)
        self.sent, self.certain, self.code = sent, certain, code


class NumberRefused(ModemError):
    """A number this box never dials: an emergency number, or nothing that can be dialled."""


def _texts(final: str) -> dict[int, str]:
    return {"+CME ERROR": CME_TEXTS, "+CMS ERROR": CMS_TEXTS}.get(final, {})


def _code_of(final: str, detail: str) -> int | None:
    """The code of a verbose refusal (AT+CMEE=2), so that both kinds read the same."""
    said = detail.strip().casefold()
    return next((code for code, text in _texts(final).items() if text.casefold() == said), None)
