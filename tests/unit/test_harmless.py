"""What a person may ask of a modem on duty, and how the network's answers by USSD are read."""

import pytest

from drivers.modem.events import UssdSaid
from drivers.modem.gsm7 import codes_of, pack
from drivers.modem.harmless import READS, why_not_asked, why_not_coded
from drivers.modem.ussd import requests, text_of

MENU = "Pulsa Rp25000\n1. Beli paket"


@pytest.mark.parametrize(
    "line", [*sorted(READS), "at+csq", " AT+CREG? ", "AT+CPIN?", "AT+COPS?", "AT^SYSINFOEX", "AT+CMGF=?"]
)
def test_what_reads_is_asked(line: str) -> None:
    assert why_not_asked(line) == ""


@pytest.mark.parametrize(
    "line",
    [
        "ATD112;", "atd112;", "ATDL", "ATA", "ATH", "ATZ", "AT&F", "AT&W", "ATE1", "ATO", "A/", "", "CSQ",
        "AT+CPIN=1234",
        "AT+CFUN=0", "AT+CFUN=1,1", "AT+CMGD=1", "AT+CMGS=20", "AT+CMGR=1", "AT+CUSD=1,\"*888#\"",
        "AT+COPS=2", "AT+COPS=?",
        "AT+CSQ;+CFUN=0", "AT+CREG?;D112;", "ATI+CFUN=0", "AT+CSQ\rATD112;", "AT+QPOWD", "AT+EGMR=1,7,\"1\"",
        "AT+CLIP?", "AT+CUSD?", "AT+CSQ?;", "AT+CREG? ATD112;",
    ],
)  # fmt: skip
def test_what_does_something_or_hides_news_is_not_asked(line: str) -> None:
    assert why_not_asked(line) != ""


@pytest.mark.parametrize("code", ["*888#", "*123*1#", "*#21#", "#123#", "1", "12"])
def test_codes_that_ask_are_sent(code: str) -> None:
    assert why_not_coded(code) == ""


@pytest.mark.parametrize(
    "code",
    ["*21*081234567#", "**21*081234567#", "##002#", "#21#", "*21#", "*61*08123#", "*67*08123#", "*004*08123#",
     "*33*0000#", "*330*0000#", "*03*330*0000*1111*1111#", "**04*1234*1111*1111#", "**05*12345678*1*1#", "*43#", "*31#",
     "112", "911", "*888", "888#", "", '*1","#', "*888#\r", "*" * 90 + "#"],
)  # fmt: skip
def test_codes_that_divert_bar_or_change_are_not_sent(code: str) -> None:
    assert why_not_coded(code) != ""


@pytest.mark.parametrize(
    ("said", "dcs"),
    [
        (MENU, 15),
        (MENU.encode("utf-16-be").hex().upper(), 72),
        (MENU.encode("utf-16-be").hex().upper(), 15),
        (pack(codes_of(MENU)).hex().upper(), 15),
        (pack(codes_of(MENU)).hex().upper(), None),
    ],
)
def test_a_text_is_read_in_each_coding(said: str, dcs: int | None) -> None:
    assert text_of(UssdSaid(1, said, dcs)) == MENU


@pytest.mark.parametrize("text", ["", "OK", "AB", "Pulsa 25", "12345"])
def test_a_text_that_is_no_coding_stays(text: str) -> None:
    assert text_of(UssdSaid(0, text, 15)) == text


def test_a_code_goes_out_in_letters_and_packed() -> None:
    assert requests("*888#") == ('AT+CUSD=1,"*888#",15', 'AT+CUSD=1,"2A1C0E3702",15')
    assert requests("*123*1#")[1] == f'AT+CUSD=1,"{pack(codes_of("*123*1#") + bytes([13])).hex().upper()}",15'
