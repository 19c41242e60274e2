"""A simulated modem as its host meets it: commands, registration, power, knobs."""

import asyncio
from typing import Any

import pytest
from modem_world import OUTSIDE, A, B, World, told

from drivers.jsonsocket import Refusal

INIT = """
ATE0 AT+CMEE=1 AT+CPIN? AT+CLIP=1 AT+CRC=1 AT+CMGF=0 AT+CSMS=1 AT+CNMI=2,1,0,2,0 AT+CREG=2 AT+CEREG=2 AT+COPS=3,0
AT+CCWA=1 ATI AT+CGMI AT+CGMM AT+CGMR AT+CGSN AT+CIMI AT+CFUN? AT+CSQ AT+CESQ AT+CREG? AT+CGREG? AT+CEREG? AT+COPS?
AT+CSCS="GSM" AT+CSMS? AT+CSCA? AT+CPMS? AT+CPMS="SM","SM","SM" AT+CNMI? AT+CMGL=4 AT+CMMS=1 AT+CLCC AT+CCLK? AT+CBC
ATH AT+CHUP AT+CMGD=1,4 ATZ AT&F AT+CVHU=0 ATS0=0 ATV1 AT+CPAS AT+CNUM AT+GCAP AT+CHLD=? AT+CNMI=? AT+CPMS=?
"""


@told
async def test_both_models_take_every_command_of_a_drivers_start(world: World) -> None:
    for host in (world.quectel, world.simcom):
        for command in INIT.split():
            assert (await host.ask(command)).endswith("OK"), command


@told
async def test_a_modem_echoes_until_it_is_told_not_to(world: World) -> None:
    world.quectel.type("AT\r")
    assert await world.quectel.until("OK\r\n") == "AT\r\r\nOK\r\n"
    await world.quectel.ask("ATE0")
    world.quectel.type("AT\r")
    assert await world.quectel.until("OK\r\n") == "\r\nOK\r\n"


@told
async def test_several_commands_in_a_line_get_one_result_and_stop_at_the_first_error(world: World) -> None:
    await world.set_up()
    assert await world.quectel.ask("AT+CPIN?;+CFUN?") == "+CPIN: READY\n+CFUN: 1\nOK"
    assert await world.quectel.ask("AT+CPIN?;+NOSUCH;+CREG=2") == "+CPIN: READY\nERROR"
    assert await world.quectel.ask("AT+CREG?") == "+CREG: 0,1\nOK"


@told
async def test_errors_are_as_wordy_as_cmee_says(world: World) -> None:
    await world.set_up()
    assert await world.simcom.ask("AT+VTS=5") == "+CME ERROR: 3"
    await world.simcom.ask("AT+CMEE=2")
    assert await world.simcom.ask("AT+VTS=5") == "+CME ERROR: operation not allowed"
    await world.simcom.ask("AT+CMEE=0")
    assert await world.simcom.ask("AT+VTS=5") == "ERROR"
    assert await world.simcom.ask("AT+CMGR=7") == "+CMS ERROR: 321"


@told
async def test_each_maker_writes_its_registration_in_its_own_way(world: World) -> None:
    await world.set_up("AT+CREG=2", "AT+CEREG=2")
    assert await world.quectel.ask("AT+CREG?") == '+CREG: 2,1,"4CA","81DE445",7\nOK'
    assert await world.simcom.ask("AT+CREG?") == "+CREG: 2,1,4CA,81DE445\nOK"
    assert await world.simcom.ask("AT+CEREG?") == "+CEREG: 2,1, 1F00, 79D903 ,7\nOK"
    assert await world.simcom.ask("AT+COPS=3,2;+COPS?") == '+COPS: 0,2,"51001",7\nOK'


@told
async def test_a_mute_modem_says_nothing_and_forgets_what_was_typed(world: World) -> None:
    await world.set_up()
    await world.turn("modem.mute", name="simcom")
    world.simcom.type("AT+CREG=2\r")
    await world.turn("sms.from", number=OUTSIDE, text="sunyi", to="simcom")
    await world.until_status("simcom", stored={"SM": 1, "ME": 0, "SR": 0})
    await world.turn("modem.mute", name="simcom", on=False)
    assert await world.simcom.ask("AT+CREG?") == "+CREG: 0,1\nOK"
    assert "CMTI" not in world.simcom.heard


@told
async def test_a_denied_modem_says_so_and_cannot_be_reached(world: World) -> None:
    await world.set_up("AT+CREG=1")
    await world.quectel.ask(f"ATD{B};")
    await world.simcom.until("RING")
    await world.turn("modem.deny", name="simcom")
    await world.simcom.until(r"\+CREG: 3\r\n")
    await world.quectel.until("NO CARRIER")
    await world.simcom.until("MISSED_CALL: .*\r\n")
    assert await world.simcom.ask(f"ATD{A};") == "+CME ERROR: 30"
    await world.quectel.ask(f"ATD{B};")
    await world.quectel.until("NO CARRIER")
    await world.turn("sms.from", number=OUTSIDE, text="nanti", to="simcom")
    await world.turn("modem.deny", name="simcom", on=False)
    await world.simcom.until(r"\+CREG: 2\r\n[^+]*\+CREG: 1\r\n")
    await world.simcom.until(r"\+CMTI")


@told
async def test_an_unplugged_modem_is_gone_and_comes_back_having_forgotten(world: World) -> None:
    await world.set_up()
    await world.turn("modem.unplug", name="simcom")
    assert not world.simcom.link.is_symlink()
    await world.quectel.ask(f"ATD{B};")
    await world.quectel.until("NO CARRIER")
    assert world.simcom.gone
    world.simcom.close()
    await world.turn("sms.from", number=OUTSIDE, text="selamat pagi", to="simcom")
    await world.turn("modem.plug", name="simcom")
    await world.until_status("simcom", port_present=True)
    world.simcom.open()
    await world.simcom.until(r"RDY\r\n[^Z]*\+CPIN: READY\r\n[^Z]*PB DONE\r\n")
    await world.until_status("simcom", stored={"SM": 1, "ME": 0, "SR": 0})
    world.simcom.type("AT+CNMI?\r")
    assert await world.simcom.until("OK\r\n") == "AT+CNMI?\r\r\n+CNMI: 0,0,0,0,0\r\n\r\nOK\r\n"


@told
async def test_cfun_1_1_takes_the_port_away(world: World) -> None:
    await world.set_up()
    assert await world.quectel.ask("AT+CFUN=1,1") == "OK"
    await world.until_status("quectel", port_present=False)
    await world.until_status("quectel", port_present=True, registration=1)


@told
async def test_a_reset_heals_a_mute_modem(world: World) -> None:
    await world.set_up()
    await world.turn("modem.mute", name="simcom")
    await world.turn("modem.reset", name="simcom")
    assert not (await world.modem("simcom"))["port_present"]
    await world.until_status("simcom", port_present=True, registration=1, muted=False)


@told
async def test_credit_is_told_by_the_network(world: World) -> None:
    await world.set_up()
    assert await world.quectel.ask('AT+CUSD=1,"*888#",15') == "OK"
    await world.quectel.until(r'\+CUSD: 0,"Pulsa [^"]*",15\r\n')


@told
async def test_rubbish_without_end_fills_nothing_and_breaks_nothing(world: World) -> None:
    await world.set_up()
    for _ in range(50):
        world.quectel.type("x" * 1000)
        await asyncio.sleep(0.05)
    world.quectel.type("\rAT" + "9" * 3000 + "\r")
    await world.quectel.until("ERROR")
    assert await world.quectel.ask("AT") == "OK"
    assert max(len(line) for line in await world.turn("modem.log", name="quectel")) <= 513


WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("call.from", {"number": "1", "to": "nobody"}, r"no modem 'nobody'; there are quectel \(\+628111111111\), simcom"),
    ("call.drop", {"to": "simcom"}, "simcom is in no call"),
    ("call.from", {"number": "1", "to": "simcom", "ring_s": 0}, "from 0.1 to 600"),
    ("sms.from", {"number": "1", "text": "", "to": "simcom"}, "text must not be empty"),
    ("sms.from", {"number": "a name too long", "text": "x", "to": "simcom"}, "11 characters"),
    ("sms.binary", {"number": "1", "data_hex": "xy", "to": A, "src_port": 1, "dst_port": 2}, "hexadecimal"),
    ("sms.binary", {"number": "1", "data_hex": "00", "to": A, "src_port": -1, "dst_port": 2}, "from 0 to 65535"),
    ("modem.mute", {"name": "simcom", "on": "yes"}, "true or false"),
    ("network.delay", {"seconds": "soon"}, "a number from 0 to 86400"),
    ("phone.place", {"number": A}, "is a modem's number"),
    ("phone.place", {"number": "1", "does": "sing"}, "not 'sing'"),
]


@told
async def test_a_knob_turned_wrongly_says_what_is_possible(world: World) -> None:
    for knob, args, reason in WRONG:
        with pytest.raises(Refusal, match=reason):
            await world.turn(knob, **args)
