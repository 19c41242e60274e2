"""Commands about calls, their sound, the desk's lists, and the fallback."""

from typing import Annotated, Literal

import msgspec

from appliance.command import Command

Note = Annotated[str, msgspec.Meta(max_length=1000)]
Keys = Annotated[str, msgspec.Meta(pattern=r"^[0-9*#A-D]{1,32}$")]


class AnswerCall(Command, tag="call.answer", frozen=True, kw_only=True):
    """Take the call that rings on a line, or that waits in the queue there.

    `talk` names the browser's stream that is joined to it; "headset": the one at the box; "": no sound at a place.
    """

    line: str
    call: str = ""  # empty: the line's first that rings or waits
    talk: str = ""


class TakeNext(Command, tag="call.next", frozen=True, kw_only=True):
    """Take the call that has waited longest, over all lines."""

    talk: str = ""


class HangUp(Command, tag="call.hang_up", frozen=True, kw_only=True):
    """End or refuse. An empty `call`: the line's active one, else the one that rings."""

    line: str
    call: str = ""


class RejectCall(Command, tag="call.reject", frozen=True, kw_only=True):
    line: str
    call: str = ""
    reason: Literal["busy", "prank", "other"] = "busy"


class HoldCall(Command, tag="call.hold", frozen=True, kw_only=True):
    """Put the active call aside; a held or waiting one of the line is not taken up."""

    line: str


class ResumeCall(Command, tag="call.resume", frozen=True, kw_only=True):
    line: str


class SwapCalls(Command, tag="call.swap", frozen=True, kw_only=True):
    """The active call is held; the held or waiting one is talked on."""

    line: str


class JoinCalls(Command, tag="call.join", frozen=True, kw_only=True):
    """All calls of the line become one conference."""

    line: str


class TransferCall(Command, tag="call.transfer", frozen=True, kw_only=True):
    """Hold the caller, call an agency's number on the same line, and join all three when it answers.

    `to` is a directory entry's id or a number. Who leaves then ends only their own part where the network can (CHLD=4).
    """

    line: str
    to: str


class Dial(Command, tag="call.dial", frozen=True, kw_only=True):
    """Call a directory entry's id or a number; never an emergency number. An empty `line`: the best free one."""

    to: str
    line: str = ""
    talk: str = ""
    call_back: str = ""  # the abandoned call that this returns
    key: str = ""  # the same key again makes no second call


class Redial(Command, tag="call.redial", frozen=True, kw_only=True):
    """The number that was dialled last on the line, again."""

    line: str
    talk: str = ""


class PressKeys(Command, tag="call.keys", frozen=True, kw_only=True):
    line: str
    keys: Keys


class MuteCall(Command, tag="call.mute", frozen=True, kw_only=True):
    """The person is not heard; the caller is."""

    line: str
    on: bool


class TalkAt(Command, tag="call.talk", frozen=True, kw_only=True):
    """Join a place to the line's active call: a browser's stream, "headset", or "" for none."""

    line: str
    talk: str


class NoteCall(Command, tag="call.note", frozen=True, kw_only=True):
    call: str
    text: Note


class MarkCall(Command, tag="call.mark", frozen=True, kw_only=True):
    call: str
    mark: Literal["emergency", "question", "ghost", "prank", ""]


class BlockCaller(Command, tag="caller.block", frozen=True, kw_only=True):
    """Only a supervisor. For `hours`, from now."""

    number: str
    hours: Annotated[int, msgspec.Meta(ge=1, le=168)] = 24


class UnblockCaller(Command, tag="caller.unblock", frozen=True, kw_only=True):
    number: str


class DropCallBack(Command, tag="callback.drop", frozen=True, kw_only=True):
    call: str


class ListCalls(Command, tag="call.list", frozen=True, kw_only=True):
    """Calls from the journal, newest first; filters are joined by "and", empty ones are none. Days are the site's."""

    last: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 50
    before: str = ""  # the call id behind which to go on
    call: str = ""  # this one alone
    day: str = ""  # 2026-11-22; month: 2026-11
    number: str = ""
    line: str = ""
    mark: str = ""
    outcome: Literal["", "answered", "abandoned", "refused", "out"] = ""


class OpenRecording(Command, tag="call.recording", frozen=True, kw_only=True):
    """Where a call's recording lies, for who may hear it: supervisors all, operators their own of the last 24 h.

    Answer: `file` below the state folder, `seconds`, `octets`, `sha256`, `right` (the file is what was recorded) and
    `parts`: a call in which the audio process was killed has more than one. Who asked is written in the journal.
    A file that was changed is refused, but with `anyway`.
    """

    call: str
    part: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 1
    anyway: bool = False


class CallFigures(Command, tag="call.figures", frozen=True, kw_only=True):
    """Indicators of a day (2026-11-22) or month (2026-11)."""

    period: str


class ProveVoice(Command, tag="line.prove_voice", frozen=True, kw_only=True):
    """A drill now: `line` calls `other` (empty: the best one), tones both ways. Refused while either is needed."""

    line: str
    other: str = ""


class DeclareFallback(Command, tag="fallback.declare", frozen=True, kw_only=True):
    """By hand: it stands until a person ends it."""


class EndFallback(Command, tag="fallback.end", frozen=True, kw_only=True):
    """By hand. While the trunk is down the watch declares it again only at its next loss."""


class ToldAgency(Command, tag="fallback.told", frozen=True, kw_only=True):
    """A person has told this agency which number it uses now."""

    agency: str


CallCommand = (
    AnswerCall
    | TakeNext
    | HangUp
    | RejectCall
    | HoldCall
    | ResumeCall
    | SwapCalls
    | JoinCalls
    | TransferCall
    | Dial
    | Redial
    | PressKeys
    | MuteCall
    | TalkAt
    | NoteCall
    | MarkCall
    | BlockCaller
    | UnblockCaller
    | DropCallBack
    | ListCalls
    | OpenRecording
    | CallFigures
    | ProveVoice
    | DeclareFallback
    | EndFallback
    | ToldAgency
)
