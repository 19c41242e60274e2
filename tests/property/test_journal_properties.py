"""The chain: whatever is appended verifies, whatever is changed does not."""

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance import events as ev
from appliance.entry import Entry
from appliance.events import KINDS, decode_event, encode_event
from appliance.journal import follow_chain

words = st.text(max_size=20)
notes = st.lists(st.tuples(words, words, st.sampled_from(["ntp", "held", "unknown"])), min_size=1, max_size=12)


def chain(rows: list[tuple[str, str, str]]) -> list[Entry]:
    entries = [Entry.before_first()]
    for number, (reason, actor, quality) in enumerate(rows):
        event = ev.Stopped(reason=reason)
        entries.append(
            Entry.after(
                entries[-1], wall=number * 1.5, mono=number * 0.1, boot="b", quality=quality, kind=event.kind,
                subject="", actor=actor, cause=None, body=encode_event(event),
            )
        )  # fmt: skip
    return entries[1:]


@given(notes)
@settings(max_examples=50)
def test_an_untouched_chain_verifies(rows: list[tuple[str, str, str]]) -> None:
    assert follow_chain(chain(rows)) is None


@given(notes, st.data())
@settings(max_examples=100)
def test_any_change_of_any_column_of_any_row_is_found(rows: list[tuple[str, str, str]], data: st.DataObject) -> None:
    entries = chain(rows)
    index = data.draw(st.integers(0, len(entries) - 1))
    column = data.draw(st.sampled_from([f for f in Entry.__struct_fields__ if f != "seq"]))
    old = getattr(entries[index], column)
    new = data.draw(
        {
            float: st.floats(0, 100),
            int: st.integers(1, 99),
            bytes: st.binary(max_size=8).map(lambda b: b.hex().encode()),
        }.get(type(old), words).filter(lambda v: v != old)
    )
    entries[index] = msgspec.structs.replace(entries[index], **{column: new})
    assert follow_chain(entries) is not None


@given(notes, st.data())
@settings(max_examples=50)
def test_a_row_taken_out_of_the_middle_or_swapped_is_found(
    rows: list[tuple[str, str, str]], data: st.DataObject
) -> None:
    entries = chain([*rows, ("end", "", "ntp")])
    del entries[data.draw(st.integers(0, len(entries) - 2))]
    assert follow_chain(entries) is not None


def test_every_kind_of_event_is_read_back_as_it_was_written() -> None:
    fill = {"str": "x", "int": 3, "float": 1.5, "bool": True}
    for kind in KINDS.values():
        fields = {}
        for field in msgspec.structs.fields(kind):
            name = getattr(field.type, "__name__", str(field.type).removesuffix(" | None"))
            fields[field.name] = fill.get(name, ("a", "b") if "tuple[str" in str(field.type) else "x")
            if str(field.type).startswith("dict[str, tuple[str"):
                fields[field.name] = {"k": ("a", "b")}
            if str(field.type) == "dict[str, str]":
                fields[field.name] = {"k": "v"}
            if "tuple[int" in str(field.type):
                fields[field.name] = (1, 2)
        event = kind(**fields)
        assert decode_event(event.kind, encode_event(event)) == event
