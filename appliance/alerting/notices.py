"""Words to stations about a sounding test, ahead of it and when it is over: signed, shown there, never spoken.

Each goes once to each station, by the broker where that takes it and the station is heard, else by SMS; which have it
is in the journal.
"""

import asyncio
import hashlib
import logging
from collections.abc import Callable, Iterator, Mapping

import msgspec

from appliance.alerting.contact import Contact
from appliance.alerting.issuer import Issuer
from appliance.alerting.sender import Publish, SendSms, order_topic
from appliance.alerting.wire import WireError
from appliance.alerting.wire_text import TextAbout
from appliance.config import Site
from appliance.journal import Appended
from appliance.model import Path
from appliance.stamp import Stamp
from appliance.state import State
from appliance.station_events import StationTestNoticed
from drivers.clock import Clock

TICK = 5.0  # s
EXPIRY = 300  # s that the broker keeps one
REST = 300.0  # s behind one that did not go out
OVER_FOR = 3600.0  # s behind a test in which its end is news
SOUNDING = "sounding"
WORDS = {
    "notice": {
        "id": "UJI COBA sirene {due} {zone}, {seconds} detik. Bukan keadaan darurat.",
        "en": "Siren TEST {due} {zone}, {seconds} s. This is no emergency.",
    },
    "notice_over": {"id": "UJI COBA sirene {due} selesai.", "en": "The siren TEST of {due} is over."},
}

log = logging.getLogger("siaga.tests")


class Notice(msgspec.Struct, frozen=True):
    about: str  # "notice", "notice_over"
    due: str

    @property
    def key(self) -> str:
        return f"{self.due}/{self.about}"


class StationNotices:
    """`today` gives the site's date and minute as due times have them, "" while no clock is known."""

    def __init__(
        self, *, site: Site, state: State, clock: Clock, append: Callable[..., Appended], issuer: Issuer,
        contacts: Mapping[str, Contact], publish: Publish, online: Callable[[str], bool], send_sms: SendSms,
        sms_up: Callable[[], object], since: Callable[[Stamp], float], today: Callable[[], str],
    ) -> None:  # fmt: skip
        self._site, self._state, self._clock, self._append, self._issuer = site, state, clock, append, issuer
        self._contacts, self._publish, self._online = contacts, publish, online
        self._send_sms, self._sms_up, self._since, self._today = send_sms, sms_up, since, today
        self._rests: dict[str, float] = {}

    async def run(self) -> None:
        while True:
            for notice in list(self._open()):
                for name, contact in self._contacts.items():
                    await self._tell(notice, name, contact)
            await asyncio.sleep(TICK)

    def _open(self) -> Iterator[Notice]:
        tests, today = self._state.tests, self._today()
        due = tests.announced.get(SOUNDING, "")
        if due and today and today < due:
            yield Notice("notice", due)
        for run in tests.runs.values():
            if run.what == SOUNDING and run.due and run.ended is not None and self._since(run.ended) < OVER_FOR:
                yield Notice("notice_over", run.due)

    async def _tell(self, notice: Notice, name: str, contact: Contact) -> None:
        key = f"{notice.key}/{name}"
        if contact.station.local or contact.session is None or self._clock.now() < self._rests.get(key, 0.0):
            return
        if name in self._state.tests.noticed.get(notice.key, ()):
            return
        try:
            path = await self._send(name, contact, self._payload(notice, contact))
        except (OSError, WireError) as e:
            log.warning("%s is not told of the sounding test: %s", name, e)
            self._rests = {k: at for k, at in self._rests.items() if at > self._clock.now()}
            self._rests[key] = self._clock.now() + REST
            return
        if path is None:
            return
        self._append(
            StationTestNoticed(station=name, what=SOUNDING, due=notice.due, about=notice.about, path=path.value)
        )

    async def _send(self, name: str, contact: Contact, payload: bytes) -> Path | None:
        """By what it is on its way; None: there is no way now. Raises OSError for one that did not take it."""
        why = ""
        if self._online(name):
            why = self._publish(order_topic(self._site.site, name), payload, EXPIRY)
            if not why:
                return Path.MQTT
        if contact.station.sms and self._sms_up():
            await self._send_sms(contact.station.sms, payload, "alert")
            return Path.SMS
        if why:
            raise OSError(why)
        return None

    def _payload(self, notice: Notice, contact: Contact) -> bytes:
        station, rules = contact.station, self._site.supervision
        words = WORDS[notice.about][station.language].format(
            due=notice.due, zone=self._site.zone, seconds=rules.sounding_seconds
        )
        # Of one test both have one id, also behind a restart: sent twice, it is shown once.
        id = hashlib.sha256(f"{self._site.site} {SOUNDING} {notice.due}".encode()).digest()[:8]
        assert contact.session is not None
        about = TextAbout[notice.about.upper()]
        return self._issuer.words(id, about, station.number, contact.session, station.language, words)
