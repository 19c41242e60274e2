"""An alert's words to stations: behind their order, by the path that brought it, signed for the session of now."""

import asyncio
from asyncio import sleep
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from appliance import alert_events as al
from appliance.alerting.contact import Contact
from appliance.alerting.issuer import Issuer
from appliance.alerting.station_texts import StationTexts
from appliance.alerting.wire_text import Text, decode_text
from appliance.annunciator_config import AnnunciatorConfig
from appliance.config import Site, Station
from appliance.entry import Entry
from appliance.event import Event
from appliance.fold import apply
from appliance.journal import Journal
from appliance.model import Role
from appliance.state import Delivery, State, StationContact
from drivers.clock import VirtualClock

ALERT, KEY = "00000000000000aa", Ed25519PrivateKey.from_private_bytes(b"c" * 32)
SESSION = "0102030405060708"


class Box:
    """One centre and one station; `published` and `sent` are the texts that went out, decoded."""

    def __init__(self, folder: Path, clock: VirtualClock) -> None:
        self.clock, self.state, self.events = clock, State(), list[Event]()
        station = Station(id="stb", number=7, name="B", sms="+62811000007")
        site = Site(
            role=Role.CENTRE, site="kota", id="c", name="C", station=(station,),
            annunciator=AnnunciatorConfig(socket="a", factory="mock"),
        )  # fmt: skip
        self.journal = Journal(folder / "journal.db", clock, "boot", lambda: "ntp", self._on_entry)
        self.journal.open()
        clock.busy = lambda: self.journal.writing
        self.broker, self.line, self.published, self.sent = True, True, list[Text](), list[Text]()
        contact = Contact(station, StationContact(True, SESSION, "mqtt"), clock.now(), lost_s=9.0)
        self.issuer = Issuer(KEY, clock, {})
        self.texts = StationTexts(
            site=site, state=self.state, clock=clock, boot="boot", append=self.journal.append, issuer=self.issuer,
            contacts={"stb": contact}, publish=self._publish, broker_up=lambda: self.broker, send_sms=self._sms,
            sms_up=lambda: self.line,
        )  # fmt: skip

    def _on_entry(self, entry: Entry) -> None:
        apply(self.state, entry)
        self.events.append(entry.event)
        if hasattr(self, "texts"):
            self.texts.wake()

    def _decoded(self, payload: bytes) -> Text:
        return decode_text(payload, {self.issuer.id_for(7): KEY.public_key()})

    def _publish(self, topic: str, payload: bytes, expiry_s: int, qos: int = 1) -> str:
        assert topic == "siaga/kota/alert/stb"
        self.published.append(self._decoded(payload))
        return ""

    async def _sms(self, number: str, payload: bytes, purpose: str) -> None:
        assert (number, purpose) == ("+62811000007", "alert")
        if not self.line:
            raise OSError("no modem")
        self.sent.append(self._decoded(payload))

    def append(self, *events: Event) -> None:
        for event in events:
            self.journal.append(event)

    def issue(self, text: str = "Kebakaran di Passo", **keys: Any) -> None:
        self.append(
            al.AlertIssued(
                alert=ALERT, alert_kind="actual", pattern="wail", seconds=60, lifetime_s=300, incident_code=0,
                stations=("stb",), via="page", text=text, **keys,
            )
        )  # fmt: skip

    @property
    def delivery(self) -> Delivery:
        return self.state.alerts[ALERT].deliveries["stb"]


def play(folder: Path, story: Any) -> None:
    async def main() -> None:
        box = Box(folder, clock)
        running = asyncio.create_task(box.texts.run())
        try:
            await story(box)
        finally:
            running.cancel()
            await asyncio.wait({running})
            box.journal.close()

    clock = VirtualClock()
    clock.run(main())


IDS = {"alert": ALERT, "station": "stb"}


@pytest.mark.parametrize("path", ["mqtt", "sms"])
def test_words_go_out_once_when_the_station_has_the_order_by_the_path_that_brought_it(
    tmp_path: Path, path: str
) -> None:
    async def story(box: Box) -> None:
        box.issue()
        box.append(al.DeliverySent(**IDS, path=path, action="start", sequence=1))
        await sleep(20.0)
        assert box.published == box.sent == []  # sent is not received
        box.append(al.DeliveryReceived(**IDS, path=path))
        await sleep(5.0)
        box.append(al.DeliveryEnergised(**IDS, path=path, remaining_s=50))
        await sleep(20.0)
        (text,) = box.published if path == "mqtt" else box.sent
        assert (text.text, text.about.name, text.language.name) == ("Kebakaran di Passo", "ANNOUNCE", "ID")
        assert (text.alert.hex(), text.session.hex(), text.station) == (ALERT, SESSION, 7)
        assert list(box.delivery.told) == ["announce"]
        assert len(box.published) + len(box.sent) == 1

    play(tmp_path, story)


def test_an_order_without_words_has_none(tmp_path: Path) -> None:
    async def story(box: Box) -> None:
        box.issue(text="")
        box.append(al.DeliverySent(**IDS, path="mqtt", action="start", sequence=1))
        box.append(al.DeliveryEnergised(**IDS, path="mqtt", remaining_s=50))
        await sleep(20.0)
        assert box.published == box.sent == []

    play(tmp_path, story)


def test_all_clear_goes_by_sms_when_the_broker_is_away_and_has_words_of_its_own(tmp_path: Path) -> None:
    async def story(box: Box) -> None:
        box.issue(text="", language="en")
        box.append(al.DeliverySent(**IDS, path="mqtt", action="start", sequence=1))
        box.broker = False
        box.append(al.AlertStopped(alert=ALERT, via="page"))
        box.append(al.RecipientsTold(alert=ALERT, about="all_clear", text=""))
        await sleep(3.0)
        (text,) = box.sent
        assert (text.text, text.about.name) == ("All clear. The alert is over.", "ALL_CLEAR")
        assert list(box.delivery.told) == ["all_clear"]

    play(tmp_path, story)


def test_a_station_that_cannot_be_told_the_end_is_told_to_a_person(tmp_path: Path) -> None:
    async def story(box: Box) -> None:
        box.issue()
        box.append(al.DeliverySent(**IDS, path="mqtt", action="start", sequence=1))
        box.broker = box.line = False
        box.append(al.RecipientsTold(alert=ALERT, about="false_alarm", text=""))
        await sleep(290.0)
        assert box.delivery.untold == {}
        await sleep(20.0)
        assert box.delivery.untold == {"false_alarm": "no_path"}
        await sleep(100.0)
        assert len([e for e in box.events if isinstance(e, al.DeliveryUntold)]) == 1

    play(tmp_path, story)


def test_a_station_to_which_no_order_went_out_is_told_nothing(tmp_path: Path) -> None:
    async def story(box: Box) -> None:
        box.issue()
        box.append(al.DeliverySent(**IDS, path="sms", action="start", sequence=1))
        box.append(al.DeliverySendFailed(**IDS, path="sms", action="start", reason="no modem"))
        box.append(al.RecipientsTold(alert=ALERT, about="false_alarm", text=""))
        await sleep(400.0)
        assert box.published == box.sent == []
        assert box.delivery.untold == {}

    play(tmp_path, story)
