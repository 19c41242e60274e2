"""The site file's part for alerting: zones, recipients, quiet hours, supervision, the station's watch over itself."""

from typing import Annotated, Literal

import msgspec

from appliance.model import Language

Name = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_-]{0,31}$")]
Number = Annotated[str, msgspec.Meta(pattern=r"^\+?[0-9]{3,15}$")]
Hour = Annotated[str, msgspec.Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
MaybeHour = Annotated[str, msgspec.Meta(pattern=r"^(([01][0-9]|2[0-3]):[0-5][0-9])?$")]  # empty: never

MOST_ZONES = 16  # an order names them by the bits of a u16


class Struct(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of the site file."""


class Contact(Struct, frozen=True, kw_only=True):
    """A person or an office of an agency or a hospital that alerts are told to; it has no siren."""

    id: Name
    name: str
    sms: Number | None = None
    voice: Number | None = None
    language: Language = "id"
    agency: Name | None = None  # of the directory


class Group(Struct, frozen=True, kw_only=True):
    """Recipients that are named together. `first`: one after the other, until one accepts."""

    id: Name
    name: str
    members: tuple[str, ...]  # "station", "station/zone" or a contact's id
    mode: Literal["all", "first"] = "all"
    wait_s: Annotated[float, msgspec.Meta(ge=15, le=900)] = 60.0  # for an answer, until the next one is asked


class Zone(Struct, frozen=True, kw_only=True):
    """A part of the station with a siren or buzzer of its own; the zones' order is that of the order's bits."""

    id: Name
    name: str
    output: Name  # of the annunciator, a siren or a buzzer
    speaks: bool = False  # announcements are spoken here


class Quiet(Struct, frozen=True, kw_only=True):
    """Hours in which sound is lower; light never is."""

    begins: Hour = "22:00"
    ends: Hour = "05:00"
    level: Annotated[int, msgspec.Meta(ge=1, le=100)] = 40  # percent, of outputs that can be lower, and of speech


class Watch(Struct, frozen=True, kw_only=True):
    """How the station watches its own siren and the centre. Inputs and outputs are the annunciator's."""

    current: Name | None = None  # input: the siren draws current
    tamper: Name | None = None  # input
    door: Name | None = None  # input
    supply: Name | None = None  # input: the mains is there
    battery_low: Name | None = None  # input
    lamp: Name | None = None  # light that says "centre silent"
    microphone: bool = False  # the audio process listens whether the siren is heard
    heard_dbfs: Annotated[float, msgspec.Meta(ge=-80, le=0)] = -40.0  # and 6 dB above the quiet before
    proof_s: Annotated[float, msgspec.Meta(ge=0.5, le=60)] = 5.0  # until a siren without current or sound is a fault
    centre_silent_s: Annotated[float, msgspec.Meta(ge=60, le=86_400)] = 600.0
    turnout_s: Annotated[float, msgspec.Meta(ge=30, le=900)] = 80.0  # NFPA 1710: fire 80 s, medical 60 s


class Beat(Struct, frozen=True, kw_only=True):
    """How often a station is heard. The same table stands at the centre and at the stations that it is for."""

    heartbeat_s: Annotated[float, msgspec.Meta(ge=1, le=300)] = 3.0  # Purvis FSAS
    lost_s: Annotated[float, msgspec.Meta(ge=3, le=900)] = 9.0


class Supervision(Struct, frozen=True, kw_only=True):
    """When stations are heard and tested. Times are the site's; an empty one: never."""

    heartbeat_s: Annotated[float, msgspec.Meta(ge=1, le=300)] = 3.0
    lost_s: Annotated[float, msgspec.Meta(ge=3, le=900)] = 9.0
    profile: dict[Name, Beat] = {}  # for stations whose path is slow or dear
    health_s: Annotated[float, msgspec.Meta(ge=10, le=3600)] = 60.0
    silent_test: MaybeHour = "02:00"  # each night, of each station over MQTT and SMS
    sms_probe: MaybeHour = "14:00"  # each day
    voice_test: MaybeHour = "10:30"  # by day only
    voice_days: tuple[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"], ...] = ("tue",)
    report: MaybeHour = "07:00"
    sounding_day: Annotated[int, msgspec.Meta(ge=0, le=31)] = 26  # of the month; 0: never. Indonesia tests on the 26th
    sounding_time: Hour = "10:00"
    sounding_seconds: Annotated[int, msgspec.Meta(ge=1, le=600)] = 60
    announce_before_h: Annotated[float, msgspec.Meta(ge=0, le=168)] = 24.0
    grace_min: Annotated[float, msgspec.Meta(ge=1, le=720)] = 60.0  # a due test that has not begun by then was missed

    def beat(self, profile: str | None) -> Beat:
        """Of a station with this profile; None, or one that is not there: what holds for all others."""
        return self.profile.get(profile or "", Beat(heartbeat_s=self.heartbeat_s, lost_s=self.lost_s))
