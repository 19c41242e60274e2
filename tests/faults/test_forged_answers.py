"""Answers that no station gave, or gave long ago: refused with the reason, and the centre claims nothing untrue.

Damkar Passo's core stands still here while an order to it is open, so whatever says that its siren sounds is a lie.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import msgspec
from running_demo import RunningDemo, until, until_so
from stranger import NUMBERS, Stranger, answer_topic

from appliance.alerting.wire import ANSWER_CONTEXT, Answer, Pattern, What, encode_answer
from appliance.demo_site import CENTRE
from appliance.keys import key_id

KOTA, PASSO = "damkar-kota", "damkar-passo"
SOUNDING = {"received", "energised", "proven", "ended"}
MOST_ROWS = 6  # that a flood of one kind may leave in the journal


@contextlib.asynccontextmanager
async def deaf(demo: RunningDemo) -> AsyncIterator[str]:
    """An alert for Passo, whose core does not run; at the end it runs, and takes the order after all."""
    await demo.knob("processes", "process.stop", name=f"{PASSO}/core")
    try:
        alert = await demo.sound(PASSO, seconds=120)
        assert (await demo.delivery(alert, PASSO))["state"] not in SOUNDING
        yield alert
        delivery = await demo.delivery(alert, PASSO)
        assert "energised" not in delivery
        assert delivery["state"] not in SOUNDING
        assert await demo.level(PASSO) == 0
    finally:
        await demo.knob("processes", "process.start", name=f"{PASSO}/core")
    await demo.row(CENTRE, "delivery.energised", alert=alert)
    assert await demo.level(PASSO) == 1


async def said_by(stranger: Stranger, station: str, **changes: Any) -> Answer:
    """What the station could say next, but for the changes."""
    last: Answer = (await until(lambda: stranger.answers(station)))[-1]
    return msgspec.structs.replace(last, counter=last.counter + 40, **changes)


async def recorded(demo: RunningDemo, stranger: Stranger) -> list[bytes]:
    """All that Passo says of a real alert, from its start to its end."""
    alert = await demo.sound(PASSO)
    await demo.row(CENTRE, "delivery.energised", alert=alert)
    await demo.silence()
    said = [raw for raw, _ in stranger.signed_answers(PASSO)]
    assert {What.ENERGISED, What.ENDED} <= {raw[1] for raw in said if raw[6:14].hex() == alert}
    return said[-40:]


async def refused(demo: RunningDemo, stranger: Stranger, topic: str, payload: bytes, **wanted: str) -> None:
    """Publish until the refusal is in the journal: the same flaw again within 5 s makes no row."""
    seq = demo.seq(CENTRE)

    def look() -> bool:
        stranger.publish(topic, payload)
        return bool(demo.rows(CENTRE, "answer.refused", seq, path="mqtt", **wanted))

    await until(look)


async def test_an_answer_that_its_station_did_not_sign_counts_for_nothing(
    demo: RunningDemo, stranger: Stranger
) -> None:
    topic = answer_topic(PASSO)
    lie = await said_by(stranger, PASSO, what=What.ENERGISED, remaining_s=50, pattern=Pattern.STEADY)
    async with deaf(demo) as alert:
        lie = msgspec.structs.replace(lie, alert=bytes.fromhex(alert))
        kota = stranger.key(KOTA)
        body = encode_answer(lie, stranger.key(PASSO))[:54]
        other = msgspec.structs.replace(lie, key=key_id(kota.public_key()))
        as_kota = msgspec.structs.replace(other, station=NUMBERS[KOTA])
        order = await stranger.order(PASSO, alert)
        for payload, reason in {
            body + bytes(64): "signature",
            body + kota.sign(ANSWER_CONTEXT + body): "signature",
            encode_answer(other, kota): "unknown_key",
            encode_answer(as_kota, kota): "wrong_topic",
            body: "length",
            b"": "length",
            order: "version",
        }.items():
            await refused(demo, stranger, topic, payload, station=PASSO, reason=reason)


async def test_a_recording_of_energised_proves_no_later_order(demo: RunningDemo, stranger: Stranger) -> None:
    recording = await recorded(demo, stranger)
    async with deaf(demo) as alert:
        energised = next(raw for raw in recording if raw[1] == What.ENERGISED)
        seq = demo.seq(CENTRE)
        stranger.flood(answer_topic(PASSO), recording)
        changed = energised[:6] + bytes.fromhex(alert) + energised[14:]
        await refused(demo, stranger, answer_topic(PASSO), changed, station=PASSO, reason="signature")
        assert not demo.rows(CENTRE, "delivery.received", seq)


async def test_a_recording_brings_no_station_back_when_the_centre_has_restarted(
    demo: RunningDemo, stranger: Stranger
) -> None:
    recording, seq = await recorded(demo, stranger), demo.seq(CENTRE)
    async with deaf(demo):
        await demo.row(CENTRE, "station.offline", after=seq, station=PASSO)
        await demo.knob("processes", "process.kill", name=f"{CENTRE}/core")
        await demo.row(CENTRE, "system.started", after=seq)
        seq = demo.seq(CENTRE)
        stranger.flood(answer_topic(PASSO), recording)
        await refused(demo, stranger, answer_topic(PASSO), recording[0][:-1], station=PASSO, reason="length")
        assert not demo.rows(CENTRE, "station.online", seq, station=PASSO)
        assert not demo.rows(CENTRE, "delivery.energised", seq)


async def test_a_retained_answer_is_dropped(demo: RunningDemo, stranger: Stranger) -> None:
    seq = demo.seq(CENTRE)
    genuine = await stranger.last_answer(KOTA)
    stranger.publish(answer_topic(KOTA), genuine, retain=True)
    await demo.row(CENTRE, "answer.refused", after=seq, station=KOTA, reason="retained")
    stranger.publish(answer_topic(KOTA), b"", retain=True)


async def test_a_flood_under_made_up_names_does_not_fill_the_journal(demo: RunningDemo, stranger: Stranger) -> None:
    seq = demo.seq(CENTRE)
    stranger.flood_all([(answer_topic(f"nobody-{n}-{'x' * 100}"), b"junk") for n in range(150)])
    await refused(demo, stranger, answer_topic(KOTA), b"?", station=KOTA, reason="version")
    rows = demo.rows(CENTRE, "answer.refused", seq)
    assert len(rows) <= MOST_ROWS
    assert all(len(row.body) < 200 for row in rows)


async def test_junk_by_sms_is_refused_at_the_centre_too(demo: RunningDemo, stranger: Stranger) -> None:
    seq = demo.seq(CENTRE)
    genuine = await stranger.last_answer(KOTA)
    await demo.send_sms(genuine, f"{CENTRE}-l1")  # heard already: no news, and no flaw
    forged = genuine[:-1] + bytes([genuine[-1] ^ 1])
    for data, reason in ((b"junk", "version"), (forged, "signature"), (genuine[:-1], "length")):

        async def look(data: bytes = data, reason: str = reason) -> bool:
            await demo.send_sms(data, f"{CENTRE}-l1")
            await asyncio.sleep(0.3)
            return bool(demo.rows(CENTRE, "answer.refused", seq, reason=reason, path="sms"))

        await until_so(look)


async def test_a_stolen_stations_key_takes_no_other_station_away() -> None:
    """It may say that it has seen any sequence; the centre must still be able to count on."""
    demo = RunningDemo()  # of its own: what is learned stays in the journal
    try:
        demo.start()
        stranger = Stranger(demo)
        await demo.settle()
        lie = await said_by(stranger, PASSO, what=What.ALIVE, alert=bytes(8), highest=0xFFFFFFFE)
        stranger.publish(answer_topic(PASSO), encode_answer(lie, stranger.key(PASSO)))
        stranger.close()
        alert = await demo.sound(KOTA, PASSO)
        await demo.row(CENTRE, "delivery.energised", alert=alert, station=KOTA)
    finally:
        demo.stop()
