"""The two reserve models, an old 2G module and a Huawei stick, in their makers' words."""

from modem_world import OLD, OUTSIDE, STICK, World, told

TO_OUTSIDE = "0C91261899990000"
HELLO = "0AE8329BFD4697D9EC37"  # "hellohello" in GSM 7, length first


@told
async def test_an_old_module_boots_behind_a_port_that_stays(world: World) -> None:
    await world.turn("modem.reset", name="sim800")
    assert (await world.modem("sim800"))["port_present"], "its USB-serial adapter knows nothing of it"
    world.sim800.type("AT\r")
    said = await world.sim800.until("SMS Ready\r\n")
    words = [line for line in said.split("\r\n") if line]
    assert words == ["RDY", "+CFUN: 1", "+CPIN: READY", "Call Ready", "SMS Ready"], "what was typed meanwhile is lost"
    assert not world.sim800.gone


@told
async def test_an_old_module_knows_only_2g(world: World) -> None:
    await world.sim800.ask("ATE0")
    assert await world.sim800.ask("AT+CREG=2") == "OK"
    assert await world.sim800.ask("AT+CREG?") == '+CREG: 2,1,"04CA","1DE4"\nOK'
    assert await world.sim800.ask("AT+COPS?") == '+COPS: 0,0,"TELKOMSEL"\nOK'
    assert await world.sim800.ask("AT+CEREG?") == "ERROR"
    assert await world.sim800.ask("AT+CNMI=2,1,0,2,0") == "+CMS ERROR: 302", "it has no place for reports"
    assert await world.sim800.ask("AT+CNMI=2,1,0,1,0") == "OK"


@told
async def test_an_old_module_rings_and_says_no_carrier_when_the_caller_gives_up(world: World) -> None:
    await world.sim800.ask("ATE0+CLIP=1")
    await world.turn("call.from", number=OUTSIDE, to=OLD, ring_s=7)
    said = await world.sim800.until("NO CARRIER\r\n")
    assert said.count(f'RING\r\n\r\n+CLIP: "{OUTSIDE}",145,"",0,"",0\r\n') == 2
    await world.sim800.ask("AT+CRC=1;+CLCC=1")
    await world.turn("call.from", number=OUTSIDE, to=OLD)
    said = await world.sim800.until(r"\+CLCC: 1,1,4[^\r]*\r\n")
    assert "+CRING: VOICE" in said
    assert said.endswith(f'+CLCC: 1,1,4,0,0,"{OUTSIDE}",145,""\r\n')
    assert await world.sim800.ask("ATA") == "OK"
    await world.sim800.until(r"\+CLCC: 1,1,0,")
    await world.turn("call.drop", to="sim800")
    await world.sim800.until("NO CARRIER")


@told
async def test_an_old_module_says_goodbye_and_stays_off(world: World) -> None:
    world.sim800.type("AT+CPOWD=1\r")
    assert "OK" not in await world.sim800.until("NORMAL POWER DOWN\r\n")
    await world.until_status("sim800", powered=False, port_present=True)
    await world.turn("modem.plug", name="sim800")
    await world.sim800.until("RDY")


@told
async def test_a_weak_supply_lets_a_module_boot_and_die_until_it_is_better(world: World) -> None:
    await world.turn("modem.undervoltage", name="sim800")
    world.sim800.type("ATE0\r")
    await world.sim800.until("OK\r\n")
    world.sim800.type("AT+CMGS=22\r")
    await world.sim800.until("> ")
    world.sim800.type(f"000100{TO_OUTSIDE}0000{HELLO}\x1a")
    for _ in range(3):
        said = await world.sim800.until(r"UNDER-VOLTAGE WARNNING\r\n\r\nUNDER-VOLTAGE POWER DOWN\r\n")
        assert "Call Ready" not in said
        assert "+CMGS:" not in said
        await world.sim800.until("RDY")
    assert await world.turn("sms.outbox") == []
    await world.turn("modem.undervoltage", name="sim800", on=False)
    await world.sim800.until("Call Ready")


@told
async def test_a_stick_reports_its_calls_by_carets(world: World) -> None:
    await world.huawei.ask("ATE0")
    assert await world.huawei.ask("AT^DDSETEX=2") == "OK"
    await world.turn("phone.place", number=OUTSIDE, does="answer", after_s=1)
    assert await world.huawei.ask(f"ATD{OUTSIDE};") == "OK"
    for word in (r"\^ORIG:1,0", r"\^CONF:1", r"\^CONN:1,0"):
        await world.huawei.until(word + "\r\n")
    assert await world.huawei.ask("AT^DTMF=1,5") == "OK"
    assert (await world.turn("call.status"))["active"][0]["keys"] == [f"{STICK} 5"]
    await world.turn("call.press", to="huawei", keys="7")
    await world.huawei.until(r"\^DDTMF: 7\r\n")
    await world.turn("call.drop", to="huawei")
    await world.huawei.until(r"\^CEND:1,\d+,29,16\r\n\r\nNO CARRIER\r\n")


@told
async def test_a_stick_has_its_own_word_for_what_it_does_not_know_and_talks_to_itself(world: World) -> None:
    await world.huawei.ask("ATE0")
    assert await world.huawei.ask("AT+CEREG=2") == "COMMAND NOT SUPPORT"
    await world.huawei.ask("AT+CREG=2")
    assert await world.huawei.ask("AT+CREG?") == "+CREG: 2,1, 5E25, 605F\nOK"
    assert "IMEI: 867698040000005" in await world.huawei.ask("ATI")
    await world.huawei.until(r"\^RSSI:\d+\r\n\r\n\^BOOT:\d+,0,0,0,72\r\n")
    assert await world.huawei.ask("AT^CURC=0") == "OK"


@told
async def test_a_stick_tells_when_its_memory_is_full(world: World) -> None:
    await world.huawei.ask("ATE0")
    assert await world.turn("modem.fill", name="huawei") == {"added": 50}
    await world.turn("sms.from", number=OUTSIDE, text="penuh", to="huawei")
    await world.huawei.until(r'\^SMMEMFULL:"SM"\r\n')
    assert "+CMTI" not in world.huawei.heard
    assert await world.huawei.ask("AT+CMGD=1,4") == "OK"
    await world.huawei.until(r'\+CMTI: "SM",1\r\n')


@told
async def test_the_network_tells_the_time_when_it_lets_a_modem_in(world: World) -> None:
    await world.set_up()
    assert await world.quectel.ask("AT+CTZU=1;+CTZR=2") == "OK"
    await world.sim800.ask("ATE0+CLTS=1")
    assert '"04/01/01,' in await world.sim800.ask("AT+CCLK?"), "an old module begins in 2004"
    for host, name, told_by in (
        (world.quectel, "quectel", r'\+CTZE: "\+28",0,"20\d\d/[^"]*"\r\n'),
        (world.sim800, "sim800", r'\*PSUTTZ: 20\d\d,[\d,]*,"\+28",0\r\n\r\nDST: 0\r\n'),
    ):
        await world.turn("modem.deny", name=name)
        await world.turn("modem.deny", name=name, on=False)
        await host.until(told_by)
        assert "04/01/01" not in await host.ask("AT+CCLK?")


@told
async def test_a_quectel_tells_what_it_is_registered_on_and_whether_it_has_voice(world: World) -> None:
    await world.set_up()
    assert await world.quectel.ask('AT+QCFG="ims"') == '+QCFG: "ims",1,1\nOK'
    assert await world.quectel.ask("AT+QNWINFO") == '+QNWINFO: "FDD LTE","51010","LTE BAND 3",1850\nOK'
    assert '"LTE"' in await world.quectel.ask("AT+QCSQ")
    await world.turn("modem.ims", name="quectel", on=False)
    assert await world.quectel.ask('AT+QCFG="ims"') == '+QCFG: "ims",1,0\nOK'
    await world.quectel.ask('AT+QCFG="nwscanmode",1')
    assert '"GSM"' in await world.quectel.ask("AT+QNWINFO")
    await world.turn("modem.deny", name="quectel")
    assert await world.quectel.ask("AT+QNWINFO;+QCSQ") == '+QNWINFO: No Service\n+QCSQ: "NOSERVICE"\nOK'


@told
async def test_a_modem_without_voice_over_lte_is_registered_and_cannot_call_until_it_goes_to_2g(world: World) -> None:
    await world.set_up()
    await world.turn("phone.place", number=OUTSIDE, does="answer", after_s=0)
    await world.turn("modem.ims", name="quectel", on=False)
    assert await world.quectel.ask("AT+CREG?") == "+CREG: 0,1\nOK"
    assert await world.quectel.ask(f"ATD{OUTSIDE};") == "OK"
    await world.quectel.until("NO CARRIER\r\n")
    await world.turn("call.from", number=OUTSIDE, to="quectel")
    await world.quectel.ask('AT+QCFG="nwscanmode",1')
    await world.quectel.ask(f"ATD{OUTSIDE};")
    said = await world.quectel.until(r'"ccinfo",2,0,0,')
    assert "+CLIP" not in said, "the one who called did not get through"
