"""A station's core: proofs of sound, people, its health and its watch over the centre."""

import asyncio
from pathlib import Path

import msgspec
from station_box import NUMBER, STATIONS, Station, play

from appliance.alerting.wire import Action, Kind, Pattern, Supply, What
from appliance.alerting.wire_health import Fault, decode_health
from appliance.annunciator_protocol import OutputChange
from appliance.station_events import (
    CentreHeard,
    CentreSilent,
    OrderAcknowledged,
    SirenFault,
    SirenProof,
)


def test_current_that_flows_proves_the_siren_and_its_time_is_written_down(tmp_path: Path) -> None:
    async def story(s: Station) -> None:
        s.start_order()
        await asyncio.sleep(1)
        s.contact("drawn", True)
        await asyncio.sleep(0.1)
        assert s.said() == [What.ENERGISED, What.PROVEN]
        assert [(e.proof, e.after_s) for e in s.told(SirenProof)] == [("energised", 0.0), ("current", 1.0)]
        assert s.state.own.orders[b"alert..1".hex()].current is not None
        s.contact("drawn", False)
        s.contact("drawn", True)  # the pattern's next tone
        await asyncio.sleep(10)
        assert s.said().count(What.PROVEN) == 1
        assert not s.told(SirenFault)

    play(tmp_path, story)


def test_a_siren_that_draws_no_current_is_a_fault_that_travels_and_stands_until_current_flows(tmp_path: Path) -> None:
    async def story(s: Station) -> None:
        s.start_order(seconds=20)
        await asyncio.sleep(10)
        assert [(e.fault, e.on) for e in s.told(SirenFault)] == [("no_current", True)]
        assert s.healths()[-1].faults == Fault.NO_CURRENT
        await asyncio.sleep(30)
        await s.kill()
        await s.start()
        await asyncio.sleep(3)
        assert s.healths()[-1].faults == Fault.NO_CURRENT
        s.start_order(alert=b"alert..2")
        await asyncio.sleep(1)
        s.contact("drawn", True)
        await asyncio.sleep(4)
        assert s.told(SirenFault)[-1].on is False
        assert s.healths()[-1].faults == Fault(0)

    play(tmp_path, story)


def test_a_microphone_proves_the_siren_against_the_quiet_before_and_its_silence_is_a_fault(tmp_path: Path) -> None:
    async def listen(s: Station, dbfs: float, seconds: float) -> None:
        for _ in range(int(seconds * 2)):
            s.node.on_level(dbfs)
            await asyncio.sleep(0.5)

    async def story(s: Station) -> None:
        await listen(s, -38, 10)  # a noisy hall: louder than the least, but no siren
        s.start_order(seconds=15)
        await listen(s, -37, 16)
        assert [e.fault for e in s.told(SirenFault) if e.fault == "not_heard"] == ["not_heard"]
        await listen(s, -60, 10)
        s.start_order(alert=b"alert..2", seconds=15)
        await listen(s, -20, 4)
        proofs = [e for e in s.told(SirenProof) if e.proof == "heard"]
        assert [(e.alert, e.dbfs) for e in proofs] == [(b"alert..2".hex(), -20)]
        assert s.said()[-1] is What.HEARD
        assert [e.on for e in s.told(SirenFault) if e.fault == "not_heard"] == [True, False]

    play(tmp_path, story, watch={"microphone": True})


def test_a_relay_that_does_not_open_is_a_fault_until_it_does(tmp_path: Path) -> None:
    async def story(s: Station) -> None:
        s.start_order(seconds=5)
        await asyncio.sleep(8)
        s.node.on_output(OutputChange("siren", False, None, "stuck", s.clock.now()))
        await asyncio.sleep(4)
        assert s.healths()[-1].faults & Fault.SIREN_STUCK
        s.node.on_output(OutputChange("siren", False, None, "released", s.clock.now()))
        await asyncio.sleep(4)
        assert not s.healths()[-1].faults & Fault.SIREN_STUCK

    play(tmp_path, story)


def test_the_acknowledge_button_stops_the_turnout_timer_also_behind_a_restart(tmp_path: Path) -> None:
    async def story(s: Station) -> None:
        s.start_order(seconds=600)
        await asyncio.sleep(42)
        s.node.on_acknowledge()
        s.node.on_acknowledge()
        assert [(e.turnout_s, e.by) for e in s.told(OrderAcknowledged)] == [(42.0, "button")]
        s.start_order(alert=b"alert..2")
        await asyncio.sleep(20)
        await s.kill()
        await s.start()
        assert s.node.on_acknowledge("page", actor="screen:") == [b"alert..2".hex()]
        late = s.told(OrderAcknowledged)[0]
        assert (late.alert, late.by) == (b"alert..2".hex(), "page")
        assert 20 <= late.turnout_s < 21
        assert s.answers()[-1].alert == b"alert..2"
        assert s.answers()[-1].what is What.ACKNOWLEDGED
        assert s.node.on_acknowledge() == []

    play(tmp_path, story)


def test_contacts_and_the_boxs_own_faults_travel_as_they_come_and_each_minute(tmp_path: Path) -> None:
    async def story(s: Station) -> None:
        s.contact("mains", True)
        await asyncio.sleep(62)
        first = s.healths()[-1]
        assert (first.faults, first.supply, first.disk_free_percent) == (Fault(0), Supply.MAINS, 50)
        s.contact("mains", False)
        s.contact("box", True)
        await asyncio.sleep(4)
        assert s.healths()[-1].faults == Fault.ON_BATTERY | Fault.TAMPER
        assert s.answers()[-1].supply is Supply.BATTERY
        before = len(s.healths())
        await asyncio.sleep(600)
        assert 9 <= len(s.healths()) - before <= 11
        assert len({health.counter for health in s.healths()} & {answer.counter for answer in s.answers()}) == 0

    play(tmp_path, story, watch={"supply": "mains", "tamper": "box"})


def test_without_a_broker_a_fault_goes_by_sms_and_one_that_flickers_eats_no_credit(tmp_path: Path) -> None:
    async def story(s: Station) -> None:
        s.broker = False
        for _ in range(20):
            s.contact("box", True)
            await asyncio.sleep(30)
            s.contact("box", False)
            await asyncio.sleep(30)
        healths = [decode_health(octets, STATIONS) for _, octets in s.sms if octets[0] == 0x82]
        assert 1 <= len(healths) <= 2
        assert healths[0].faults & Fault.BROKER
        assert {number for number, _ in s.sms} == {NUMBER}

    play(tmp_path, story, watch={"tamper": "box"})


def test_a_centre_that_says_nothing_fresh_is_silent_here_and_its_recordings_do_not_count(tmp_path: Path) -> None:
    async def story(s: Station) -> None:
        hello = s.order(
            Action.HELLO, alert=b"\0\0\0\1rand", seconds=0, kind=Kind.NONE, pattern=Pattern.NONE, lifetime_s=0
        )
        for _ in range(61):
            await asyncio.sleep(10)
            s.give(hello)  # too late to count
        assert [e.issuer for e in s.told(CentreSilent)] == ["pusat"]
        await asyncio.sleep(4)
        assert s.healths()[-1].faults & Fault.CENTRE_SILENT
        assert s.box.lights == {"silent": True}
        assert s.node.view().faults == ("centre_silent",)
        s.greet()
        await asyncio.sleep(4)
        assert len(s.told(CentreHeard)) == 1
        assert s.box.lights == {"silent": False}
        assert not s.healths()[-1].faults

    play(tmp_path, story, watch={"lamp": "silent"})


def test_the_page_shows_open_orders_first_and_an_order_that_sounds_again_behind_a_power_cut_is_open(
    tmp_path: Path,
) -> None:
    async def story(s: Station) -> None:
        s.start_order(seconds=5)
        await asyncio.sleep(10)
        s.start_order(alert=b"alert..2", seconds=500, incident=1)
        await asyncio.sleep(1)
        view = s.node.view()
        assert [(o.alert, o.why) for o in view.orders] == [(b"alert..2".hex(), ""), (b"alert..1".hex(), "ended")]
        await s.kill()
        s.box = type(s.box)(s.clock)  # the whole box was without power
        await s.start()
        await asyncio.sleep(1)
        assert s.state.own.orders[b"alert..2".hex()].ended is not None
        s.start_order(alert=b"alert..2", seconds=490)
        await asyncio.sleep(1)
        assert s.box.on() == {"siren"}
        assert s.state.own.orders[b"alert..2".hex()].ended is None

    play(tmp_path, story)


def test_a_ups_tells_of_the_supply_where_no_contact_does_and_an_old_certificate_is_a_fault(tmp_path: Path) -> None:
    async def story(s: Station) -> None:
        s.vitals = msgspec.structs.replace(
            s.vitals, supply=Supply.BATTERY, battery=41, supply_mv=24_100, battery_low=True, cert_days=1096, key_days=3
        )
        await asyncio.sleep(62)
        health = s.healths()[-1]
        assert (health.supply, health.battery, health.supply_mv) == (Supply.BATTERY, 41, 24_100)
        assert (health.cert_days, health.key_days) == (1096, 3)
        assert health.faults == Fault.ON_BATTERY | Fault.SUPPLY_LOW | Fault.KEY_OLD

    play(tmp_path, story)


def test_a_station_with_a_profile_is_heard_as_often_as_that_says(tmp_path: Path) -> None:
    async def story(s: Station) -> None:
        before = len(s.answers())
        await asyncio.sleep(300)
        assert 9 <= len(s.answers()) - before <= 11

    play(tmp_path, story, profile="vsat")
