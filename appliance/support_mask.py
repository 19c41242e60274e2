"""Takes out of what leaves a box whatever is nobody's business: numbers of people, texts, PINs, passwords, keys.

What is masked is told as such, so that a reader knows that something was there.
"""

import re
from typing import Any

SECRET = ("pin", "password", "token", "secret", "nut_login")  # a GPIO's pin is a number, a SIM's a text
PRIVATE = ("text", "note", "words")
NUMBER = re.compile(r"(?<![\d.])\+?\d[\d -]{5,}\d(?!\.?\d)")  # seven digits and more: a subscriber's, no port
LONG_HEX = re.compile(r"\b[0-9a-f]{64}\b")  # a seed looks like a public key and like a hash
STAMP = re.compile(r"\d{4}-\d\d-\d\d(?!-)")
SHOWN = 3  # last digits


def masked(value: Any, key: str = "") -> Any:
    """The same structure; a value under a secret or private key is replaced, numbers and long hex in all others."""
    if isinstance(value, dict):
        return {name: masked(each, str(name)) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [masked(each, key) for each in value]
    if key in SECRET and isinstance(value, str) and value:
        return "(secret)"
    if isinstance(value, str):
        return f"({len(value)} letters)" if key in PRIVATE and value else masked_text(value)
    return value


def masked_text(text: str) -> str:
    """A line of a log: numbers keep their last three digits, 64 hex digits their first eight."""
    text = LONG_HEX.sub(lambda found: f"{found[0][:8]}…", text)
    return NUMBER.sub(_number, text)


def _number(found: re.Match[str]) -> str:
    if STAMP.match(found[0]):
        return found[0]
    return f"…{re.sub(r'[^0-9]', '', found[0])[-SHOWN:]}"
