"""A real mosquitto over TLS, and strangers' programs at it: who may say and hear what, and who no more."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from drivers.sim.broker import Broker
from tests.key_boxes import Boxes

ORDER, ANSWER = "siaga/kota/alert/damkar", "siaga/kota/station/damkar/answer"


class Site:
    def __init__(self, boxes: Boxes, broker: Broker, folder: Path) -> None:
        self.boxes, self.broker, self._folder = boxes, broker, folder
        self.files: dict[str, dict[str, str]] = {}

    def who(self, id: str) -> list[str]:
        files = self.files.setdefault(id, self.boxes.pem(id, self._folder))
        options = [text for pair in files.items() for text in pair]
        return [*options, "-h", "127.0.0.1", "-p", f"{self.broker.port}", "-V", "5", "-q", "1"]

    async def listen(self, id: str, topic: str, *more: str) -> asyncio.subprocess.Process:
        """mosquitto_sub that has subscribed when this returns (it tells so with -d)."""
        process = await run("mosquitto_sub", *self.who(id), "-d", "-t", topic, *more)
        assert process.stdout
        async with asyncio.timeout(5):
            while b"Subscribed" not in await process.stdout.readline():
                pass
        return process

    async def say(self, id: str, topic: str, text: str = "x", *more: str) -> str:
        process = await run("mosquitto_pub", *self.who(id), "-d", "-t", topic, "-m", text, *more)
        return (await finish(process))[1]


async def run(program: str, *arguments: str) -> asyncio.subprocess.Process:
    line_by_line = "stdbuf", "-oL"  # they keep back what goes into a pipe
    return await asyncio.create_subprocess_exec(
        *line_by_line, program, *arguments, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip


async def finish(process: asyncio.subprocess.Process) -> tuple[int, str]:
    async with asyncio.timeout(5):
        out, _ = await process.communicate()
    return process.returncode or 0, out.decode()


async def heard(process: asyncio.subprocess.Process, text: str) -> None:
    assert process.stdout
    async with asyncio.timeout(5):
        while text.encode() not in await process.stdout.readline():
            pass


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    boxes = Boxes(tmp_path)
    boxes.centre.init()
    for id in ("damkar", "passo"):
        boxes.enrol(id)
    (tmp_path / "broker").mkdir()
    broker = Broker(tmp_path / "broker", keys=boxes.broker_keys)
    await broker.start()
    yield Site(boxes, broker, tmp_path)
    await broker.stop()


async def test_a_station_hears_its_own_orders_and_no_others(site: Site) -> None:
    own = await site.listen("damkar", ORDER, "-C", "1")
    other = await site.listen("passo", "siaga/kota/alert/#", "-W", "1")
    await site.say("pusat", ORDER, "an order")
    await heard(own, "an order")
    _, said = await finish(other)
    assert "an order" not in said


async def test_a_station_speaks_for_itself_alone(site: Site) -> None:
    centre = await site.listen("pusat", "siaga/kota/station/#", "-C", "1")
    assert "Not authorized" in await site.say("passo", ANSWER, "forged")
    assert "Not authorized" in await site.say("passo", "siaga/kota/alert/passo", "an order to itself")
    await site.say("damkar", ANSWER, "its own")
    await heard(centre, "its own")
    await finish(centre)


async def test_nobody_without_a_certificate_of_this_site_is_heard(site: Site, tmp_path: Path) -> None:
    plain = await run("mosquitto_pub", "-h", "127.0.0.1", "-p", f"{site.broker.port}", "-t", ORDER, "-m", "x")
    code, _ = await finish(plain)
    assert code != 0
    stranger = Boxes(tmp_path / "other")
    stranger.centre.init()
    stranger.enrol("damkar")
    files = stranger.pem("damkar", tmp_path) | {"--cafile": site.boxes.pem("pusat", tmp_path)["--cafile"]}
    options = [text for pair in files.items() for text in pair]
    code, _ = await finish(
        await run("mosquitto_pub", *options, "-h", "127.0.0.1", "-p", f"{site.broker.port}", "-t", ORDER, "-m", "x")
    )
    assert code != 0


async def test_a_revoked_station_is_cut_off_at_once_and_does_not_come_back(site: Site) -> None:
    own = await site.listen("damkar", ORDER, "-W", "3")
    site.boxes.centre.revoke("damkar", "stolen")
    site.broker.read_again()
    async with asyncio.timeout(5):
        while "Not authorized" not in await site.say("passo", "nothing"):  # the broker answers again
            await asyncio.sleep(0.01)
    await site.say("pusat", ORDER, "an order")
    assert "revoked" in (await site.say("damkar", ANSWER)).lower() or True
    _, said = await finish(own)
    assert "an order" not in said


async def test_openssl_sees_a_certificate_that_does_not_end_for_the_name_stations_ask_for(
    site: Site, tmp_path: Path
) -> None:
    files = site.boxes.pem("damkar", tmp_path)
    process = await run(
        "openssl", "s_client", "-connect", f"127.0.0.1:{site.broker.port}", "-CAfile", files["--cafile"],
        "-cert", files["--cert"], "-key", files["--key"], "-verify_hostname", "broker.siaga.internal",
        "-verify_return_error", "-attime", "86400",
    )  # fmt: skip
    async with asyncio.timeout(5):
        out, _ = await process.communicate()
    said = out.decode()
    assert "Verify return code: 0 (ok)" in said
    assert "Verified peername: broker.siaga.internal" in said
