"""Commands about alarms: what a person says of one, and the list of what was."""

from typing import Annotated, Literal

import msgspec

from appliance.command import Command

MOST_SHELVED_MIN = 480  # a shift: who comes after decides anew
Reason = Annotated[str, msgspec.Meta(min_length=3, max_length=300)]
Minutes = Annotated[int, msgspec.Meta(ge=1, le=MOST_SHELVED_MIN)]


class AcknowledgeAlarm(Command, tag="alarm.acknowledge", frozen=True, kw_only=True):
    alarm: str
    about: str
    note: str = ""


class ShelveAlarm(Command, tag="alarm.shelve", frozen=True, kw_only=True):
    """Put aside for so many minutes, with a reason: neither sounded nor told meanwhile. Shelving again prolongs."""

    alarm: str
    about: str
    minutes: Minutes
    reason: Reason


class UnshelveAlarm(Command, tag="alarm.unshelve", frozen=True, kw_only=True):
    alarm: str
    about: str


class TakeOutOfService(Command, tag="alarm.out_of_service", frozen=True, kw_only=True):
    """Until a person ends it. An empty `about`: all of this code."""

    alarm: str
    about: str = ""
    reason: Reason


class PutInService(Command, tag="alarm.in_service", frozen=True, kw_only=True):
    alarm: str
    about: str = ""


class SilenceAlarms(Command, tag="alarm.silence", frozen=True, kw_only=True):
    """The buzzer is quiet until a new alarm; nothing is acknowledged by it."""


class ListAlarms(Command, tag="alarm.list", frozen=True, kw_only=True):
    """Alarm rows of the journal, newest first; filters are joined by "and", empty ones are none. Days are the site's.

    Answer: `rows` (EntryView) and `more`, whether older ones were left out.
    """

    last: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 100
    before: int = 0  # only rows older than this one; 0: from the newest
    alarm: str = ""  # a code, or its beginning: "genset."
    about: str = ""
    priority: Literal[0, 1, 2, 3] = 0  # of alarm.raised rows and of what follows them
    what: str = ""  # a kind of event: "alarm.raised"
    actor: str = ""
    day: str = ""  # 2026-11-22; month: 2026-11


AlarmCommand = (
    AcknowledgeAlarm | ShelveAlarm | UnshelveAlarm | TakeOutOfService | PutInService | SilenceAlarms | ListAlarms
)
