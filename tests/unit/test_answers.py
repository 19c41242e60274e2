"""Answers as real modems give them, spaces, missing quotes and all."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from drivers.modem import answers
from drivers.modem.answers import (
    AnswerError,
    Level,
    ListedCall,
    Operator,
    Registration,
    Storage,
    Stored,
    StoredPdu,
    Ussd,
    VendorCall,
)
from drivers.modem.at import Urc
from drivers.modem.errors import CommandRefused, NumberRefused
from drivers.modem.events import CallEnded, Caller, CallReported, KeyHeard, Ring
from drivers.modem.news import events_of
from drivers.modem.numbers import diallable
from drivers.modem.profile import ProfileError, choose, load_profile, load_profiles

PROFILES = Path(__file__).parents[2] / "firmware-config" / "modems"


@pytest.mark.parametrize(
    ("parse", "line", "value"),
    [
        (answers.creg, "+CREG: 2,1,4CA,81DE445", Registration(1, "4CA", "81DE445")),
        (answers.creg, '+CREG: 0,1,"5E25","605F",2', Registration(1, "5E25", "605F", 2)),
        (answers.creg, '+CREG: 5,"5E25","605F",2', Registration(5, "5E25", "605F", 2)),
        (answers.creg, "+CREG: 2", Registration(2)),
        (answers.cereg, "+CEREG: 2,1, 1F00, 79D903 ,7", Registration(1, "1F00", "79D903", 7)),
        (answers.cereg, '+CEREG: 2,1,"1F00, 79D903 ,7', Registration(1, "1F00", "79D903", 7)),
        (answers.cops, '+COPS: 0,0,"TELKOMSEL, ID",7', Operator(0, "TELKOMSEL, ID", 7)),
        (answers.cops, "+COPS: 0", Operator(0)),
        (answers.csq, "+CSQ: 20,99", Level(-73)),
        (answers.csq, "+CSQ:99,99", Level(None)),
        (answers.cesq, "+CESQ: 99,99,255,255,20,80", Level(-61, -10.0)),
        (answers.cesq, "+CESQ: 30,0,255,255,255,255", Level(-81)),
        (answers.cesq, "+CESQ: 99,99,255,255,255,255", Level(None)),
        (answers.cpin, "+CPIN: READY", "READY"),
        (answers.cpin, "+CPIN:SIM PUK ", "SIM PUK"),
        (answers.cpms, '+CPMS: "SM",3,50,"ME",0,255', (Storage("SM", 3, 50), Storage("ME", 0, 255))),
        (answers.cpms, "+CPMS: 3,50,3,50,3,50", (Storage("", 3, 50),) * 3),
        (answers.clcc, '+CLCC: 1,1,4,0,0,"123456789",129,"",,0', ListedCall(1, True, 4, True, False, "123456789")),
        (answers.clcc, "+CLCC: 2,0,0,1,0", ListedCall(2, False, 0, False, False)),
        (answers.clip, '+CLIP: "123456789",129,,,,0', "123456789"),
        (answers.clip, '+CLIP: "",128,,,,1', None),
        (answers.ccwa, '+CCWA: "123456789",129,1,,0', "123456789"),
        (answers.cmti, '+CMTI: "ME",1', Stored("ME", 1)),
        (answers.cmti, "+CMTI: ME, 12", Stored("ME", 12)),
        (answers.cdsi, '+CDSI: "SR",1', Stored("SR", 1)),
        (answers.cmgr, ("+CMGR: 1,,2", "00AABB"), StoredPdu(1, 2, b"\x00\xaa\xbb")),
        (answers.cmgr, ('+CMGR: 0,"Kapten, Damkar",2', "AABB"), StoredPdu(0, 2, b"\xaa\xbb")),
        (answers.cmgr, ("+CMGR: 0,,0",), None),
        (answers.cmgr, (), None),
        (answers.cmgs, "+CMGS: 255", 255),
        (answers.cmgs, '+CMGS: 7,"62111021000082"', 7),
        (
            answers.ccinfo,
            '+QIND: "ccinfo",2,1,4,0,0,"+38970349147",145',
            VendorCall(2, True, 4, "+38970349147", conference=False),
        ),
        (
            answers.ccinfo,
            '+QIND: "ccinfo",2,1,-1,0,0,"+38970349147",145',
            VendorCall(2, True, 6, "+38970349147", conference=False),
        ),
        (answers.dsci, "^DSCI: 2,1,4,0,0811223344,145", VendorCall(2, True, 4, "0811223344")),
        (answers.dsci, "^DSCI: 2,0,6,0,,129", VendorCall(2, False, 6)),
        (answers.cusd, '+CUSD: 2,"Pulsa "utama" 5000",0', Ussd(2, 'Pulsa "utama" 5000', 0)),
        (answers.cusd, '+CUSD: 1,"satu\ndua",15', Ussd(1, "satu\ndua", 15)),
        (answers.cusd, "+CUSD: 0,00500075006C0073,72", Ussd(0, "00500075006C0073", 72)),
        (answers.cusd, "+CUSD: 5", Ussd(5)),
        (answers.cusd, '+CUSD: 0,"cut of', Ussd(0, "cut of")),
    ],
)
def test_a_real_line_is_read(parse: Callable[[Any], Any], line: Any, value: Any) -> None:
    assert parse(line) == value


@pytest.mark.parametrize(
    ("parse", "line"),
    [
        (answers.creg, "+CREG: x"),
        (answers.creg, "+CSQ: 1,1"),
        (answers.csq, "+CSQ:"),
        (answers.csq, "+CSQ: " + "9" * 5000),
        (answers.cesq, "+CESQ: 99,99,255"),
        (answers.cpin, "+CPIN:"),
        (answers.clcc, "+CLCC: 1,1,4"),
        (answers.ccwa, "+CCWA: 1"),
        (answers.cmti, '+CMTI: "ME"'),
        (answers.cmgr, ("+CMGR: 1,,31",)),
        (answers.cmgr, ("+CMGR: 1,,31", "not hex")),
        (answers.cmgs, "+CMGS: 256"),
        (answers.ccinfo, '+QIND: "csq",20,99'),
        (answers.dsci, "^DSCI: "),
        (answers.cusd, "+CUSD: yes"),
        (answers.cusd, ""),
    ],
)
def test_a_line_that_breaks_its_promise_is_one_error(parse: Callable[[Any], Any], line: Any) -> None:
    with pytest.raises(AnswerError):
        parse(line)


def test_an_entry_that_cannot_be_read_costs_the_others_nothing() -> None:
    listed = answers.cmgl(("+CMGL: 1,1,,2", "AABB", "+CMGL: 2,1,,2", "+CMGL: 3,0,,2", "CCDD"))
    assert [type(entry) for entry in listed] == [StoredPdu, AnswerError, StoredPdu]
    assert listed[2] == StoredPdu(0, 2, b"\xcc\xdd", 3)


def test_an_empty_store_lists_nothing() -> None:
    assert answers.cmgl(()) == []


@pytest.mark.parametrize(
    ("line", "events"),
    [
        ("RING", (Ring(),)),
        ("+CRING: VOICE", (Ring(),)),
        ('+CLIP: "0811",129', (Caller("0811"),)),
        ('+CCWA: "0811",129,1,,0', (Caller("0811", waiting=True),)),
        ('+CLCC: 1,1,6,0,0,"0811",129', (CallReported("ended", "0811", "+CLCC", True, 1, False),)),
        ('+QIND: "ccinfo",1,0,3,0,0,"0811",129', (CallReported("alerting", "0811", "+QIND", False, 1, False),)),
        ('+QIND: "ccinfo",1,0,9,0,0,"0811",129', ()),
        ("VOICE CALL: BEGIN", (CallReported("active", None, "VOICE CALL"),)),
        ("VOICE CALL: END: 000008", (CallEnded("VOICE CALL: END: 000008", of="talked"),)),
        ("MISSED_CALL: 11:53AM 08020866256", (CallEnded("MISSED_CALL", "08020866256", of="ringing"),)),
        ("NO CARRIER", (CallEnded("NO CARRIER"),)),
        ("^CONN:1,0", (CallReported("active", None, "^CONN", index=1),)),
        ("^CEND:1,5,29,16", (CallEnded("^CEND:1,5,29,16", index=1),)),
        ("+QTONEDET: 48", (KeyHeard("0"),)),
        ("+QTONEDET: 7", ()),
        ("+RXDTMF: 8", (KeyHeard("8"),)),
        ("+CIEV: 7,1", ()),
        ('+QIND: "csq",20,99', ()),
    ],
)
def test_news_of_calls_and_keys_becomes_events(line: str, events: tuple[object, ...]) -> None:
    assert events_of(Urc(line.partition(":")[0], line)) == events


@pytest.mark.parametrize(
    "number",
    ["112", "110", "113", "115", "118", "119", "129", "911", "1-1-2", "+62112", "0062112", "62 112", "0112", "112 ",
     "0911112", "+6221113", "021 110", "08", "123", "999"],
)  # fmt: skip
def test_no_way_of_writing_an_emergency_number_is_dialled(number: str) -> None:
    with pytest.raises(NumberRefused):
        diallable(number)


@pytest.mark.parametrize("number", ["", "+", "*#06#", "*31#112", "0811;ATD112", "0811\r", "٠٨١١٢٢", "1" * 22])
def test_what_is_no_number_is_not_dialled(number: str) -> None:
    with pytest.raises(NumberRefused):
        diallable(number)


def test_numbers_that_only_look_alike_are_dialled() -> None:
    assert diallable("0911 312-345") == "0911312345"
    assert diallable("+62 811 1121") == "+628111121"
    assert diallable("08112112") == "08112112"


def test_a_verbose_refusal_carries_the_same_code_as_a_numeric_one() -> None:
    assert CommandRefused("AT+CPIN?", "+CME ERROR", None, "SIM busy").code == 14
    assert "SIM busy" in str(CommandRefused("AT+CPIN?", "+CME ERROR", 14))
    assert CommandRefused("AT+CMGS=1", "+CMS ERROR").code is None


@pytest.mark.parametrize(
    ("identity", "name"),
    [
        ("Quectel EG25 Revision: EG25GGBR07A08M2G", "Quectel EG25-G"),
        ("Quectel EC25", "Quectel EG25-G"),
        ("SIMCOM INCORPORATED SIMCOM_SIM7600G-H", "SIMCom SIM7600"),
        ("FAKE FM1", "Generic 3GPP modem"),
        ("", "Generic 3GPP modem"),
    ],
)
def test_a_modem_gets_the_profile_of_its_make(identity: str, name: str) -> None:
    assert choose(load_profiles(PROFILES), identity).name == name


def test_every_shipped_profile_says_how_to_hang_up_and_where_it_is_from() -> None:
    for profile in load_profiles(PROFILES):
        assert profile.hangup == "AT+CHUP"
        assert profile.source
        assert any(initial.send == "AT+CMGF=0" for initial in profile.sim_init)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('colour = "red"', "colour"),
        ('match = ["A"]', "name"),
        ("match = [", ""),
    ],
)
def test_a_profile_that_cannot_be_used_names_its_file_and_key(tmp_path: Path, text: str, complaint: str) -> None:
    path = tmp_path / "bad.toml"
    path.write_text(text)
    with pytest.raises(ProfileError, match=rf"bad\.toml.*{complaint}"):
        load_profile(path)


def test_a_folder_without_a_profile_for_the_rest_is_refused(tmp_path: Path) -> None:
    (tmp_path / "one.toml").write_text((PROFILES / "quectel_eg25g.toml").read_text())
    with pytest.raises(ProfileError, match="exactly one"):
        load_profiles(tmp_path)
