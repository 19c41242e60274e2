"""Messages that go out without modems: the fold and the machine on a clock of the test's own, restarts included."""

from dataclasses import dataclass, field

from msgspec.structs import replace

from appliance.entry import Entry
from appliance.event import Event
from appliance.events import encode_event
from appliance.fold import apply
from appliance.lines.blame import BLAMES, Blame
from appliance.lines.outgoing_machine import (
    URGENT,
    Cap,
    Dispatcher,
    LineNow,
    Send,
    late,
    matched_late,
    reported_on,
    restarted,
)
from appliance.model import OutgoingState, Purpose
from appliance.sms_events import SmsFailed, SmsQueued, SmsReported, SmsSending, SmsSent
from appliance.stamp import Stamp
from appliance.state import Outgoing, State
from drivers.modem.numbers import same_number

NUMBER = "+6281234567890"
PASSES = 50


@dataclass
class OnTheAir:
    """One attempt as the network saw it; `seq` is the row that announced it."""

    message: str
    line: str
    again: bool
    seq: int
    went: bool = False
    refused: set[int] = field(default_factory=set)  # parts whose delivery failed, as reported


class Story:
    def __init__(self, lines: int = 2, cap: Cap | None = None) -> None:
        self.cap = cap or Cap(per_hour=3600, burst=500)
        self.now = 1000.0
        self.rows: list[Entry] = []
        self.state = State()
        self.lines = {f"l{i + 1}": LineNow(f"l{i + 1}", up=True, registered=True) for i in range(lines)}
        self.air: list[OnTheAir] = []
        self._life_began = 0
        self.reference = dict.fromkeys(self.lines, 0)
        self.operators: dict[str, str] = {}

    # The journal

    def put(self, event: Event) -> None:
        entry = Entry(
            len(self.rows) + 1, self.now, self.now, "boot", "ntp", event.kind, event.subject, "", None,
            encode_event(event), "", "",
        )  # fmt: skip
        self.rows.append(entry)
        apply(self.state, entry)

    def crash(self, keep: int | None = None) -> None:
        """The process dies with so many rows on disk (all), and starts again."""
        self.rows = self.rows[: len(self.rows) if keep is None else keep]
        self.state = State()
        self._life_began = len(self.rows)
        for row in self.rows:
            apply(self.state, row)
        for event in restarted(list(self.state.outgoing.values())):
            self.put(event)
        for event in matched_late(self.state.outgoing.values(), self.state.sms_reports, same_number):
            self.put(event)

    def kinds(self, message: str = "") -> list[str]:
        return [r.kind for r in self.rows if not message or getattr(r.event, "message", "") == message]

    # People, time and lines

    def give(self, name: str, purpose: Purpose = Purpose.TEXT, number: str = NUMBER, **fields: object) -> str:
        text = "" if purpose in URGENT else "tes"
        event = SmsQueued(message=name, number=number, purpose=purpose, text=text)
        self.put(replace(event, **fields))
        return name

    def wait(self, seconds: float) -> None:
        self.now += seconds

    def line(self, name: str, **fields: object) -> None:
        self.lines[name] = replace(self.lines[name], **fields)

    def __getitem__(self, message: str) -> Outgoing:
        return self.state.outgoing[message]

    def since(self, stamp: Stamp) -> float:
        return stamp.elapsed(self.now, self.now, "boot")

    def look(self) -> list[OnTheAir]:
        """Carry out what is due; the attempts that began."""
        begun: list[OnTheAir] = []
        for _ in range(PASSES):
            dispatcher = Dispatcher(
                self.lines.values(), self.state.sms_lines, self.cap, self.since, lambda n: self.operators.get(n, "")
            )
            steps = dispatcher.due(list(self.state.outgoing.values()))
            for step in steps:
                begun += [self._begin(step)] if isinstance(step, Send) else []
                if not isinstance(step, Send):
                    self.put(step)
            if not steps:
                return begun
        raise AssertionError("what is due does not end")

    def _begin(self, step: Send) -> OnTheAir:
        m = self[step.message]
        self.put(
            SmsSending(
                line=step.line, message=m.id, number=m.number, purpose=m.purpose, parts=m.parts, again=step.again,
                allowance=step.allowance,
            )
        )  # fmt: skip
        self.air.append(OnTheAir(m.id, step.line, step.again, len(self.rows)))
        return self.air[-1]

    # What modems and the network say

    def took(self, air: OnTheAir) -> tuple[int, ...]:
        air.went = True
        m = self[air.message]
        references = tuple((self.reference[air.line] + i + 1) % 256 for i in range(m.parts))
        self.reference[air.line] = references[-1]
        self.put(SmsSent(line=air.line, number=m.number, purpose=m.purpose, message=m.id, references=references))
        return references

    def refused(self, air: OnTheAir, code: int = 38, parts_sent: int = 0) -> None:
        air.went = air.went or parts_sent > 0
        m = self[air.message]
        blame = BLAMES.get(code, Blame.LINE)
        self.put(
            SmsFailed(
                line=air.line, number=m.number, purpose=m.purpose, message=m.id, reason=str(code), blame=blame,
                code=code, references=tuple(range(200, 200 + parts_sent)),
            )
        )  # fmt: skip

    def vanished(self, air: OnTheAir, went: bool = True) -> None:
        """The modem took it and was never heard of again."""
        air.went = went
        m = self[air.message]
        self.put(
            SmsFailed(
                line=air.line, number=m.number, purpose=m.purpose, message=m.id, reason="link lost", certain=False
            )
        )

    def report(self, line: str, reference: int, status: int = 0, number: str = NUMBER) -> None:
        found = reported_on(self.state.outgoing.values(), line, number, reference, same_number)
        self.put(
            SmsReported(
                line=line, number=number, reference=reference, status=status, discharged=str(self.now),
                message=found[0].id if found else "",
            )
        )  # fmt: skip
        if found:
            for event in late(found[0]):
                self.put(event)

    @property
    def under_way(self) -> list[OnTheAir]:
        """Attempts of this life that wait for their modem's word."""
        newest = {air.message: air for air in self.air if air.seq > self._life_began}
        return [
            air
            for m in self.state.outgoing.values()
            if m.state is OutgoingState.SENDING and (air := newest.get(m.id)) is not None
        ]
