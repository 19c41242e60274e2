"""How far a value may be believed. Anything but `good` comes with the value None: unknown is never shown as OK."""

from enum import StrEnum


class Quality(StrEnum):
    """The vocabulary of every reading in the box, on the wire and on the page."""

    GOOD = "good"
    STALE = "stale"  # was good, too old now; the one who reads judges it by the reading's age
    OVER_RANGE = "over_range"  # above what can be, or a code nobody knows
    UNDER_RANGE = "under_range"
    SENSOR_FAULT = "sensor_fault"
    UNIMPLEMENTED = "unimplemented"  # the device has no such value, or has it switched off
    NO_LINK = "no_link"  # the device does not answer
