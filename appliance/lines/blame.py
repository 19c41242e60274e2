"""What a refused message's +CMS ERROR says of another attempt: give up, another modem, or the same a little later.

Giving up is for what no modem can mend: where a cause may be the SIM's as well as the recipient's, another SIM is
asked.
"""

from enum import StrEnum

from drivers.modem.errors import SmsFailed
from drivers.modem.pdu import PduError


class Blame(StrEnum):
    RECIPIENT = "recipient"  # there is nobody: give up
    MESSAGE = "message"  # it cannot be written down: give up
    LINE = "line"  # this modem, SIM or operator: another one, and this one later
    MOMENT = "moment"  # the network is busy: the same again, later


# 3GPP TS 27.005 clause 3.2.5: 0 to 127 are RP-causes of TS 24.011 annex E-2, 128 to 255 TP-failure-causes of TS 23.040
# clause 9.2.3.22, 300 to 511 the modem's own. What is not here is the line's.
BLAMES = {
    1: Blame.RECIPIENT,  # unassigned number
    22: Blame.MOMENT,  # memory capacity exceeded
    27: Blame.MOMENT,  # destination out of order
    41: Blame.MOMENT,  # temporary failure
    42: Blame.MOMENT,  # congestion
    47: Blame.MOMENT,  # resources unavailable
    81: Blame.MOMENT,  # invalid short message transfer reference: the two sides lost step
    127: Blame.MOMENT,  # interworking, unspecified
    192: Blame.MOMENT,  # service centre busy
    194: Blame.MOMENT,  # service centre system failure
    195: Blame.RECIPIENT,  # invalid address
    255: Blame.MOMENT,  # unspecified error of the service centre
    314: Blame.MOMENT,  # SIM busy
    # The line's, for those who look for them here:
    8: Blame.LINE,  # operator determined barring: of this SIM
    10: Blame.LINE,  # call barred: this SIM may not write to that destination
    21: Blame.LINE,  # transfer rejected: often the operator's filter
    28: Blame.LINE,  # unidentified subscriber: the network does not know this SIM
    29: Blame.LINE,  # facility rejected
    30: Blame.LINE,  # unknown subscriber: of either side
    38: Blame.LINE,  # network out of order, "likely to last a relatively long period"
    50: Blame.LINE,  # facility not subscribed
    69: Blame.LINE,  # facility not implemented
    193: Blame.LINE,  # no subscription at this service centre: also what an empty credit looks like
    310: Blame.LINE,  # no SIM; 311 to 318 its PIN, PUK and faults
    330: Blame.LINE,  # SMSC address unknown
    331: Blame.LINE,  # no network service
}

# The network's own time ran out: it may have taken the message and its answer was lost.
UNCERTAIN_CODES = frozenset((332,))


def blame_of(error: Exception) -> Blame:
    """Of what Line.send raises."""
    if isinstance(error, PduError):
        return Blame.MESSAGE
    code = error.code if isinstance(error, SmsFailed) else None
    return Blame.LINE if code is None else BLAMES.get(code, Blame.LINE)


def is_certain(error: Exception) -> bool:
    """Whether it is known that nothing more of the message went out than the error says."""
    return not isinstance(error, SmsFailed) or (error.certain and error.code not in UNCERTAIN_CODES)
