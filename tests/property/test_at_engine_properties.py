"""The AT engine takes a stream as it comes: chunks change nothing, noise breaks nothing."""

from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.modem.at import MAX_ANSWER_LINES, MAX_LINE, Engine, Event, Prompt

LINES = [
    b"OK", b"ERROR", b"+CME ERROR: 10", b"+CMS ERROR:", b"COMMAND NOT SUPPORT", b"NO CARRIER", b"RING", b"> ",
    b"+CSQ: 20,0", b"+CMGS: 5", b"+CMGR: 1,,3", b"00AABB", b"+CMT: ,3", b"+CDS: 3", b'+CMTI: "ME",1',
    b'+CREG: 1,"04CA","81DE"', b"+CREG: 2,1", b"+CLCC: 1,1,6,0,0", b"AT+CSQ", b"VOICE CALL: BEGIN", b"EG25",
    b'+CUSD: 1,"a', b'b",15', b"+CMEE: 1", b"+CMGF: 0", b"\0", b"\x1a", b"x" * (MAX_LINE + 5),
]  # fmt: skip
COMMANDS = ["AT", "ATI", "AT+CSQ", "AT+CREG?", "AT+CMGR=1", "AT+CMGS=3", "ATD+62811234567;", "AT+CLCC", "ATA"]
ENDS = [b"\r\n", b"\r\r\n", b"\r", b"\n", b""]

streams = st.lists(st.tuples(st.sampled_from(LINES), st.sampled_from(ENDS)), max_size=14).map(
    lambda lines: b"".join(line + end for line, end in lines)
)
quick = settings(max_examples=100, deadline=None)


def opened(command: str, expired: int) -> Engine:
    engine = Engine(["VOICE CALL"])
    engine.send(command)
    for _ in range(expired):
        engine.expire()
    return engine


def answered(engine: Engine, chunks: list[bytes]) -> list[Event]:
    return [event for chunk in chunks for event in engine.receive(chunk)]


@quick
@given(streams, st.sampled_from(COMMANDS), st.integers(0, 3), st.lists(st.integers(1, 40), min_size=1, max_size=20))
def test_chunks_change_nothing(stream: bytes, command: str, expired: int, sizes: list[int]) -> None:
    whole = answered(opened(command, expired), [stream])
    assert answered(opened(command, expired), [stream[i : i + 1] for i in range(len(stream))]) == whole
    chunks: list[bytes] = []
    at = 0
    while at < len(stream):
        size = sizes[len(chunks) % len(sizes)]
        chunks.append(stream[at : at + size])
        at += size
    assert answered(opened(command, expired), chunks) == whole


@quick
@given(st.lists(st.binary(max_size=300), max_size=12), st.sampled_from(COMMANDS), st.integers(0, 2))
def test_noise_never_raises_and_is_not_kept(chunks: list[bytes], command: str, expired: int) -> None:
    engine = opened(command, expired)
    answered(engine, chunks)
    if not engine.busy:
        engine.send(command)
    assert engine.expire().endswith(b"?\r")


@settings(max_examples=25, deadline=None)
@given(st.sampled_from([b"x", b">", b'"', b"\x1b", b"+CMT: 1\r\n", b'+CUSD: 0,"\r\n', b"00\r\n", b"+CMGR: 1\r\n"]))
def test_an_endless_stream_is_held_within_bounds(unit: bytes) -> None:
    engine = opened("AT+CMGR=1", 0)
    for _ in range(20):
        engine.receive(unit * 1000)
    held = sum(
        len(value) if isinstance(value, str | bytes | bytearray) else sum(len(item) for item in value)
        for value in (engine._buffer, engine._lines, engine._text, engine._header or "")
    )
    assert held <= MAX_LINE + MAX_ANSWER_LINES * 20


@quick
@given(streams)
def test_after_a_time_out_no_answer_reaches_the_next_command_before_the_engine_is_in_step(late: bytes) -> None:
    engine = opened("AT+CSQ", 1)
    engine.receive(late.replace(b"+CMEE", b"+CMEX"))
    assert engine.resyncing
    engine.receive(b"\r\n")
    assert [type(event).__name__ for event in engine.receive(b"+CMEE: 1\r\nOK\r\n")][-1:] == ["Resynced"]
    engine.send("AT+CMGS=3")
    assert engine.receive(b"\r\n> ") == [Prompt()]
