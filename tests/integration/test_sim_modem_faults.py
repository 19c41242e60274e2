"""A simulated modem that misbehaves as ordered, as its host sees it."""

import asyncio
import re

import pytest
from modem_world import OUTSIDE, Host, World, told

from drivers.jsonsocket import Refusal

TO_OUTSIDE = "0C91261899990000"
TO_SIMCOM = "0C91262822222222"
HELLO = "0AE8329BFD4697D9EC37"  # "hellohello" in GSM 7, length first


def now() -> float:
    return asyncio.get_running_loop().time()


@told
async def test_a_slow_line_takes_its_time_for_each_byte_and_loses_none(world: World) -> None:
    await world.set_up()
    await world.turn("modem.slow", name="quectel", ms_per_byte=20)
    began = now()
    said = await world.quectel.ask("AT+CGSN")
    assert said == "867698040000001\nOK"
    assert now() - began >= 0.02 * len("\r\n867698040000001\r\n\r\nOK\r")
    await world.turn("modem.slow", name="quectel", ms_per_byte=0)
    assert await world.quectel.ask("AT") == "OK"


@told
async def test_a_torn_answer_comes_in_pieces_and_is_whole_at_the_end(world: World) -> None:
    await world.set_up()
    await world.turn("modem.split", name="simcom")
    world.simcom.type("ATI\r")
    pieces: list[str] = []
    async with asyncio.timeout(60):
        while "OK\r\n" not in "".join(pieces):
            if world.simcom.heard:
                pieces.append(world.simcom.heard)
                world.simcom.heard = ""
            await asyncio.sleep(0.001)
    assert len(pieces) > 3
    assert "".join(pieces).startswith("\r\nManufacturer: SIMCOM INCORPORATED\r\n\r\nModel: ")


@told
async def test_a_chattering_modem_talks_between_the_lines_and_behind_the_result(world: World) -> None:
    await world.set_up()
    await world.turn("modem.chatter", name="quectel")
    world.quectel.type("AT+CSQ;+CGSN\r")
    said = await world.quectel.until(r"\r\nOK\r\n\r\n\+[^\r]*\r\n")
    lines = [line for line in said.split("\r\n") if line]
    assert [lines[1], lines[3], lines[5]] == ["+CSQ: 22,99", "867698040000001", "OK"]
    assert all(re.match(r"\+QIND: |\+CIEV: ", line) for line in lines[0::2])
    assert len(lines) == 7


@told
async def test_chatter_uses_the_name_of_the_answer_itself(world: World) -> None:
    await world.set_up("AT+CREG=1")
    await world.turn("modem.chatter", name="simcom")
    heard = [await world.simcom.ask("AT+CREG?") for _ in range(4)]
    assert any("+CREG: 1\n+CREG: 1,1\n" in said for said in heard), heard


@told
async def test_garbage_comes_when_it_is_ordered_and_breaks_nothing(world: World) -> None:
    await world.set_up()
    await world.turn("modem.garbage", name="quectel", count=300)
    await world.quectel.until(r"(?s)^.{300}$")
    assert await world.quectel.ask("AT") == "OK"


@told
async def test_a_late_result_comes_behind_its_lines_and_a_late_message_all_at_once(world: World) -> None:
    await world.set_up()
    await world.turn("modem.late", name="quectel", command="AT+CSQ", seconds=30)
    began = now()
    world.quectel.type("AT+CSQ\r")
    await world.quectel.until(r"\+CSQ: 22,99\r\n")
    lines_after = now() - began
    await world.quectel.until("OK\r\n")
    assert lines_after < 30 <= now() - began
    assert await world.quectel.ask("AT+CSQ") == "+CSQ: 22,99\nOK"
    await world.turn("modem.late", name="quectel", command="+CMGS", seconds=10)
    began = now()
    assert await world.quectel.send_pdu(f"0100{TO_OUTSIDE}0000{HELLO}") == "+CMGS: 1\nOK"
    assert now() - began >= 10
    with pytest.raises(Refusal, match="is no command"):
        await world.turn("modem.late", name="quectel", command="???", seconds=1)


@told
async def test_a_reset_in_the_middle_leaves_half_an_answer_and_no_port(world: World) -> None:
    await world.set_up()
    await world.turn("modem.reset_in", name="quectel", command="AT+CGSN")
    world.quectel.type("AT+CGSN\r")
    await world.quectel.until("\r\n8676")
    await gone(world.quectel)
    assert "OK" not in world.quectel.heard
    await world.reopened(world.quectel)
    await world.quectel.until("RDY")
    await world.quectel.ask("ATE0")
    assert await world.quectel.ask("AT+CGSN") == "867698040000001\nOK", "once only"


@told
async def test_a_reset_behind_the_prompt_sends_nothing_and_one_behind_the_text_does(world: World) -> None:
    await world.set_up()
    await world.turn("modem.reset_in", name="quectel", command="+CMGS", at="prompt")
    world.quectel.type("AT+CMGS=22\r")
    await world.quectel.until("> ")
    await gone(world.quectel)
    assert await world.turn("sms.outbox") == []
    await world.reopened(world.quectel)
    await world.until_status("quectel", registration=1)
    await world.quectel.ask("ATE0")
    await world.turn("modem.reset_in", name="quectel", command="+CMGS")
    world.quectel.type("AT+CMGS=22\r")
    await world.quectel.until("> ")
    world.quectel.type(f"000100{TO_OUTSIDE}0000{HELLO}\x1a")
    await gone(world.quectel)
    assert "OK" not in world.quectel.heard
    assert [sent["text"] for sent in await world.turn("sms.outbox")] == ["hellohello"], "nobody told the host"


async def gone(host: Host) -> None:
    for _ in range(1000):
        if host.gone:
            return
        await asyncio.sleep(0.1)
    raise AssertionError(f"the port is still there, heard {host.heard!r}")


@told
async def test_a_modem_unplugged_in_a_call_says_nothing_of_its_end(world: World) -> None:
    await world.set_up()
    await world.turn("phone.place", number=OUTSIDE, does="answer", after_s=0)
    await world.quectel.ask(f"ATD{OUTSIDE};")
    await world.quectel.until(r'"ccinfo",2,0,0,[^\r]*\r\n')
    await world.turn("modem.unplug", name="quectel")
    await gone(world.quectel)
    assert world.quectel.heard == ""
    assert (await world.turn("call.status"))["ended"][0]["cause"] == "unreachable", "the other end hears of it"


@told
async def test_registration_is_written_in_each_of_the_wrong_ways_that_were_seen(world: World) -> None:
    await world.set_up()
    expected = {
        "own": "2,1, 1F00, 79D903 ,7",
        "bare": "2,1,1F00,79D903,7",
        "quoted": '2,1,"1F00","79D903",7',
        "missing_quote": '2,1,"1F00,"79D903",7',
        "no_technology": '2,1,"1F00","79D903"',
    }
    await world.simcom.ask("AT+CEREG=2")
    for style, fields in expected.items():
        await world.turn("modem.creg_style", name="simcom", style=style)
        assert await world.simcom.ask("AT+CEREG?") == f"+CEREG: {fields}\nOK"
    await world.turn("modem.creg_style", name="quectel", style="unasked_place")
    assert await world.quectel.ask("AT+CREG?") == '+CREG: 0,1,"4CA","81DE445",7\nOK'
    with pytest.raises(Refusal, match="it can be own, bare"):
        await world.turn("modem.creg_style", name="simcom", style="pretty")


@told
async def test_octets_that_are_no_message_are_handed_on_as_they_are(world: World) -> None:
    await world.set_up()
    await world.turn("sms.raw", to="quectel", pdu_hex="04FFFF")
    await world.quectel.until(r'\+CMTI: "ME",1\r\n')
    assert await world.quectel.ask("AT+CMGR=1") == "+CMGR: 0,,3\n0691261801000004FFFF\nOK"
    await world.turn("sms.raw", to="quectel", pdu_hex="00")
    await world.quectel.until(r'\+CMTI: "ME",2\r\n')
    with pytest.raises(Refusal, match="1 to 164"):
        await world.turn("sms.raw", to="quectel", pdu_hex="")


@told
async def test_a_held_network_delivers_nothing_until_it_is_let_go(world: World) -> None:
    await world.set_up()
    await world.turn("network.hold", seconds=3600)
    await world.turn("sms.from", number=OUTSIDE, text="terlambat", to="simcom")
    await asyncio.sleep(20)
    assert "+CMTI" not in world.simcom.heard
    await world.turn("network.hold", seconds=0)
    await world.simcom.until(r'\+CMTI: "SM",1\r\n')


@told
async def test_reports_get_lost_fail_hesitate_or_come_twice_and_carry_the_modems_reference(world: World) -> None:
    await world.set_up("AT+CNMI=2,1,0,1,0")
    await world.turn("modem.reference", name="quectel", last=253)
    states: list[str] = []
    for reference, fate in ((254, "lost"), (255, "failed"), (0, "trying"), (1, "twice")):
        await world.turn("sms.report", name="quectel", fate=fate)
        assert await world.quectel.send_pdu(f"2100{TO_SIMCOM}0000{HELLO}") == f"+CMGS: {reference}\nOK"
        for _ in range({"lost": 0, "failed": 1}.get(fate, 2)):
            report = await world.quectel.until(r"\+CDS: 25\r\n[0-9A-F]+\r\n")
            states.append(report.strip()[-50:][2:4] + report.strip()[-2:])
    assert states == ["FF41", "0020", "0000", "0100", "0100"]
