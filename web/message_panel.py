"""Texts both ways in one list, the newest first: whose, how old, and how far each that goes out has come."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from appliance.model import OutgoingState, Purpose
from appliance.stamp import Stamp
from appliance.state import Message
from appliance.view import OutgoingView, View
from web.scene import Mark, Scene

SHAPES = {
    OutgoingState.QUEUED: ("none", ""),
    OutgoingState.SENDING: ("half", ""),
    OutgoingState.SENT: ("sent", ""),
    OutgoingState.DELIVERED: ("ok", ""),
    OutgoingState.UNCONFIRMED: ("unknown", ""),
    OutgoingState.UNDELIVERED: ("bad", "p2"),
}
ON_ITS_WAY = (OutgoingState.QUEUED, OutgoingState.SENDING, OutgoingState.SENT)
FAILED = "sms.undelivered"  # the alarm
AGE_EVERY = 15.0  # s of core's time between drawings for the ages' sake; they are told in minutes


class MessageRow(NamedTuple):
    """`way` is "in" or "out"; `mark` and `again` only of what goes out; `more`: purpose, line, parts, where unusual."""

    id: str
    way: str
    clock: str
    age: str
    number: str
    text: str
    mark: Mark | None
    again: str
    more: str
    reply: str  # the number to write to; empty: the viewer may not, or it is no number
    resend: bool


def messages_panel(scene: Scene) -> dict[str, Any]:
    """`failed`: how many did not arrive, for as long as the alarm about each stands."""
    failed = sum(1 for a in scene.view.alarms if a.alarm == FAILED and a.cleared is None)
    return {"messages": message_rows(scene, scene.view.messages, scene.view.outgoing), "failed": failed}


def message_inputs(view: View) -> object:
    """What the panel is drawn from: drawn anew when it changed, and for the ages' sake a few times a minute."""
    return view.messages, view.outgoing, view.at // AGE_EVERY, sum(1 for a in view.alarms if a.alarm == FAILED)


def message_rows(
    scene: Scene, messages: Iterable[Message], outgoing: Iterable[OutgoingView], *, whole: bool = False
) -> list[MessageRow]:
    """Both ways together, newest first. `whole`, for a page that stands still: line and parts too, and no ages."""
    rows = [(m.at.seq, _came(scene, m, whole=whole)) for m in messages]
    rows += [(m.queued.seq, _goes(scene, m, whole=whole)) for m in outgoing]
    return [row for _, row in sorted(rows, key=lambda r: r[0], reverse=True)]


def _came(scene: Scene, m: Message, *, whole: bool) -> MessageRow:
    text = m.text if scene.known else scene.words("message.hidden")
    more = scene.name(m.line) if whole else ""
    reply = m.number if scene.known and m.number.lstrip("+").isdigit() else ""
    age = "" if whole else _age(scene, m.at)
    return MessageRow(
        m.id, "in", scene.clock(m.at), age, scene.number(m.number), text, None, "", more, reply, resend=False
    )


def _goes(scene: Scene, m: OutgoingView, *, whole: bool) -> MessageRow:
    words = scene.words
    more = [] if m.purpose == Purpose.TEXT else [words.code("purpose", m.purpose)]
    if whole:
        more += [scene.name(m.line) if m.line else "", words("message.parts", count=m.parts) if m.parts > 1 else ""]
    return MessageRow(
        m.id, "out", scene.clock(m.queued), "" if whole else _age(scene, m.queued),
        scene.number(m.number), m.text if scene.known else words("message.hidden"), message_mark(scene, m),
        words("message.again") if m.again else "", " · ".join(filter(None, more)), "",
        resend=scene.known and m.state == OutgoingState.UNDELIVERED,
    )  # fmt: skip


def _age(scene: Scene, at: Stamp) -> str:
    """Of what is not live the time of day says enough."""
    return scene.words.about(scene.since(at)) if scene.live else ""


def message_mark(scene: Scene, m: OutgoingView) -> Mark:
    """How far it has come. Sent is not delivered; what was on its way when core fell silent is not known."""
    words = scene.words
    word = words.code("outgoing", m.state)
    if m.state not in SHAPES:
        return Mark("unknown", word)
    state = OutgoingState(m.state)
    if not scene.live and state in ON_ITS_WAY:
        return Mark("unknown", words("message.last_known", state=word), "dim")
    if state is OutgoingState.UNDELIVERED and m.reason:
        word = f"{word}: {words.code('reason', m.reason)}"
    elif state is OutgoingState.QUEUED and m.attempts:
        word = words("message.tried", state=word, count=m.attempts)
    shape, tone = SHAPES[state]
    return Mark(shape, word, tone)
