"""Events of calls beyond ringing, answering, ending: dialling, holding, waiting, keys, sound, what people say of them.

A call has one id from its first sign to its end, whichever line it is on and however often it is held.
"""

from appliance.event import Event


class CallDialled(Event, tag="call.dialled", frozen=True):
    """The box calls. `why`: "person", "call_back", "text" (a text that is spoken), "proof", "transfer", "found".

    A call that was found is one that the modem has and that nobody here remembers.
    """

    SUBJECT = ("line", "call")
    line: str
    call: str
    number: str
    why: str = "person"


class CallAlerting(Event, tag="call.alerting", frozen=True):
    """It rings at the other side."""

    SUBJECT = ("line", "call")
    line: str
    call: str


class CallHeld(Event, tag="call.held", frozen=True):
    """Put aside by us; its caller hears nothing of the others."""

    SUBJECT = ("line", "call")
    line: str
    call: str


class CallResumed(Event, tag="call.resumed", frozen=True):
    SUBJECT = ("line", "call")
    line: str
    call: str


class CallJoined(Event, tag="call.joined", frozen=True):
    """It is talked on together with the line's other calls: a conference."""

    SUBJECT = ("line", "call")
    line: str
    call: str


class CallGreeted(Event, tag="call.greeted", frozen=True):
    """Answered by the box, which speaks to the caller until a person takes the call."""

    SUBJECT = ("line", "call")
    line: str
    call: str


class CallTaken(Event, tag="call.taken", frozen=True):
    """A person speaks with the caller, at this place: "browser", "headset"; "" when the place is not known."""

    SUBJECT = ("line", "call")
    line: str
    call: str
    place: str = ""


class CallKey(Event, tag="call.key", frozen=True):
    """A telephone key was pressed by the other side, told by the modem or heard in the sound."""

    SUBJECT = ("line", "call")
    line: str
    call: str
    key: str
    source: str  # "modem", "sound"


class CallSound(Event, tag="call.sound", frozen=True):
    """What became of one end's sound: lost, back, silent, heard. `end`: "line", "person"; `why` is a code."""

    SUBJECT = ("line", "call")
    line: str
    call: str
    end: str
    what: str
    why: str = ""


class CallRecorded(Event, tag="call.recorded", frozen=True):
    """The closed recording: line on the left channel, person on the right. `file` is below the state folder."""

    SUBJECT = ("line", "call")
    line: str
    call: str
    file: str
    seconds: float
    octets: int
    sha256: str


class RecordingRemoved(Event, tag="call.recording_removed", frozen=True):
    """`why`: "age", "room" (the disk is too full for it), "person"."""

    SUBJECT = ("call",)
    call: str
    file: str
    why: str


class RecordingOpened(Event, tag="call.recording_opened", frozen=True):
    """Its actor listened to it, or took a copy."""

    SUBJECT = ("call",)
    call: str
    file: str


class RecordingWrong(Event, tag="call.recording_wrong", frozen=True):
    """Somebody asked for it, and the file is not what was recorded. `why`: "changed", "gone"."""

    SUBJECT = ("call",)
    call: str
    file: str
    why: str


class CallNoted(Event, tag="call.noted", frozen=True):
    """A person's words on a call; the last ones stand."""

    SUBJECT = ("call",)
    call: str
    text: str


class CallMarked(Event, tag="call.marked", frozen=True):
    """What a person says the call was: "emergency", "question", "ghost", "prank", "" takes it back."""

    SUBJECT = ("call",)
    call: str
    number: str  # empty: withheld
    mark: str


class GhostOffered(Event, tag="call.ghost_offered", frozen=True):
    """Nothing was heard from the caller since the call was taken."""

    SUBJECT = ("line", "call")
    line: str
    call: str


class CallerBlocked(Event, tag="caller.blocked", frozen=True):
    """Calls of this number are refused until then. `until` in unix seconds; `why`: "pranks", "person"."""

    SUBJECT = ("number",)
    number: str
    until: float
    why: str


class CallerUnblocked(Event, tag="caller.unblocked", frozen=True):
    """`why`: "person", "over"."""

    SUBJECT = ("number",)
    number: str
    why: str


class CallRefused(Event, tag="call.refused", frozen=True):
    """Not let in; its end follows. `why`: "blocked", "busy", "prank", "other"."""

    SUBJECT = ("line", "call")
    line: str
    call: str
    why: str


class CallBackDone(Event, tag="callback.done", frozen=True):
    """The abandoned call is off the list. `why`: "reached" (by `by`), "called_again", "dropped" by a person."""

    SUBJECT = ("call",)
    call: str
    why: str
    by: str = ""


class QueueOverflowed(Event, tag="queue.overflowed", frozen=True):
    """More calls than the desk can take, as the site file says. `why`: "busy" (every line), "waiting", "long"."""

    why: str
    waiting: int
    longest_s: float
    told: str = ""  # the number that got a notice


class QueueEased(Event, tag="queue.eased", frozen=True): ...


class VoiceProven(Event, tag="line.voice_proven", frozen=True):
    """A drill between two of the box's own lines. `ok` when both ways carried the signal; `why` when not."""

    SUBJECT = ("line", "other")
    line: str
    other: str
    ok: bool
    why: str = ""
    level_db: float = 0.0  # of the worse way, received against sent
    delay_ms: float = 0.0  # of the slower way
    lost_percent: float = 0.0  # of the worse way
    bearer: str = ""  # of the called line then: "volte", "2g"; it says nothing of another


class CallOfDrill(Event, tag="call.of_drill", frozen=True):
    """This call that came in is the other end of a drill of our own: no caller, and in no figure."""

    SUBJECT = ("line", "call")
    line: str
    call: str


class TextCalled(Event, tag="sms.calling", frozen=True):
    """No line could bring the text in writing: it is spoken to its recipient. `call` is that of call.dialled."""

    SUBJECT = ("message",)
    message: str
    line: str
    call: str


class TextHeard(Event, tag="sms.heard", frozen=True):
    """Whoever answered pressed the key that says it was understood: the text's end."""

    SUBJECT = ("message",)
    message: str
    call: str
    key: str


class TextUnheard(Event, tag="sms.unheard", frozen=True):
    """The call that spoke the text brought no key. `why`: "busy", "no_answer", "no_key", "no_line", "no_sound", ..."""

    SUBJECT = ("message",)
    message: str
    call: str
    why: str


class FallbackDeclared(Event, tag="fallback.declared", frozen=True):
    """Citizens and agencies use the fallback numbers from now. `why`: "trunk", "route", "dns", "carrier", "person"."""

    why: str


class FallbackOver(Event, tag="fallback.over", frozen=True):
    why: str  # "restored", "person"
