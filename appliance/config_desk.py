"""The site file's tables for the desk: when the box answers, overflow, pranks, and whom one press calls."""

from typing import Annotated, Literal

import msgspec

from appliance.model import Language

Name = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_-]{0,31}$")]
Number = Annotated[str, msgspec.Meta(pattern=r"^\+?[0-9]{3,15}$")]


class Struct(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of the site file."""


class Overflow(Struct, frozen=True, kw_only=True):
    """Who gets a text when more calls come than the desk can take. Once an episode."""

    number: Number
    waiting: Annotated[int, msgspec.Meta(ge=0, le=50)] = 2  # more than so many calls wait
    after_s: Annotated[float, msgspec.Meta(ge=5, le=600)] = 30.0  # one waits for longer
    busy: bool = True  # every line is taken: the next caller hears the busy tone


class DeskRules(Struct, frozen=True, kw_only=True):
    greet_after_s: Annotated[float, msgspec.Meta(ge=0, le=60)] = 10.0  # 0: the box answers no call
    ghost_after_s: Annotated[float, msgspec.Meta(ge=5, le=60)] = 10.0
    overflow: Overflow | None = None


class PrankRules(Struct, frozen=True, kw_only=True):
    """When a number may be blocked. `automatic`: without asking a supervisor, who can undo it."""

    marks: Annotated[int, msgspec.Meta(ge=3, le=20)] = 3
    hours: Annotated[int, msgspec.Meta(ge=1, le=168)] = 24
    rule: Literal["offered", "automatic"] = "offered"


class Agency(Struct, frozen=True, kw_only=True):
    """Somebody to call by one press."""

    id: Name
    name: str
    kind: Literal["hospital", "police", "fire", "ambulance", "power", "search_rescue", "other"]
    phone: tuple[Number, ...]  # the first is called
    sms: Number | None = None
    uses: Number | None = None  # of our lines, while the trunk is gone; None: those of citizens
    languages: tuple[Language, ...] = ()  # none: Indonesian
