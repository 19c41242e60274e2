"""Messages in parts: stored before they are deleted, told once and whole, across crashes, restarts and dead disks."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from appliance.entry import Entry
from appliance.events import SmsPartReceived, SmsReceived, SmsUnreadable
from appliance.fold import apply
from appliance.journal import Journal
from appliance.lines import ORDER_PORT
from appliance.lines.ledger import MOST_SEEN, Ledger
from appliance.state import State
from drivers.clock import Clock
from drivers.modem import events as heard
from drivers.modem.pdu import decode
from drivers.sim import sms_pdu, sms_text

SPEED = 20.0
SENDER = "+6281234567890"
TEXT = "Kebakaran di Batu Merah dekat masjid: café é € 🔥. " * 3
ZONE_S = 9 * 3600
WALL = 1_800_000_000.0


class Box:
    """One life of a box: the journal at `path`, its fold, and the ledger of line l1."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self.state = State()
        self.entries: list[Entry] = []
        self.data: list[tuple[str, bytes]] = []
        self.rows_when_data_came: list[int] = []
        self.journal = Journal(path, clock, "boot", lambda: "ntp", self._on_entry)
        self.journal.open()
        self.entries.clear()
        self.ledger = Ledger("l1", self.state, self.journal.append, self.on_data)
        self.ledger.restore()

    def _on_entry(self, entry: Entry) -> None:
        apply(self.state, entry)
        self.entries.append(entry)

    def on_data(self, number: str, payload: bytes) -> None:
        self.data.append((number, payload))
        self.rows_when_data_came.append(len(self.entries))

    def texts(self) -> list[SmsReceived]:
        return [e.event for e in self.entries if isinstance(e.event, SmsReceived)]

    def kinds(self) -> list[str]:
        return [e.kind for e in self.entries]

    async def take(self, pdu: bytes) -> None:
        """As the line does it, up to the deleting."""
        row = self.ledger.take(part(pdu))
        assert row is None or await row.durable(5 * SPEED)


def part(pdu: bytes, index: int = 1) -> heard.SmsPartReceived:
    deliver = decode(pdu, has_smsc=True, direction="deliver")
    return heard.SmsPartReceived(index, deliver, "ME", pdu.hex().upper())


def delivered(data: sms_text.UserData, wall: float = WALL) -> bytes:
    return b"\0" + sms_pdu.deliver(SENDER, data, wall, ZONE_S)


def parts_of(text: str, reference: int = 7) -> list[bytes]:
    return [delivered(data) for data in sms_text.text_parts(text, reference)]


def binary(payload: bytes, port: int = ORDER_PORT) -> list[bytes]:
    return [delivered(data) for data in sms_text.binary_parts(payload, port, port, 9)]


@pytest.fixture
def told(tmp_path: Path) -> Callable[[Callable[[Callable[[], Box]], Awaitable[None]]], None]:
    """Runs a story that may start the box as often as it likes, on one journal; each start ends the life before."""

    def run(story: Callable[[Callable[[], Box]], Awaitable[None]]) -> None:
        clock = Clock(SPEED)
        boxes: list[Box] = []

        def start() -> Box:
            for box in boxes:
                box.journal.close()
            boxes.append(Box(tmp_path / "disk" / "journal.db", clock))
            return boxes[-1]

        async def main() -> None:
            try:
                await story(start)
            finally:
                for box in boxes:
                    box.journal.close()

        clock.run(main())

    (tmp_path / "disk").mkdir()
    return run


def test_a_text_in_parts_is_told_once_and_whole_in_any_order(told: Callable[..., None]) -> None:
    async def story(start: Callable[[], Box]) -> None:
        box = start()
        parts = parts_of(TEXT)
        assert len(parts) == 3
        for pdu in (parts[2], parts[0], parts[1]):
            await box.take(pdu)
        assert [(t.number, t.text, t.parts) for t in box.texts()] == [(SENDER, TEXT, 3)]
        assert box.kinds() == ["sms.part_received"] * 3 + ["sms.received"]

    told(story)


def test_parts_from_before_a_restart_complete_the_text(told: Callable[..., None]) -> None:
    async def story(start: Callable[[], Box]) -> None:
        first, second, third = parts_of(TEXT)
        await start().take(first)
        await start().take(third)
        box = start()
        await box.take(second)
        assert [t.text for t in box.texts()] == [TEXT]
        assert start().texts() == []

    told(story)


def test_a_part_seen_again_after_a_crash_is_only_deleted(told: Callable[..., None]) -> None:
    async def story(start: Callable[[], Box]) -> None:
        pdus = [*parts_of(TEXT), *parts_of("satu bagian saja")]
        box = start()
        for pdu in pdus:
            await box.take(pdu)
        assert len(box.texts()) == 2
        box = start()  # the crash came before anything was deleted
        for pdu in pdus:
            assert box.ledger.take(part(pdu)) is None  # on disk: may be deleted at once
        assert box.entries == []

    told(story)


def test_a_part_seen_again_before_it_is_on_disk_waits_for_the_same_row(told: Callable[..., None]) -> None:
    async def story(start: Callable[[], Box]) -> None:
        box = start()
        [pdu] = parts_of("satu")
        row = box.ledger.take(part(pdu))
        assert row is not None
        assert box.ledger.take(part(pdu, index=2)) is row
        assert len(box.texts()) == 1

    told(story)


def test_a_told_text_whose_first_part_the_state_has_forgotten_lends_nothing_to_the_next_of_its_reference(
    told: Callable[..., None],
) -> None:
    async def story(start: Callable[[], Box]) -> None:
        box = start()
        for pdu in parts_of(TEXT):
            await box.take(pdu)
        for number in range(MOST_SEEN - 2):
            await box.take(parts_of(f"{number} di Halong")[0])
        assert len(box.state.parts) == MOST_SEEN, "the first part alone has gone"
        box = start()
        another = "Air naik di Batu Gajah, perahu dan tali diminta segera, jalan ke Kudamati putus. " * 4
        for pdu in parts_of(another)[:1] + parts_of(another)[1:]:
            await box.take(pdu)
        assert [t.text for t in box.texts()] == [another]

    told(story)


def test_a_text_that_was_whole_but_never_told_is_told_after_the_crash(told: Callable[..., None]) -> None:
    async def story(start: Callable[[], Box]) -> None:
        box = start()
        for pdu in parts_of(TEXT):
            box.journal.append(SmsPartReceived(line="l1", pdu=pdu.hex().upper()))
        box = start()
        assert [t.text for t in box.texts()] == [TEXT]
        assert start().texts() == []

    told(story)


def test_the_same_words_sent_twice_are_two_texts(told: Callable[..., None]) -> None:
    async def story(start: Callable[[], Box]) -> None:
        box = start()
        for later in (0.0, 1.0):
            for data in sms_text.text_parts("tolong", 1):
                await box.take(delivered(data, WALL + later))
        first, second = box.texts()
        assert first.text == second.text
        assert first.message != second.message

    told(story)


def test_parts_of_another_line_are_not_mixed_in(told: Callable[..., None]) -> None:
    async def story(start: Callable[[], Box]) -> None:
        first, second, third = parts_of(TEXT)
        start().journal.append(SmsPartReceived(line="l2", pdu=first.hex().upper()))
        box = start()
        await box.take(second)
        await box.take(third)
        assert box.texts() == []

    told(story)


def test_an_order_is_handed_on_before_the_journal_is_asked_and_is_no_text(told: Callable[..., None]) -> None:
    async def story(start: Callable[[], Box]) -> None:
        payload = bytes(range(106))
        [pdu] = binary(payload)
        box = start()
        await box.take(pdu)
        assert box.data == [(SENDER, payload)]
        assert box.rows_when_data_came == [0]
        assert box.kinds() == ["sms.part_received"]
        box = start()
        await box.take(pdu)
        assert (box.data, box.kinds()) == ([], [])

    told(story)


def test_an_order_that_breaks_its_reader_is_stored_and_does_not_break_it_again(told: Callable[..., None]) -> None:
    async def story(start: Callable[[], Box]) -> None:
        [pdu] = binary(b"\x01\x02")
        box = start()

        def broken(number: str, payload: bytes) -> None:
            raise RuntimeError("a flaw")

        ledger = Ledger("l1", box.state, box.journal.append, broken)
        with pytest.raises(RuntimeError):
            ledger.take(part(pdu))
        row = ledger.take(part(pdu))
        assert row is not None
        assert await row.durable(5 * SPEED)

    told(story)


def test_data_for_another_port_is_kept_and_said_to_be_unreadable(told: Callable[..., None]) -> None:
    async def story(start: Callable[[], Box]) -> None:
        box = start()
        [pdu] = binary(b"\x06\x01\xae", port=2948)
        await box.take(pdu)
        assert box.data == []
        unreadable = box.entries[-1].event
        assert isinstance(unreadable, SmsUnreadable)
        assert (unreadable.reason, unreadable.pdu) == ("data_for_port_2948", pdu.hex().upper())

    told(story)


def test_what_is_no_message_is_journaled_once(told: Callable[..., None]) -> None:
    async def story(start: Callable[[], Box]) -> None:
        box = start()
        row = box.ledger.unreadable("07FF", "the address is cut off")
        assert row is not None
        assert box.ledger.unreadable("07FF", "the address is cut off") is row
        assert box.kinds() == ["sms.unreadable"]

    told(story)


def test_a_dead_disk_delays_the_deleting_but_not_the_text(tmp_path: Path) -> None:
    async def main(clock: Clock) -> None:
        (tmp_path / "disk").write_text("a file where the folder should be")
        box = Box(tmp_path / "disk" / "journal.db", clock)
        try:
            [pdu] = parts_of("air naik")
            row = box.ledger.take(part(pdu))
            assert row is not None
            assert [t.text for t in box.texts()] == ["air naik"]
            assert not await row.durable(1.0)
            (tmp_path / "disk").unlink()
            assert await row.durable(20 * SPEED)
        finally:
            box.journal.close()

    clock = Clock(SPEED)
    clock.run(main(clock))


def test_the_memory_of_parts_is_bounded(told: Callable[..., None]) -> None:
    async def story(start: Callable[[], Box]) -> None:
        box = start()
        for i in range(MOST_SEEN + 20):
            box.ledger.take(part(delivered(sms_text.text_parts("x", 1)[0], WALL + i)))
            await asyncio.sleep(0)
        assert len(box.ledger._seen) == MOST_SEEN
        assert len(box.state.parts) <= MOST_SEEN

    told(story)
