"""Events of alarms: ISA-18.2's states, what was hidden by design or by a person, who was told, and the flood."""

from appliance.event import Event


class AlarmEvent(Event, frozen=True):
    SUBJECT = ("alarm", "about")
    alarm: str  # catalogue code
    about: str


class AlarmRaised(AlarmEvent, tag="alarm.raised", frozen=True):
    """`first_out`: the first of its group, all others of which were normal. `under`: as in AlarmSuppressed."""

    priority: int
    first_out: bool = False
    under: str = ""


class AlarmAcknowledged(AlarmEvent, tag="alarm.acknowledged", frozen=True):
    note: str = ""


class AlarmCleared(AlarmEvent, tag="alarm.cleared", frozen=True):
    why: str = ""  # "": its cause is gone; "removed": what it is about, or its row in the catalogue, is there no more


class AlarmSuppressed(AlarmEvent, tag="alarm.suppressed", frozen=True):
    """By design: it follows from another alarm that came later. `under` is that one, "power.mains_lost/mains"."""

    under: str


class AlarmReleased(AlarmEvent, tag="alarm.released", frozen=True):
    """What it stood under is over, and it still stands: from here on it counts by itself."""


class AlarmShelved(AlarmEvent, tag="alarm.shelved", frozen=True):
    """By a person, with a reason; it ends by itself after `seconds`."""

    seconds: int
    reason: str


class AlarmUnshelved(AlarmEvent, tag="alarm.unshelved", frozen=True):
    why: str  # "ended", "person"


class AlarmOutOfService(AlarmEvent, tag="alarm.out_of_service", frozen=True):
    """By a person, until a person ends it. An empty `about`: all of this code."""

    reason: str


class AlarmInService(AlarmEvent, tag="alarm.in_service", frozen=True): ...


class AlarmChattering(AlarmEvent, tag="alarm.chattering", frozen=True):
    """It came `count` times within `seconds`: it stands from here on until its cause has been gone for a while."""

    count: int
    seconds: float


class AlarmsFlooding(Event, tag="alarm.flood", frozen=True):
    """So many were raised within ten minutes."""

    count: int


class AlarmFloodOver(Event, tag="alarm.flood_over", frozen=True):
    count: int


class AlarmsSilenced(Event, tag="alarm.silenced", frozen=True):
    """The buzzer, until a new alarm. The actor is in the row, "button:NAME" for the one on the wall."""


class AlarmNotified(Event, tag="alarm.notified", frozen=True):
    """One text to a person on duty about one or more alarms. Without a `message`, `why` is the code of why not."""

    SUBJECT = ("person",)
    person: str
    level: int  # of the rota: 1 first, above that it was escalated
    what: str  # "raised", "escalated", "again" (the text before did not arrive), "over"
    alarms: tuple[str, ...]  # "code/about", the most urgent first
    message: str  # the text's id
    why: str = ""
