"""A mobile operator: how to ask it for a SIM's credit and read its answer, and which numbers are its own.

Data in firmware-config/operators/*.toml.
NAME.texts.toml beside it holds texts with what a person reads in them; tests read them with the plan.
"""

import re
from collections.abc import Sequence
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from appliance.lines.credit_text import DATE, RUPIAH, first_date, first_rupiah, phrase, plain
from drivers.modem.harmless import why_not_coded

FOLDER = "operators"
TEXTS = ".texts.toml"

Words = Annotated[str, Meta(min_length=1, max_length=80)]
Network = Annotated[str, Meta(pattern=r"^[0-9]{5,6}$")]
Prefix = Annotated[str, Meta(pattern=r"^0[0-9]{2,5}$")]
Rupiah = Annotated[int, Meta(ge=0, le=10_000_000)]


class PlanError(ValueError):
    """Plans that cannot be used; the text names the file and the key."""


class Reading(msgspec.Struct, frozen=True):
    """What a text says. `not_read` is "" or the code of why it says nothing of the credit."""

    rupiah: int = 0
    until: date | None = None
    not_read: str = ""  # "network_busy", "not_understood"


class OperatorPlan(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, dict=True):
    """`networks` are MCC and MNC, `names` parts of what +COPS says. Codes are asked in turn until one is understood."""

    name: Words
    source: str
    networks: tuple[Network, ...]
    names: tuple[Words, ...]
    prefixes: tuple[Prefix, ...] = ()  # of its customers' numbers, national; a text prefers a line of its own network
    codes: Annotated[tuple[Words, ...], Meta(min_length=1, max_length=3)]
    rupiah: Annotated[tuple[Words, ...], Meta(min_length=1, max_length=40)]
    not_behind: Annotated[
        tuple[Words, ...], Meta(max_length=40)
    ] = ()  # words before a phrase that make it another thing
    until: Annotated[tuple[Words, ...], Meta(max_length=40)] = ()
    again: Annotated[tuple[Words, ...], Meta(max_length=40)] = ()  # the network asks for patience
    low_rupiah: Rupiah

    @cached_property
    def _rupiah(self) -> list[re.Pattern[str]]:
        return [phrase(words) for words in self.rupiah]

    @cached_property
    def _until(self) -> list[re.Pattern[str]]:
        return [phrase(words) for words in self.until]

    def read(self, text: str) -> Reading:
        """The credit and the last valid day, as far as a phrase finds them."""
        said = plain(text)
        found = first_rupiah(said, self._rupiah, self.not_behind)
        if found is not None:
            return Reading(found, first_date(said, self._until))
        busy = any(plain(words) in said for words in self.again)
        return Reading(not_read="network_busy" if busy else "not_understood")


def load_plans(folder: Path) -> tuple[OperatorPlan, ...]:
    """All plans of a folder, by file name; none where there is no folder. Raises PlanError."""
    plans: dict[str, OperatorPlan] = {}
    known: dict[str, str] = {}
    for path in sorted(folder.glob("*.toml")):
        if path.name.endswith(TEXTS):
            continue
        plan = _load(path)
        for word in (*plan.networks, *plan.prefixes, *(name.casefold() for name in plan.names)):
            if word in known:
                raise PlanError(f"{path}: {word!r} stands in {known[word]} already.")
            known[word] = path.name
        plans[path.stem] = plan
    return tuple(plans.values())


def _load(path: Path) -> OperatorPlan:
    try:
        plan = msgspec.toml.decode(path.read_bytes(), type=OperatorPlan)
    except OSError as e:
        raise PlanError(f"{path}: cannot be read ({e.strerror}).") from e
    except (msgspec.MsgspecError, UnicodeDecodeError) as e:
        raise PlanError(f"{path}: {e}") from e
    for code in plan.codes:
        if why := why_not_coded(code):
            raise PlanError(f"{path}: codes: {code!r} is not sent: {why}.")
    for key, phrases, place in (("rupiah", plan.rupiah, RUPIAH), ("until", plan.until, DATE)):
        for words in phrases:
            try:
                phrase(words)
            except ValueError as e:
                raise PlanError(f"{path}: {key}: {e}.") from e
            if place not in words:
                raise PlanError(f"{path}: {key}: {words!r} has no {place}.")
    if not plan.networks and not plan.names:
        raise PlanError(f"{path}: networks and names are both empty, so it fits no line.")
    return plan


def plan_of(operator: str, plans: Sequence[OperatorPlan]) -> OperatorPlan | None:
    """The plan for what +COPS says, a name or figures; the longest name that stands in it wins."""
    if operator.isdecimal():
        return next((plan for plan in plans if operator in plan.networks), None)
    words = operator.casefold()
    fits = [
        (len(name), i)
        for i, plan in enumerate(plans)
        for name in plan.names
        if re.search(rf"\b{re.escape(name.casefold())}\b", words)
    ]
    return plans[max(fits)[1]] if fits else None


def operator_of_number(number: str, plans: Sequence[OperatorPlan]) -> OperatorPlan | None:
    """Whose customer a number of Indonesia is, by its prefix; None where no plan says so."""
    digits = re.sub(r"^(\+|00)?62", "0", number)
    return next((plan for plan in plans if digits.startswith(plan.prefixes)), None)
