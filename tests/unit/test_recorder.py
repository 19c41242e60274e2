"""The flight recorder of a line: what it keeps, what it costs, what of it another may see, and what it replays."""

import asyncio
import logging
from pathlib import Path

import pytest

from appliance.cli import main
from drivers.modem import recorder as recording
from drivers.modem.at import Response, Urc
from drivers.modem.events import Caller
from drivers.modem.pdu import decode, encode_submit
from drivers.modem.recorder import FROM, NOTE, TO, Record, Recorder, RecordingUnreadable, parse, written
from drivers.modem.redact import redacted
from drivers.modem.replay import replay

RECORDINGS = sorted((Path(__file__).parents[1] / "recordings").glob("*.rec"))
HOW_ARE_YOU = "07911326040000F0040B911346610089F60000208062917314080CC8F71D14969741F977FD07"


def stream(direction: recording.Direction, *chunks: bytes) -> list[Record]:
    return [Record(float(number), direction, chunk) for number, chunk in enumerate(chunks)]


def shown(direction: recording.Direction, *chunks: bytes) -> bytes:
    """What is left of these bytes, whole and torn into single ones."""
    whole = redacted(stream(direction, *chunks))
    torn = redacted(stream(direction, *(bytes([octet]) for octet in b"".join(chunks))))
    left = b"".join(r.data for r in whole)
    assert left == b"".join(r.data for r in torn)
    assert [len(r.data) for r in whole] == [len(chunk) for chunk in chunks], "the same cuts"
    return left


# Keeping


def test_every_byte_comes_back_from_the_text() -> None:
    records = [Record(1.25, FROM, bytes(range(256))), Record(2.5, TO, b" AT\\r \r"), Record(3.0, NOTE, b"lost")]
    assert list(parse(written(records))) == records
    assert written(records).isascii()


def test_a_last_line_that_was_cut_off_is_left_out_and_another_is_named() -> None:
    text = written([Record(1.0, TO, b"AT\r"), Record(2.0, FROM, b"\r\nOK\r\n")])
    for cut in range(1, len("2.0000 < ")):
        assert len(list(parse(text[: text.index("2.0000") + cut]))) == 1
    with pytest.raises(RecordingUnreadable, match=r"line 2: 'nonsense'"):
        list(parse("1.0 > AT\nnonsense\n2.0 > AT\n"))


def test_the_ring_is_bounded_and_keeps_the_newest() -> None:
    line = Recorder(None, lambda: 0.0)
    for number in range(5000):
        line.record(FROM, b"%05d" % number)
    assert sum(len(r.data) + 64 for r in line.recent()) <= recording.RING_BYTES
    assert line.recent()[-1].data == b"04999"
    line.record(FROM, bytes(2 * recording.RING_BYTES))
    assert len(line.recent()) == 1


async def run_once(line: Recorder) -> None:
    task = asyncio.create_task(line.run())
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait({task})
    assert task.cancelled()


async def test_two_files_take_turns_and_only_their_owner_reads_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording, "FILE_BYTES", 400)
    file = tmp_path / "modem" / "l1.rec"
    for number in range(20):
        line = Recorder(file, lambda: 0.0)
        line.record(FROM, b"x" * 100 + b"%02d" % number)
        await run_once(line)
    assert sorted(p.name for p in file.parent.iterdir()) == ["l1.rec", "l1.rec.1"]
    assert all(p.stat().st_size <= 400 and p.stat().st_mode & 0o077 == 0 for p in file.parent.iterdir())
    kept = [r.data[-2:] for place in recording.files_of(file) for r in parse(place.read_text())]
    assert kept == [b"%02d" % number for number in range(20 - len(kept), 20)]


async def test_a_disk_that_fails_costs_the_file_only_and_is_told_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording, "FLUSH_EVERY", 0.001)
    (tmp_path / "modem").write_text("a file where the folder should be")
    line = Recorder(tmp_path / "modem" / "l1.rec", lambda: 0.0)
    task = asyncio.create_task(line.run())
    with caplog.at_level(logging.WARNING):
        async with asyncio.timeout(10):
            while not any("cannot be written" in r.message for r in caplog.records):
                line.record(FROM, b"RING")
                await asyncio.sleep(0.003)
        for _ in range(20):
            line.record(FROM, b"RING")
            await asyncio.sleep(0.003)
    assert not task.done()
    assert len([r for r in caplog.records if "cannot be written" in r.message]) == 1
    (tmp_path / "modem").unlink()
    line.record(FROM, b"back")
    task.cancel()
    await asyncio.wait({task})
    assert list(parse((tmp_path / "modem" / "l1.rec").read_text()))[-1].data == b"back"
    assert line.recent()[-1].data == b"back"


# What another may see


def test_pins_and_passwords_are_taken_out() -> None:
    left = shown(
        TO, b'AT+CPIN="1234"\r', b'AT+CPWD="SC","1234","5678"\r', b'AT+CLCK="SC",1,"1234"\r', b"AT+CPIN=4321\r"
    )
    assert not any(secret in left for secret in (b"1234", b"5678", b"4321"))
    assert left.count(b"AT+CPIN=") == 2


def test_ussd_is_taken_out_in_all_its_codings_and_over_lines() -> None:
    left = shown(FROM, b'\r\n+CUSD: 1,"Pulsa 25.000\r\n1. Beli",15\r\n', b'\r\n+CUSD: 0,"00500075006C0073",72\r\n')
    assert not any(secret in left for secret in (b"Pulsa", b"25", b"Beli", b"00500075"))
    assert left.startswith(b'\r\n+CUSD: 1,"')
    assert left.endswith(b",72\r\n")
    assert b"888" not in shown(TO, b'AT+CUSD=1,"*888*1234#",15\r')


def test_a_number_keeps_its_network_and_its_end() -> None:
    assert shown(FROM, b'\r\n+CLIP: "+6281234567890",145\r\n') == b'\r\n+CLIP: "+6281000000090",145\r\n'
    assert shown(FROM, b"490154203237518\r\n") == b"490150000000018\r\n"
    assert shown(FROM, b'+CSQ: 20,99\r\n+CMTI: "SM",12\r\n') == b'+CSQ: 20,99\r\n+CMTI: "SM",12\r\n'


def test_a_received_message_keeps_its_headers_and_loses_its_text_and_number() -> None:
    said = f"\r\n+CMGR: 0,,30\r\n{HOW_ARE_YOU}\r\n\r\nOK\r\n".encode()
    left = shown(FROM, said[:40], said[40:]).split(b"\r\n")
    before = decode(bytes.fromhex(HOW_ARE_YOU), has_smsc=True, direction="deliver")
    after = decode(bytes.fromhex(left[2].decode()), has_smsc=True, direction="deliver")
    assert (after.timestamp, after.text != before.text) == (before.timestamp, True)
    assert (after.number[:4], after.number[5:-2].strip("0")) == (before.number[:4], "")


@pytest.mark.parametrize("text", ["Api di pasar", "Kebakaran! 🔥" * 20, "x" * 400])
def test_each_part_of_a_sent_message_loses_its_text_and_stays_a_part(text: str) -> None:
    parts = encode_submit("+6281234567890", text, None, reference=7)
    for number, part in enumerate(parts, 1):
        left = shown(TO, part.hex.encode() + b"\x1a").decode().rstrip("\x1a")
        before, after = (decode(bytes.fromhex(p), has_smsc=True, direction="submit") for p in (part.hex, left))
        assert (after.mr, after.dcs, after.pid) == (before.mr, before.dcs, before.pid)
        assert len(left) == len(part.hex)
        concatenation = f"05000307{len(parts):02X}{number:02X}"
        assert (concatenation in left) == (concatenation in part.hex) == (len(parts) > 1)
        assert not set(after.text or "") & set("Apikx🔥")
        assert "456" not in after.number


def test_hex_that_is_no_message_is_blanked_whole() -> None:
    secret = "41" * 40
    assert secret[8:] not in shown(FROM, f"\r\n+CMT: ,30\r\n07{secret}\r\n".encode()).decode()
    assert "halo" not in shown(FROM, b'\r\n+CMT: "+62811",,"26/11/21"\r\nhalo semua\r\n').decode()


# Replay


def test_a_late_answer_is_replayed_as_it_was() -> None:
    records = [
        Record(1.0, TO, b"AT+CMEE?\r"), Record(1.1, FROM, b"\r\n+CMEE: 1\r\n\r\nOK\r\n"),
        Record(2.0, TO, b"AT+CSQ\r"), Record(6.0, TO, b"AT+CMEE?\r"),
        Record(6.1, FROM, b"\r\n+CSQ: 20,99\r\n\r\nOK\r\n\r\n+CME"), Record(6.2, FROM, b"E: 1\r\n\r\nOK\r\n"),
        Record(7.0, TO, b"AT+CREG?\r"), Record(7.1, FROM, b'\r\nRING\r\n\r\n+CLIP: "+62811",145\r\n'),
        Record(7.2, FROM, b"\r\n+CREG: 2,1\r\n\r\nOK\r\n"),
    ]  # fmt: skip
    steps = list(replay(records))
    assert not [s for s in steps if s.flaw]
    assert [s.told.final for s in steps if isinstance(s.told, Response)] == ["OK"]
    assert [s.at for s in steps if isinstance(s.told, Urc)] == [7.1, 7.1]
    assert [s.told for s in steps if isinstance(s.told, Caller)] == [Caller("+62811")]


def test_what_the_engine_would_not_do_now_is_a_flaw() -> None:
    ready = [Record(1.0, TO, b"AT+CMEE?\r"), Record(1.1, FROM, b"\r\n+CMEE: 1\r\n\r\nOK\r\n")]
    twice = [*ready, Record(2.0, TO, b"AT+CSQ\r"), Record(2.1, TO, b"AT+CREG?\r")]
    assert [s.at for s in replay(twice) if s.flaw] == [2.1]
    assert "still open" in next(s.flaw for s in replay(twice) if s.flaw)
    assert [s.flaw for s in replay([*ready, Record(2.0, TO, b"nonsense\r")]) if s.flaw]


def test_a_recording_that_begins_in_the_middle_begins_where_it_got_in_step() -> None:
    records = [Record(0.1, TO, b"AT+CSQ\r"), Record(0.2, FROM, b"RING\r\nOK\r\n"), Record(1.0, TO, b"AT+CMEE?\r")]
    assert list(replay(records)) == []


@pytest.mark.parametrize("file", RECORDINGS, ids=lambda f: f.stem)
def test_each_kept_recording_tells_the_same_again(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["modem", "replay", str(file)]) == 0
    assert capsys.readouterr()[0] == file.with_suffix(".told").read_text(), "made by: siaga modem replay FILE"


def test_there_is_a_recording_of_a_rough_day() -> None:
    told = (RECORDINGS[0].with_suffix(".told")).read_text()
    assert all(word in told for word in ("port the port was opened", "Resynced", "Caller(", "CallEnded", "no flaw"))
