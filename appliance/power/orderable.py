"""A device that takes orders, whoever speaks to it: a Modbus poller by its profile, or another with the same face."""

from collections.abc import Callable, Mapping
from typing import Protocol

import msgspec

from appliance.power.order_machine import Goal, Value
from drivers.modbus.poller import Step
from drivers.modbus.profile import Command, Profile
from drivers.nut.poller import MAX_AGE_S, ORDERS, Order
from drivers.reading import Reading


class Commands(Protocol):
    """Sends a command once and returns the reading that proves it. `on_step` hears "sent", and maybe "accepted".

    Raises CommandError or BusError of drivers.modbus.errors.
    """

    async def __call__(self, name: str, *, on_step: Callable[[Step], None]) -> Reading: ...


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
    """Its commands, on what each rests, and by which way they go."""

    command: Commands
    terms: Mapping[str, Terms]
    way: str  # "modbus", "nut"


def orderable_of(command: Commands, profile: Profile | None) -> Orderable:
    """A device on a bus by its profile; one without a profile is a UPS behind NUT."""
    if profile is None:
        return Orderable(command, {name: _by_nut(order) for name, order in ORDERS.items()}, "nut")
    return Orderable(command, {name: _by_profile(order) for name, order in profile.command.items()}, "modbus")


def _by_profile(c: Command) -> Terms:
    return Terms(Goal(c.observe.point, c.observe.values), c.observe.within_s, c.max_age_s, c.needed)


def _by_nut(order: Order) -> Terms:
    return Terms(Goal(order.point, order.values), order.within_s, MAX_AGE_S, order.needs)
