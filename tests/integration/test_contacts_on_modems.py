"""Contacts on simulated modems of a simulated network: real PDUs, delivery reports and answers by text."""

import asyncio
from pathlib import Path

from lines_box import Box, World, play

from appliance import alert_events as al
from appliance.alerting.contacts import Contacts
from appliance.alerting.telling import Telling
from appliance.annunciator_config import AnnunciatorConfig
from appliance.commands import TellRecipients
from appliance.config import Site
from appliance.config_alerting import Contact, Group
from appliance.model import About, Purpose, Role

ALERT, CODE = "00000000000000aa", "270"
RSUD, RSAL = "+6281200000001", "+6281200000002"
SITE = Site(
    role=Role.CENTRE, site="s", id="c", name="PK 112 Ambon", annunciator=AnnunciatorConfig(socket="a", factory="mock"),
    contact=(Contact(id="rsud", name="RSUD", sms=RSUD), Contact(id="rsal", name="RSAL", sms=RSAL)),
    group=(Group(id="rs", name="RS", members=("rsud", "rsal"), mode="first", wait_s=60),),
)  # fmt: skip


async def nobody(command: object, actor: str) -> object:
    return {}


def started(box: Box) -> asyncio.Task[None]:
    """It looks once a second while somebody is asked; core would wake it at each event too."""

    async def give(number: str, text: str, *, lifetime_s: int, key: str) -> str:
        told = await box.lines.outgoing.text(number, text, "", "", lifetime_s, key, Purpose.ALERT)
        return str(told["message"])

    contacts = Contacts(
        site=SITE, state=box.state, clock=box.lines._clock, boot="boot", append=box._journal.append, give=give,
        mouth=None,
    )  # fmt: skip
    return asyncio.create_task(contacts.run())


def issue(box: Box) -> None:
    box.append(
        al.AlertIssued(
            alert=ALERT, alert_kind="actual", pattern="wail", seconds=60, lifetime_s=300, incident_code=0, stations=(),
            via="page", contacts=("rsud", "rsal"), sequences={"rs": ("rsud", "rsal")}, groups=("rs",), text="3 korban",
        )
    )  # fmt: skip


async def texts_of(world: World) -> list[tuple[str, str]]:
    return [(m["to"], m["text"]) for m in await world.network.turn("sms.outbox")]


def test_a_sequence_over_the_network_is_asked_reported_answered_and_told_the_end(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        box = await world.start()
        await box.ready()
        running = started(box)
        issue(box)
        assert (await box.event(al.ContactDelivered)).contact == "rsud"
        asked = await box.event(al.ContactAsked, 2)  # it does not answer: the next one
        assert asked.contact == "rsal"
        await box.event(al.ContactDelivered, 2)
        await world.network.turn("sms.from", number=RSAL, text=f"YA {CODE}, kami siap", to="l2")
        assert (await box.event(al.SequenceTaken)).contact == "rsal"
        contacts = box.state.alerts[ALERT].contacts
        await box.until(lambda: "taken" in contacts["rsud"].notes and contacts["rsud"].notes["taken"].reached, "told")
        running.cancel()
        telling = Telling(state=box.state, append=box._journal.append, stop=nobody)
        await telling.tell(TellRecipients(alert=ALERT, about=About.ALL_CLEAR, text="Selesai"), "ani")
        running = started(box)
        await box.until(
            lambda: all("all_clear" in c.notes and c.notes["all_clear"].reached for c in contacts.values()), "all clear"
        )
        sent = await texts_of(world)
        said = [(to, text.split(".")[0]) for to, text in sent]
        assert said[:3] + sorted(said[3:]) == [
            (RSUD, "PERINGATAN dari PK 112 Ambon"),
            (RSAL, "PERINGATAN dari PK 112 Ambon"),
            (RSUD, f"SUDAH ADA yang menyanggupi peringatan {CODE} dari PK 112 Ambon"),
            (RSUD, f"AMAN: peringatan {CODE} dari PK 112 Ambon selesai"),
            (RSAL, f"AMAN: peringatan {CODE} dari PK 112 Ambon selesai"),
        ]
        running.cancel()
        await asyncio.wait({running})

    play(tmp_path, story)


def test_a_number_that_the_network_does_not_know_is_unreached_and_the_next_one_is_asked_at_once(
    tmp_path: Path,
) -> None:
    async def story(world: World) -> None:
        box = await world.start()
        await box.ready()
        for name in ("l1", "l2"):
            await world.network.turn("sms.refuse", name=name, code=1, times=1)  # unassigned number
        running = started(box)
        issue(box)
        failed = await box.event(al.ContactUnreached)
        assert (failed.contact, failed.reason) == ("rsud", "recipient")
        assert (await box.event(al.ContactAsked, 2)).contact == "rsal"
        running.cancel()
        await asyncio.wait({running})

    play(tmp_path, story)


def test_a_restart_between_the_text_and_its_row_gives_no_second_text(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        box = await world.start()
        await box.ready()
        running = started(box)
        issue(box)
        await box.until(lambda: bool(box.state.outgoing), "given")
        running.cancel()  # the contact's own row was not written
        await asyncio.wait({running})
        assert not box.all(al.ContactAsked)
        running = started(box)
        await box.event(al.ContactDelivered)
        running.cancel()
        await asyncio.wait({running})
        assert len(await texts_of(world)) == 1

    play(tmp_path, story)
