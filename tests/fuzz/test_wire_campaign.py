"""The short form of `make fuzz-wire`, and that it would see what it is there to see."""

import importlib
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec
import pytest

PROJECT = Path(__file__).parents[2]
SHORT = 6_000  # inputs; under a second


@pytest.fixture
def fuzz(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(PROJECT))
    return importlib.import_module("tests.fuzz.wire")


def test_noise_is_refused_by_type_and_what_is_taken_has_one_encoding(fuzz: ModuleType) -> None:
    seen = fuzz.campaign(1, SHORT)
    assert sum(seen.values()) == SHORT * len(fuzz.KINDS)
    for name in fuzz.KINDS:  # each decoder was reached with each sort of octets, and got past the signature
        assert seen[name, "begun right", "length"]
        assert seen[name, "bent", "signature"]
        assert seen[name, "signed anew", "value"]
        assert seen[name, "signed anew", "taken"]


def patched(fuzz: ModuleType, monkeypatch: pytest.MonkeyPatch, name: str, decode: Any) -> None:
    context, _, encode, key = fuzz.KINDS[name]
    monkeypatch.setitem(fuzz.KINDS, name, (context, decode, encode, key))


def test_an_exception_of_another_kind_ends_it(fuzz: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    def fragile(data: bytes) -> None:
        raise IndexError("a decoder's own mistake")

    patched(fuzz, monkeypatch, "texts", fragile)
    with pytest.raises(IndexError):
        fuzz.campaign(1, SHORT)


def test_a_decoder_that_believes_without_a_signature_is_seen(fuzz: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    good = fuzz.KINDS["orders"][1](next(message for kind, message, _ in fuzz.GENUINE if kind == "orders"))
    patched(fuzz, monkeypatch, "orders", lambda data: good)
    with pytest.raises(AssertionError, match="was taken for one of orders"):
        fuzz.campaign(1, SHORT)


def test_a_field_that_is_not_looked_at_is_a_second_encoding(fuzz: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    decode = fuzz.KINDS["answers"][1]
    patched(fuzz, monkeypatch, "answers", lambda data: msgspec.structs.replace(decode(data), uptime_s=0))
    with pytest.raises(AssertionError, match="two encodings"):
        fuzz.campaign(1, SHORT)
