"""Calls under any babble of sources: the events of a line always tell whole calls, and lists have the last word."""

from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.call_events import CallAlerting, CallDialled, CallHeld, CallJoined, CallRefused, CallResumed
from appliance.entry import Entry
from appliance.event import Event
from appliance.events import CallAnswered, CallEnded, CallIdentified, CallMissed, CallRinging, encode_event
from appliance.fold import apply
from appliance.lines.call_machine import MEANS, RINGS, TALKED, Known, Phase, Reason, Said
from appliance.lines.calls_machine import DOUBT, LATE_LISTING, RING_GAP, CallsMachine, Listed, Word
from appliance.model import CallPhase
from appliance.state import State

NUMBERS = st.sampled_from([None, "+6281111111111", "081111111111", "+6282222222222"])
INDEXES = st.sampled_from([None, 1, 2])
WORDS = st.builds(
    Word, st.sampled_from([s for s in Said if s is not Said.NOTHING]), NUMBERS, INDEXES,
    st.sampled_from([None, True, False]), st.sampled_from([Reason.CALLER, Reason.BUSY, Reason.NO_ANSWER]),
    st.booleans(), st.sampled_from([(), RINGS, TALKED]),
)  # fmt: skip
ROWS = st.builds(Listed, st.sampled_from(list(MEANS)), NUMBERS, INDEXES, st.booleans()).filter(
    lambda row: row.out is {Said.INCOMING: False, Said.DIALLING: True, Said.ALERTING: True}.get(row.said, row.out)
)
STEPS = st.one_of(
    st.tuples(st.just("hear"), WORDS),
    st.tuples(st.just("hear"), WORDS),
    st.tuples(st.just("listed"), st.lists(ROWS, max_size=4)),
    st.tuples(st.just("tick")),
    st.tuples(st.just("line_lost")),
    st.tuples(st.just("line_up")),
    st.tuples(st.just("dial"), st.sampled_from(["0811", "0822"])),
    st.tuples(st.sampled_from(["dialled", "not_dialled", "hang_up", "refuse", "hang_up_failed"]), st.integers(0, 3)),
)
STORY = st.lists(st.tuples(st.floats(0, 8), STEPS), max_size=40)
LIVE = [p for p in CallPhase if p not in (CallPhase.ENDED, CallPhase.MISSED)]
KNOWN = st.lists(st.tuples(st.sampled_from(LIVE), NUMBERS), max_size=2)


class Record:
    """A machine's story, its events, and the state that the journal would add up to."""

    def __init__(self, known: list[tuple[CallPhase, str | None]]) -> None:
        self.state, self.events, self.now = State(), list[Event](), 0.0
        self._names = iter(range(10_000))
        out = (CallPhase.DIALLING, CallPhase.ALERTING)
        before = [Known(f"known{i}", p, n, 0.0, p in out, p is CallPhase.WAITING) for i, (p, n) in enumerate(known)]
        for one in before:
            self.tell(began(one))
        self.machine = CallsMachine("l1", lambda: f"c{next(self._names)}", before)

    def tell(self, events: list[Event]) -> None:
        for event in events:
            kind, body, seq = str(event.__struct_config__.tag), encode_event(event), self.state.seq + 1
            apply(self.state, Entry(seq, self.now, self.now, "b", "ntp", kind, event.subject, "", None, body, "", ""))
        self.events += events

    def play(self, story: list[tuple[float, tuple[object, ...]]]) -> None:
        for wait, (what, *args) in story:
            self.now += wait
            self.do(str(what), *args)

    def do(self, what: str, *args: object) -> None:
        machine, now = self.machine, self.now
        calls = list(machine.calls)
        match what, args:
            case ("hear", (Word() as word,)):
                self.tell(machine.hear(word, now))
            case ("listed", (list() as rows,)):
                self.tell(machine.listed(rows, now))
            case ("tick" | "line_lost", ()):
                self.tell(getattr(machine, what)(now))
            case ("line_up", ()):
                machine.line_up(now)
            case ("dial", (str(number),)):
                self.tell(machine.dial(f"d{next(self._names)}", number, "person", now))
            case (_, (int(pick),)) if pick < len(calls):
                if what == "not_dialled":
                    self.tell(machine.not_dialled(calls[pick], now, Reason.REFUSED))
                elif what == "refuse":
                    machine.hang_up(calls[pick], "prank")
                else:
                    getattr(machine, what)(calls[pick])


def began(known: Known) -> list[Event]:
    """The events that a call would have left before a restart."""
    ids = {"line": "l1", "call": known.call}
    if known.out:
        first: list[Event] = [CallDialled(**ids, number=known.number or "")]
        return [*first, CallAlerting(**ids)] if known.phase is CallPhase.ALERTING else first
    first = [CallRinging(**ids, number=known.number, waiting=known.waiting)]
    then: dict[CallPhase, list[Event]] = {
        CallPhase.TALKING: [CallAnswered(**ids)],
        CallPhase.HELD: [CallAnswered(**ids), CallHeld(**ids)],
        CallPhase.JOINED: [CallAnswered(**ids), CallJoined(**ids)],
    }
    return [*first, *then.get(known.phase, [])]


def check_whole_calls(events: list[Event]) -> None:
    """Each call begins once, goes on only as calls do, and ends at most once, behind all else."""
    phase: dict[str, Phase] = {}
    numbered: set[str] = set()
    for event in events:
        name = str(getattr(event, "call", ""))
        before = phase.get(name)
        match event:
            case CallRinging() | CallDialled():
                assert before is None, "an id is one call's"
                phase[name] = Phase.RINGING if isinstance(event, CallRinging) else Phase.DIALLING
                numbered |= {name} if event.number else set()
            case CallIdentified():
                assert before not in (None, Phase.IDLE)
                assert name not in numbered
                numbered.add(name)
            case CallAlerting():
                assert before is Phase.DIALLING
                phase[name] = Phase.ALERTING
            case CallAnswered():
                assert before in (Phase.RINGING, Phase.DIALLING, Phase.ALERTING)
                phase[name] = Phase.TALKING
            case CallHeld():
                assert before in (Phase.TALKING, Phase.JOINED)
                phase[name] = Phase.HELD
            case CallResumed():
                assert before in (Phase.HELD, Phase.JOINED)
                phase[name] = Phase.TALKING
            case CallJoined():
                assert before in (Phase.TALKING, Phase.HELD)
                phase[name] = Phase.JOINED
            case CallRefused():
                assert before not in (None, Phase.IDLE, *TALKED)
            case CallMissed():
                assert before is Phase.RINGING
                phase[name] = Phase.IDLE
            case CallEnded(seconds=seconds):
                assert before not in (None, Phase.IDLE)
                assert before in TALKED or (seconds == 0 and event.reason != "caller")
                assert seconds >= 0
                phase[name] = Phase.IDLE
            case _:
                raise AssertionError(event)


@given(KNOWN, STORY)
def test_each_call_begins_once_ends_once_and_the_journal_has_it_as_the_line_has(
    known: list[tuple[CallPhase, str | None]], story: list[tuple[float, tuple[object, ...]]]
) -> None:
    record = Record(known)
    record.play(story)
    check_whole_calls(record.events)
    folded = {c.id: c.phase for c in record.state.calls_on("l1")}
    assert folded == {c.id: c.shown for c in record.machine.calls.values()}
    assert len(record.machine.calls) <= 8 + 40


@given(KNOWN, STORY)
def test_no_ring_outlives_silence(
    known: list[tuple[CallPhase, str | None]], story: list[tuple[float, tuple[object, ...]]]
) -> None:
    record = Record(known)
    record.play(story)
    record.machine.line_up(record.now)
    for _ in range(12):
        record.now += RING_GAP + 1.0
        record.do("tick")
    assert not record.machine.in_phase(*RINGS)


@given(KNOWN, STORY, st.lists(ROWS, max_size=4, unique_by=lambda row: row.index))
def test_when_lists_agree_the_line_is_what_they_say(
    known: list[tuple[CallPhase, str | None]], story: list[tuple[float, tuple[object, ...]]], rows: list[Listed]
) -> None:
    record = Record(known)
    record.play(story)
    for call in list(record.machine.calls):
        record.machine.dialled(call)
    for _ in range(4):
        record.now += max(DOUBT, LATE_LISTING) + 0.1
        record.do("listed", rows)
    # An early word of alerting is not taken back; "active" does not say whether a conference is over.
    alike = {Phase.ALERTING: Phase.DIALLING}
    if any(row.said is Said.ACTIVE for row in rows):
        alike[Phase.JOINED] = Phase.TALKING
    found = sorted(alike.get(c.phase, c.phase).value for c in record.machine.calls.values())
    assert found == sorted(alike.get(MEANS[row.said], MEANS[row.said]).value for row in rows)


class Truth:
    """What really happens on the line: a network with up to three calls, each with a name of its own."""

    def __init__(self) -> None:
        self.calls: dict[int, tuple[Phase, str | None, bool]] = {}
        self._next = 1

    def can(self, deed: str) -> int | None:
        """The call that the deed would touch; 0: a new one; None: it cannot be done now."""
        by = {phase: i for i, (phase, _, _) in self.calls.items()}
        free = {Phase.RINGING, Phase.DIALLING, Phase.ALERTING}.isdisjoint(by)
        match deed:
            case "rings":
                return 0 if free and len(self.calls) < 3 else None
            case "dial":
                return 0 if free and Phase.TALKING not in by and len(self.calls) < 2 else None
            case "alerts":
                return by.get(Phase.DIALLING)
            case "answer":
                ready = by.get(Phase.RINGING) if Phase.TALKING not in by else None
                return ready if ready is not None else by.get(Phase.ALERTING)
            case "hold":
                return by.get(Phase.TALKING) if Phase.HELD not in by else None
            case "resume":
                return by.get(Phase.HELD) if Phase.TALKING not in by else None
            case _:
                return min(self.calls, default=None) if deed == "end" else max(self.calls, default=None)

    def do(self, deed: str, number: str | None) -> tuple[int, Said] | None:
        index = self.can(deed)
        if index is None:
            return None
        if index == 0:
            index, self._next = self._next, self._next + 1
            out = deed == "dial"
            self.calls[index] = (Phase.DIALLING if out else Phase.RINGING, number or ("0800" if out else None), out)
            return index, Said.DIALLING if out else Said.INCOMING
        phases = {"alerts": Phase.ALERTING, "answer": Phase.TALKING, "hold": Phase.HELD, "resume": Phase.TALKING}
        _, number, out = self.calls[index]
        if deed not in phases:
            del self.calls[index]
            self._gone = (number, out)
            return index, Said.GONE
        self.calls[index] = (phases[deed], number, out)
        return index, {v: k for k, v in MEANS.items() if k is not Said.ACTIVE}[phases[deed]]

    def rows(self) -> list[Listed]:
        said = {Phase.TALKING: Said.ALONE, Phase.HELD: Said.HELD, Phase.RINGING: Said.INCOMING,
                Phase.DIALLING: Said.DIALLING, Phase.ALERTING: Said.ALERTING}  # fmt: skip
        return [Listed(said[phase], number, i, out) for i, (phase, number, out) in self.calls.items()]


DEEDS = st.sampled_from(["rings", "rings", "dial", "alerts", "answer", "answer", "hold", "resume", "end", "end last"])
# What is told of a deed: by a report with the call's name, by a word with its number, by a word that names nothing.
TOLD = st.permutations(["report", "number", "bare"]).flatmap(lambda p: st.integers(0, 3).map(lambda n: p[:n]))
LIFE = st.lists(st.tuples(DEEDS, st.sampled_from([None, "0811111", "0822222", "0833333"]), TOLD, st.booleans()),
                max_size=30)  # fmt: skip


def words_of(index: int, said: Said, number: str | None, *, out: bool, waiting: bool) -> dict[str, Word]:
    report = Word(said, number, index, out, waiting=waiting)
    if said is Said.INCOMING:
        return {
            "report": report,
            "number": Word(said, number, out=False, waiting=waiting),
            "bare": Word(said, out=False),
        }
    if said is Said.GONE:
        return {"report": report, "number": report, "bare": Word(said)}
    return {
        "report": report,
        "number": report,
        "bare": Word(Said.CONNECTED) if said is Said.ALONE and not waiting else report,
    }


@settings(max_examples=150)
@given(LIFE)
def test_whatever_sources_are_missing_no_call_is_lost_none_is_invented_and_names_never_change(
    life: list[tuple[str, str | None, list[str], bool]],
) -> None:
    """Lists come behind some deeds, and at the end; in between only what the modem tells by itself."""
    record, truth = Record([]), Truth()
    names: dict[int, str] = {}
    begun = 0
    for deed, number, told, asked in life:
        record.now += 3.0
        before = dict(truth.calls)
        done = truth.do(deed, number)
        if done is None:
            continue
        index, said = done
        begun += index not in before
        _phase, number, out = truth.calls.get(index) or before[index]
        resumed = said is Said.ALONE and before.get(index, (None,))[0] is Phase.HELD
        waiting = said is Said.INCOMING and len(truth.calls) > 1
        words = words_of(index, said, number, out=out, waiting=waiting or resumed)
        for source in told:
            record.now += 0.01
            record.do("hear", words[source])
        record.now += 0.02
        if asked or said is not Said.GONE:  # what begins or changes is listed at once, an end is when it is told
            record.do("listed", truth.rows())
        for call in record.machine.calls.values():
            if call.index is not None:
                assert names.setdefault(call.index, call.id) == call.id
    for _ in range(3):
        record.now += 2.0
        record.do("listed", truth.rows())
    check_whole_calls(record.events)
    assert {c.index: c.phase for c in record.machine.calls.values()} == {i: c[0] for i, c in truth.calls.items()}
    assert sum(isinstance(e, CallRinging | CallDialled) for e in record.events) == begun
    assert sum(isinstance(e, CallMissed | CallEnded) for e in record.events) == begun - len(truth.calls)
