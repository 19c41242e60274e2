"""A signed text by SMS on simulated modems: two parts with a port and an 8-bit reference, in any order or lost."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from lines_box import NUMBERS, World, play

from appliance.alerting.wire_text import Language, Text, TextAbout, decode_text, encode_text
from appliance.keys import key_id
from appliance.lines import ORDER_PORT
from drivers.sim.sms_pdu import deliver
from drivers.sim.sms_text import binary_parts

KEY = Ed25519PrivateKey.from_private_bytes(b"c" * 32)
ISSUERS = {key_id(KEY.public_key()): KEY.public_key()}
CENTRE = "+6281200000009"
WALL = datetime(2026, 11, 26, 2, 0, tzinfo=UTC).timestamp()


def words(alert: bytes) -> bytes:
    text = Text(
        about=TextAbout.ANNOUNCE, language=Language.ID, alert=alert, issuer=key_id(KEY.public_key()), station=7,
        session=b"session.", text="Kebakaran gudang, " * 8,
    )  # fmt: skip
    return encode_text(text, KEY)


def parts(payload: bytes, reference: int, later: float = 0.0) -> list[str]:
    """As the network would hand them on; at most 128 octets of the text each."""
    made = binary_parts(payload, ORDER_PORT, ORDER_PORT, reference)
    assert len(made) == 2
    return [deliver(CENTRE, part, WALL + later, 9 * 3600).hex() for part in made]


def test_words_of_the_longest_form_go_from_modem_to_modem_as_one_message(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        box = await world.start()
        await box.ready()
        payload = words(b"alert..1")
        assert len(payload) > 133
        await box.lines.send_data(NUMBERS["l2"], payload, "alert")
        await box.until(lambda: bool(box.data), "words")
        assert [octets for _, octets in box.data] == [payload]
        assert decode_text(box.data[0][1], ISSUERS).text.startswith("Kebakaran gudang")

    play(tmp_path, story)


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (1, 0, 3, 2), (1, 3, 2, 0), (1, 1, 0, 3, 2)])
def test_parts_out_of_order_twice_and_of_two_messages_mixed_come_out_whole(
    tmp_path: Path, order: tuple[int, ...]
) -> None:
    async def story(world: World) -> None:
        box = await world.start()
        await box.ready()
        first, second = words(b"alert..1"), words(b"alert..2")
        posted = [*parts(first, 7), *parts(second, 8)]
        for place in order:
            await world.network.turn("sms.raw", to="l1", pdu_hex=posted[place])
        await box.until(lambda: len(box.data) >= 2, "both")
        assert {octets for _, octets in box.data} == {first, second}
        assert {number for number, _ in box.data} == {CENTRE}

    play(tmp_path, story)


def test_half_a_text_is_none_and_its_reference_may_come_again(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        box = await world.start()
        await box.ready()
        lost, whole = words(b"alert..1"), words(b"alert..2")
        await world.network.turn("sms.raw", to="l1", pdu_hex=parts(lost, 7)[0])
        for pdu in parts(whole, 7, later=86_400):
            await world.network.turn("sms.raw", to="l1", pdu_hex=pdu)
        await box.until(lambda: bool(box.data), "the second one")
        assert [octets for _, octets in box.data] == [whole], "no half of the one with a half of the other"

    play(tmp_path, story)
