"""What the contacts of an alert need next: pure, from the folded alert, the texts and calls that carried it, and time.

A contact of a sequence is asked once those before it have had their time; who accepts first has it. Nothing is
remembered here but in the events, so a restart in the middle goes on where the journal says.
"""

from collections.abc import Callable, Collection, Iterator, Mapping

import msgspec

from appliance import alert_events as al
from appliance.alert_state import ContactDelivery, Note, Try
from appliance.event import Event
from appliance.model import About, AlertKind, ContactState, DeliveryState, OutgoingState
from appliance.stamp import Stamp
from appliance.state import CERTAINTY, Alert, Call, Outgoing

Since = Callable[[Stamp], float]

SMS, VOICE = "sms", "voice"
ACCEPT, DECLINE = "1", "2"  # keys
VOICE_AFTER = 45.0  # s that a text may take to be reported as delivered, until its recipient is called as well
TEXT_WITHIN = 900.0  # s; a report that comes later still counts, but nobody waits for it
MOST_CALLS = 2
CALL_AGAIN = 120.0  # s from one call's beginning to the next; who was on another call has ended it, or not
LINE_WITHIN = 300.0  # s in which a line must be free for a call, else that way has failed
ASK_WITHIN = 3600.0  # s; later an alert is no news, and a person is told that nobody was reached
STATIONS_FIRST = 120.0  # s; until a station has its order, or so long, no line is taken for a contact's call
WITHDRAWN = "withdrawn"  # outcome of a call that we ended ourselves
NO_LINE = "no_line"
NO_ANSWER = "no_answer"  # it was asked, and somebody was waited for
OPEN = (ContactState.QUEUED, ContactState.ASKED, ContactState.DELIVERED)
SAID_AFTERWARDS = (About.TAKEN, About.ALL_CLEAR, About.FALSE_ALARM)


class Ways(msgspec.Struct, frozen=True):
    """By what a contact can be reached at all, as the site file has it."""

    sms: bool
    voice: bool


class Ask(msgspec.Struct, frozen=True):
    """Send a text, or call."""

    contact: str
    about: About
    path: str  # SMS, VOICE


class Around(msgspec.Struct, frozen=True):
    """What else is so. `waits`: s of each sequence. `speaking`: (alert, contact, about) of calls that we carry now.

    `can_call`: a line is free for a call, and no station needs it more.
    """

    ways: Mapping[str, Ways]
    waits: Mapping[str, float]
    outgoing: Mapping[str, Outgoing]
    calls: Mapping[str, Call]
    speaking: Collection[tuple[str, str, str]]
    can_call: bool
    rebooted: bool  # no clock ran from the issue until now


Step = Ask | Event
DEFAULT_WAIT = 60.0  # s, of a group that is in the site file no more


def due(alert: Alert, around: Around, since: Since) -> list[Step]:
    """The steps that are due now. What sequences need comes first and alone: it changes who else is asked."""
    if first := [*_heard(alert, around, since), *_sequences(alert, around, since)]:
        return list(first)
    steps: list[Step] = []
    for name, contact in alert.contacts.items():
        steps += _asked(alert, contact, around, since)
        for about in SAID_AFTERWARDS:
            steps += _told(alert, name, contact, about, around, since)
    return steps


def wants_call(alert: Alert, contact: ContactDelivery, about: str) -> bool:
    """Whether a call that is under way to it still has something to say."""
    return about != About.ANNOUNCE or (contact.state in OPEN and asking(alert))


def asking(alert: Alert) -> bool:
    return alert.stopped is None and not alert.told and alert.ended is None


def unsaid(alert: Alert) -> bool:
    """Whether something that was said behind the announcement has yet to reach somebody."""
    return any(
        _said(alert, contact, about) is not None and not _done(contact.notes.get(about))
        for contact in alert.contacts.values()
        for about in SAID_AFTERWARDS
    )


def _said(alert: Alert, contact: ContactDelivery, about: About) -> Stamp | None:
    """When that was said to everybody who was asked; None: it was not, or not to this one."""
    if not contact.told:
        return None
    if about is About.TAKEN:
        return contact.since if contact.state is ContactState.SPARED else None
    return next((t.at for t in alert.told if t.about is about), None)


def _done(note: Note | None) -> bool:
    return note is not None and bool(note.reached or note.unreached)


def stations_wait(alert: Alert, since: Since) -> bool:
    """Whether a station of it has not got its order yet: then lines are for stations."""
    if alert.kind is not AlertKind.ACTUAL or alert.stopped or since(alert.issued) > STATIONS_FIRST:
        return False
    return any(
        not d.over and CERTAINTY[d.state] < CERTAINTY[DeliveryState.ENERGISED] for d in alert.deliveries.values()
    )


# What came of tries


def _heard(alert: Alert, around: Around, since: Since) -> Iterator[Event]:
    for name, contact in alert.contacts.items():
        for about, tries in ((About.ANNOUNCE, contact.tries), *((About(a), n.tries) for a, n in contact.notes.items())):
            ids: dict[str, str] = {"alert": alert.id, "contact": name, "about": about}
            for path, id, at, outcome in tries:
                if path == SMS:
                    yield from _text_ended(ids, around.outgoing.get(id), outcome, since(at))
                elif not outcome and (alert.id, name, about) not in around.speaking:
                    yield from _call_cut(ids, around.calls.get(id))


def _text_ended(ids: dict[str, str], row: Outgoing | None, outcome: str, age: float) -> Iterator[Event]:
    if row is not None and row.state is OutgoingState.DELIVERED:
        if outcome != "delivered":  # also one that was given up before its late report
            yield al.ContactDelivered(**ids, path=SMS)
    elif outcome:
        return
    elif row is None:
        yield al.ContactFailed(**ids, path=SMS, reason="forgotten")
    elif row.state is OutgoingState.UNCONFIRMED or (not row.over and age > TEXT_WITHIN):
        yield al.ContactFailed(**ids, path=SMS, reason="unconfirmed")
    elif row.state is OutgoingState.UNDELIVERED:
        yield al.ContactFailed(**ids, path=SMS, reason=row.reason or "undelivered")


def _call_cut(ids: dict[str, str], call: Call | None) -> Iterator[Event]:
    """A restart cut us off from a call; the keys pressed in it are in the journal."""
    keys = call.keys if call is not None else ""
    pressed = next((key for key in keys if key in (ACCEPT, DECLINE)), "")
    yield pressed_key(ids, pressed) if pressed else al.ContactFailed(**ids, path=VOICE, reason="restarted")


def pressed_key(ids: dict[str, str], key: str) -> Event:
    """What a key says; behind the announcement any says that it was understood."""
    if ids["about"] != About.ANNOUNCE:
        return al.ContactDelivered(**ids, path=VOICE)
    kind = al.ContactAccepted if key == ACCEPT else al.ContactDeclined
    return kind(**ids, path=VOICE, by="key")


# Sequences


def _sequences(alert: Alert, around: Around, since: Since) -> Iterator[Event]:
    for group, names in alert.sequences.items():
        members = {name: alert.contacts[name] for name in names if name in alert.contacts}
        accepted = sorted((c.since.seq, n) for n, c in members.items() if c.state is ContactState.ACCEPTED)
        ids = {"alert": alert.id, "group": group}
        taken = alert.taken.get(group)
        if taken and taken in (name for _, name in accepted):
            for name, contact in members.items():
                if name != taken and _may_be_spared(contact):
                    yield al.ContactSpared(alert=alert.id, contact=name, about=About.ANNOUNCE, accepted_by=taken)
        elif accepted:
            yield al.SequenceTaken(**ids, contact=accepted[0][1])
        elif taken:
            yield al.SequenceExhausted(**ids)  # who had accepted declines after all
        elif group not in alert.taken and asking(alert) and _all_asked(alert, group, around, since):
            yield al.SequenceExhausted(**ids)


def _may_be_spared(contact: ContactDelivery) -> bool:
    no_answer = contact.state is ContactState.UNREACHED and contact.reason == NO_ANSWER
    return no_answer or contact.state in OPEN or contact.state is ContactState.ACCEPTED


def _all_asked(alert: Alert, group: str, around: Around, since: Since) -> bool:
    if around.rebooted or since(alert.issued) > ASK_WITHIN:
        return True
    names = alert.sequences[group]
    ringing = any(t[0] == VOICE and not t[3] for n in names for t in alert.contacts[n].tries)
    return not ringing and turn(alert, group, len(names), around, since) is not None


def turn(alert: Alert, group: str, place: int, around: Around, since: Since) -> float | None:
    """Seconds since it is the turn of the contact at `place` of a sequence; None: not yet."""
    wait = around.waits.get(group, DEFAULT_WAIT)
    age = since(alert.issued)
    for name in alert.sequences[group][:place]:
        contact = alert.contacts[name]
        asked = min(age, since(contact.tries[0][2])) if contact.tries else age
        passed = [asked - wait] if asked >= wait else []
        if contact.over:
            passed.append(min(age, since(contact.since)))
        if not passed:
            return None
        age = max(passed)
    return age


# Asking one


def _asked(alert: Alert, contact: ContactDelivery, around: Around, since: Since) -> Iterator[Step]:
    if contact.state not in OPEN or contact.over:
        return
    ids: dict[str, str] = {"alert": alert.id, "contact": contact.contact, "about": About.ANNOUNCE}
    under_way = any(not outcome for _, _, _, outcome in contact.tries)
    reached = contact.state is ContactState.DELIVERED
    if not asking(alert):
        if not under_way or contact.state is ContactState.QUEUED:
            yield al.ContactCancelled(**ids, reason="told" if alert.told else "stopped")
        return
    if contact.group and contact.group in alert.taken:
        if not any(path == VOICE and not outcome for path, _, _, outcome in contact.tries):
            yield al.ContactUnreached(**ids, reason=NO_ANSWER if contact.tries else _late(around))
        return
    place = alert.sequences[contact.group].index(contact.contact) if contact.group else 0
    age = turn(alert, contact.group, place, around, since) if contact.group else since(alert.issued)
    late = around.rebooted or since(alert.issued) > ASK_WITHIN
    if age is None and not late:
        return
    ways = around.ways.get(contact.contact, Ways(False, False))
    if alert.paths:
        ways = Ways(ways.sms and SMS in alert.paths, ways.voice and VOICE in alert.paths)
    if late or age is None:
        if not under_way and not (contact.group and reached):
            yield al.ContactUnreached(**ids, reason=_late(around))
        return
    hurry = bool(contact.group) or alert.priority == 1
    yield from _ways(ids, ways, contact.tries, age, around, since, hurry=hurry, waits=bool(contact.group) and reached)


def _late(around: Around) -> str:
    return "restarted" if around.rebooted else "expired"


def _told(
    alert: Alert, name: str, contact: ContactDelivery, about: About, around: Around, since: Since
) -> Iterator[Step]:
    """What is said behind the announcement, to who was asked."""
    said, note = _said(alert, contact, about), contact.notes.get(about)
    if said is None or _done(note):
        return
    ids: dict[str, str] = {"alert": alert.id, "contact": name, "about": about}
    tries = note.tries if note else []
    if since(said) > ASK_WITHIN:
        if all(outcome for _, _, _, outcome in tries):
            yield al.ContactUnreached(**ids, reason="expired")
        return
    ways = around.ways.get(name, Ways(False, False))
    yield from _ways(ids, ways, tries, since(said), around, since, hurry=False, waits=False)


def _ways(
    ids: dict[str, str], ways: Ways, tries: list[Try], age: float, around: Around, since: Since, *,
    hurry: bool, waits: bool,
) -> Iterator[Step]:  # fmt: skip
    """The next way to somebody: in writing at once, by voice when that takes too long or `hurry`.

    `waits`: an answer is waited for, and no way left is no failure.
    """
    contact, about = ids["contact"], About(ids["about"])
    texts, calls = ([t for t in tries if t[0] == path] for path in (SMS, VOICE))
    if ways.sms and not texts:
        yield Ask(contact, about, SMS)
    silent = texts and (texts[-1][3] not in ("", "delivered") or since(texts[-1][2]) >= VOICE_AFTER)
    made = [t for t in calls if t[3] not in (NO_LINE, WITHDRAWN)]
    gone = len(made) >= MOST_CALLS or any(t[3] == NO_LINE for t in calls)
    ringing = any(not t[3] for t in calls)
    by_voice = ways.voice and not gone
    if by_voice and not ringing and (hurry or silent or not ways.sms):
        rested = not calls or since(calls[-1][2]) >= CALL_AGAIN
        if around.can_call and rested and (made or age < 2 * LINE_WITHIN):
            yield Ask(contact, about, VOICE)
        elif not made and age >= LINE_WITHIN:
            yield al.ContactFailed(**ids, path=VOICE, reason=NO_LINE)
    text_pending = ways.sms and (not texts or not texts[-1][3])
    if not (waits or text_pending or by_voice or ringing):
        reason = next((t[3] for t in reversed(tries) if t[3]), "no_number")
        yield al.ContactUnreached(**ids, reason=reason)
