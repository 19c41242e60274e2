"""Messages through simulated modems, byte for byte: hand-written SUBMITs in, DELIVERs and reports out."""

import asyncio
import re

from modem_world import ESC, OUTSIDE, A, B, World, told

# SUBMIT to +628222222222 (its address behind the first two octets), without a service centre of its own.
TO_B = "0C91262822222222"
HELLO = "0AE8329BFD4697D9EC37"  # "hellohello" in GSM 7, length first
BINARY = "0E06050423F4C000" + "DEADBEEF001A1B"  # port 9204 from 49152, 7 octets


@told
async def test_a_message_reaches_the_other_modem_with_the_same_user_data(world: World) -> None:
    await world.set_up()
    began = asyncio.get_running_loop().time()
    assert await world.quectel.send_pdu(f"1100{TO_B}0000AA{HELLO}") == "+CMGS: 1\nOK"
    assert asyncio.get_running_loop().time() - began >= 1.0, "the radio takes its time"
    await world.simcom.until(r'\+CMTI: "SM",1\r\n')
    read = await world.simcom.ask("AT+CMGR=1")
    deliver = r'\+CMGR: 0,"",28\n06912618010000040C91261811111111' + rf"0000\d{{12}}82{HELLO}\nOK"
    assert re.fullmatch(deliver, read), read
    assert (await world.simcom.ask("AT+CMGR=1")).startswith("+CMGR: 1,"), "read once is read"
    assert await world.simcom.ask("AT+CMGD=1") == "OK"
    assert await world.simcom.ask("AT+CMGL=4") == "OK"


@told
async def test_octets_to_a_port_arrive_with_their_header_and_their_coding(world: World) -> None:
    await world.set_up()
    await world.quectel.send_pdu(f"5100{TO_B}0004FF{BINARY}")
    await world.simcom.until(r"\+CMTI")
    assert re.search(rf"44[0-9A-F]{{16}}0004\d{{12}}82{BINARY}", await world.simcom.ask("AT+CMGR=1"))


@told
async def test_a_national_number_reaches_the_same_phone(world: World) -> None:
    await world.set_up()
    await world.quectel.send_pdu(f"01000B818022222222F20000{HELLO}")
    await world.simcom.until(r"\+CMTI")


@told
async def test_a_direct_message_waits_for_its_acknowledgement(world: World) -> None:
    await world.set_up("AT+CSMS=1", "AT+CNMI=2,2,0,1,0")
    await world.turn("sms.from", number=OUTSIDE, text="satu", to="simcom")
    await world.turn("sms.from", number=OUTSIDE, text="dua", to="simcom")
    await world.simcom.until(r'\r\n\+CMT: "",\d+\r\n[0-9A-F]+\r\n')
    assert (await world.modem("simcom"))["held_by_network"] == 1, "the second waits for AT+CNMA"
    assert await world.simcom.ask("AT+CNMA") == "OK"
    await world.simcom.until(r"\+CMT: .*\r\n[0-9A-F]+\r\n")
    assert await world.simcom.ask("AT+CNMA=1") == "OK"
    assert await world.simcom.ask("AT+CNMA") == "+CMS ERROR: 340"
    assert (await world.modem("simcom"))["stored"] == {"SM": 0, "ME": 0, "SR": 0}


@told
async def test_a_host_that_never_acknowledges_loses_direct_delivery_but_not_the_message(world: World) -> None:
    await world.set_up("AT+CSMS=1", "AT+CNMI=2,2,0,1,0")
    await world.turn("sms.from", number=OUTSIDE, text="satu", to="quectel")
    await world.quectel.until(r"\+CMT: ,\d+\r\n[0-9A-F]+\r\n")
    await world.until_status("quectel", stored={"SM": 0, "ME": 1, "SR": 0})
    assert await world.quectel.ask("AT+CNMI?") == "+CNMI: 2,0,0,0,0\nOK"
    assert "+CMT" not in world.quectel.heard


@told
async def test_a_long_text_from_outside_comes_in_parts_that_belong_together(world: World) -> None:
    await world.set_up()
    assert await world.turn("sms.from", number="BMKG", text="Gempa! 🌊" * 30, to=B) == {"parts": 5}
    for _ in range(5):
        await world.simcom.until(r'\+CMTI: "SM",\d\r\n')
    headers = re.findall(r"0008\d{12}82[0-9A-F]{2}050003(..)(....)", await world.simcom.ask("AT+CMGL=4"))
    assert {reference for reference, _ in headers} == {headers[0][0]}
    assert [part for _, part in headers] == ["0501", "0502", "0503", "0504", "0505"]


@told
async def test_a_full_memory_makes_the_network_wait_until_there_is_room(world: World) -> None:
    await world.set_up()
    await world.turn("network.delay", seconds=0)
    for number in range(51):
        await world.turn("sms.from", number=OUTSIDE, text=f"pesan {number}", to="simcom")
    await world.simcom.until(r"\+SMS FULL")
    assert await world.simcom.ask("AT+CPMS?") == '+CPMS: "SM",50,50,"SM",50,50,"SM",50,50\nOK'
    await world.simcom.ask("AT+CMGD=7")
    await world.simcom.until(r'\+CMTI: "SM",7\r\n')


@told
async def test_a_sender_who_asks_learns_that_the_message_arrived(world: World) -> None:
    await world.set_up("AT+CNMI=2,1,0,1,0")
    answer = await world.quectel.send_pdu(f"2100{TO_B}0000{HELLO}")
    assert answer == "+CMGS: 1\nOK"
    report = await world.quectel.until(r"\+CDS: 25\r\n[0-9A-F]+\r\n")
    assert re.search(r"06912618010000" + r"06010C91262822222222" + r"\d{12}82\d{12}8200\r\n$", report)


@told
async def test_a_report_can_be_kept_in_the_modem(world: World) -> None:
    await world.set_up()
    await world.quectel.send_pdu(f"2100{TO_B}0000{HELLO}")
    await world.quectel.until(r'\+CDSI: "SR",1\r\n')
    await world.quectel.ask('AT+CPMS="SR"')
    assert "0601" in await world.quectel.ask("AT+CMGR=1")


@told
async def test_what_cannot_be_sent_is_refused_with_a_reason(world: World) -> None:
    await world.set_up()
    good = f"0100{TO_B}0000{HELLO}"
    assert await world.quectel.send_pdu(good, length=len(good) // 2 - 1) == "+CMS ERROR: 304"
    assert await world.quectel.send_pdu("zz") == "+CMS ERROR: 304"
    assert await world.quectel.send_pdu(good[:-4]) == "+CMS ERROR: 304"
    await world.turn("sms.refuse", name="quectel", code=500)
    assert await world.quectel.send_pdu(good) == "+CMS ERROR: 500"
    await world.turn("modem.deny", name="quectel")
    assert await world.quectel.send_pdu(good) == "+CMS ERROR: 331"
    world.quectel.type("AT+CMGS=20\r")
    await world.quectel.until("> ")
    assert await world.quectel.ask_raw("0011" + ESC) == "OK"
    assert (await world.turn("sms.outbox")) == []
    assert (await world.modem("simcom"))["stored"]["SM"] == 0


@told
async def test_messages_to_numbers_outside_are_kept_in_an_outbox(world: World) -> None:
    await world.set_up()
    await world.quectel.send_pdu(f"01000C912618999900000000{HELLO}")
    await world.quectel.send_pdu("41000C91261899990000" + f"0004{BINARY}")
    text, binary = await world.turn("sms.outbox")
    assert (text["from"], text["to"], text["text"]) == (A, "+628199990000", "hellohello")
    assert (binary["text"], binary["header"], binary["payload"]) == (None, {"05": "23f4c000"}, "deadbeef001a1b")


@told
async def test_nothing_unasked_is_said_between_a_prompt_and_its_text(world: World) -> None:
    await world.set_up()
    await world.turn("network.delay", seconds=0)
    world.quectel.type("AT+CMGS=20\r")
    await world.quectel.until("> ")
    await world.turn("sms.from", number=OUTSIDE, text="sela", to="quectel")
    await world.until_status("quectel", stored={"SM": 0, "ME": 1, "SR": 0})
    assert world.quectel.heard == ""
    world.quectel.type(ESC)
    assert await world.quectel.until("OK\r\n") == '\r\n+CMTI: "ME",1\r\n\r\nOK\r\n'
