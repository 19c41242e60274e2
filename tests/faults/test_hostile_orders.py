"""Orders from a stranger with access to the broker, in part with stolen keys: refused with the reason, no relay moves.

Each test ends with an order for another station under a new alert id: its refusal in the journal proves that all
that was sent before it has been judged.
"""

import asyncio
import secrets
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from running_demo import ABROAD, RunningDemo, until
from stranger import LIFETIME, NUMBERS, Stranger, alert_topic

from appliance.alerting.wire import ORDER_CONTEXT, Action, Kind, Pattern, What, encode_order
from appliance.demo_site import CENTRE, NODES
from appliance.keys import key_id

KOTA, PASSO = "damkar-kota", "damkar-passo"
MOST_ROWS = 12  # that a flood may leave in the journal: a few reasons, each again every 5 s


async def judged(demo: RunningDemo, stranger: Stranger, station: str) -> None:
    """Wait until the station has judged all that the stranger has published to it."""
    other = next(n for s, n in NUMBERS.items() if s != station)
    last = await stranger.fresh(station, station=other)
    stranger.publish(alert_topic(station), stranger.sign(last))
    await demo.row(station, "order.refused", alert=last.alert.hex(), reason="wrong_station")


def raw_order(key: Ed25519PrivateKey, body: bytes) -> bytes:
    return body + key.sign(ORDER_CONTEXT + body)


async def test_what_no_centre_signed_moves_nothing_and_does_not_fill_the_journal(
    demo: RunningDemo, stranger: Stranger
) -> None:
    rises, seq = await demo.rises(KOTA), demo.seq(KOTA)
    good = stranger.sign(await stranger.fresh(KOTA))
    nobody = Ed25519PrivateKey.generate()
    tampered = [good[:at] + bytes([good[at] ^ 0x01]) + good[at + 1 :] for at in range(len(good))]
    forged = [raw_order(nobody, good[:42]), good[:42] + bytes(64), good[:42] + good[-64:][::-1]]
    own_name = await stranger.fresh(KOTA, issuer=key_id(nobody.public_key()))
    garbage = [secrets.token_bytes(n) for n in range(300)] + [b"\x01" + secrets.token_bytes(n) for n in range(150)]
    for payloads in (tampered, forged, [encode_order(own_name, nobody)], garbage[:200], garbage[200:], [good + b"\0"]):
        stranger.flood(alert_topic(KOTA), payloads)
        await judged(demo, stranger, KOTA)  # the broker holds 200 messages for a client, and drops the rest
    for reason in ("version", "length", "unknown_key", "signature"):
        await demo.row(KOTA, "order.refused", after=seq, alert="", path="mqtt", reason=reason)
    assert await demo.rises(KOTA) == rises
    assert not demo.rows(KOTA, "order.accepted", seq)
    assert len(demo.rows(KOTA, "order.refused", seq, alert="")) <= MOST_ROWS
    stranger.publish(alert_topic(KOTA), good)  # and nothing but the tampering was wrong with it
    await demo.row(KOTA, "order.accepted", after=seq, alert=good[6:14].hex())
    assert await demo.rises(KOTA) == rises + 1
    stop = await stranger.fresh(KOTA, action=Action.STOP, alert=good[6:14], pattern=Pattern.NONE, seconds=0)
    stranger.publish(alert_topic(KOTA), stranger.sign(stop))
    await until(lambda: demo.rows(KOTA, "siren.released", seq))


async def test_fields_out_of_range_are_refused_though_the_key_is_right(demo: RunningDemo, stranger: Stranger) -> None:
    rises, seq, key = await demo.rises(PASSO), demo.seq(PASSO), stranger.key(CENTRE)
    good = stranger.sign(await stranger.fresh(PASSO))[:42]
    wrong = {1: 0, 2: 0, 3: 7, **{1 + 256: 9, 2 + 256: 6, 3 + 256: 0}}  # kind, action, pattern
    bodies = [good[: at % 256] + bytes([value]) + good[at % 256 + 1 :] for at, value in wrong.items()]
    bodies += [good[:4] + bytes(2) + good[6:], good[:6] + bytes(8) + good[14:], good[:30] + bytes(4) + good[34:]]
    bodies += [good[:38] + bytes(2) + good[40:]]  # no seconds, no alert, no sequence, no lifetime
    stranger.flood(alert_topic(PASSO), [raw_order(key, body) for body in bodies])
    await judged(demo, stranger, PASSO)
    await demo.row(PASSO, "order.refused", after=seq, alert="", reason="value")
    assert not demo.rows(PASSO, "order.accepted", seq)
    assert await demo.rises(PASSO) == rises


async def test_a_replayed_start_sounds_nothing_while_it_sounds_nor_afterwards(
    demo: RunningDemo, stranger: Stranger
) -> None:
    seq, rises = demo.seq(CENTRE), await demo.rises(PASSO)
    alert = await demo.sound(PASSO)
    start = await stranger.order(PASSO, alert)
    await demo.row(CENTRE, "delivery.energised", after=seq, alert=alert)
    stranger.flood(alert_topic(PASSO), [start] * 20)
    await demo.row(PASSO, "order.refused", alert=alert, reason="replayed")
    stranger.publish(alert_topic(KOTA), start)
    await demo.row(KOTA, "order.refused", alert=alert, reason="wrong_station")
    assert await demo.level(PASSO) == 1
    await demo.ask("alert.stop")
    ended = await stranger.answer(PASSO, what=What.ENDED, alert=bytes.fromhex(alert))
    stop = await stranger.order(PASSO, alert, Action.STOP)
    stranger.flood(alert_topic(PASSO), [start, stop, start])
    await until(lambda: [a for a in stranger.answers(PASSO) if a.what is What.ENDED and a.counter > ended.counter + 1])
    await judged(demo, stranger, PASSO)
    assert (await demo.rises(PASSO), await demo.level(PASSO)) == (rises + 1, 0)
    await demo.row(CENTRE, "alert.ended", after=seq, alert=alert)
    assert len(demo.rows(CENTRE, "delivery.energised", seq)) == len(demo.rows(CENTRE, "delivery.ended", seq)) == 1


async def test_a_start_from_before_the_station_restarted_is_of_another_session(
    demo: RunningDemo, stranger: Stranger
) -> None:
    seq, rises = demo.seq(CENTRE), await demo.rises(KOTA)
    alert = await demo.sound(KOTA, seconds=10)
    start = await stranger.order(KOTA, alert)
    await demo.row(CENTRE, "alert.ended", after=seq, alert=alert)
    await demo.knob("processes", "process.kill", name=f"{KOTA}/core")
    await demo.row(CENTRE, "station.online", after=seq, station=KOTA)
    stranger.publish(alert_topic(KOTA), start)
    await demo.row(KOTA, "order.refused", alert=alert, reason="wrong_session")
    assert await demo.rises(KOTA) == rises + 1


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"issued_at": -LIFETIME - 30}, "expired"),
        ({"issued_at": -0x40000000}, "expired"),
        ({"issued_at": 120}, "future"),
        ({"session": b"\0" * 8}, "wrong_session"),
        ({"session": b"7strange"}, "wrong_session"),
        ({"station": 1}, "wrong_station"),
        ({"sequence": 1}, "replayed"),
    ],
    ids=lambda value: str(value),
)
async def test_a_genuine_signature_does_not_make_an_order_fresh(
    demo: RunningDemo, stranger: Stranger, changes: dict[str, Any], reason: str
) -> None:
    rises = await demo.rises(KOTA)
    order = await stranger.fresh(KOTA)
    if "issued_at" in changes:
        changes = {"issued_at": order.issued_at + changes["issued_at"]}
    order = msgspec.structs.replace(order, **changes)
    stranger.publish(alert_topic(KOTA), stranger.sign(order))
    await demo.row(KOTA, "order.refused", alert=order.alert.hex(), reason=reason, path="mqtt")
    assert await demo.rises(KOTA) == rises


async def test_a_retained_order_is_dropped_now_and_at_each_reconnect(
    demo: RunningDemo, stranger: Stranger, tmp_path: Path
) -> None:
    rises, seq = await demo.rises(PASSO), demo.seq(PASSO)
    order = stranger.sign(await stranger.fresh(PASSO))
    where = demo.where["broker"]
    key, certificate = tmp_path / "key", tmp_path / "certificate"
    key.write_bytes(stranger.credential.key)
    certificate.write_bytes(stranger.credential.certificate)
    put = await asyncio.create_subprocess_exec(
        "mosquitto_pub", "-h", where["host"], "-p", str(where["port"]), "--cafile", where["authority"],
        "--key", key, "--cert", certificate, "-q", "1", "-r", "-t", alert_topic(PASSO), "-s",
        stdin=asyncio.subprocess.PIPE,
    )  # fmt: skip
    await put.communicate(order)
    assert put.returncode == 0
    await demo.row(PASSO, "order.refused", after=seq, reason="retained")
    seq, at_centre = demo.seq(PASSO), demo.seq(CENTRE)
    await demo.knob("net", "net.cut", line=PASSO)
    await demo.row(CENTRE, "station.offline", after=at_centre, station=PASSO)
    await demo.knob("net", "net.restore", line=PASSO)
    await demo.row(PASSO, "order.refused", after=seq, reason="retained", within=40.0)
    stranger.publish(alert_topic(PASSO), b"", retain=True)
    await judged(demo, stranger, PASSO)
    assert not demo.rows(PASSO, "order.accepted", seq)
    assert await demo.rises(PASSO) == rises


@pytest.mark.parametrize("kind", [Kind.DRILL, Kind.SILENT_TEST])
async def test_drills_and_silent_tests_are_taken_and_energise_nothing(
    demo: RunningDemo, stranger: Stranger, kind: Kind
) -> None:
    rises = await demo.rises(KOTA)
    order = await stranger.fresh(KOTA, kind=kind)
    stranger.publish(alert_topic(KOTA), stranger.sign(order))
    await demo.row(KOTA, "order.accepted", alert=order.alert.hex())
    await stranger.answer(KOTA, what=What.ENDED, alert=order.alert)
    said = {a.what for a in stranger.answers(KOTA) if a.alert == order.alert}
    assert said == {What.RECEIVED, What.ENDED}
    assert await demo.rises(KOTA) == rises


async def test_a_sounding_test_energises_nothing_where_the_site_does_not_allow_it(
    demo: RunningDemo, stranger: Stranger
) -> None:
    rises = await demo.rises(KOTA)
    order = await stranger.fresh(KOTA, kind=Kind.SOUNDING_TEST, seconds=2)
    stranger.publish(alert_topic(KOTA), stranger.sign(order))
    await demo.row(KOTA, "order.refused", alert=order.alert.hex(), reason="not_allowed")
    await stranger.answer(KOTA, what=What.REFUSED, alert=order.alert)
    assert await demo.rises(KOTA) == rises


async def test_seconds_beyond_the_stations_own_bound_are_cut_to_it(demo: RunningDemo, stranger: Stranger) -> None:
    seq = demo.seq(KOTA)
    order = await stranger.fresh(KOTA, seconds=0xFFFF, lifetime_s=0xFFFF)
    stranger.publish(alert_topic(KOTA), stranger.sign(order))
    assert (await demo.row(KOTA, "order.accepted", alert=order.alert.hex()))["seconds"] == 600
    assert (await stranger.answer(KOTA, what=What.ENERGISED, alert=order.alert)).remaining_s <= 600
    stop = await stranger.fresh(KOTA, action=Action.STOP, alert=order.alert, pattern=Pattern.NONE, seconds=0)
    stranger.publish(alert_topic(KOTA), stranger.sign(stop))
    await demo.row(KOTA, "siren.released", after=seq)


async def test_by_sms_a_stranger_moves_nothing_and_gets_no_answer(demo: RunningDemo, stranger: Stranger) -> None:
    rises, seq = await demo.rises(KOTA), demo.seq(KOTA)
    expired = await stranger.fresh(KOTA, issued_at=stranger.centre_time() - LIFETIME - 60)
    good = stranger.sign(await stranger.fresh(KOTA))
    for data in (b"junk", good[:-1], good[:-1] + bytes([good[-1] ^ 1]), stranger.sign(expired)):
        await demo.send_sms(data, f"{KOTA}-l1")
    await demo.row(KOTA, "order.refused", after=seq, alert=expired.alert.hex(), reason="expired", path="sms")
    for reason in ("version", "length", "signature"):
        await demo.row(KOTA, "order.refused", after=seq, alert="", reason=reason, path="sms")
    assert not demo.rows(KOTA, "order.accepted", seq)
    assert await demo.rises(KOTA) == rises
    assert not [sms for sms in await demo.knob("mobile", "sms.outbox") if ABROAD[1:] in str(sms)]


async def test_the_journals_of_all_who_were_attacked_are_unbroken(demo: RunningDemo) -> None:
    for node in NODES:
        assert await demo.site.see({"journal": node}) == (True, "unbroken")
