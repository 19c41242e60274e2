"""What a campaign has core send, and whether the journal's word on each message agrees with what the network got. Pure.

A message is known by its number, which no other has; its parts by their place in the header.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from appliance.entry import Entry
from appliance.sms_events import (
    OutgoingEnded,
    SmsDelivered,
    SmsFailed,
    SmsQueued,
    SmsSending,
    SmsSent,
    SmsUndelivered,
)

CONCATENATED = "00"  # information element with reference, total and place


@dataclass
class Told:
    """One message as the journal has it."""

    number: str
    text: str
    parts: int
    taken: bool = False  # the network took it, says core
    waits: bool = True  # for an attempt, or for the end of one
    marked: bool = False  # sent again though it may have arrived, or its end not known: it may be there twice
    uncertain: bool = False
    end: str = ""


@dataclass
class Outbox:
    """`ordered` are (number, text) that core took on; the rest is filled from both sides."""

    ordered: dict[str, tuple[str, str]] = field(default_factory=dict)
    told: dict[str, Told] = field(default_factory=dict)
    got: defaultdict[str, Counter[int]] = field(default_factory=lambda: defaultdict(Counter))

    def read(self, entry: Entry) -> None:
        event = entry.event
        if isinstance(event, SmsQueued):
            self.told[event.message] = Told(event.number, event.text, event.parts)
        told = self.told.get(getattr(event, "message", ""))
        if told is None:
            return
        match event:
            case SmsSending(again=True):
                told.marked = True
            case SmsSent():
                told.taken, told.waits = True, False
            case SmsFailed(certain=certain):
                told.uncertain |= not certain
                told.waits = True
            case OutgoingEnded():
                told.end, told.waits = event.kind, False

    def arrived(self, sent: Iterable[dict[str, Any]]) -> int:
        """What the network took; the last one's count, 0 for none."""
        last = 0
        for one in sent:
            last = one["count"]
            header = one["header"].get(CONCATENATED)
            self.got[one["to"]][bytes.fromhex(header)[2] if header else 1] += 1
        return last

    @property
    def open(self) -> int:
        """Messages without an end."""
        return sum(not told.end for told in self.told.values()) + len(self.ordered.keys() - self.told.keys())

    @property
    def waiting(self) -> int:
        """Messages that the network has not taken, and that have no end."""
        return sum(told.waits for told in self.told.values()) + len(self.ordered.keys() - self.told.keys())

    @property
    def ends(self) -> Counter[str]:
        return Counter(told.end or "none" for told in self.told.values())

    @property
    def twice(self) -> int:
        """Messages of which the network got a part more than once."""
        return sum(max(parts.values()) > 1 for parts in self.got.values())

    def faults(self) -> list[str]:
        found = [f"lost from the journal: {one}" for name, one in self.ordered.items() if name not in self.told]
        known = {told.number for told in self.told.values()}
        found += [f"never ordered: a message to {number}" for number in self.got if number not in known]
        return found + [fault for told in self.told.values() for fault in self._faults_of(told)]

    def _faults_of(self, told: Told) -> Iterable[str]:
        got = self.got.get(told.number, Counter())
        whole = all(got[part] for part in range(1, told.parts + 1))
        if told.waits:
            yield f"without an end: {told}"
        if (told.taken or told.end == SmsDelivered.__struct_config__.tag) and not whole:
            yield f"the network never got it: {told}"
        if whole and told.end == SmsUndelivered.__struct_config__.tag and not told.taken and not told.uncertain:
            yield f"the network got it all, and nothing says so: {told}"
        if got and max(got.values()) > 1 and not told.marked:
            yield f"sent twice, unmarked: {told}"
