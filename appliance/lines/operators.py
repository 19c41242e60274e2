"""Which operator a number belongs to, by its prefix: messages within one network arrive sooner and cost less.

A preference only: nothing waits for it, so a table that is out of date costs seconds and no message.
"""

import logging
from pathlib import Path

import msgspec

log = logging.getLogger("siaga.lines")


class Operator(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`says` are words that its name on a modem (+COPS) has one of; `prefixes` are national, with their 0."""

    name: str
    says: tuple[str, ...]
    prefixes: tuple[str, ...]


class Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`country` is what stands for the 0 in international numbers, as +62."""

    country: str
    operator: tuple[Operator, ...]


class Operators:
    """`file` is firmware-config/operators.toml; without it no operator is known."""

    def __init__(self, file: Path) -> None:
        self._table = Table("+62", ())
        try:
            self._table = msgspec.toml.decode(file.read_bytes(), type=Table)
        except (OSError, UnicodeDecodeError, msgspec.DecodeError) as e:
            log.warning("%s: operators of numbers are not known, any line will do: %s", file, e)

    def of_number(self, number: str) -> str:
        """An empty string where it is not known."""
        bare = self._table.country.removeprefix("+")
        national = number
        for prefix in (f"+{bare}", f"00{bare}", bare):
            if number.startswith(prefix):
                national = "0" + number.removeprefix(prefix)
                break
        return next((one.name for one in self._table.operator if national.startswith(one.prefixes)), "")

    def of_network(self, said: str | None) -> str:
        """Of what +COPS says; an empty string where it is not known."""
        words = (said or "").casefold()
        return next((one.name for one in self._table.operator if any(word in words for word in one.says)), "")
