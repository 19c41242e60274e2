"""The SIM of a simulated modem: absent, locked, pulled; the radio switched off; credit by USSD."""

import pytest
from modem_world import Host, World, told

from drivers.jsonsocket import Refusal
from drivers.sim.sms_text import SEPTETS_OF, pack, text_from, unpack


async def asked_at_start(world: World, host: Host, pin: str, tries: int) -> None:
    name = host.link.name
    await world.turn("sim.lock", name=name, pin=pin, tries=tries)
    await world.turn("modem.reset", name=name)
    await world.reopened(host)
    await host.until(r"\+CPIN: SIM P[IU][NK]\r\n")
    await host.ask("ATE0+CMEE=1")


@told
async def test_a_locked_sim_wants_its_pin_before_anything_else(world: World) -> None:
    await asked_at_start(world, world.quectel, "4711", 3)
    assert await world.quectel.ask("AT+CPIN?") == "+CPIN: SIM PIN\nOK"
    assert await world.quectel.ask("AT+CIMI") == "+CME ERROR: 11"
    assert await world.quectel.ask("AT+CPMS?") == "+CMS ERROR: 311"
    assert await world.quectel.ask("AT+CREG?") == "+CREG: 0,0\nOK"
    assert await world.quectel.ask('AT+CPIN="4711"') == "OK"
    await world.quectel.until(r"\+CPIN: READY\r\n[^*]*PB DONE\r\n")
    await world.until_status("quectel", registration=1, sim="READY")
    assert await world.quectel.ask("AT+CPIN=4711") == "+CME ERROR: 3", "nobody asked"


@told
async def test_wrong_pins_count_down_to_the_puk_and_survive_a_reset(world: World) -> None:
    await asked_at_start(world, world.simcom, "4711", 3)
    assert await world.simcom.ask("AT+CPINR") == "+CPINR: SIM PIN,3,3\n+CPINR: SIM PUK,10,10\nOK"
    assert await world.simcom.ask("AT+CPIN=0000") == "+CME ERROR: 16"
    assert await world.simcom.ask("AT+CPIN=0000") == "+CME ERROR: 16"
    await world.turn("modem.reset", name="simcom")
    await world.reopened(world.simcom)
    await world.simcom.until(r"\+CPIN: SIM PIN\r\n")
    await world.simcom.ask("ATE0+CMEE=1")
    assert await world.simcom.ask("AT+SPIC") == "+SPIC: 1,10,3,10\nOK"
    assert await world.simcom.ask("AT+CPIN=0000") == "+CME ERROR: 12"
    assert await world.simcom.ask("AT+CPIN?") == "+CPIN: SIM PUK\nOK"
    assert await world.simcom.ask("AT+CPIN=4711") == "+CME ERROR: 12"
    assert await world.simcom.ask('AT+CPIN="11111111","1234"') == "+CME ERROR: 16"
    assert await world.simcom.ask('AT+CPIN="12345678","1234"') == "OK"
    await world.until_status("simcom", registration=1, sim="READY")
    with pytest.raises(Refusal, match="4 to 8 digits"):
        await world.turn("sim.lock", name="simcom", pin="12")


@told
async def test_a_pulled_sim_takes_the_network_along_and_brings_it_back(world: World) -> None:
    await world.set_up("AT+CREG=1")
    await world.turn("sim.pull", name="simcom")
    await world.simcom.until(r"\+CREG: 0\r\n[^*]*\+CPIN: SIM REMOVED\r\n")
    assert await world.simcom.ask("AT+CPIN?") == "+CME ERROR: 10"
    assert await world.simcom.ask("AT+CMGL=4") == "+CMS ERROR: 310"
    assert await world.simcom.ask("ATD0812;") == "+CME ERROR: 10"
    await world.turn("sim.insert", name="simcom")
    await world.simcom.until(r"\+CPIN: READY\r\n[^*]*\+CREG: 2\r\n[^*]*\+CREG: 1\r\n")


@told
async def test_a_module_that_starts_without_a_sim_says_so(world: World) -> None:
    await world.turn("sim.pull", name="sim800")
    await world.sim800.until(r"\+CPIN: NOT INSERTED\r\n")
    await world.turn("modem.reset", name="sim800")
    await world.sim800.until(r"RDY\r\n[^*]*\+CPIN: NOT INSERTED\r\n")
    await world.sim800.ask("ATE0+CMEE=1")
    assert await world.sim800.ask("AT+CPIN?") == "+CME ERROR: 10"


@told
async def test_the_radio_can_be_switched_off_with_and_without_the_sim(world: World) -> None:
    await world.set_up("AT+CREG=1")
    world.quectel.type("AT+CFUN=4\r")
    await world.quectel.until(r"\+CREG: 0\r\n\r\nOK\r\n")
    assert await world.quectel.ask("AT+CFUN?;+CREG?;+CPIN?") == "+CFUN: 4\n+CREG: 1,0\n+CPIN: READY\nOK"
    assert await world.quectel.ask("ATD0812;") == "+CME ERROR: 30"
    world.quectel.type("AT+CFUN=1\r")
    await world.quectel.until(r"\+CREG: 2\r\n\r\nOK\r\n\r\n\+CREG: 1\r\n")
    assert (await world.quectel.ask("AT+CFUN=0")).endswith("OK")
    assert await world.quectel.ask("AT+CPIN?") == "+CME ERROR: 13"
    assert await world.quectel.ask("AT+CFUN=1") == "OK"
    await world.quectel.until(r"\+CPIN: READY\r\n[^*]*\+CREG: 1\r\n")


@told
async def test_each_operator_tells_the_credit_in_its_own_words(world: World) -> None:
    await world.set_up()
    for name in ("quectel", "simcom", "huawei"):
        await world.turn("ussd.credit", name=name, rupiah=12500, until="2027-03-09")
    assert await world.quectel.ask('AT+CUSD=1,"*888#",15') == "OK"
    await world.quectel.until(r'\+CUSD: 0,"Pulsa Rp12500 s\.d\. 09/03/2027\. Kuota 0 MB\.",15\r\n')
    await world.simcom.ask('AT+CUSD=1,"*123#",15')
    await world.simcom.until(r'\+CUSD: 1,"Pulsa Utama: Rp\.12\.500,00 aktif sampai 9 Mar 2027\n1\.[^"]*",15\r\n')
    await world.simcom.ask('AT+CUSD=1,"1",15')
    await world.simcom.until(r'\+CUSD: 2,"Terima kasih[^"]*",15\r\n')
    await world.simcom.ask('AT+CUSD=1,"*777#"')
    await world.simcom.until(r'\+CUSD: 2,"Maaf[^"]*",15\r\n')
    await world.huawei.ask("ATE0+CMEE=1")
    assert await world.huawei.ask('AT+CUSD=1,"*123#",15') == "+CME ERROR: 50", "it wants packed hex"
    packed = pack([septet for c in "*123#" for septet in SEPTETS_OF[c]]).hex().upper()
    assert packed == "AA986C3602"
    await world.huawei.ask(f'AT+CUSD=1,"{packed}",15')
    said = await world.huawei.until(r'\+CUSD: 2,"[0-9A-F]+",15\r\n')
    octets = bytes.fromhex(said.split('"')[1])
    assert text_from(unpack(octets, len(octets) * 8 // 7)).startswith("Pulsa Rp 12.500. Masa aktif s/d 09-03-2027,")
    await world.huawei.ask("AT^USSDMODE=0")
    await world.huawei.ask('AT+CUSD=1,"*123#",15')
    await world.huawei.until(r'\+CUSD: 2,"Pulsa Rp 12\.500\.')


@told
async def test_an_answer_to_ussd_comes_in_each_of_the_codings_that_were_seen(world: World) -> None:
    await world.set_up()
    pulsa = "Pulsa".encode("utf-16-be").hex().upper()
    expected = {
        "ucs2": rf'\+CUSD: 0,"{pulsa}[0-9A-F]*",72\r\n',
        "ucs2_as_15": rf'\+CUSD: 0,"{pulsa}[0-9A-F]*",15\r\n',
        "packed": r'\+CUSD: 0,"D03A7B1E[0-9A-F]*",15\r\n',
        "quoted": r'\+CUSD: 0,""Pulsa" Rp25000 [^"]*",15\r\n',
        "bare": r"\+CUSD: 5\r\n",
        "refused": r"\+CUSD: 4\r\n",
        "refused_on_lte": r"\+CUSD: 4\r\n",
    }
    for style, answer in expected.items():
        await world.turn("ussd.style", name="quectel", style=style)
        assert await world.quectel.ask('AT+CUSD=1,"*888#",15') == "OK"
        await world.quectel.until(answer)
    await world.quectel.ask('AT+QCFG="nwscanmode",1')
    await world.quectel.ask('AT+CUSD=1,"*888#",15')
    await world.quectel.until(r'\+CUSD: 0,"Pulsa')
