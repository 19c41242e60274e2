"""NUT's text protocol: what upsd writes is read word by word, and nothing that it sends can be taken for an answer."""

import asyncio
from collections.abc import Awaitable, Callable
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.clock import VirtualClock
from drivers.dial import Dialer
from drivers.modbus.errors import BadAnswer, BusError, LinkLost, NoAnswer
from drivers.nut.errors import UpsdRefused
from drivers.nut.poller import NutPoller, place
from drivers.nut.upsd import Login, Upsd, read_login
from drivers.nut.wire import line, words
from drivers.quality import Quality
from drivers.reading import Reading

LIST = b'BEGIN LIST VAR u\nVAR u ups.status "OL"\nEND LIST VAR u\n'
Script = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (b'VAR su700 ups.status "OL CHRG"', ["VAR", "su700", "ups.status", "OL CHRG"]),
        (b'VAR u ups.model "Smart \\"UPS\\" \\\\ 3000"', ["VAR", "u", "ups.model", 'Smart "UPS" \\ 3000']),
        (b'VAR u ups.id ""', ["VAR", "u", "ups.id", ""]),
        (b"  ERR   DATA-STALE \r", ["ERR", "DATA-STALE"]),
        (b"", []),
        (b'VAR u ups.mfr "\xff"', ["VAR", "u", "ups.mfr", "\ufffd"]),
    ],
)
def test_a_line_is_read_word_by_word(text: bytes, found: list[str]) -> None:
    assert words(text) == found


@pytest.mark.parametrize("text", [b'VAR u x "half', b"VAR u x \\"])
def test_a_line_that_ends_inside_a_word_is_no_answer(text: bytes) -> None:
    with pytest.raises(BadAnswer):
        words(text)


@given(
    st.lists(
        st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=9),
        min_size=1,
        max_size=4,
    )
)
def test_what_is_sent_is_what_upsd_reads(parts: list[str]) -> None:
    assert words(line(*parts)) == parts


@pytest.mark.parametrize("word", ["", "a\nFSD u", "a\x00"])
def test_a_word_cannot_smuggle_in_another_line(word: str) -> None:
    with pytest.raises(ValueError, match="cannot stand in a line"):
        line("PASSWORD", word)


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("apc@localhost", ("apc", "localhost", 3493)),
        ("apc@nas.local:3305", ("apc", "nas.local", 3305)),
        ("apc@::1", ("apc", "::1", 3493)),
        ("apc@[::1]:3305", ("apc", "::1", 3305)),
    ],
)
def test_a_ups_is_named_as_upsc_names_it(name: str, found: tuple[str, str, int]) -> None:
    assert place(name) == found


@pytest.mark.parametrize("name", ["apc", "@host", "apc@", "apc@host:0", "apc@host:x"])
def test_another_name_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="is not"):
        place(name)


def test_a_login_is_two_words_of_a_file(tmp_path: Path) -> None:
    file = tmp_path / "nut.login"
    file.write_text('siaga "a long one"\n')
    assert read_login(file) == Login("siaga", "a long one")
    for other in ("", "siaga", "siaga a b", 'siaga ""', 'siaga "a'):
        file.write_text(other)
        with pytest.raises(ValueError, match="on one line"):
            read_login(file)


def with_upsd(script: Script, talk: Callable[[int], Awaitable[None]]) -> None:
    """Run `talk` against a scripted upsd, in virtual time."""

    async def both() -> None:
        tasks: set[asyncio.Task[None]] = set()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                await script(reader, writer)
            except (ConnectionError, asyncio.IncompleteReadError):
                pass
            finally:
                writer.close()

        def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            tasks.add(asyncio.create_task(serve(reader, writer)))

        server = await asyncio.start_server(connected, "127.0.0.1", 0)
        try:
            await talk(server.sockets[0].getsockname()[1])
        finally:
            server.close()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    VirtualClock().run(both())


async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readline()
    writer.write(b"BEGIN LIST VAR u\n")
    while True:
        writer.write(b'VAR u ups.status "OL"\n' * 100)
        await writer.drain()


def says(answer: bytes) -> Script:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(answer)
        await writer.drain()
        await reader.read()

    return script


async def hangs_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readline()


HOSTILE: dict[str, tuple[Script, type[BusError]]] = {
    "silence": (says(b""), NoAnswer),
    "half a list": (says(LIST[:-5]), NoAnswer),
    "a hang-up": (hangs_up, LinkLost),
    "a line without end": (says(b"B" * 5000), BadAnswer),
    "a list without end": (endless, BadAnswer),
    "another UPS's list": (says(LIST.replace(b" u", b" v")), BadAnswer),
    "another UPS's row": (says(LIST.replace(b"VAR u ups", b"VAR v ups")), BadAnswer),
    "a row too short": (says(LIST.replace(b'"OL"', b"")), BadAnswer),
    "a page of HTTP": (says(b"HTTP/1.1 400 Bad Request\r\n\r\n"), BadAnswer),
    "no to it": (says(b"ERR UNKNOWN-UPS\n"), UpsdRefused),
}


@pytest.mark.parametrize(("script", "raised"), HOSTILE.values(), ids=HOSTILE.keys())
def test_what_is_no_list_of_this_ups_gives_no_values(script: Script, raised: type[BusError]) -> None:
    async def talk(port: int) -> None:
        upsd = Upsd(Dialer("127.0.0.1", port), "u", timeout_s=2.0)
        with pytest.raises(raised):
            await upsd.variables()
        upsd.close()

    with_upsd(script, talk)


def test_a_late_answer_is_never_taken_for_the_next_question() -> None:
    async def late(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        await asyncio.sleep(2.5)
        writer.write(LIST.replace(b"OL", b"OB"))
        await writer.drain()
        await reader.read()

    async def talk(port: int) -> None:
        upsd = Upsd(Dialer("127.0.0.1", port), "u", timeout_s=2.0)
        for _ in range(3):
            with pytest.raises(NoAnswer):
                await upsd.variables()
        upsd.close()

    with_upsd(late, talk)


def test_an_order_whose_answer_is_lost_may_have_been_done_and_is_not_sent_again() -> None:
    heard: list[bytes] = []

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while said := await reader.readline():
            heard.append(said)
            if said.startswith(b"INSTCMD"):
                return
            writer.write(b"OK\n")

    async def talk(port: int) -> None:
        upsd = Upsd(Dialer("127.0.0.1", port), "u", timeout_s=2.0)
        await upsd.log_in(Login("siaga", 'a "b'))
        with pytest.raises(LinkLost) as lost:
            await upsd.order("test.battery.start.quick")
        assert lost.value.sent
        upsd.close()

    with_upsd(script, talk)
    assert heard == [b"USERNAME siaga\n", b'PASSWORD "a \\"b"\n', b"INSTCMD u test.battery.start.quick\n"]


def test_an_upsd_that_is_gone_is_no_link_after_two_polls_and_dialled_at_least_every_five_seconds() -> None:
    dials: list[float] = []
    told: list[tuple[float, set[Quality]]] = []

    async def refuse(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        dials.append(asyncio.get_running_loop().time())

    async def talk(port: int) -> None:
        def take(readings: list[Reading]) -> None:
            told.append((asyncio.get_running_loop().time(), {r.quality for r in readings}))

        poller = NutPoller("127.0.0.1", port, "u", take)
        task = asyncio.create_task(poller.run())
        await asyncio.sleep(60)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    with_upsd(refuse, talk)
    assert [qualities for _, qualities in told] == [{Quality.NO_LINK}]
    assert told[0][0] <= 5
    assert max(b - a for a, b in pairwise(dials)) <= 5.0
