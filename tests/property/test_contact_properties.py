"""Contacts under random fates, answers, stops and deaths of core: whatever happens, each ends in a known state."""

import os
import random
import tempfile
from asyncio import sleep
from pathlib import Path
from typing import Any

from contact_box import ALERT, CODE, NUMBERS, Box, play

from appliance import alert_events as al
from appliance.model import About, ContactState
from appliance.sms_events import SmsQueued

TEXTS, CALLS = ("delivered", "undelivered", "silent"), ("heard", "declined", "no_answer", "no_key", "busy")
REPLIES = (f"YA {CODE}", "ya", f"TIDAK {CODE}", "tidak", "siapa ini?")
LIVES = int(os.environ.get("SIAGA_CONTACT_LIVES", "8"))  # each costs a third of a second of the disk
END = 4000.0  # s; an hour is the most for which anybody is asked


async def lives(box: Box, chance: random.Random) -> None:
    """A story by dice: an order to a sequence and to one more, and then anything."""
    for number in (*NUMBERS.values(), "+62911000001", "+62911000002"):
        box.texts[number], box.calls[number] = chance.choice(TEXTS), chance.choice(CALLS)
    box.lines = chance.choice((0, 1, 1, 2))
    groups = chance.choice((("hospitals",), ("all",), ("hospitals", "all"), ("hospitals",)))
    contacts = chance.choice(((), ("pmi",), ("rsal",)))
    box.issue(groups=groups, contacts=contacts, priority=chance.choice((1, 2)), text="Passo")
    for _ in range(chance.randrange(8)):
        await sleep(chance.choice((0.05, 1.1, 7.0, 33.0, 61.0, 200.0)))
        match chance.randrange(6):
            case 0 | 1:
                box.reply(chance.choice(("rsud", "pmi")), chance.choice(REPLIES))
            case 2:
                await dies(box)
            case 3:
                box.append(al.AlertStopped(alert=ALERT, via="page"))
            case 4:
                await box.tell(chance.choice((About.ALL_CLEAR, About.FALSE_ALARM)))
            case 5:
                box.lines = chance.choice((0, 1, 2))
    await sleep(END)


async def dies(box: Box) -> None:
    async def nothing(line: str, call: str, actor: str) -> object:
        return {}

    box.hang_up = nothing  # type: ignore[method-assign]
    await box.end()
    del box.hang_up
    box._live = 0
    box.start()


def judge(box: Box) -> None:
    alert = box.alert
    assert alert.settled, box.states()
    told: dict[tuple[str, str], int] = {}
    for e in box.events:
        if isinstance(e, SmsQueued):
            told[e.number, e.text] = told.get((e.number, e.text), 0) + 1
    assert max(told.values(), default=1) == 1, "no text is given twice"
    for name, contact in alert.contacts.items():
        for about, tries in (("announce", contact.tries), *((a, n.tries) for a, n in contact.notes.items())):
            calls = [t for t in tries if t[0] == "voice" and t[3] not in ("no_line", "withdrawn")]
            assert len(calls) <= 2, (name, about, tries)
            assert all(t[3] for t in tries if t[0] == "voice"), (name, about, tries)
        if contact.state is ContactState.UNREACHED:
            assert contact.reason
            assert any(e.contact == name for e in box.all(al.ContactUnreached)), "a person is told"
        for note in contact.notes.values():
            assert note.reached or note.unreached
        if alert.told and contact.told:
            assert {str(t.about) for t in alert.told} <= set(contact.notes), "who was asked hears of the end"
        if not contact.told:
            assert not contact.notes, "who was not asked hears nothing"
    for group, members in alert.sequences.items():
        accepted = [n for n in members if alert.contacts[n].state is ContactState.ACCEPTED]
        assert len(accepted) <= 1, "one is enough"
        if accepted:
            assert alert.taken[group] == accepted[0]
            assert not [n for n in members if n != accepted[0] and alert.contacts[n].state is ContactState.ASKED]
        elif alert.stopped is None and not alert.told:
            assert alert.taken[group] == "", "nobody accepts, and a person is told"


def test_whatever_happens_each_contact_ends_in_a_known_state_and_a_person_is_told_of_each_failure() -> None:
    for seed in range(LIVES):

        async def story(box: Box, seed: int = seed) -> None:
            await lives(box, random.Random(seed))
            try:
                judge(box)
            except AssertionError as e:
                raise AssertionError(f"seed {seed}: {e}; {box.states()}; {[_told(x) for x in box.events]}") from e

        with tempfile.TemporaryDirectory() as folder:
            play(Path(folder), story)


def _told(event: Any) -> str:
    return str(event)[:160]
