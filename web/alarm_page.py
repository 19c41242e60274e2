"""The alarms' history: the journal's rows about them, filtered, for those who are logged in."""

from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import urlencode

import msgspec

from appliance.view import EntryView
from drivers.jsonsocket import Gone, Message, Refusal
from web.alarm_panel import SHAPES
from web.corelink import CoreLink
from web.event_panel import event_text
from web.scene import Mark, Scene, actor_words

LISTED = 60  # rows on one page
LIST_WITHIN = 8.0  # s; a search through a month's journal on a slow board
MOST_FILTER = 64  # characters
FILTERS = ("alarm", "priority", "what", "actor", "day", "month")
KINDS = (
    "alarm.raised", "alarm.acknowledged", "alarm.cleared", "alarm.shelved", "alarm.unshelved", "alarm.out_of_service",
    "alarm.in_service", "alarm.suppressed", "alarm.notified", "alarm.chattering", "alarm.flood",
)  # fmt: skip
MARKS = {
    "alarm.acknowledged": "half", "alarm.cleared": "done", "alarm.shelved": "pause", "alarm.unshelved": "sent",
    "alarm.out_of_service": "pause", "alarm.in_service": "sent", "alarm.suppressed": "none", "alarm.notified": "phone",
    "alarm.flood": "warn", "alarm.chattering": "twice",
}  # fmt: skip


class _Listed(msgspec.Struct):
    """Core's answer to `alarm.list`."""

    rows: list[EntryView]
    more: bool


class HistoryRow(NamedTuple):
    seq: int
    when: str
    mark: Mark
    text: str
    actor: str
    note: str


class Code(NamedTuple):
    """What the filter offers: a code of the catalogue in words."""

    code: str
    text: str


def filters_of(query: Mapping[str, str]) -> dict[str, str]:
    """What a page's address asks for; a day wins over a month."""
    wanted = {name: query.get(name, "").strip()[:MOST_FILTER] for name in FILTERS}
    if wanted["day"]:
        wanted["month"] = ""
    if wanted["priority"] not in ("1", "2", "3"):
        wanted["priority"] = ""
    if wanted["what"] not in KINDS:
        wanted["what"] = ""
    return wanted


def codes(scene: Scene) -> list[Code]:
    """Every alarm that has words, which is every one, in their order."""
    listed = [Code(code, text) for code, text in scene.words.group("alarm").items()]
    return sorted(listed, key=lambda code: code.text.casefold())


async def alarm_history(core: CoreLink, scene: Scene, token: str, query: Mapping[str, str]) -> dict[str, Any]:
    """The rows and links of one page of the history, or the code of why there are none."""
    wanted = filters_of(query)
    before = query.get("before", "")
    fields: dict[str, Any] = {"filters": wanted, "kinds": KINDS, "codes": codes(scene), "history": [], "older": "",
                              "newest": "", "fault": ""}  # fmt: skip
    if not scene.known:
        return fields | {"fault": "login"}
    kept = {k: v for k, v in wanted.items() if v}
    ask: Message = {"do": "alarm.list", "last": LISTED, "token": token} | kept
    if wanted["priority"]:
        ask["priority"] = int(wanted["priority"])
    if before.isascii() and before.isdigit() and len(before) < 19:
        ask["before"] = int(before)
    try:
        told = msgspec.convert(await core.ask(ask, LIST_WITHIN), _Listed)
    except Refusal as e:
        return fields | {"fault": {"login": "login", "bad_command": "bad"}.get(e.code, "gone")}
    except (Gone, msgspec.ValidationError):
        return fields | {"fault": "gone"}
    return fields | {
        "history": [_row(scene, row) for row in told.rows],
        "older": "?" + urlencode(kept | {"before": told.rows[-1].seq}) + "#history" if told.more and told.rows else "",
        "newest": "?" + urlencode(kept) + "#history" if "before" in ask else "",
    }


def _row(scene: Scene, row: EntryView) -> HistoryRow:
    shape, tone = MARKS.get(row.kind, "unknown"), ""
    if row.kind == "alarm.raised":
        priority = row.body.get("priority")
        shape = SHAPES.get(priority, "p3") if isinstance(priority, int) else "p3"
        tone = shape
    note = row.body.get("note") or ""
    actor = actor_words(scene, row.actor)
    text = event_text(scene, msgspec.structs.replace(row, actor=""))
    return HistoryRow(row.seq, scene.words.clock(row.wall, scene.wall), Mark(shape, "", tone), text, actor, str(note))
