"""A person's order as a POST brings it, core's answer, and what the answer means in words.

"Sent" is said only when core has it on disk. A request whose answer did not come is neither sent nor not sent.
"""

from collections.abc import Mapping
from typing import Any

from drivers.jsonsocket import Gone, Message, Refusal
from web.call_orders import CALL_ORDERS, call_command
from web.corelink import CoreLink
from web.scene import grouped
from web.siren_order import several, siren_order
from web.talk import talk_key
from web.words import Words

MOST_REASON = 300  # characters, as core takes
CALL_WITHIN = 10.0  # s; a modem may take that long to answer a call
STATUS = {"login": 401, "unknown_outcome": 503, "core_gone": 503}  # else 409: core understood and said no

ALARM_ORDERS = {
    "/alarm/acknowledge": "alarm.acknowledge",
    "/alarm/shelve": "alarm.shelve",
    "/alarm/unshelve": "alarm.unshelve",
    "/alarm/out-of-service": "alarm.out_of_service",
    "/alarm/in-service": "alarm.in_service",
    "/alarm/silence": "alarm.silence",
}
STATION_ORDERS = ("/alert/stop", "/alert/tell", "/alert/card", "/siren/lock", "/siren/unlock", "/test/run")
SCREEN_ORDERS = frozenset(("/order/acknowledge",))  # which the box's own screen gives without a login
DO = (
    {
        "/alert": "alert.issue",
        "/alert/stop": "alert.stop",
        "/alert/tell": "alert.tell",
        "/alert/card": "alert.card",
        "/siren/lock": "siren.lock",
        "/siren/unlock": "siren.unlock",
        "/test/run": "test.run",
        "/order/acknowledge": "order.acknowledge",
        "/message": "sms.send",
        "/power/order": "power.order",
        "/fallback/declare": "fallback.declare",
        "/fallback/end": "fallback.end",
        "/fallback/told": "fallback.told",
    }
    | ALARM_ORDERS
    | {path: order.do for path, order in CALL_ORDERS.items()}
)


class Orders:
    """Carries orders for one person's language."""

    def __init__(self, core: CoreLink, words: Words) -> None:
        self._core, self._words = core, words

    async def give(self, path: str, fields: Mapping[str, Any], token: str) -> tuple[int, dict[str, Any]]:
        """HTTP status and the JSON answer: ok, code, tone, text, and core's own fields."""
        try:
            command = _command(path, fields)
            if "talk" in command:
                command["talk"] = _place(command["talk"], token)
        except ValueError:
            return self._no(path, "bad_command", "")
        if not self._core.up:
            return self._no(path, "core_gone", "")
        within = CALL_WITHIN if path in CALL_ORDERS else 3.0
        try:
            told = await self._core.ask({**command, "token": token}, within)
        except Refusal as e:
            return self._no(path, e.code, str(e))
        except Gone as e:
            return self._no(path, "unknown_outcome", str(e))
        return 200, self._yes(path, command, told if isinstance(told, dict) else {})

    def refuse(self, path: str, code: str) -> tuple[int, dict[str, Any]]:
        """What web itself refuses."""
        return self._no(path, code, "")

    def _yes(self, path: str, command: Message, told: dict[str, Any]) -> dict[str, Any]:
        words = self._words
        tone, how = "good", "yes"
        done = f"done.{DO[path]}"
        code = str(told.get("alert", ""))[:4].upper()
        fields: dict[str, object] = {
            "count": len(command.get("stations", ())), "alert": code, "number": grouped(str(told.get("number", ""))),
            "parts": told.get("parts", 1),
        }  # fmt: skip
        if told.get("durable") is False:
            tone, how = "warn", "not_durable"
        elif told.get("repeated"):
            how = "repeated"
        elif path == "/alert/stop":
            fields["count"] = len(told.get("alerts", ()))
            how = how if told.get("alerts") else "nothing"
        key = f"{done}.{how}" if words.has(f"{done}.{how}") else f"done.call.{how}"
        return {**told, "ok": True, "code": "done", "tone": tone, "text": words(key, **fields)}

    def _no(self, path: str, code: str, text: str) -> tuple[int, dict[str, Any]]:
        """A text's refusals have words of their own: with a siren's a person would press the red button."""
        keys = [f"refusal.{DO[path]}.{code}", f"refusal.{code}"]
        if path in CALL_ORDERS:
            keys.insert(1, f"refusal.call.{code}")
        if path in ALARM_ORDERS:
            keys.insert(1, f"refusal.alarm.{code}")
        key = next((k for k in keys if self._words.has(k)), "refusal.other")
        told = self._words(key, text=text)
        if path == "/power/order" and self._words.has(f"offer.why.{code}"):
            told = self._words("refusal.power.order.hindered", why=self._words(f"offer.why.{code}"))
        return STATUS.get(code, 409), {"ok": False, "code": code, "tone": "bad", "text": told}


def _command(path: str, fields: Mapping[str, Any]) -> Message:
    """The command for core. Raises ValueError for a field that cannot be meant."""
    if path in CALL_ORDERS:
        return call_command(path, fields)
    command: Message = {"do": DO[path]}
    match path:
        case "/alert":
            command |= siren_order(fields)
        case "/alert/stop":
            command["alerts"] = several(fields.get("alerts"))
        case "/alert/tell":
            command |= {name: str(fields.get(name, ""))[:400] for name in ("alert", "about", "text", "key")}
        case "/alert/card":
            command |= {name: str(fields.get(name, ""))[:200] for name in ("alert", "outcome", "text")}
            command["stations"] = several(fields.get("stations"))
        case "/siren/lock":
            command |= {"station": str(fields.get("station", ""))[:64], "hours": float(fields.get("hours", 0))}
            command["reason"] = str(fields.get("reason", "")).strip()[:MOST_REASON]
        case "/siren/unlock":
            command["station"] = str(fields.get("station", ""))[:64]
        case "/test/run":
            command |= {name: str(fields.get(name, ""))[:64] for name in ("test", "key")}
            command["stations"] = several(fields.get("stations"))
        case "/order/acknowledge":
            command |= {name: str(fields.get(name, ""))[:64] for name in ("alert", "key")}
        case "/alarm/silence":
            pass
        case path if path in ALARM_ORDERS:
            command |= _alarm(path, fields)
        case "/power/order":
            command |= {name: str(fields.get(name, ""))[:64] for name in ("device", "command", "key", "name")}
            command["confirm"] = str(fields.get("confirm", "")) == "1"
        case "/fallback/told":
            command["agency"] = str(fields.get("agency", ""))[:40]
        case "/message":
            command["number"], command["text"] = str(fields.get("number", ""))[:40], str(fields.get("text", ""))
            command["key"] = str(fields.get("key", ""))[:64]
    return command


def _alarm(path: str, fields: Mapping[str, Any]) -> Message:
    command: Message = {"alarm": str(fields.get("alarm", "")), "about": str(fields.get("about", ""))}
    match path:
        case "/alarm/acknowledge":
            command["note"] = str(fields.get("note", ""))[:500]
        case "/alarm/shelve":
            command["minutes"] = int(fields.get("minutes", 0))
            command["reason"] = str(fields.get("reason", "")).strip()[:MOST_REASON]
        case "/alarm/out-of-service":
            command["reason"] = str(fields.get("reason", "")).strip()[:MOST_REASON]
    return command


def _place(talk: Any, token: str) -> str:
    """Where a person talks, in core's words: "browser" is the stream of this session, "headset" is the box's own."""
    return {"browser": talk_key(token), "headset": "headset"}.get(str(talk), "")
