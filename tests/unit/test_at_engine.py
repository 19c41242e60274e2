"""The AT engine on real dialogues, each fed whole and byte by byte."""

from collections.abc import Callable

import pytest

from drivers.modem.at import MAX_ANSWER_LINES, MAX_LINE, Engine, Event, NotReady, Prompt, Response, Resynced, Urc
from drivers.modem.command import MAX_COMMAND

Feed = Callable[[Engine, bytes], list[Event]]


def whole(engine: Engine, data: bytes) -> list[Event]:
    return engine.receive(data)


def byte_by_byte(engine: Engine, data: bytes) -> list[Event]:
    return [event for i in range(len(data)) for event in engine.receive(data[i : i + 1])]


@pytest.fixture(params=[whole, byte_by_byte])
def feed(request: pytest.FixtureRequest) -> Feed:
    chosen: Feed = request.param
    return chosen


def asked(line: str, urcs: tuple[str, ...] = ()) -> Engine:
    engine = Engine(urcs)
    assert engine.send(line) == line.encode() + b"\r"
    return engine


def test_an_answer_is_its_lines_and_its_final_result(feed: Feed) -> None:
    assert feed(asked("AT+CSQ"), b"\r\n+CSQ: 20,0\r\n\r\nOK\r\n") == [Response("AT+CSQ", ("+CSQ: 20,0",), "OK")]


@pytest.mark.parametrize("echo", [b"AT+CSQ\r", b"AT+CSQ\r\r\n", b"AT+CSQ\r\n"])
def test_an_echo_is_dropped_and_noticed(feed: Feed, echo: bytes) -> None:
    engine = asked("AT+CSQ")
    assert feed(engine, echo + b"\r\n+CSQ: 20,0\r\r\n\r\nOK\r\n") == [Response("AT+CSQ", ("+CSQ: 20,0",), "OK")]
    assert engine.echoed


def test_news_between_the_lines_of_an_answer_stays_news(feed: Feed) -> None:
    engine = asked("AT+CMGR=1")
    events = feed(engine, b'\r\n+CMGR: 1,,31\r\n\r\nRING\r\n0791261300\r\n+CMTI: "ME",1\r\n\r\nOK\r\n')
    assert events == [
        Urc("RING", "RING"),
        Urc("+CMTI", '+CMTI: "ME",1'),
        Response("AT+CMGR=1", ("+CMGR: 1,,31", "0791261300"), "OK"),
    ]


def test_news_right_behind_a_final_result_in_one_chunk_is_news(feed: Feed) -> None:
    events = feed(
        asked("AT"),
        b'\r\nOK\r\n\r\n+CIEV: 7,1\r\n\r\n+CRING: VOICE\r\n\r\n+CLIP: "+0123456789",145,,,,0\r\n',
    )
    assert [e.name if isinstance(e, Urc) else e for e in events] == [
        Response("AT", (), "OK"),
        "+CIEV",
        "+CRING",
        "+CLIP",
    ]


def test_news_of_the_network_is_not_the_answer_about_it(feed: Feed) -> None:
    events = feed(asked("AT+CREG?"), b'+CREG: 1,"04CA","81DE445",7\r\n+CREG: 2\r\n+CREG: 2,1,4CA,81DE445\r\nOK\r\n')
    assert events == [
        Urc("+CREG", '+CREG: 1,"04CA","81DE445",7'),
        Urc("+CREG", "+CREG: 2"),
        Response("AT+CREG?", ("+CREG: 2,1,4CA,81DE445",), "OK"),
    ]


def test_an_ended_call_that_simcom_reports_is_not_listed(feed: Feed) -> None:
    events = feed(asked("AT+CLCC"), b'+CLCC: 1,1,6,0,0,"08",129\r\n+CLCC: 2,1,4,0,0,"09",129\r\nOK\r\n')
    assert [type(e) for e in events] == [Urc, Response]
    assert events[1] == Response("AT+CLCC", ('+CLCC: 2,1,4,0,0,"09",129',), "OK")


def test_setting_reports_on_does_not_claim_the_reports(feed: Feed) -> None:
    events = feed(asked("AT+CLCC=1"), b'\r\n+CLCC: 1,1,4,0,0,"08",129\r\n\r\nOK\r\n')
    assert [type(e) for e in events] == [Urc, Response]


def test_a_pdu_that_follows_news_is_not_the_listing_s(feed: Feed) -> None:
    events = feed(asked("AT+CMGL=4"), b"+CMGL: 1,1,,3\r\n+CMT: ,2\r\n00AA\r\n000BBB\r\nOK\r\n")
    assert events == [Urc("+CMT", "+CMT: ,2", "00AA"), Response("AT+CMGL=4", ("+CMGL: 1,1,,3", "000BBB"), "OK")]


def test_a_two_line_report_whose_pdu_was_lost_takes_nothing_else(feed: Feed) -> None:
    events = feed(Engine(), b"\r\n+CDS: 24\r\n\r\nRING\r\n+CDS: 2\r\n00AB\r\n")
    assert events == [Urc("+CDS", "+CDS: 24"), Urc("RING", "RING"), Urc("+CDS", "+CDS: 2", "00AB")]


def test_a_voice_call_may_begin_before_the_answer_to_ata(feed: Feed) -> None:
    events = feed(asked("ATA", ("VOICE CALL",)), b"\r\nVOICE CALL: BEGIN\r\n\r\nOK\r\n")
    assert events == [Urc("VOICE CALL", "VOICE CALL: BEGIN"), Response("ATA", (), "OK")]


def test_no_carrier_ends_a_dialling_and_is_news_to_anything_else(feed: Feed) -> None:
    assert feed(asked("ATD+62811234567;"), b"NO CARRIER\r\n") == [Response("ATD+62811234567;", (), "NO CARRIER")]
    events = feed(asked("AT+CSQ"), b"NO CARRIER\r\n+CSQ: 9,0\r\nOK\r\n")
    assert events == [Urc("NO CARRIER", "NO CARRIER"), Response("AT+CSQ", ("+CSQ: 9,0",), "OK")]


@pytest.mark.parametrize(
    ("line", "final", "code", "detail"),
    [
        ("ERROR", "ERROR", None, ""),
        ("+CME ERROR: 10", "+CME ERROR", 10, "10"),
        ("+CME ERROR: SIM not inserted", "+CME ERROR", None, "SIM not inserted"),
        ("+CMS ERROR:322", "+CMS ERROR", 322, "322"),
        ("+CMS ERROR:", "+CMS ERROR", None, ""),
        ("COMMAND NOT SUPPORT", "COMMAND NOT SUPPORT", None, ""),
    ],
)
def test_every_kind_of_refusal_ends_a_command(feed: Feed, line: str, final: str, code: int | None, detail: str) -> None:
    events = feed(asked("AT+CPIN?"), f"\r\n{line}\r\n".encode())
    assert events == [Response("AT+CPIN?", (), final, code, detail)]


def test_an_answer_without_names_is_taken_but_news_is_not(feed: Feed) -> None:
    events = feed(asked("ATI"), b"Quectel\r\nEG25\r\nRING\r\nRevision: EG25GGBR07A08M2G_30.202\r\n\r\nOK\r\n")
    assert events == [
        Urc("RING", "RING"),
        Response("ATI", ("Quectel", "EG25", "Revision: EG25GGBR07A08M2G_30.202"), "OK"),
    ]


@pytest.mark.parametrize("prompt", [b"\r\n> ", b">", b"\r\n>\r\n", b"AT+CMGS=2\r\r\n> "])
def test_a_payload_follows_its_prompt(feed: Feed, prompt: bytes) -> None:
    engine = asked("AT+CMGS=2")
    assert feed(engine, prompt) == [Prompt()]
    assert engine.payload(b"00AA") == b"00AA\x1a"
    assert feed(engine, b"00AA\x1a\r\n+CMGS: 12\r\n\r\nOK\r\n") == [Response("AT+CMGS=2", ("+CMGS: 12",), "OK")]


def test_a_refused_prompt_and_an_aborted_payload_end_the_command(feed: Feed) -> None:
    assert feed(asked("AT+CMGS=2"), b"+CMS ERROR: 500\r\n") == [
        Response("AT+CMGS=2", (), "+CMS ERROR", 500, "500"),
    ]
    engine = asked("AT+CMGS=2")
    feed(engine, b"> ")
    assert engine.abort() == b"\x1b"
    with pytest.raises(NotReady):
        engine.payload(b"00AA")
    assert feed(engine, b"\r\nOK\r\n") == [Response("AT+CMGS=2", (), "OK")]


def test_a_payload_cannot_end_itself() -> None:
    engine = asked("AT+CMGS=2")
    engine.receive(b"> ")
    with pytest.raises(ValueError, match="Ctrl-Z"):
        engine.payload(b"00\x1aAT+CFUN=0")


def test_one_command_is_open_at_a_time() -> None:
    engine = asked("AT+CSQ")
    with pytest.raises(NotReady):
        engine.send("AT")


@pytest.mark.parametrize("line", ["", "CSQ", "AT+CSQ\rATD112;", "AT+CSQ\n", "AT\x1a", "ATé", "AT+" + "A" * MAX_COMMAND])
def test_what_is_not_one_command_line_is_not_sent(line: str) -> None:
    with pytest.raises(ValueError, match="AT"):
        Engine().send(line)


def test_a_late_answer_is_never_taken_for_the_next_question(feed: Feed) -> None:
    engine = asked("AT+CSQ")
    assert engine.expire() == b"AT+CMEE?\r"
    with pytest.raises(NotReady):
        engine.send("AT+CPIN?")
    assert feed(engine, b"\r\n+CSQ: 20,0\r\n\r\nOK\r\n") == []
    assert engine.resyncing
    assert feed(engine, b"\r\n+CMEE: 1\r\n\r\nOK\r\n") == [Resynced(("+CSQ: 20,0",))]
    engine.send("AT+CPIN?")
    assert feed(engine, b"\r\n+CME ERROR: 10\r\n") == [Response("AT+CPIN?", (), "+CME ERROR", 10, "10")]


def test_news_comes_through_while_getting_in_step(feed: Feed) -> None:
    engine = asked("ATD+62811234567;")
    engine.expire()
    events = feed(engine, b'\r\n+CMTI: "ME",3\r\n\r\nNO CARRIER\r\nERROR\r\n+CMEE: 1\r\n\r\nOK\r\n')
    assert events == [Urc("+CMTI", '+CMTI: "ME",3'), Urc("NO CARRIER", "NO CARRIER"), Resynced()]


def test_the_second_question_is_another_one_so_that_a_late_answer_to_the_first_is_told_from_it(feed: Feed) -> None:
    engine = asked("AT+CSQ")
    engine.expire()
    assert engine.expire() == b"\x1bAT+CMGF?\r"
    assert feed(engine, b"+CMEE: 1\r\nOK\r\n") == [Urc("+CMEE", "+CMEE: 1")]
    assert engine.resyncing
    assert feed(engine, b"+CMGF: 0\r\nOK\r\n") == [Resynced()]


def test_questions_that_had_to_be_repeated_leave_a_doubt(feed: Feed) -> None:
    engine = asked("AT+CSQ")
    for _ in range(5):
        engine.expire()
    assert feed(engine, b"+CMEE: 1\r\nOK\r\n") == [Resynced(certain=False)]


def test_a_prompt_that_may_come_late_is_left_before_the_question(feed: Feed) -> None:
    engine = asked("AT+CMGS=2")
    assert engine.expire() == b"\x1bAT+CMEE?\r"
    assert feed(engine, b"\r\n> \r\n+CMEE: 1\r\n\r\nOK\r\n") == [Resynced()]


def test_a_message_that_went_out_late_is_proven_by_its_reference(feed: Feed) -> None:
    engine = asked("AT+CMGS=2")
    feed(engine, b"> ")
    engine.payload(b"00AA")
    assert engine.expire() == b"AT+CMEE?\r"
    assert feed(engine, b"+CMGS: 77\r\nOK\r\n+CMEE: 1\r\nOK\r\n") == [Resynced(("+CMGS: 77",))]


def test_a_stray_final_result_is_nobody_s(feed: Feed) -> None:
    engine = Engine()
    assert feed(engine, b"\r\nOK\r\n\r\nERROR\r\n+CME ERROR: 3\r\n") == []
    engine.send("AT")
    assert feed(engine, b"OK\r\n") == [Response("AT", (), "OK")]


def test_a_menu_with_line_ends_is_one_piece_of_news(feed: Feed) -> None:
    text = '+CUSD: 1,"Pulsa "utama" Rp5.000\r\n1. Paket\r\n2. Info",15'
    assert feed(Engine(), f"\r\n{text}\r\nRING\r\n".encode()) == [
        Urc("+CUSD", text.replace("\r\n", "\n")),
        Urc("RING", "RING"),
    ]


def test_a_menu_whose_end_was_lost_swallows_no_answer(feed: Feed) -> None:
    events = feed(asked("AT+CSQ"), b'+CUSD: 1,"Pulsa\r\n1. Paket\r\n+CMTI: "ME",1\r\n+CSQ: 9,0\r\nOK\r\n')
    assert events == [
        Urc("+CUSD", '+CUSD: 1,"Pulsa\n1. Paket'),
        Urc("+CMTI", '+CMTI: "ME",1'),
        Response("AT+CSQ", ("+CSQ: 9,0",), "OK"),
    ]


def test_an_overlong_line_is_dropped_whole_and_the_next_is_read(feed: Feed) -> None:
    engine = asked("AT+CSQ")
    events = feed(engine, b"+CSQ: " + b"9" * (3 * MAX_LINE) + b"\r\n+CSQ: 9,0\r\nOK\r\n")
    assert events == [Response("AT+CSQ", ("+CSQ: 9,0",), "OK")]


def test_an_endless_answer_is_cut_off(feed: Feed) -> None:
    engine = asked("AT+CMGL=4")
    events = feed(engine, b"+CMGL: 1,1,,3\r\n" * (MAX_ANSWER_LINES + 50) + b"OK\r\n")
    assert isinstance(events[0], Response)
    assert len(events[0].lines) == MAX_ANSWER_LINES


def test_zeros_of_a_port_that_powers_up_are_dropped(feed: Feed) -> None:
    assert feed(Engine(), b"\0\0\0RD\0Y\r\n") == [Urc("RDY", "RDY")]
