"""A device that takes orders, whoever speaks to it: a Modbus poller by its profile, or another with the same face."""

from collections.abc import Awaitable, Callable, Mapping

import msgspec

from appliance.power.order_machine import Goal, Value
from drivers.modbus.profile import Profile
from drivers.reading import Reading


class Terms(msgspec.Struct, frozen=True):
    """On what a command rests, and what proves it by when."""

    goal: Goal
    within_s: float
    max_age_s: float  # of what it rests on
    needs: dict[str, Value] = {}

    @property
    def rests_on(self) -> tuple[str, ...]:
        return (*self.needs, self.goal.point)


class Orderable(msgspec.Struct, frozen=True):
    """`command` sends a command once and returns the reading that proves it; its errors are drivers.modbus.errors."""

    command: Callable[[str], Awaitable[Reading]]
    terms: Mapping[str, Terms]
    way: str  # "modbus", "nut"


def by_profile(command: Callable[[str], Awaitable[Reading]], profile: Profile) -> Orderable:
    """A device on a bus."""
    terms = {
        name: Terms(Goal(c.observe.point, c.observe.values), c.observe.within_s, c.max_age_s, c.needed)
        for name, c in profile.command.items()
    }
    return Orderable(command, terms, "modbus")
