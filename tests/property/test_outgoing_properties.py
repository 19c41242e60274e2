"""Messages that go out through any failures, restarts from any row, and reports in any order: one end each."""

from hypothesis import given, settings
from hypothesis import strategies as st
from outgoing_story import OnTheAir, Story

from appliance.lines.outgoing_machine import URGENT, Cap
from appliance.model import OutgoingState, Purpose

CODES = st.sampled_from([1, 27, 38, 42, 331, 332, 500])
STATUSES = st.sampled_from([0x00, 0x00, 0x02, 0x20, 0x41, 0x46])
COUNT = st.integers(1, 3)
PICK = st.integers(0, 7)
GIVE = st.tuples(
    st.just("give"), st.sampled_from(list(Purpose)), st.integers(1, 3), st.sampled_from(["", "l1", "l2"]), COUNT
)
TOOK = st.tuples(st.just("took"), PICK)
REPORT = st.tuples(st.just("report"), PICK, PICK, STATUSES)
CRASH = st.tuples(st.just("crash"), st.booleans(), st.integers(0, 12))
WAIT = st.tuples(st.just("wait"), st.sampled_from([1.0, 6.0, 40.0, 400.0]))
REFUSED = st.tuples(st.just("refused"), PICK, CODES, st.integers(0, 2))
VANISHED = st.tuples(st.just("vanished"), PICK, st.booleans())
LINE = st.tuples(st.just("line"), st.sampled_from(["l1", "l2"]), st.booleans(), st.booleans())
WRAP = st.tuples(st.just("wrap"), st.sampled_from(["l1", "l2"]))
DEEDS = st.one_of(GIVE, GIVE, GIVE, TOOK, TOOK, REFUSED, VANISHED, REPORT, REPORT, LINE, WAIT, CRASH, CRASH, WRAP)
STORIES = st.lists(DEEDS, min_size=8, max_size=40)
ENDS = {
    OutgoingState.DELIVERED: "sms.delivered",
    OutgoingState.UNCONFIRMED: "sms.unconfirmed",
    OutgoingState.UNDELIVERED: "sms.undelivered",
}


class World(Story):
    """A story whose air is checked: what may be there already goes out marked."""

    def __init__(self, cap: Cap) -> None:
        super().__init__(cap=cap)
        self.marks: list[tuple[OnTheAir, ...]] = []  # for each unmarked attempt, what had gone out before it
        self.given = 0

    def deed(self, what: str, *args: object) -> None:
        match what, args:
            case "give", (Purpose() as purpose, int(parts), str(line), int(count)):
                urgent = purpose in URGENT
                own = {} if urgent else {"parts": parts, "line": line, "once": purpose is Purpose.TRIAL}
                for _ in range(count):
                    self.given += 1
                    self.give(f"m{self.given}", purpose, **own)
            case "took", (int(pick),) if self.under_way:
                self.took(self._one(pick))
            case "refused", (int(pick), int(code), int(parts)) if self.under_way:
                air = self._one(pick)
                if code == 332:
                    self.vanished(air)
                else:
                    self.refused(air, code, min(parts, self[air.message].parts - 1))
            case "vanished", (int(pick), bool(went)) if self.under_way:
                self.vanished(self._one(pick), went)
            case "report", (int(pick), int(part), int(status)):
                self._report(pick, part, status)
            case "line", (str(name), bool(up), bool(registered)):
                self.line(name, up=up, registered=up and registered)
            case "wait", (float(seconds),):
                self.wait(seconds)
            case "crash", (bool(went), int(lost)):
                self._crash(went, lost)
            case "wrap", (str(line),):
                self.reference[line] = 0
        self._see(self.look())

    def _one(self, pick: int) -> OnTheAir:
        return self.under_way[pick % len(self.under_way)]

    def _report(self, pick: int, part: int, status: int) -> None:
        asked = [a for m in self.state.outgoing.values() for a in m.attempts if a.references]
        if asked:
            attempt = asked[-1 - pick % len(asked)]
            self.report(attempt.line, attempt.references[part % len(attempt.references)], status)

    def _crash(self, went: bool, lost: int) -> None:
        """Rows that were not on disk yet are gone; a text's attempt is on disk before its modem gets it."""
        for air in self.under_way:
            air.went = went
        texts = [air.seq for air in self.air if air.went and self.rows[air.seq - 1].event.purpose not in URGENT]  # type: ignore[attr-defined]
        keep = max([0, len(self.rows) - lost, *texts])
        self.air = [air for air in self.air if air.seq <= keep]
        self.crash(keep)

    def _see(self, begun: list[OnTheAir]) -> None:
        for air in begun:
            if not air.again:
                before = [a for a in self.air if a.message == air.message and a is not air and a.went]
                attempts = self[air.message].attempts
                failed = [a for a in attempts if a.outcome == "undelivered" or (a.outcome == "refused" and a.reports)]
                assert len(before) <= len(failed), f"{air.message} goes out a second time unmarked"
                assert all(a.reports.get(p, 0) >= 0x40 for a in failed for p in range(len(a.references)))
                assert all(len(a.references) == a.parts for a in failed if a.outcome == "undelivered")

    def calm(self) -> None:
        """All heals, and time passes."""
        for line in self.lines:
            self.line(line, up=True, registered=True)
        for _ in range(120):
            self._see(self.look())
            for air in self.under_way:
                self.took(air)
            self.wait(15.0)


@settings(max_examples=200, deadline=None)
@given(STORIES, st.sampled_from([Cap(3600, 50), Cap(120, 3)]))
def test_every_message_comes_to_one_end_and_none_goes_out_twice_unmarked(
    deeds: list[tuple[str, ...]], cap: Cap
) -> None:
    story = World(cap)
    for what, *args in deeds:
        story.deed(what, *args)
    story.calm()
    for m in story.state.outgoing.values():
        assert m.over, f"{m.id} is {m.state}"
        told = [k for k in story.kinds(m.id) if k in ENDS.values()]
        assert (told[-1:] or [None]) == [ENDS.get(m.state)], told
        assert len(told) <= 1 or told[0] in ("sms.unconfirmed", "sms.undelivered"), "only a late report changes an end"
        assert len(told) == len(set(told)), told
        assert m.attempts or m.state is OutgoingState.UNDELIVERED


@settings(max_examples=60, deadline=None)
@given(STORIES)
def test_one_line_never_carries_two_texts_or_two_orders_at_once(deeds: list[tuple[str, ...]]) -> None:
    story = World(Cap(3600, 50))
    for what, *args in deeds:
        story.deed(what, *args)
        carried = [(air.line, story[air.message].purpose in URGENT) for air in story.under_way]
        assert len(carried) == len(set(carried))
