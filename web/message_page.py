"""All texts as core has them at one moment, for those who are logged in; and in how many parts a text would go."""

from typing import Any

import msgspec

from appliance.commands import MOST_PARTS
from appliance.state import Message
from appliance.view import OutgoingView
from drivers.jsonsocket import Gone, Refusal
from drivers.modem.gsm7 import septets_or_none
from drivers.modem.pdu import PduError, encode_submit
from web.corelink import CoreLink
from web.message_panel import message_rows
from web.scene import Scene
from web.words import Words

LISTED = 200  # texts of each way on one page; siaga sms list has more
ANY_NUMBER = "+62"  # the parts are the same for every number
MOST_WRITTEN = 4000  # characters that are counted; ten parts hold 1530


class _Listed(msgspec.Struct):
    """Core's answer to `sms.list`."""

    received: list[Message]
    outgoing: list[OutgoingView]


async def message_list(core: CoreLink, scene: Scene, token: str) -> dict[str, Any]:
    """The rows, or the code of why there are none."""
    if not scene.known:
        return {"messages": [], "fault": "login", "listed": LISTED}
    try:
        told = await core.ask({"do": "sms.list", "last": LISTED, "token": token})
        listed = msgspec.convert(told, _Listed)
    except Refusal as e:
        return {"messages": [], "fault": e.code if e.code == "login" else "gone", "listed": LISTED}
    except (Gone, msgspec.ValidationError):
        return {"messages": [], "fault": "gone", "listed": LISTED}
    return {
        "messages": message_rows(scene, listed.received, listed.outgoing, whole=True),
        "fault": "",
        "listed": LISTED,
    }


def counted(words: Words, text: str) -> tuple[str, str]:
    """Length and parts of a text in words, and a tone: a long one costs more and takes longer."""
    if not text:
        return "", ""
    if len(text) > MOST_WRITTEN:
        return words("write.too_long", most=MOST_PARTS), "bad"
    try:
        parts = encode_submit(ANY_NUMBER, text)
    except PduError:
        return words("write.unwritable"), "bad"
    if len(parts) > MOST_PARTS:
        return words("write.too_long", most=MOST_PARTS), "bad"
    told = words("write.count", count=len(text), parts=len(parts))
    if dear := _dear(text):
        told += " · " + words("write.dear", char=dear)
    return told, "warn" if len(parts) > 1 else ""


def _dear(text: str) -> str:
    """The first character that the short alphabet of texts lacks, for whose sake each part holds 70 instead of 160."""
    return next((c for c in text if septets_or_none(c) is None), "")
