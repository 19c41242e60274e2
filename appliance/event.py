"""What every event is: a tagged, frozen struct of codes and figures, never prose."""

import functools
from typing import ClassVar

import msgspec


class Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", forbid_unknown_fields=True):
    """A fact. `SUBJECT` names the fields that say what it is about; they make the journal's subject column."""

    SUBJECT: ClassVar[tuple[str, ...]] = ()

    @property
    def kind(self) -> str:
        return kind_of(type(self))

    @property
    def subject(self) -> str:
        return "/".join([str(getattr(self, field)) for field in self.SUBJECT])


@functools.cache
def kind_of(event: type[Event]) -> str:
    """Bounded by the kinds that there are."""
    return str(event.__struct_config__.tag)
