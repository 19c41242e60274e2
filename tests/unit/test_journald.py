"""What journald is told, read from a socket that stands in its place; and that nobody waits for it."""

import asyncio
import logging
import os
import socket
import struct
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from appliance import core_log, logs
from appliance.alert_events import DeliveryEnergised
from appliance.call_events import CallDialled, CallerBlocked
from appliance.core_log import Teller
from appliance.entry import Entry
from appliance.event import Event
from appliance.events import encode_event
from appliance.logs import JournaldHandler, about
from drivers import journald
from drivers.journald import MOST_OF_A_FIELD, Journald, encode


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "socket"


@pytest.fixture
def reader(place: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(place))
        listening.setblocking(False)
        yield listening


@pytest.fixture
def sender(place: Path) -> Iterator[Journald]:
    to = Journald(place)
    yield to
    to.close()


@pytest.fixture
def log(sender: Journald) -> Iterator[logging.Logger]:
    handler = JournaldHandler(sender, "siaga-core")
    root = logging.getLogger()
    level, root.level = root.level, logging.DEBUG
    root.addHandler(handler)
    yield logging.getLogger("siaga.lines")
    root.removeHandler(handler)
    root.level = level


def decode(datagram: bytes) -> dict[str, str]:
    """Written from systemd's JOURNAL_NATIVE_PROTOCOL, apart from the code that encodes."""
    fields: dict[str, str] = {}
    while datagram:
        line, _, datagram = datagram.partition(b"\n")
        if b"=" in line:
            name, _, value = line.partition(b"=")
        else:
            name = line
            (length,) = struct.unpack("<Q", datagram[:8])
            value, datagram = datagram[8 : 8 + length], datagram[8 + length + 1 :]
        fields[name.decode()] = value.decode()
    return fields


def heard(reader: socket.socket) -> list[dict[str, str]]:
    lines: list[dict[str, str]] = []
    while True:
        try:
            lines.append(decode(reader.recv(1 << 20)))
        except BlockingIOError:
            return lines


def row(event: Event, *, actor: str = "") -> Entry:
    return Entry.after(
        Entry.before_first(),
        wall=1.0, mono=1.0, boot="b", quality="ntp", kind=event.kind, subject=event.subject, actor=actor, cause=7,
        body=encode_event(event),
    )  # fmt: skip


def test_a_line_about_a_line_is_found_by_it(log: logging.Logger, reader: socket.socket) -> None:
    log.warning("%s: transfer: %s", "l1", "refused", extra=about(line="l1"))
    (said,) = heard(reader)
    assert said["MESSAGE"] == "l1: transfer: refused"
    assert said["SIAGA_LINE"] == "l1"
    assert said["PRIORITY"] == "4"
    assert said["SYSLOG_IDENTIFIER"] == "siaga-core"
    assert said["LOGGER"] == "siaga.lines"


@pytest.mark.parametrize(
    ("level", "priority"),
    [(logging.DEBUG, "7"), (logging.INFO, "6"), (logging.WARNING, "4"), (logging.ERROR, "3"), (logging.CRITICAL, "2")],
)
def test_levels_are_told_by_syslogs_numbers(
    log: logging.Logger, reader: socket.socket, level: int, priority: str
) -> None:
    log.log(level, "x")
    assert heard(reader)[0]["PRIORITY"] == priority


def test_a_traceback_stays_one_line_and_has_an_end(log: logging.Logger, reader: socket.socket) -> None:
    try:
        raise ValueError("x" * 3 * MOST_OF_A_FIELD)
    except ValueError:
        log.exception("a flaw of ours")
    (said,) = heard(reader)
    assert said["MESSAGE"].startswith("a flaw of ours\nTraceback")
    assert len(said["MESSAGE"]) == MOST_OF_A_FIELD


ENERGISED = DeliveryEnergised(alert="0123456789abcdef", station="kota", path="sms", remaining_s=9)


def test_a_row_of_the_journal_is_found_by_its_order() -> None:
    said = core_log.fields(row(ENERGISED, actor="budi"))
    assert said["SIAGA_ALERT"] == "0123456789abcdef"
    assert said["SIAGA_STATION"] == "kota"
    assert said["SIAGA_KIND"] == "delivery.energised"
    assert (said["SIAGA_SEQ"], said["SIAGA_CAUSE"], said["SIAGA_ACTOR"]) == ("1", "7", "budi")
    assert said["MESSAGE"] == "1 delivery.energised alert=0123456789abcdef station=kota path=sms"


def rows(reader: socket.socket) -> list[int]:
    """Numbers of the journal's rows among what is heard."""
    return [int(line["SIAGA_SEQ"]) for line in heard(reader) if "SIAGA_SEQ" in line]


def given_all(teller: Teller, reader: socket.socket) -> list[int]:
    """As at the end of core, with a journald that reads now and then."""
    seen: list[int] = []
    while True:
        teller.close()
        new = rows(reader)
        if not new:
            return seen
        seen += new


async def test_rows_go_out_in_slices_and_all_of_them(
    log: logging.Logger, reader: socket.socket, sender: Journald
) -> None:
    teller, entry = Teller(), row(ENERGISED)
    for number in range(3000):
        teller.tell(msgspec.structs.replace(entry, seq=number))
    assert rows(reader) == []  # the loop has more urgent things
    told: list[int] = []
    async with asyncio.timeout(30):
        while len(told) < 100:
            await asyncio.sleep(0.01)
            told += rows(reader)
    assert told + given_all(teller, reader) == list(range(3000))
    assert (teller.left_out, sender.lost) == (0, 0)  # what comes again is not lost


async def test_rows_wait_for_a_journald_that_is_behind_and_have_a_bound(
    log: logging.Logger, reader: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(core_log, "MOST_WAITING", 1500)
    teller, entry = Teller(), row(ENERGISED)
    for number in range(2000):
        teller.tell(msgspec.structs.replace(entry, seq=number))
    assert teller.left_out == 500
    assert given_all(teller, reader) == list(range(500, 2000))


async def test_a_plain_log_is_not_filled_with_rows(caplog: pytest.LogCaptureFixture) -> None:
    teller = Teller()
    teller.tell(row(ENERGISED))
    teller.close()
    assert caplog.records == []


def test_a_journald_that_is_gone_costs_the_line_and_is_counted(log: logging.Logger, sender: Journald) -> None:
    log.error("nobody hears this")
    assert sender.lost == 1


def test_a_journald_that_hangs_holds_up_nobody_and_what_was_lost_is_told_when_it_is_back(
    log: logging.Logger, reader: socket.socket, sender: Journald
) -> None:
    begun = time.monotonic()
    for number in range(2000):  # far more than a socket's queue holds (max_dgram_qlen, 10 or 512)
        log.info("line %d", number)
    took = time.monotonic() - begun
    assert sender.lost > 0
    assert took < 30.0  # it would be for ever
    held = heard(reader)
    assert len(held) + sender.lost == 2000
    lost = sender.lost
    log.info("back")
    assert [line["MESSAGE"] for line in heard(reader)] == [
        "back",
        f"journald did not take {lost} lines before this one",
    ]
    log.info("once only")
    assert [line["MESSAGE"] for line in heard(reader)] == ["once only"]


def test_a_journald_started_again_is_spoken_to_again(sender: Journald, place: Path) -> None:
    for _ in range(2):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
            listening.bind(str(place))
            assert sender.send({"MESSAGE": "x"})
            assert listening.recv(100) == b"MESSAGE=x\n"
        place.unlink()
    assert not sender.send({"MESSAGE": "x"})


@pytest.mark.parametrize("name", ["_PID", "lower", "WITH SPACE", "A" * 65, ""])
def test_a_field_that_journald_would_drop_is_an_error_of_ours(name: str) -> None:
    with pytest.raises(ValueError, match="is no name"):
        encode({name: "x"})


def test_all_fields_that_we_have_are_ones_that_journald_keeps() -> None:
    encode(dict.fromkeys(logs.ABOUT.values(), "x"))


def test_numbers_of_people_do_not_go_to_journald() -> None:
    number = "+6281234567890"
    dialled = core_log.fields(row(CallDialled(line="l1", call="c1", number=number)))
    blocked = core_log.fields(row(CallerBlocked(number=number, until=5.0, why="person")))
    assert (dialled["SIAGA_LINE"], dialled["SIAGA_CALL"]) == ("l1", "c1")
    assert number not in f"{dialled}{blocked}"


def test_where_the_log_goes_follows_what_systemd_says(monkeypatch: pytest.MonkeyPatch) -> None:
    ours = os.fstat(2)
    monkeypatch.setenv("JOURNAL_STREAM", f"{ours.st_dev}:{ours.st_ino}")
    assert journald.is_listening()
    monkeypatch.setenv("JOURNAL_STREAM", f"{ours.st_dev}:{ours.st_ino + 1}")  # stderr was turned elsewhere
    assert not journald.is_listening()
    monkeypatch.delenv("JOURNAL_STREAM")
    assert not journald.is_listening()


def test_without_journald_a_log_is_plain_lines_on_stderr(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JOURNAL_STREAM", raising=False)
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", [])
    monkeypatch.setattr(root, "level", logging.WARNING)
    logs.set_up("siaga-core")
    (handler,) = root.handlers
    assert isinstance(handler, logging.StreamHandler)
    assert handler.stream is sys.stderr
