"""Keys while cores run: two key rooms and a real broker; rotated without a gap, revoked at once, paired by words."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from appliance import key_events as ke
from appliance.core_keys import KeyRoom
from appliance.event import Event
from appliance.key_book import BookError
from appliance.key_file import BookUnreadable
from appliance.key_pairing import call, listen
from appliance.key_statement import code_of, open_sealed
from appliance.keys import public_hex
from drivers.clock import Clock
from drivers.mqtt import Incoming, Mqtt, Sent
from drivers.sim.broker import Broker, free_port
from tests.key_boxes import WALL, Boxes


class Node:
    """A key room with its connection, as core wires it."""

    def __init__(self, boxes: Boxes, id: str, port: int) -> None:
        self.events: list[Event] = []
        self.wall, self.downs, self.heard, self.asked = WALL, 0, list[str](), list[str]()
        self.room = KeyRoom(
            site=boxes.sites[id], places=boxes.places[id], clock=Clock(), wall=lambda: self.wall,
            append=self.events.append, publish=self._publish, reconnect=lambda why: self.mqtt.reconnect(why),
            on_new_key=lambda station: self.asked.append(station),
        )  # fmt: skip
        self.mqtt = Mqtt(
            "127.0.0.1", port, id, on_message=self._on_message, on_up=self._on_up, on_down=self._on_down,
            credential=self.room.credential, session_expiry_s=60,
        )  # fmt: skip
        self.tasks = [asyncio.create_task(self.mqtt.run()), asyncio.create_task(self.room.run())]

    def _publish(self, topic: str, payload: bytes, retain: bool) -> Sent | None:
        return self.mqtt.publish(topic, payload, retain=retain) if self.mqtt.up else None

    def _on_message(self, message: Incoming) -> None:
        parts = message.topic.split("/")
        if "alert" in parts:
            self.heard.append(message.payload.decode())
        else:
            self.room.on_message(parts[2:], message.payload)

    def _on_up(self) -> None:
        self.room.on_broker_up(self.mqtt.subscribe)
        self.mqtt.subscribe("siaga/kota/alert/damkar")

    def _on_down(self, _why: str) -> None:
        self.downs += 1

    def of(self, kind: type[Event]) -> list[Any]:
        return [e for e in self.events if isinstance(e, kind)]

    async def stop(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)


async def until(condition: Any, within: float = 8.0) -> None:
    async with asyncio.timeout(within):
        while not condition():
            await asyncio.sleep(0.01)


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[tuple[Boxes, Node, Node]]:
    boxes = Boxes(tmp_path)
    boxes.centre.init()
    boxes.enrol("damkar")
    (tmp_path / "broker").mkdir()
    broker = Broker(tmp_path / "broker", keys=boxes.broker_keys)
    port = await broker.start()
    watching = asyncio.create_task(broker.watch())
    centre, station = (Node(boxes, id, port) for id in ("pusat", "damkar"))
    await until(lambda: centre.mqtt.up and station.mqtt.up and centre.room.hands.known_to(7))
    yield boxes, centre, station
    await centre.stop()
    await station.stop()
    watching.cancel()
    await broker.stop()


async def test_a_station_rotates_by_itself_and_misses_nothing(site: tuple[Boxes, Node, Node]) -> None:
    boxes, centre, station = site
    before = station.room.own.id
    boxes.office("damkar").rotate()
    sent = missed = 0
    while station.room.own.id == before or not station.mqtt.up or sent < 40:
        sent += 1
        centre.mqtt.publish("siaga/kota/alert/damkar", f"{sent}".encode(), expiry_s=60)
        assert before in centre.room.stations[7]
        await asyncio.sleep(0.02)
    await until(lambda: centre.asked == ["damkar"])  # it hears again by then, and gets what it missed once more
    for order in range(1, sent + 1):
        if f"{order}" not in station.heard:
            centre.mqtt.publish("siaga/kota/alert/damkar", f"{order}".encode(), expiry_s=60)
            missed += 1
    await until(lambda: len(set(station.heard)) == sent)
    assert missed < 20  # 0.4 s
    assert station.downs == 1
    assert set(centre.room.stations[7]) == {before, station.room.own.id}
    assert [e.holder for e in centre.of(ke.KeyRotated)] == ["damkar"]
    assert not boxes.office("damkar").store.next.exists()


async def test_a_centres_new_key_is_used_when_the_station_knows_it(site: tuple[Boxes, Node, Node]) -> None:
    boxes, centre, station = site
    old = centre.room.hands.id_for(7)
    boxes.centre.rotate()
    used = set()
    while centre.room.hands.id_for(7) == old:
        used.add(centre.room.hands.id_for(7))
        assert used <= set(station.room.issuers)
        await asyncio.sleep(0.01)
    assert list(station.room.issuers) == [centre.room.hands.newest, old]
    boxes.centre.revoke("pusat", "stolen", previous=True)
    await centre.room.look()
    await until(lambda: old not in station.room.issuers)
    assert [e.why for e in centre.of(ke.KeyRevoked)] == ["stolen"]


async def test_a_revoked_station_is_believed_no_more_when_the_command_returns(site: tuple[Boxes, Node, Node]) -> None:
    boxes, centre, _station = site
    assert centre.room.stations[7]
    boxes.centre.revoke("damkar", "stolen")
    assert (await centre.room.look())["revoked"] == 1
    assert not centre.room.stations[7]


async def test_a_damaged_book_changes_nothing_and_is_told_once(site: tuple[Boxes, Node, Node]) -> None:
    boxes, centre, _ = site
    file = boxes.centre.store.file
    good, keys = file.read_bytes(), set(centre.room.stations[7])
    file.write_bytes(b"{")
    for _ in range(2):
        await centre.room.look()
    assert set(centre.room.stations[7]) == keys
    assert len(centre.of(ke.KeysUnreadable)) == 1
    file.write_bytes(good)
    await centre.room.look()
    assert len(centre.of(ke.KeysReadable)) == 1


async def test_a_book_that_comes_back_as_it_was_is_told_as_readable(site: tuple[Boxes, Node, Node]) -> None:
    """A disk that was taken out and put back: the same file, not another one."""
    boxes, centre, _ = site
    file = boxes.centre.store.file
    away = file.with_suffix(".away")
    file.rename(away)
    file.mkdir()  # there, and no file
    await centre.room.look()
    assert len(centre.of(ke.KeysUnreadable)) == 1
    file.rmdir()
    away.rename(file)
    await centre.room.look()
    assert len(centre.of(ke.KeysReadable)) == 1


async def paired(boxes: Boxes, ours: Any, theirs: Any) -> tuple[Any, Any, list[str]]:
    """A centre that listens and a station that calls; both see the words in the end."""
    kept: list[Any] = []
    words: list[str] = []

    def offer(request: str) -> str:
        line, keep = boxes.centre.offer(boxes.centre.opened_request(request, "passo"))
        kept[:] = [keep]
        return line

    def screen(says: Any) -> Any:
        async def agreed(line: str) -> bool:
            words.append(code_of(open_sealed(line, {}).statement))
            return bool(says)

        return agreed

    port = free_port()
    listening = asyncio.create_task(listen("127.0.0.1", port, offer, screen(ours)))
    await asyncio.sleep(0.05)
    called = await asyncio.gather(
        call("127.0.0.1", port, boxes.office("passo").request(), screen(theirs)), return_exceptions=True
    )
    agreed = await listening
    if agreed:
        kept[0]()
    return agreed, called[0], words


async def test_a_book_whose_disk_is_taken_out_revokes_nobody_and_no_other_key_is_made(
    site: tuple[Boxes, Node, Node], tmp_path: Path
) -> None:
    _, _, damkar = site
    keys, state = damkar.room.own.private, damkar.room._believed.store.file.parent
    believed, downs = dict(damkar.room.issuers), damkar.downs
    state.rename(tmp_path / "drawer")
    state.mkdir()
    for _ in range(2):
        await damkar.room.look()
    with pytest.raises(BookUnreadable, match="taken out"):
        await damkar.room._believed.change(lambda book: book)
    assert public_hex(damkar.room.own.private) == public_hex(keys)
    assert dict(damkar.room.issuers) == believed
    assert not list(state.iterdir()), "nothing is written to another disk"
    state.rmdir()
    (tmp_path / "drawer").rename(state)
    await damkar.room.look()
    assert public_hex(damkar.room.own.private) == public_hex(keys)
    assert dict(damkar.room.issuers) == believed
    assert damkar.downs == downs
    await damkar.room._believed.change(lambda book: book)


async def test_two_boxes_are_enrolled_by_words_that_both_screens_show(tmp_path: Path) -> None:
    boxes = Boxes(tmp_path)
    boxes.centre.init()
    agreed, line, words = await paired(boxes, True, True)
    assert agreed
    assert words[0] == words[1]
    office = boxes.office("passo")
    office.take(office.opened_grant(line))
    assert boxes.centre.store.read().holders["passo"].current
    assert (
        boxes.credential("passo").certificate.decode() == boxes.centre.store.read().holders["passo"].keys[0].certificate
    )


@pytest.mark.parametrize(("ours", "theirs"), [(True, False), (False, True)])
async def test_one_no_and_nothing_is_kept_on_either_side(tmp_path: Path, ours: bool, theirs: bool) -> None:
    boxes = Boxes(tmp_path)
    boxes.centre.init()
    agreed, line, _ = await paired(boxes, ours, theirs)
    assert not agreed
    assert isinstance(line, BookError)
    assert "passo" not in boxes.centre.store.read().holders


async def test_a_book_that_is_damaged_at_the_start_is_told_when_alarms_can_hear_it(
    site: tuple[Boxes, Node, Node],
) -> None:
    boxes, _, _ = site
    file = boxes.centre.store.file
    good, events = file.read_bytes(), list[Any]()
    file.write_bytes(b"{")
    room = KeyRoom(
        site=boxes.sites["pusat"], places=boxes.places["pusat"], clock=Clock(), wall=lambda: 0.0, append=events.append,
        publish=lambda topic, payload, retain: None, reconnect=lambda why: None, known={},
    )  # fmt: skip
    assert events == []
    running = asyncio.create_task(room.run())
    await asyncio.sleep(0)
    assert [event.kind for event in events] == ["key.book_unreadable"]
    file.write_bytes(good)
    await room.look()
    assert events[1].kind == "key.book_readable"
    assert "key.enrolled" in {event.kind for event in events[2:]}
    running.cancel()
