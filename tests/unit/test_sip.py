"""The SIP codec of the trunk's probe: what it asks, and what it takes for an answer."""

import pytest

from appliance.trunk.witnesses import judge
from drivers.sip import Options, Response, SipError, decode_response

OPTIONS = Options("10.1.2.3", 5060, "10.1.2.9", 40000, "z9hG4bKabc", "call-1", "tag-1", 7)

ANSWER = (
    b"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 10.1.2.9:40000;branch=z9hG4bKabc;rport=40000;received=10.1.2.9\r\n"
    b"From: <sip:siaga@10.1.2.9:40000>;tag=tag-1\r\nTo: <sip:10.1.2.3:5060>;tag=x\r\nCall-ID: call-1\r\n"
    b"CSeq: 7 OPTIONS\r\nContent-Length: 0\r\n\r\n"
)


def test_a_request_has_all_that_the_standard_demands() -> None:
    first, *fields = OPTIONS.encode().decode().removesuffix("\r\n\r\n").split("\r\n")
    assert first == "OPTIONS sip:10.1.2.3:5060 SIP/2.0"
    given = dict(field.split(": ", 1) for field in fields)
    assert given["Via"] == "SIP/2.0/UDP 10.1.2.9:40000;branch=z9hG4bKabc;rport"
    assert given["From"] == "<sip:siaga@10.1.2.9:40000>;tag=tag-1"
    assert given["To"] == "<sip:10.1.2.3:5060>"
    assert (given["CSeq"], given["Max-Forwards"], given["Content-Length"]) == ("7 OPTIONS", "70", "0")
    assert {"Call-ID", "Contact", "Accept"} <= set(given)


def test_no_two_requests_are_the_same() -> None:
    made = [Options.fresh("h", 5060, "l", 1) for _ in range(3)]
    assert len({o.branch for o in made}) == len({o.call_id for o in made}) == 3
    assert all(o.branch.startswith("z9hG4bK") for o in made)


SPELLINGS = {
    "as sent": ANSWER,
    "compact names": ANSWER.replace(b"Via:", b"v :").replace(b"Call-ID:", b"i:"),
    "other case": ANSWER.replace(b"Via:", b"VIA:").replace(b"CSeq: 7 OPTIONS", b"cseq:7   OPTIONS"),
    "a folded field": ANSWER.replace(b";branch", b"\r\n ;branch"),
    "more Vias behind": ANSWER.replace(b"\r\nFrom", b"\r\nVia: SIP/2.0/UDP x;branch=z9hG4bKother\r\nFrom"),
    "one Via line with two": ANSWER.replace(b"\r\nFrom", b", SIP/2.0/UDP x;branch=z9hG4bKother\r\nFrom"),
    "bare line feeds": ANSWER.replace(b"\r\n", b"\n"),
    "a body": ANSWER + b"v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\n",
    "no reason phrase": ANSWER.replace(b" OK", b""),
    "odd octets": ANSWER.replace(b" OK", b" OK \xff\xfe"),
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_an_answer_is_read_in_every_spelling(spelling: str) -> None:
    response = decode_response(SPELLINGS[spelling])
    assert response.status == 200
    assert OPTIONS.is_answered_by(response)


@pytest.mark.parametrize(
    "datagram",
    [
        b"",
        b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"SIP/2.0 2000 OK\r\n\r\n",
        OPTIONS.encode(),
        ANSWER.replace(b"Via", b"Vai"),
        ANSWER.replace(b"CSeq: 7", b"CSeq: x"),
        ANSWER.replace(b"Call-ID: call-1", b"Call-ID:"),
        b"SIP/2.0 200 OK\r\n" + b"X: y\r\n" * 500,
        b"\0" * 70_000,
    ],
)
def test_what_is_no_answer_is_refused_with_one_error(datagram: bytes) -> None:
    with pytest.raises(SipError):
        decode_response(datagram)


@pytest.mark.parametrize(
    ("old", "new"), [(b"z9hG4bKabc", b"z9hG4bKxyz"), (b"7 OPTIONS", b"8 OPTIONS"), (b"7 O", b"7 NO"), (b"call-1", b"c")]
)
def test_an_answer_to_something_else_is_not_taken(old: bytes, new: bytes) -> None:
    assert not OPTIONS.is_answered_by(decode_response(ANSWER.replace(old, new)))


def test_a_refusal_is_a_sign_of_life_and_a_failure_is_none() -> None:
    def judged(status: int) -> str:
        return judge(Response(status, "", "", "", 1, "OPTIONS"))

    assert {status: judged(status) for status in (200, 202, 401, 403, 404, 405, 486)} == dict.fromkeys(
        (200, 202, 401, 403, 404, 405, 486), ""
    )
    assert [judged(status) for status in (408, 500, 503, 603)] == [
        "status_408",
        "status_500",
        "status_503",
        "status_603",
    ]
