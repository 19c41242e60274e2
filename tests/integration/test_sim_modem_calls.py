"""Calls through simulated modems, in the words of both makers."""

import asyncio

from modem_world import OUTSIDE, A, B, World, told


@told
async def test_a_call_between_the_modems_speaks_both_dialects_to_its_end(world: World) -> None:
    await world.set_up()
    assert await world.quectel.ask(f"ATD{B};") == "OK"
    await world.quectel.until(rf'\+QIND: "ccinfo",2,0,2,0,0,"\{B}",145\r\n')
    said = await world.simcom.until(r"\+CLCC: [^\r]*\r\n")
    assert said == f'\r\nRING\r\n\r\n+CLIP: "{A}",145,,,,0\r\n\r\n+CLCC: 4,1,4,0,0,"{A}",145\r\n'
    await world.quectel.until(rf'\+QIND: "ccinfo",2,0,3,0,0,"\{B}",145\r\n')
    world.simcom.type("ATA\r")
    said = await world.simcom.until(r"4,1,0,0,0[^\r]*\r\n")
    assert said.endswith(f'\r\nVOICE CALL: BEGIN\r\n\r\nOK\r\n\r\n+CLCC: 4,1,0,0,0,"{A}",145\r\n')
    await world.quectel.until(r'\+QIND: "ccinfo",2,0,0,')
    assert f'+CLCC: 2,0,0,0,0,"{B}",145' in await world.quectel.ask("AT+CLCC")
    assert (await world.turn("call.status"))["active"][0]["phase"] == "active"
    assert await world.quectel.ask("AT+CHUP") == "OK"
    await world.quectel.until(r'\+QIND: "ccinfo",2,0,-1,')
    assert "+CLCC: 4,1,6," in await world.simcom.until(r"VOICE CALL: END: 0000\d\d\r\n")
    assert "NO CARRIER" not in world.quectel.heard, "who hangs up is not told that it ended"
    assert (await world.turn("modem.log", name="simcom", last=1)) == ["ATA"]
    assert (await world.turn("modem.log", name="quectel", last=1)) == ["AT+CHUP"]
    (ended,) = (await world.turn("call.status"))["ended"]
    assert (ended["cause"], ended["ended_by"]) == ("hangup", A)


@told
async def test_the_quectel_announces_a_call_without_ring(world: World) -> None:
    await world.set_up("AT+CRC=1")
    await world.turn("call.from", number=OUTSIDE, to="quectel", ring_s=12)
    said = await world.quectel.until("NO CARRIER")
    assert said.count("+CLIP: ") == 3, "at 0, 5 and 10 s"
    assert f'+CLIP: "{OUTSIDE}",145,,,,0\r\n\r\n+QIND: "ccinfo",2,1,4,0,0,"{OUTSIDE}",145' in said
    assert f'+QIND: "ccinfo",2,1,-1,0,0,"{OUTSIDE}",145' in said
    assert "RING" not in said


@told
async def test_the_simcom_tells_of_a_missed_call(world: World) -> None:
    await world.set_up("AT+CRC=1")
    await world.turn("call.from", number="0812", to=B, ring_s=12)
    said = await world.simcom.until(r"MISSED_CALL: \d\d:\d\d[AP]M \+62812\r\n")
    assert said.count("+CRING: VOICE") == 3


@told
async def test_a_call_nobody_answers_ends_after_45_seconds(world: World) -> None:
    await world.set_up()
    began = asyncio.get_running_loop().time()
    await world.quectel.ask("ATD08222222222;")
    await world.quectel.until("NO ANSWER")
    assert 45 <= asyncio.get_running_loop().time() - began < 60
    await world.simcom.until("MISSED_CALL")


@told
async def test_who_calls_an_engaged_phone_hears_busy_and_an_unknown_one_nothing(world: World) -> None:
    await world.set_up()
    await world.turn("call.from", number=OUTSIDE, to="simcom")
    await world.simcom.until("RING")
    await world.quectel.ask(f"ATD{B};")
    await world.quectel.until("BUSY")
    await world.quectel.ask("ATD+6287777;")
    await world.quectel.until("NO CARRIER")
    await world.turn("phone.place", number="08777", does="busy")
    await world.quectel.ask("ATD08777;")
    await world.quectel.until("BUSY")
    assert await world.quectel.ask("ATD08777") == "NO CARRIER", "a data call has no service"


@told
async def test_refusing_a_call_lets_its_caller_hear_busy(world: World) -> None:
    await world.set_up()
    await world.simcom.ask(f"ATD{A};")
    await world.quectel.until(r'"ccinfo",2,1,4[^\r]*\r\n')
    assert await world.quectel.ask("AT+CHUP=?") == "OK"
    assert (await world.modem("quectel"))["in_call"], "asking is not doing"
    assert await world.quectel.ask("ATH") == "OK"
    await world.simcom.until("BUSY")


@told
async def test_keys_are_heard_at_the_other_end(world: World) -> None:
    await world.set_up()
    await world.quectel.ask("AT+QTONEDET=1")
    await world.simcom.ask("AT+DDET=1")
    await world.turn("phone.place", number=OUTSIDE, does="answer", after_s=1)
    await world.quectel.ask(f"ATD{OUTSIDE};")
    await world.quectel.until(r"ccinfo\",2,0,0")
    await world.turn("call.press", to="quectel", keys="1#")
    await world.quectel.until(r"\+QTONEDET: 49\r\n\r\n\+QTONEDET: 35\r\n")
    assert await world.quectel.ask('AT+VTS="5"') == "OK"
    assert (await world.turn("call.status"))["active"][0]["keys"] == [f"{OUTSIDE} 1", f"{OUTSIDE} #", f"{A} 5"]
    await world.turn("call.drop", to="quectel")
    await world.quectel.until("NO CARRIER")
    await world.quectel.ask(f"ATD{B};")
    await world.simcom.until("RING")
    await world.simcom.ask("ATA")
    await world.quectel.ask("AT+VTS=8")
    await world.simcom.until(r"\+RXDTMF: 8\r\n")
