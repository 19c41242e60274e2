"""A sounding test by calendar where no broker is reached: its words come to the station and to people by real PDUs."""

import asyncio
from pathlib import Path

import msgspec
from lines_box import NUMBERS, Box, World, play
from order_box import Box as Sirens
from order_world import CENTRE, KEYS, STATION, centre_site, station_site

from appliance import station_events as st
from appliance.alerting.centre import Centre
from appliance.alerting.issuer import Issuer
from appliance.alerting.reports import Reports
from appliance.alerting.wire_health import is_health
from appliance.config import Site
from appliance.config_alerting import Contact
from appliance.core_supervision import SupervisionRoom
from appliance.event import Event
from appliance.model import Path as Way
from appliance.station import StationNode

BUDI, RSUD, CREW = "+6281234567890", "+6281200000001", "+6281300000007"
DUE = "2026-01-01 09:20"
CALENDAR = {
    "silent_test": "", "sms_probe": "", "voice_test": "", "report": "", "sounding_day": 1, "sounding_time": "09:20",
    "sounding_seconds": 20, "announce_before_h": 1.0, "grace_min": 5.0,
}  # fmt: skip


def no_broker(topic: str, payload: bytes, expiry_s: int, qos: int = 1) -> str:
    return "there is no connection to the broker"


class NoBroker:
    """Centre and station on the two modems of a box; no broker is ever there."""

    def __init__(self, box: Box) -> None:
        self._box, self.clock = box, box.lines._clock
        far, near = centre_site().station
        far = msgspec.structs.replace(far, sms=NUMBERS["l2"], phone=CREW)
        self.site = centre_site(
            supervision=CALENDAR, broker={}, duty=[{"name": "Budi", "number": BUDI}],
            contact=[msgspec.to_builtins(Contact(id="rsud", name="RSUD", sms=RSUD))],
            station=[msgspec.to_builtins(s) for s in (far, near)],
        )  # fmt: skip
        here = msgspec.to_builtins(station_site(sounding_test=True))
        here["issuer"] = [issuer | {"sms": [*NUMBERS.values()]} for issuer in here["issuer"]]
        self.near, self.far = Sirens(self.clock), Sirens(self.clock)  # type: ignore[arg-type]
        self.rows: list[Event] = []  # of the station
        issuer = Issuer(KEYS[CENTRE], self.clock, {})
        common = {"clock": self.clock, "publish": no_broker, "broker_up": lambda: False}
        of_centre = {"site": self.site, "state": box.state, "boot": "boot", "append": box._journal.append} | common
        self.centre = Centre(
            **of_centre, issuer=issuer, annunciator=self.near, send_sms=box.lines.send_data,  # type: ignore[arg-type]
            sms_up=box.lines.registered,
        )  # fmt: skip
        self.room = SupervisionRoom(
            **of_centre, centre=self.centre, issuer=issuer, annunciator_up=lambda: True, lines=box.lines,  # type: ignore[arg-type]
            calls=lambda: False, time_known=lambda: True, annunciator=self.near,  # type: ignore[arg-type]
        )  # fmt: skip
        self.reports = Reports(self.site, self.centre, issuer, self.clock)
        self.station = StationNode(
            **common, site=msgspec.convert(here, Site), append=lambda event, **_: self.rows.append(event),  # type: ignore[arg-type, func-returns-value]
            key=KEYS[STATION], annunciator=self.far, send_sms=box.lines.send_data,  # type: ignore[arg-type]
        )  # fmt: skip
        self.near.on_output = self.reports.on_local_output
        self.far.on_output = self.station.on_output

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            for run in (self.centre.run, self.station.run, self.room.tests.run, self.room._notices.run, self._carry):
                tasks.create_task(run())

    async def _carry(self) -> None:
        """What the modems received, to whom it is for: the first octet tells it."""
        taken = 0
        while True:
            await asyncio.sleep(0.1)
            for number, payload in self._box.data[taken:]:
                taken += 1
                if payload[0] < 0x80:
                    self.station.on_order(payload, Way.SMS, number=number)
                elif is_health(payload):
                    self.room.intake.on_health(payload, Way.SMS)
                else:
                    self.reports.on_answer(payload, Way.SMS)

    def taken(self) -> list[st.NoticeTaken]:
        return [event for event in self.rows if isinstance(event, st.NoticeTaken)]


def test_words_of_a_sounding_test_come_by_sms_to_the_station_and_to_those_on_duty(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        box = await world.start()
        await box.ready()
        there = NoBroker(box)
        running = asyncio.create_task(there.run())
        try:
            async with asyncio.timeout(1800):
                while len(there.taken()) < 2:
                    assert not running.done(), running.exception()
                    await asyncio.sleep(1)
        finally:
            running.cancel()
            await asyncio.wait({running})
        before, over = there.taken()
        assert [(e.about, e.language, e.path) for e in (before, over)] == [
            ("notice", "id", Way.SMS), ("notice_over", "id", Way.SMS),
        ]  # fmt: skip
        assert before.text == f"UJI COBA sirene {DUE} WIT, 20 detik. Bukan keadaan darurat."
        assert over.text == f"UJI COBA sirene {DUE} selesai."
        assert before.notice == over.notice
        noticed = [(e.station, e.about, e.path) for e in box.all(st.StationTestNoticed)]
        assert noticed == [(STATION, "notice", "sms"), (STATION, "notice_over", "sms")]
        assert there.far.spans, "and it sounded, ordered by SMS too"
        told = {m["to"]: m["text"] for m in await world.network.turn("sms.outbox") if m["text"]}
        assert set(told) == {BUDI, RSUD, CREW}
        assert all("UJI COBA" in text and "BUKAN" in text for text in told.values())

    play(tmp_path, story)
