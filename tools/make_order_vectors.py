"""Writes tests/unit/order_vectors.json: messages of docs/order-format.md, made by another hand than ours.

It shares no code with the product: widths by int.to_bytes, keys and signatures by the `openssl` command (3.0 or
later). Ed25519 gives the same signature each time, so a second run changes nothing.
"""

import hashlib
import json
import subprocess
import tempfile
from pathlib import Path
from typing import Any

Fields = dict[str, Any]
VECTORS = Path("tests/unit/order_vectors.json")
SEEDS = {
    name: hashlib.sha256(f"siaga vector {name}".encode()).digest() for name in ("centre A", "centre B", "station 7")
}
PKCS8 = bytes.fromhex("302e020100300506032b657004220420")  # what stands before an Ed25519 seed, RFC 8410
ORDER_OF_THE_GROUP = 2**252 + 27742317777372353535851937790883648493

NAMES = {
    "kind": "none actual sounding_test silent_test drill",
    "action": "- start stop hello lock unlock",
    "pattern": "none steady wail yelp pulse alternating morse",
    "what": "- session alive received energised proven acknowledged silenced ended refused heard locked unlocked",
    "reason": "none wrong_session no_time expired future replayed unknown_issuer wrong_station not_allowed bounded "
    "late_start_stopped hardware locked_out",
    "supply": "unknown mains battery generator",
    "about": "- announce all_clear false_alarm notice notice_over lockout",
    "language": "- id en",
    "clock_quality": "unknown ntp gps nitz held",
}
FAULT_BITS = (
    "siren_line siren_stuck no_current not_heard annunciator disk supply_low on_battery tamper door centre_silent "
    "modem broker clock audio key_old button_stuck press_barred"
)
FAULTS = FAULT_BITS.split()
LAYOUTS = {
    "order": "version1 kind1 action1 pattern1 seconds2 alert8 issuer4 station4 session8 sequence4 issued_at4 "
    "lifetime_s2 incident2",
    "answer": "version1 what1 reason1 supply1 battery1 pattern1 alert8 station4 key4 session8 issuer4 sequence4 "
    "highest4 counter4 uptime_s4 since_s2 remaining_s2",
    "text": "version1 about1 language1 length1 alert8 issuer4 station4 session8",
    "health": "version1 supply1 battery1 disk_free_percent1 clock_quality1 spare1 station4 key4 session8 counter4 "
    "uptime_s4 faults4 supply_mv2 cert_days2 key_days2 lock_minutes2 wall4",
}
VERSIONS = {"order": 1, "answer": 0x81, "text": 0x40, "health": 0x82}
CONTEXTS = {form: f"siaga {form} 1\0".encode() for form in LAYOUTS}


def openssl(*words: str, key: str, work: Path) -> bytes:
    (work / "key").write_bytes(PKCS8 + SEEDS[key])
    command = ["openssl", *(word.replace("%", str(work)) for word in words)]
    return subprocess.run(command, check=True, capture_output=True).stdout


def number(name: str, value: Any) -> int:
    if name == "faults" and isinstance(value, list):
        return sum(1 << FAULTS.index(fault) for fault in value)
    return NAMES[name].split().index(value) if isinstance(value, str) else int(value)


def body(form: str, fields: Fields) -> bytes:
    octets = b""
    for part in LAYOUTS[form].split() + (["zones2"] if form == "order" and "zones" in fields else []):
        name, width = part[:-1], int(part[-1])
        value = fields[name]
        octets += bytes.fromhex(value) if width == 8 else number(name, value).to_bytes(width, "big")
    if form == "text":
        octets += bytes.fromhex(fields["raw"]) if "raw" in fields else fields["text"].encode()
    return octets


class Maker:
    """Signs messages with the three keys."""

    def __init__(self, work: Path) -> None:
        self._work = work
        self.keys: dict[str, Fields] = {}
        for name, seed in SEEDS.items():
            der = openssl("pkey", "-inform", "DER", "-in", "%/key", "-pubout", "-outform", "DER", key=name, work=work)
            digest = hashlib.sha256(der[-32:]).digest()
            key_number = int.from_bytes(digest[:4], "big")
            self.keys[name] = {"seed": seed.hex(), "public": der[-32:].hex(), "id": key_number}

    def sign(self, name: str, message: bytes) -> bytes:
        (self._work / "message").write_bytes(message)
        words = "pkeyutl", "-sign", "-rawin", "-keyform", "DER", "-inkey", "%/key", "-in", "%/message"
        return openssl(*words, key=name, work=self._work)

    def whole(self, form: str, fields: Fields, signer: str = "", context: bytes | None = None) -> bytes:
        """Signed; `version`, `length` and `spare` are filled in where `fields` do not say otherwise."""
        version = 2 if form == "order" and "zones" in fields else VERSIONS[form]
        filled = {"version": version, "spare": 0, **fields}
        if form == "text":
            filled = {
                "length": len(bytes.fromhex(fields["raw"]) if "raw" in fields else fields["text"].encode())
            } | filled
        octets = body(form, filled)
        signer = signer or ("station 7" if form in ("answer", "health") else "centre A")
        return octets + self.sign(signer, (CONTEXTS[form] if context is None else context) + octets)


def main() -> None:
    with tempfile.TemporaryDirectory() as work:
        maker = Maker(Path(work))
        a, b, s = (maker.keys[name]["id"] for name in SEEDS)
        good = messages(a, b, s)
        out: dict[str, Any] = {"keys": maker.keys, "stations": {"7": "station 7"}}
        for form, rows in good.items():
            out[f"{form}s"] = []
            for title, signer, fields in rows:
                octets = maker.whole(form, fields, signer)
                row = {"title": title, "signer": signer, "fields": fields}
                out[f"{form}s"].append(row | {"body": octets[:-64].hex(), "signature": octets[-64:].hex()})
        out["flawed"] = [
            {"title": title, "as": form, "data": octets.hex(), "flaw": flaw}
            for title, form, octets, flaw in flawed(maker, good, a)
        ]
    VECTORS.write_text(json.dumps(out, indent=1) + "\n")
    print(f"{VECTORS}: {', '.join(f'{len(out[name])} {name}' for name in out)}")


def messages(a: int, b: int, s: int) -> dict[str, list[tuple[str, str, Fields]]]:
    session, alert, lock = "5e551011a7a7a7a7", "a1e27000c0ffee01", "10c4000000000001"
    top4, top2 = 4294967295, 65535
    hello = {
        "action": "hello", "kind": "none", "pattern": "none", "seconds": 0, "alert": "00000001deadbeef", "issuer": a,
        "station": 7, "session": session, "sequence": 1, "issued_at": 1767225599, "lifetime_s": 0, "incident": 0,
    }  # fmt: skip
    start = hello | {
        "action": "start", "kind": "actual", "pattern": "wail", "seconds": 90, "alert": alert, "sequence": 2,
        "issued_at": 1767225600, "lifetime_s": 300, "incident": 112,
    }  # fmt: skip
    stop = start | {"action": "stop", "pattern": "none", "seconds": 0, "issuer": b, "sequence": 9}
    locking = stop | {"action": "lock", "kind": "none", "seconds": 480, "alert": lock, "issuer": a, "incident": 3}
    largest = {
        "kind": "silent_test", "pattern": "yelp", "seconds": top2, "alert": "ff" * 8, "station": top4,
        "session": "ff" * 8, "sequence": top4, "issued_at": top4, "lifetime_s": top2, "incident": top2,
    }  # fmt: skip
    orders = [
        ("hello to the session announced under counter 1", "centre A", hello),
        ("start of an actual alert", "centre A", start),
        ("stop of that alert by the other centre", "centre B", stop | {"issued_at": 1767225660}),
        ("drill", "centre A", start | {"kind": "drill", "pattern": "pulse", "seconds": 10, "sequence": 3}),
        ("every number at its largest", "centre A", start | largest),
        ("start in the first and the third zone", "centre A", start | {"zones": 5, "sequence": 4}),
        ("every number of a zoned order at its largest", "centre A", start | largest | {"zones": top2}),
        ("start in morse", "centre A", start | {"pattern": "morse", "sequence": 5}),
        ("start of alternating lights", "centre A", start | {"pattern": "alternating", "sequence": 6}),
        ("lock for eight hours", "centre A", locking | {"sequence": 7, "issued_at": 1767225700}),
        (
            "unlock",
            "centre A",
            locking | {"action": "unlock", "seconds": 0, "incident": 0, "sequence": 8, "issued_at": 1767225800},
        ),
    ]
    announced = {
        "what": "session", "reason": "none", "supply": "unknown", "battery": 255, "pattern": "none",
        "alert": "00" * 8, "station": 7, "key": s, "session": session, "issuer": 0, "sequence": 0, "highest": 0,
        "counter": 1, "uptime_s": 3, "since_s": 0, "remaining_s": 0,
    }  # fmt: skip
    energised = announced | {
        "what": "energised", "supply": "battery", "battery": 87, "pattern": "wail", "alert": alert, "issuer": a,
        "sequence": 2, "highest": 2, "counter": 3, "uptime_s": 10, "since_s": 1, "remaining_s": 89,
    }  # fmt: skip
    alive = {
        "what": "alive", "supply": "mains", "battery": 100, "alert": "00000001deadbeef", "issuer": a, "sequence": 1,
        "highest": 1, "counter": 2, "uptime_s": 4,
    }  # fmt: skip
    late = {
        "what": "refused", "reason": "expired", "supply": "generator", "battery": 100, "alert": alert, "issuer": a,
        "sequence": 2, "highest": 1, "counter": 4, "uptime_s": 3700,
    }  # fmt: skip
    locked = announced | {"what": "locked", "alert": lock, "issuer": a, "sequence": 7, "highest": 7, "counter": 6}
    answers = [
        ("announcement of a session", "station 7", announced),
        ("alive, to a hello", "station 7", announced | alive),
        ("energised", "station 7", energised),
        ("refused, of an hour ago", "station 7", announced | late),
        ("heard by a microphone", "station 7", energised | {"what": "heard", "counter": 5, "since_s": 0}),
        ("locked out", "station 7", locked),
        (
            "refused by the lockout",
            "station 7",
            locked | {"what": "refused", "reason": "locked_out", "alert": alert, "counter": 7},
        ),
        ("unlocked", "station 7", locked | {"what": "unlocked", "sequence": 8, "highest": 8, "counter": 8}),
    ]
    words = {"about": "announce", "language": "id", "alert": alert, "issuer": a, "station": 7, "session": session}
    texts = [
        ("announcement", "centre A", words | {"text": "Kebakaran gudang, Jalan Yos Sudarso 12, Ambon"}),
        (
            "all clear, in English and with letters beyond ASCII",
            "centre A",
            words | {"about": "all_clear", "language": "en", "text": "All clear — café Résumé 🚒"},
        ),
        ("false alarm of one letter", "centre B", words | {"about": "false_alarm", "issuer": b, "text": "X"}),
        ("whose a lockout is and why", "centre A", words | {"about": "lockout", "text": "Rina: relai diganti"}),
        ("the longest", "centre A", words | {"station": top4, "session": "ff" * 8, "text": "é" * 80}),
    ]
    plain = {
        "supply": "unknown", "battery": 255, "disk_free_percent": 255, "clock_quality": "unknown", "station": 7,
        "key": s, "session": session, "counter": 9, "uptime_s": 60, "faults": [], "supply_mv": 0, "cert_days": top2,
        "key_days": top2, "lock_minutes": 0, "wall": 0,
    }  # fmt: skip
    healths = [
        ("nothing known and nothing wrong", "station 7", plain),
        (
            "a cut siren cable on battery, locked out",
            "station 7",
            plain
            | {
                "supply": "battery", "battery": 64, "disk_free_percent": 81, "clock_quality": "held", "counter": 10,
                "uptime_s": 86400, "faults": ["no_current", "not_heard", "on_battery", "broker"], "supply_mv": 12150,
                "cert_days": 364, "key_days": 12, "lock_minutes": 480, "wall": 1767225600,
            },
        ),
        (
            "every number at its largest",
            "station 7",
            plain
            | {
                "supply": "generator", "battery": 100, "disk_free_percent": 100, "session": "ff" * 8,
                "counter": top4, "uptime_s": top4, "faults": FAULTS, "supply_mv": top2, "lock_minutes": top2,
                "wall": top4,
            },
        ),
    ]  # fmt: skip
    return {"order": orders, "answer": answers, "text": texts, "health": healths}


def flawed(maker: Maker, good: dict[str, list[tuple[str, str, Fields]]], a: int) -> list[tuple[str, str, bytes, str]]:
    rows: list[tuple[str, str, bytes, str]] = []
    hello, start, lock, unlock = (good["order"][i][2] for i in (0, 1, 9, 10))
    answer, text, health = good["answer"][0][2], good["text"][0][2], good["health"][0][2]
    whole = {
        "order": maker.whole("order", start),
        "answer": maker.whole("answer", answer),
        "text": maker.whole("text", text),
        "health": maker.whole("health", health),
    }
    zoned = maker.whole("order", start | {"zones": 1})
    for form, octets in whole.items():
        rows += [
            (f"nothing, as {form}", form, b"", "length"),
            (f"{form} one octet short", form, octets[:-1], "length"),
            (f"{form} one octet long", form, octets + b"\0", "length"),
            (f"{form} of its first octet alone", form, octets[:1], "length"),
            (
                f"{form} signed without the context",
                form,
                maker.whole(form, row_fields(good, form), "", b""),
                "signature",
            ),
        ]
        for other in whole:
            if other != form:
                rows.append((f"{other} where {form} is expected", form, whole[other], "version"))
                mixed = maker.whole(form, row_fields(good, form), "", CONTEXTS[other])
                rows.append((f"{form} signed with the context of {other}", form, mixed, "signature"))
    ends = int.from_bytes(whole["order"][-32:], "little") + ORDER_OF_THE_GROUP
    by_drill = maker.whole("order", start | {"kind": "drill"})
    rows += [
        ("version 3", "order", maker.whole("order", start | {"version": 3}), "version"),
        ("version 1 with the length of version 2", "order", b"\1" + zoned[1:], "length"),
        ("version 2 with the length of version 1", "order", b"\2" + whole["order"][1:], "length"),
        ("zones cut off on the way", "order", b"\1" + zoned[1:42] + zoned[44:], "signature"),
        ("zones changed on the way", "order", zoned[:43] + b"\3" + zoned[44:], "signature"),
        ("drill made actual on its way", "order", by_drill[:1] + b"\1" + by_drill[2:], "signature"),
        (
            "signature with S + L, which RFC 8032 forbids",
            "order",
            whole["order"][:-32] + ends.to_bytes(32, "little"),
            "signature",
        ),
        ("centre B signs in the name of centre A", "order", maker.whole("order", start, "centre B"), "signature"),
        ("centre B writes in the name of centre A", "text", maker.whole("text", text, "centre B"), "signature"),
        ("a key that nobody enrolled", "order", maker.whole("order", start | {"issuer": 1}), "unknown_key"),
        ("words of a key that nobody enrolled", "text", maker.whole("text", text | {"issuer": 1}), "unknown_key"),
        ("a letter changed on the way", "text", whole["text"][:28] + b"k" + whole["text"][29:], "signature"),
        ("a length of 0", "text", maker.whole("text", text | {"text": ""}), "length"),
        ("a length of 161", "text", maker.whole("text", text | {"text": "x" * 161}), "length"),
        ("a length that tells less than there is", "text", maker.whole("text", text | {"length": 9}), "length"),
        ("a length that tells more than there is", "text", maker.whole("text", text | {"length": 160}), "length"),
    ]
    for form in ("answer", "health"):
        fields = row_fields(good, form)
        rows += [
            (f"{form} of a station nobody enrolled", form, maker.whole(form, fields | {"station": 8}), "unknown_key"),
            (
                f"{form} of station 7 that names another key",
                form,
                maker.whole(form, fields | {"key": a}, "centre A"),
                "unknown_key",
            ),
        ]
    wrong: list[tuple[str, str, Fields, Fields]] = [
        ("unknown kind 5", "order", start, {"kind": 5}),
        ("a start of no kind", "order", start, {"kind": "none"}),
        ("unknown action 0", "order", start, {"action": 0}),
        ("unknown action 6", "order", start, {"action": 6}),
        ("unknown pattern 7", "order", start, {"pattern": 7}),
        ("a start without pattern", "order", start, {"pattern": "none"}),
        ("a start of 0 s", "order", start, {"seconds": 0}),
        ("a start of no alert", "order", start, {"alert": "00" * 8}),
        ("sequence 0", "order", start, {"sequence": 0}),
        ("lifetime 0", "order", start, {"lifetime_s": 0}),
        ("a stop with a pattern", "order", start, {"action": "stop", "seconds": 0}),
        ("a stop with seconds", "order", start, {"action": "stop", "pattern": "none"}),
        ("a zoned order of no zone", "order", start, {"zones": 0}),
        ("a stop with zones", "order", start, {"action": "stop", "pattern": "none", "seconds": 0, "zones": 1}),
        ("a hello with zones", "order", hello, {"zones": 1}),
        ("a hello with a kind", "order", hello, {"kind": "actual"}),
        ("a hello with an incident", "order", hello, {"incident": 1}),
        ("a hello that names no counter", "order", hello, {"alert": "00000000deadbeef"}),
        ("a lock with a kind", "order", lock, {"kind": "actual"}),
        ("a lock with a pattern", "order", lock, {"pattern": "wail"}),
        ("a lock of 0 minutes", "order", lock, {"seconds": 0}),
        ("a lock of no id", "order", lock, {"alert": "00" * 8}),
        ("a lock with zones", "order", lock, {"zones": 1}),
        ("a lock without lifetime", "order", lock, {"lifetime_s": 0}),
        ("an unlock with minutes", "order", unlock, {"seconds": 1}),
        ("an unlock with a reason", "order", unlock, {"incident": 1}),
        ("unknown what 0", "answer", answer, {"what": 0}),
        ("unknown what 13", "answer", answer, {"what": 13}),
        ("unknown reason 13", "answer", answer, {"reason": 13}),
        ("unknown supply 4", "answer", answer, {"supply": 4}),
        ("unknown pattern 7 in an answer", "answer", answer, {"pattern": 7}),
        ("a battery of 101 percent", "answer", answer, {"battery": 101}),
        ("counter 0", "answer", answer, {"counter": 0}),
        ("session of zeros", "answer", answer, {"session": "00" * 8}),
        ("a refusal without a reason", "answer", answer, {"what": "refused"}),
        ("unknown_issuer, which is never sent", "answer", answer, {"what": "refused", "reason": "unknown_issuer"}),
        ("unknown about 0", "text", text, {"about": 0}),
        ("unknown about 7", "text", text, {"about": 7}),
        ("unknown language 3", "text", text, {"language": 3}),
        ("words for no alert", "text", text, {"alert": "00" * 8}),
        ("words that are no UTF-8", "text", text, {"raw": "4170c3"}),
        ("words with half a surrogate", "text", text, {"raw": "eda080"}),
        ("words with a line break", "text", text, {"text": "Api\nUJI"}),
        ("words with an escape", "text", text, {"text": "\x1b[2J"}),
        ("a spare octet in use", "health", health, {"spare": 1}),
        ("an unknown fault", "health", health, {"faults": 1 << 18}),
        ("unknown supply 4 in a health", "health", health, {"supply": 4}),
        ("unknown quality 5 of the clock", "health", health, {"clock_quality": 5}),
        ("a battery of 101 percent in a health", "health", health, {"battery": 101}),
        ("a disk of 101 percent", "health", health, {"disk_free_percent": 101}),
        ("counter 0 of a health", "health", health, {"counter": 0}),
        ("session of zeros in a health", "health", health, {"session": "00" * 8}),
    ]
    rows += [(title, form, maker.whole(form, fields | change), "value") for title, form, fields, change in wrong]
    return rows


def row_fields(good: dict[str, list[tuple[str, str, Fields]]], form: str) -> Fields:
    return good[form][1 if form == "order" else 0][2]


if __name__ == "__main__":
    main()
