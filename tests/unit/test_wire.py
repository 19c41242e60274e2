"""The codec against vectors made by another hand: widths written out one by one, keys and signatures by OpenSSL."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from appliance.alerting import wire
from appliance.alerting.wire import Action, Answer, Flaw, Kind, Order, Pattern, Reason, Supply, What, WireError
from appliance.alerting.wire_health import (
    HEALTH_SIZE,
    ClockQuality,
    Fault,
    Health,
    decode_health,
    encode_health,
    fault_names,
    is_health,
)
from appliance.alerting.wire_text import (
    LARGEST_TEXT,
    Language,
    Text,
    TextAbout,
    decode_text,
    encode_text,
    is_text,
)
from appliance.keys import (
    KeyFileError,
    create_key,
    key_id,
    load_key,
    public_hex,
    public_key,
)

VECTORS = json.loads((Path(__file__).parent / "order_vectors.json").read_text())
KEYS = {name: Ed25519PrivateKey.from_private_bytes(bytes.fromhex(key["seed"])) for name, key in VECTORS["keys"].items()}
ISSUERS = {key_id(KEYS[name].public_key()): KEYS[name].public_key() for name in ("centre A", "centre B")}
STATIONS = {
    int(number): {key_id(KEYS[name].public_key()): KEYS[name].public_key()}
    for number, name in VECTORS["stations"].items()
}
ENUMERATIONS = {
    "kind": Kind,
    "action": Action,
    "pattern": Pattern,
    "what": What,
    "reason": Reason,
    "supply": Supply,
    "about": TextAbout,
    "language": Language,
    "clock_quality": ClockQuality,
}
IDS = ("alert", "session")


def fields(vector: dict[str, Any]) -> dict[str, Any]:
    read = {name: ENUMERATIONS[name][value.upper()] for name, value in vector.items() if name in ENUMERATIONS}
    ids = {name: bytes.fromhex(vector[name]) for name in IDS if name in vector}
    faults = vector.get("faults")
    bits = {} if faults is None else {"faults": Fault(sum(Fault[name.upper()] for name in faults))}
    return {**vector, **read, **ids, **bits}


def titled(kind: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("vector", VECTORS[kind], ids=lambda vector: vector["title"])


@pytest.mark.parametrize("name", KEYS)
def test_a_key_has_the_public_half_and_the_id_that_openssl_and_sha256_give(name: str) -> None:
    assert public_hex(KEYS[name]) == VECTORS["keys"][name]["public"]
    assert key_id(KEYS[name].public_key()) == VECTORS["keys"][name]["id"]


@titled("orders")
def test_an_order_is_the_same_octets_as_its_vector_both_ways(vector: dict[str, Any]) -> None:
    order = Order(**fields(vector["fields"]))
    data = bytes.fromhex(vector["body"] + vector["signature"])
    assert wire.encode_order(order, KEYS[vector["signer"]]) == data
    assert wire.decode_order(data, ISSUERS) == order


@titled("answers")
def test_an_answer_is_the_same_octets_as_its_vector_both_ways(vector: dict[str, Any]) -> None:
    answer = Answer(**fields(vector["fields"]))
    data = bytes.fromhex(vector["body"] + vector["signature"])
    assert wire.encode_answer(answer, KEYS[vector["signer"]]) == data
    assert wire.decode_answer(data, STATIONS) == answer


@titled("texts")
def test_a_text_is_the_same_octets_as_its_vector_both_ways(vector: dict[str, Any]) -> None:
    text = Text(**fields(vector["fields"]))
    data = bytes.fromhex(vector["body"] + vector["signature"])
    assert encode_text(text, KEYS[vector["signer"]]) == data
    assert decode_text(data, ISSUERS) == text


@titled("healths")
def test_a_health_is_the_same_octets_as_its_vector_both_ways(vector: dict[str, Any]) -> None:
    health = Health(**fields(vector["fields"]))
    data = bytes.fromhex(vector["body"] + vector["signature"])
    assert encode_health(health, KEYS[vector["signer"]]) == data
    assert decode_health(data, STATIONS) == health
    assert list(fault_names(health.faults)) == sorted(vector["fields"]["faults"])


@titled("flawed")
def test_flawed_octets_are_refused_for_their_flaw(vector: dict[str, Any]) -> None:
    data = bytes.fromhex(vector["data"])
    decode: Callable[[], object] = {
        "order": lambda: wire.decode_order(data, ISSUERS),
        "answer": lambda: wire.decode_answer(data, STATIONS),
        "text": lambda: decode_text(data, ISSUERS),
        "health": lambda: decode_health(data, STATIONS),
    }[vector["as"]]
    with pytest.raises(WireError) as refusal:
        decode()
    assert refusal.value.flaw == vector["flaw"]


def test_what_must_arrive_fits_one_binary_sms_with_its_port_header_and_a_text_fits_two() -> None:
    assert (wire.ORDER_SIZE, wire.ZONED_SIZE, wire.ANSWER_SIZE, HEALTH_SIZE) == (106, 108, 118, 110)
    assert max(wire.ORDER_SIZE, wire.ZONED_SIZE, wire.ANSWER_SIZE, HEALTH_SIZE) <= 120
    assert LARGEST_TEXT == 252 <= 2 * (140 - 12)  # a header with ports and parts has 12 octets


def test_the_first_octet_tells_whether_it_is_an_order_a_text_an_answer_or_a_health() -> None:
    first = {kind: {bytes.fromhex(row["body"])[:1] for row in VECTORS[kind]} for kind in ("orders", "answers")}
    assert first == {"orders": {b"\1", b"\2"}, "answers": {b"\x81"}}
    text, health = bytes.fromhex(VECTORS["texts"][0]["body"]), bytes.fromhex(VECTORS["healths"][0]["body"])
    assert is_text(text)
    assert is_health(health)
    assert not any(is_text(octets) or is_health(octets) for octets in (b"", b"\1", b"\2", b"\x81"))
    assert not is_text(health)
    assert not is_health(text)


def an_order(**changes: Any) -> Order:
    return msgspec.structs.replace(Order(**fields(VECTORS["orders"][1]["fields"])), **changes)


def an_answer(**changes: Any) -> Answer:
    return msgspec.structs.replace(Answer(**fields(VECTORS["answers"][2]["fields"])), **changes)


@pytest.mark.parametrize("zones", [0, 3])
def test_each_changed_bit_of_an_order_is_noticed(zones: int) -> None:
    data = wire.encode_order(an_order(zones=zones), KEYS["centre A"])
    for bit in range(len(data) * 8):
        changed = bytearray(data)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises(WireError):
            wire.decode_order(bytes(changed), ISSUERS)


@pytest.mark.parametrize(
    "changes",
    [
        {"seconds": 65536},
        {"seconds": -1},
        {"sequence": 1 << 32},
        {"station": -1},
        {"issued_at": 1 << 32},
        {"lifetime_s": 65536},
        {"incident": 65536},
        {"zones": 65536},
        {"zones": -1},
        {"alert": b"seven.."},
        {"alert": b"nine....."},
        {"session": b""},
    ],
)
def test_a_field_that_does_not_fit_is_refused_before_it_is_signed(changes: dict[str, Any]) -> None:
    with pytest.raises(WireError) as refusal:
        wire.encode_order(an_order(**changes), KEYS["centre A"])
    assert refusal.value.flaw is Flaw.VALUE


@pytest.mark.parametrize("changes", [{"since_s": 65536}, {"battery": 256}, {"counter": 1 << 32}, {"session": b"short"}])
def test_a_field_of_an_answer_that_does_not_fit_is_refused_before_it_is_signed(changes: dict[str, Any]) -> None:
    with pytest.raises(WireError) as refusal:
        wire.encode_answer(an_answer(**changes), KEYS["station 7"])
    assert refusal.value.flaw is Flaw.VALUE


@pytest.mark.parametrize("changes", [{"text": ""}, {"text": "é" * 81}, {"text": "\ud83d"}, {"text": "a\0"}])
def test_words_that_do_not_fit_are_refused_before_they_are_signed(changes: dict[str, Any]) -> None:
    text = msgspec.structs.replace(Text(**fields(VECTORS["texts"][0]["fields"])), **changes)
    with pytest.raises(WireError) as refusal:
        encode_text(text, KEYS["centre A"])
    assert refusal.value.flaw is Flaw.VALUE


def test_nobody_signs_in_the_name_of_another_key() -> None:
    with pytest.raises(WireError, match="462d1ebf"):
        wire.encode_order(an_order(), KEYS["centre B"])
    with pytest.raises(WireError):
        wire.encode_answer(an_answer(), KEYS["centre A"])


def test_one_station_cannot_answer_as_another() -> None:
    forged = wire.encode_answer(an_answer(station=8), KEYS["station 7"])
    with pytest.raises(WireError) as refusal:
        wire.decode_answer(
            forged, {**STATIONS, 8: {key_id(KEYS["centre B"].public_key()): KEYS["centre B"].public_key()}}
        )
    assert refusal.value.flaw is Flaw.UNKNOWN_KEY


def test_a_hello_carries_the_counter_that_it_answers() -> None:
    hello = Order(**fields(VECTORS["orders"][0]["fields"]))
    assert hello.alert == wire.hello_id(1, bytes.fromhex("deadbeef"))
    assert wire.asked_counter(hello) == 1
    for counter, nonce in ((0, b"four"), (1 << 32, b"four"), (1, b"five5")):
        with pytest.raises(WireError):
            wire.hello_id(counter, nonce)


def test_a_stored_key_is_read_back_and_only_its_owner_may_read_it(tmp_path: Path) -> None:
    path = tmp_path / "station.key"
    key = create_key(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert public_hex(load_key(path)) == public_hex(key)
    assert path.read_text() == key.private_bytes_raw().hex() + "\n"
    assert public_key(public_hex(key), "here") == key.public_key()
    assert list(tmp_path.iterdir()) == [path]


def test_a_key_is_never_written_over(tmp_path: Path) -> None:
    path = tmp_path / "station.key"
    create_key(path)
    before = path.read_text()
    with pytest.raises(KeyFileError, match="already there"):
        create_key(path)
    assert path.read_text() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_key_that_others_may_read_is_not_used(tmp_path: Path) -> None:
    path = tmp_path / "station.key"
    create_key(path)
    path.chmod(0o640)
    with pytest.raises(KeyFileError, match="chmod 600"):
        load_key(path)


@pytest.mark.parametrize("text", ["", "00" * 31, "00" * 33, "00 " * 32, "zz" * 32, "\0" * 65, "é" * 32])
def test_a_damaged_key_file_is_no_key(tmp_path: Path, text: str) -> None:
    path = tmp_path / "station.key"
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(KeyFileError, match=r"station\.key"):
        load_key(path)
    with pytest.raises(KeyFileError, match="site"):
        public_key(text, "site demo")


def test_a_missing_key_file_and_a_missing_directory_are_said_by_name(tmp_path: Path) -> None:
    with pytest.raises(KeyFileError, match=r"none\.key"):
        load_key(tmp_path / "none.key")
    with pytest.raises(KeyFileError, match=r"none\.key"):
        create_key(tmp_path / "nowhere" / "none.key")
