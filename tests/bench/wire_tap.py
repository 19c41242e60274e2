"""A stranger at the broker who looks, at each order that passes, whether it is in the centre's journal file already.

It comes a little late, after the broker, so it may miss an order that was sent too early; it never accuses wrongly.
"""

from pathlib import Path
from typing import Any

import msgspec

from appliance.demo_site import CENTRE
from appliance.journal_file import read_entries
from tests.bench.floor_station import connect
from tests.bench.press import STATION, Press
from tests.key_boxes import stolen_credential

LAST = 30  # rows; a press and what follows from it make some ten


class WireTap:
    """Open from its making until `close`. It slows the machine: no time is taken meanwhile."""

    def __init__(self, where: dict[str, Any]) -> None:
        self._journal = Path(where["nodes"][CENTRE]["state"]) / "journal.db"
        self._seen: list[tuple[bytes, set[str]]] = []  # payload, alerts on disk at that moment
        credential = stolen_credential(Path(where["nodes"][CENTRE]["site_file"]))
        topic = f"siaga/+/alert/{STATION}"
        self._client = connect(where["broker"]["port"], "bench-tap", topic, self._passed, credential)

    def _passed(self, payload: bytes) -> None:
        rows = read_entries(self._journal, last=LAST)
        on_disk = {str(msgspec.json.decode(row.body)["alert"]) for row in rows if row.kind == "alert.issued"}
        self._seen.append((payload, on_disk))

    def on_disk_first(self, presses: list[Press]) -> int:
        """How many of these orders were in the file when they first passed."""
        count = 0
        for press in presses:
            passed = [on_disk for payload, on_disk in self._seen if bytes.fromhex(press.alert) in payload]
            count += bool(passed) and press.alert in passed[0]
        return count

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()
