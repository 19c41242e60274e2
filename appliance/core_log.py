"""The box's own journal, told to journald row by row, so that `journalctl SIAGA_ALERT=...` shows one order's whole way.

No figures of a row go there: they hold numbers and texts of people, and journald's readers are others.
"""

from appliance import logs
from appliance.entry import Entry

INFO = "6"


def tell(entry: Entry) -> None:
    """Never waits. Without journald nothing is done."""
    said = {name: getattr(entry.event, name, "") for name in logs.ABOUT}
    ids = {name: text for name, text in said.items() if isinstance(text, str) and text}
    fields = {
        "MESSAGE": " ".join([str(entry.seq), entry.kind, *(f"{name}={text}" for name, text in ids.items())]),
        "PRIORITY": INFO,
        "SIAGA_SEQ": str(entry.seq),
        "SIAGA_KIND": entry.kind,
        **{logs.ABOUT[name]: text for name, text in ids.items()},
    }
    if entry.actor:
        fields["SIAGA_ACTOR"] = entry.actor
    if entry.cause is not None:
        fields["SIAGA_CAUSE"] = str(entry.cause)
    logs.give(fields)
