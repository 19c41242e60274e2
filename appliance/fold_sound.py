"""The fold's part for calls' sound: proofs of voice, ends that are silent or gone, texts that were spoken."""

from appliance import call_events as ce
from appliance import events as ev
from appliance.folding import Folds
from appliance.model import OutgoingState
from appliance.stamp import Stamp
from appliance.state import SoundFault, SpokenTry, State, VoiceProof

MOST_RECORDED = 50  # file names; a crash between a row and the file's new name is over by then
BOX_BUSY = "box_busy"
GAVE_WAY = (
    "needed",
    "no_audio",
    "kept_free",
    "no_line",
    "in_call",
    "busy",
    BOX_BUSY,
)  # drills that say nothing of a voice
ENDS = {"back": ("lost",), "heard": ("silent", "lost")}  # which fault is over

FOLDS = Folds()


@FOLDS.of(ce.VoiceProven)
def _(s: State, e: ce.VoiceProven, at: Stamp) -> None:
    if not e.ok and e.why in GAVE_WAY:
        return
    s.voices.setdefault(e.other, {})[e.bearer] = VoiceProof(True, e, at)
    if not e.ok:
        s.voices.setdefault(e.line, {})[""] = VoiceProof(False, e, at)


@FOLDS.of(ev.SimBad)
def _(s: State, e: ev.SimBad, at: Stamp) -> None:
    # Whatever is put in next is another SIM until a drill has proven it.
    s.voices.pop(e.line, None)


@FOLDS.of(ce.CallSound)
def _(s: State, e: ce.CallSound, at: Stamp) -> None:
    key = f"{e.line}/{e.end}"
    if e.what in ("lost", "silent"):
        s.sound_faults[key] = SoundFault(e.call, e.what, e.why, at)
    elif (fault := s.sound_faults.get(key)) and fault.what in ENDS.get(e.what, ()):
        del s.sound_faults[key]


@FOLDS.of(ev.CallEnded)
def _(s: State, e: ev.CallEnded, at: Stamp) -> None:
    if e.reason == "line_lost":  # the modem itself was gone: it and its sound start anew
        s.sound_faults.pop(f"{e.line}/line", None)


@FOLDS.of(ce.CallRecorded)
def _(s: State, e: ce.CallRecorded, at: Stamp) -> None:
    s.recorded.append(e.file)
    del s.recorded[: max(0, len(s.recorded) - MOST_RECORDED)]


@FOLDS.of(ce.TextCalled)
def _(s: State, e: ce.TextCalled, at: Stamp) -> None:
    if m := s.outgoing.get(e.message):
        m.spoken.append(SpokenTry(e.call, e.line, at))


@FOLDS.of(ce.TextHeard)
def _(s: State, e: ce.TextHeard, at: Stamp) -> None:
    if m := s.outgoing.get(e.message):
        _end(s, e.message, e.call, "heard", at)
        # It was over before, undelivered in writing; it is over now, delivered by voice.
        m.state, m.since, m.reason = OutgoingState.DELIVERED, at, "voice"


@FOLDS.of(ce.TextUnheard)
def _(s: State, e: ce.TextUnheard, at: Stamp) -> None:
    if e.message in s.outgoing:
        _end(s, e.message, e.call, e.why, at)


def _end(s: State, message: str, call: str, outcome: str, at: Stamp) -> None:
    m = s.outgoing[message]
    under_way = next((t for t in reversed(m.spoken) if t.ended is None and t.call in (call, "")), None)
    if under_way is None:  # it never came to a call
        under_way = SpokenTry(call, "", at)
        m.spoken.append(under_way)
    under_way.ended, under_way.outcome = at, outcome
