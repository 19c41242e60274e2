"""Commands on the plant: what a person may order of a generator's controller, of its start relay and of a UPS."""

from enum import StrEnum
from typing import Annotated

import msgspec

from appliance.command import Command

Link = Annotated[str, msgspec.Meta(pattern=r"^(genset|ups)/[a-z][a-z0-9_-]{0,31}$")]
Key = Annotated[str, msgspec.Meta(max_length=64)]


class PlantCommand(StrEnum):
    """There is none that stops a set by its stop mode: a set in stop mode is deaf to the next outage."""

    START = "start"  # by the controller's telemetry
    CANCEL_START = "cancel_start"  # of every start that this box gave, the relay's too
    TEST_ON_LOAD = "test_on_load"
    AUTO = "auto"
    SELF_TEST = "self_test"
    MUTE = "mute"
    START_RELAY = "start_relay"  # by a contact at the controller's remote start input


class OrderPlant(Command, tag="power.order", frozen=True, kw_only=True):
    """One command for one device. It is sent once, and ends in its proof or in an alarm.

    `confirm` and `name`: a person was asked, and saw the device's name as the site file has it. The same `key` again
    answers with the order that it made.
    """

    device: Link
    command: PlantCommand
    confirm: bool = False
    name: str = ""
    key: Key = ""


PowerCommand = OrderPlant
