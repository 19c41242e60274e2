"""The folded state's part for alarms: those that stand or were not seen, what is hidden from whom, and their load."""

from collections.abc import Callable

import msgspec

from appliance.stamp import Stamp

HOUR = 3600.0
FLOOD_WITHIN = 600.0  # s; ISA-18.2 judges a flood by ten minutes


class Told(msgspec.Struct, frozen=True):
    """A text about an alarm to a person on duty, or why there could be none."""

    person: str
    level: int
    what: str  # as in AlarmNotified
    at: Stamp
    message: str = ""
    why: str = ""


class Alarm(msgspec.Struct):
    alarm: str
    about: str
    priority: int
    raised: Stamp
    acknowledged: Stamp | None = None
    note: str = ""
    cleared: Stamp | None = None
    announced: Stamp | None = None  # since when it counts by itself; None: since `raised`, or not at all while `under`
    first_out: bool = False
    under: str = ""  # the alarm that it follows from, by design: not told, not counted
    chattering: int = 0  # it came so many times in a short while
    told: list[Told] = []  # oldest first

    @property
    def key(self) -> str:
        return f"{self.alarm}/{self.about}"

    @property
    def since(self) -> Stamp:
        """From when on a person should know of it."""
        return self.announced or self.raised


class Shelf(msgspec.Struct, frozen=True):
    """A person put it aside for a while."""

    reason: str
    seconds: int
    at: Stamp

    @property
    def until(self) -> float:
        """Unix seconds, by the clock as it was then."""
        return self.at.wall + self.seconds


class OutOfService(msgspec.Struct, frozen=True):
    reason: str
    at: Stamp


class AlarmRecord(msgspec.Struct):
    """What is kept of alarms beside themselves. Keys are "code/about"; "code/" out of service means all of the code."""

    shelved: dict[str, Shelf] = {}
    out: dict[str, OutOfService] = {}
    silenced: Stamp | None = None
    flood: Stamp | None = None  # since when there is one
    raised: list[Stamp] = []  # the last that counted, for the flood
    texts: dict[str, list[Stamp]] = {}  # to people on duty, the last ones
    hours: dict[int, int] = {}  # how many counted, by unix time // 3600, the last day's
    forgotten: int = 0  # alarms that are over, dropped for want of room before anybody had seen them


def out_of_service(record: AlarmRecord, code: str, about: str) -> OutOfService | None:
    return record.out.get(f"{code}/{about}") or record.out.get(f"{code}/")


def hidden(alarm: Alarm, record: AlarmRecord) -> bool:
    """Whether it is neither sounded nor told nor counted: by design, by a person's shelf, or out of service."""
    return (
        bool(alarm.under) or alarm.key in record.shelved or out_of_service(record, alarm.alarm, alarm.about) is not None
    )


def unseen(alarm: Alarm, record: AlarmRecord) -> bool:
    """Whether it wants a person: nobody has acknowledged it, and nothing hides it."""
    return alarm.acknowledged is None and not hidden(alarm, record)


def counted_lately(record: AlarmRecord, since: Callable[[Stamp], float]) -> int:
    """How many counted within ten minutes."""
    return sum(1 for at in record.raised if since(at) < FLOOD_WITHIN)
