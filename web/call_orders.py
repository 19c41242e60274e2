"""What a page may ask of the telephone: each path's command and the fields that it carries.

Calls are one press: nothing is asked for twice by itself but a dialled call, which has a key.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from drivers.jsonsocket import Message

MOST_FIELD = 64  # characters of an id, a number, a key
MOST_NOTE = 1000
MOST_KEYS = 32  # telephone keys in one go


class CallOrder(NamedTuple):
    """`do` names core's command; `texts` its fields, each with the most characters that are carried."""

    do: str
    texts: Mapping[str, int]


def _texts(*names: str, **longer: int) -> Mapping[str, int]:
    return dict.fromkeys(names, MOST_FIELD) | longer


CALL_ORDERS: Mapping[str, CallOrder] = {
    "/call/answer": CallOrder("call.answer", _texts("line", "call", "talk")),
    "/call/next": CallOrder("call.next", _texts("talk")),
    "/call/hangup": CallOrder("call.hang_up", _texts("line", "call")),
    "/call/reject": CallOrder("call.reject", _texts("line", "call", "reason")),
    "/call/hold": CallOrder("call.hold", _texts("line")),
    "/call/resume": CallOrder("call.resume", _texts("line")),
    "/call/swap": CallOrder("call.swap", _texts("line")),
    "/call/join": CallOrder("call.join", _texts("line")),
    "/call/transfer": CallOrder("call.transfer", _texts("line", "to")),
    "/call/dial": CallOrder("call.dial", _texts("to", "line", "talk", "call_back", "key")),
    "/call/keys": CallOrder("call.keys", _texts("line", keys=MOST_KEYS)),
    "/call/mute": CallOrder("call.mute", _texts("line")),
    "/call/talk": CallOrder("call.talk", _texts("line", "talk")),
    "/call/note": CallOrder("call.note", _texts("call", text=MOST_NOTE)),
    "/call/mark": CallOrder("call.mark", _texts("call", "mark")),
    "/caller/block": CallOrder("caller.block", _texts("number")),
    "/caller/unblock": CallOrder("caller.unblock", _texts("number")),
    "/callback/drop": CallOrder("callback.drop", _texts("call")),
    "/line/prove": CallOrder("line.prove_voice", _texts("line", "other")),
}


def call_command(path: str, fields: Mapping[str, Any]) -> Message:
    """The command for core: only fields that were given, so that core's own defaults stand for the others."""
    order = CALL_ORDERS[path]
    command: Message = {"do": order.do}
    command |= {name: str(fields[name])[:most] for name, most in order.texts.items() if name in fields}
    match path:
        case "/call/mute":
            command["on"] = str(fields.get("on", "")) == "1"
        case "/caller/block":
            command["hours"] = int(fields.get("hours", 24))
    return command
