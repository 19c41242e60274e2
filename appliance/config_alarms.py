"""The site file's part for alarms: who is on duty when, how they are told, and the buzzer and lamp in the room."""

from typing import Annotated, Literal

import msgspec

from appliance.model import Language

Name = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_-]{0,31}$")]
Number = Annotated[str, msgspec.Meta(pattern=r"^\+?[0-9]{3,15}$")]
Hour = Annotated[str, msgspec.Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


class Struct(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of the site file."""


class Duty(Struct, frozen=True, kw_only=True):
    """A person on duty, who is told by SMS. `begins` to `ends` may span midnight; equal, they are the whole day."""

    name: str
    number: Number
    language: Language = "id"
    alarms: bool = True  # is told of alarms too, not of the fallback alone
    level: Annotated[int, msgspec.Meta(ge=1, le=9)] = 1  # told first; the next level when nobody acknowledges
    days: tuple[Day, ...] = ()  # on which a shift begins; empty: every day
    begins: Hour = "00:00"
    ends: Hour = "00:00"


class Notify(Struct, frozen=True, kw_only=True):
    """How people learn of alarms. All outputs and inputs are the annunciator's."""

    buzzer: Name | None = None
    lamp: Name | None = None  # on while an alarm is not acknowledged
    silence: Name | None = None  # input: the buzzer is quiet until a new alarm
    gather_s: Annotated[float, msgspec.Meta(ge=0, le=600)] = 30.0  # what comes within is one text; P1 waits for 5 s
    escalate_min: Annotated[float, msgspec.Meta(ge=1, le=240)] = 10.0  # unacknowledged for so long: the next level too
    per_hour: Annotated[int, msgspec.Meta(ge=1, le=60)] = 6  # texts to one person; what comes more goes with the next
    digest_min: Annotated[float, msgspec.Meta(ge=1, le=120)] = 15.0  # between texts to one person in an alarm flood
    quiet_start_s: Annotated[float, msgspec.Meta(ge=0, le=600)] = 30.0  # after a start nothing is sounded or told
