"""The fold's part for contacts: who was asked, by what, and what each of them answered."""

from appliance import alert_events as al
from appliance.alert_state import CONTACT_ENDS, ContactDelivery, Note, Told, Try
from appliance.folding import Folds
from appliance.model import About, ContactState
from appliance.stamp import Stamp
from appliance.state import State

MOST_TRIES = 20  # of one text to one contact; the machine makes fewer

FOLDS = Folds()


def _contact(s: State, e: al.ContactEvent) -> ContactDelivery | None:
    alert = s.alerts.get(e.alert)
    return alert.contacts.get(e.contact) if alert else None


def _note(c: ContactDelivery, about: str) -> Note | None:
    """Of what was said afterwards; None: it is the announcement itself."""
    return None if about == About.ANNOUNCE else c.notes.setdefault(about, Note())


def _to(c: ContactDelivery, state: ContactState, at: Stamp, path: str = "", by: str = "", reason: str = "") -> None:
    c.state, c.since = state, at
    c.path, c.by, c.reason = path or c.path, by or c.by, reason


def _answer(tries: list[Try], path: str, outcome: str) -> bool:
    """What came of the newest try by that path that is under way; False: there is none."""
    for i in range(len(tries) - 1, -1, -1):
        if tries[i][0] == path and not tries[i][3]:
            tries[i] = (*tries[i][:3], outcome)
            return True
    return False


def _fail(tries: list[Try], path: str, outcome: str, at: Stamp) -> None:
    """One that never began, for want of a line, stands there too."""
    if not _answer(tries, path, outcome):
        tries.append((path, "", at, outcome))
        del tries[:-MOST_TRIES]


@FOLDS.of(al.ContactAsked)
def _(s: State, e: al.ContactAsked, at: Stamp) -> None:
    if not (c := _contact(s, e)):
        return
    note = _note(c, e.about)
    tries = c.tries if note is None else note.tries
    tries.append((e.path, e.message or e.call, at, ""))
    del tries[:-MOST_TRIES]
    c.told.setdefault(e.about, at)
    if note is None and c.state is ContactState.QUEUED:
        _to(c, ContactState.ASKED, at, e.path)


@FOLDS.of(al.ContactDelivered)
def _(s: State, e: al.ContactDelivered, at: Stamp) -> None:
    if not (c := _contact(s, e)):
        return
    note = _note(c, e.about)
    tries = c.tries if note is None else note.tries
    for i in range(len(tries) - 1, -1, -1):
        if tries[i][0] == e.path:
            tries[i] = (*tries[i][:3], "delivered")
            break
    if note is not None:
        note.reached, note.path, note.unreached = note.reached or at, e.path, ""
    elif c.state in (ContactState.QUEUED, ContactState.ASKED) or (
        c.state is ContactState.UNREACHED and c.reason != "no_answer"
    ):
        _to(c, ContactState.DELIVERED, at, e.path)


@FOLDS.of(al.ContactFailed)
def _(s: State, e: al.ContactFailed, at: Stamp) -> None:
    if c := _contact(s, e):
        note = _note(c, e.about)
        _fail(c.tries if note is None else note.tries, e.path, e.reason, at)


@FOLDS.of(al.ContactAccepted)
def _(s: State, e: al.ContactAccepted, at: Stamp) -> None:
    if c := _contact(s, e):
        _answer(c.tries, e.path, "accepted")
        _to(c, ContactState.ACCEPTED, at, e.path, e.by)


@FOLDS.of(al.ContactDeclined)
def _(s: State, e: al.ContactDeclined, at: Stamp) -> None:
    if c := _contact(s, e):
        _answer(c.tries, e.path, "declined")
        _to(c, ContactState.DECLINED, at, e.path, e.by)


@FOLDS.of(al.ContactUnreached)
def _(s: State, e: al.ContactUnreached, at: Stamp) -> None:
    if not (c := _contact(s, e)):
        return
    if (note := _note(c, e.about)) is not None:
        note.unreached = note.unreached or e.reason
    elif c.state not in CONTACT_ENDS:
        _to(c, ContactState.UNREACHED, at, reason=e.reason)


@FOLDS.of(al.ContactSpared)
def _(s: State, e: al.ContactSpared, at: Stamp) -> None:
    if (c := _contact(s, e)) and c.state not in (ContactState.DECLINED, ContactState.CANCELLED):
        _to(c, ContactState.SPARED, at, reason=e.accepted_by)


@FOLDS.of(al.ContactCancelled)
def _(s: State, e: al.ContactCancelled, at: Stamp) -> None:
    if (c := _contact(s, e)) and c.state not in CONTACT_ENDS:
        _to(c, ContactState.CANCELLED, at, reason=e.reason)


@FOLDS.of(al.SequenceTaken)
def _(s: State, e: al.SequenceTaken, at: Stamp) -> None:
    if alert := s.alerts.get(e.alert):
        alert.taken[e.group] = e.contact


@FOLDS.of(al.SequenceExhausted)
def _(s: State, e: al.SequenceExhausted, at: Stamp) -> None:
    if alert := s.alerts.get(e.alert):
        alert.taken[e.group] = ""


@FOLDS.of(al.RecipientsTold)
def _(s: State, e: al.RecipientsTold, at: Stamp) -> None:
    if alert := s.alerts.get(e.alert):
        alert.told.append(Told(About(e.about), e.text, at, e.key))
