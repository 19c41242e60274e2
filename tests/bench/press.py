"""Press to relay: an HTTP POST of a logged-in person until the siren's pin of one fire station moves.

Both times are CLOCK_MONOTONIC: ours just before the request, the pin's in the annunciator's own record. Between the
two, the order is committed at the centre and signed; the station verifies it. What each journal says of it tells
where the time went, and is counted: an order that is not in both is a lost one.
"""

import asyncio
import random
import secrets
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from appliance.demo_site import CENTRE
from appliance.entry import Entry
from appliance.journal import follow_chain
from appliance.journal_file import read_entries
from drivers.jsonsocket import Client
from drivers.sim.knobs import turn
from tests.bench.person import Person, Refused

STATION = "damkar-kota"
SECONDS = 5
PAUSE = (0.05, 0.25)  # s between the end of a round and the next press
LOOK = 0.01  # s between looks at a pin
SEEN_WITHIN = 4.0  # s; below the 5 s after which an SMS goes out too


class Lost(Exception):
    """A press that moved no pin, or is not in both journals."""


class Press(msgspec.Struct):
    """One press, in seconds of CLOCK_MONOTONIC. What the pins and journals say is filled in by `settle`."""

    at: float
    answered: float
    alert: str
    durable: bool
    issued: float = 0.0  # the centre's journal has the fact (in memory)
    sent: float = 0.0  # it is on the centre's disk, and signed
    pin: float = 0.0
    accepted: float = 0.0  # the station's journal
    energised: float = 0.0  # the station's answer is in the centre's journal

    def ms(self, until: str, since: str = "at") -> float:
        return float((getattr(self, until) - getattr(self, since)) * 1000)


class Presses:
    """`where` is what the running demo says of itself. Use `start`, `measure`, `settle`, `stop`."""

    def __init__(self, where: dict[str, Any]) -> None:
        self._where = where
        self.person = Person(where["page"])
        self._pins = Client(Path(where["knobs"][f"{STATION}/pins"]))
        self._seen = 0

    async def start(self) -> None:
        self.person.log_in(self._where["operator"], self._where["password"])
        await self._pins.connect()
        self._seen = max((e.seq for e in self._entries(CENTRE)), default=0)

    def stop(self) -> None:
        self._pins.close()
        self.person.close()

    async def measure(self, rounds: int) -> list[Press]:
        """So many presses, each stopped by a person before the next. Raises Lost or Refused."""
        presses = []
        for _ in range(rounds):
            await asyncio.sleep(random.uniform(*PAUSE))
            presses.append(self._press())
            await self._wait("the siren did not sound", self._pin_is(1))
            self.person.post("/alert/stop")
            await self._wait("the siren did not end", self._pin_is(0))
            await self._wait("the alert did not end", self._ended(presses[-1].alert))
        return presses

    def _press(self) -> Press:
        key = secrets.token_hex(8)
        fields = {"stations": STATION, "pattern": "steady", "seconds": str(SECONDS), "kind": "actual", "key": key}
        at = time.monotonic()
        told = self.person.post("/alert", **fields)
        answered = time.monotonic()
        if not told.get("alert"):
            raise Refused(f"the page's answer names no alert: {told}")
        return Press(at, answered, told["alert"], bool(told.get("durable")))

    async def _wait(self, why_not: str, so: Callable[[], Any]) -> None:
        deadline = time.monotonic() + SEEN_WITHIN
        while not await so():
            if time.monotonic() > deadline:
                raise Lost(f"{why_not} within {SEEN_WITHIN:g} s.")
            await asyncio.sleep(LOOK)

    def _pin_is(self, level: int) -> Callable[[], Any]:
        async def so() -> bool:
            levels = await self._pins.request({"do": "pins.read", "args": {}})
            return bool(levels["siren"] == level)

        return so

    def _ended(self, alert: str) -> Callable[[], Any]:
        async def so() -> bool:
            news = list(self._entries(CENTRE, after=self._seen))
            if any(e.kind == "alert.ended" and _body(e)["alert"] == alert for e in news):
                self._seen = news[-1].seq
                return True
            return False

        return so

    def _entries(self, node: str, after: int = 0) -> Iterator[Entry]:
        """From the file itself: what is found here is committed."""
        try:
            yield from read_entries(Path(self._where["nodes"][node]["state"]) / "journal.db", after=after)
        except sqlite3.OperationalError as e:
            raise Lost(f"the journal of {node} cannot be read: {e}") from e

    async def settle(self, presses: list[Press]) -> int:
        """Fill in what pins and journals say; returns how many orders are in both journals. Raises Lost."""
        record = await turn(Path(self._where["knobs"][f"{STATION}/pins"]), "pins.record", name="siren")
        rises = [change["at"] for change in record if change["value"]]
        for press, until in zip(presses, [p.at for p in presses[1:]] + [float("inf")], strict=True):
            moved = [at for at in rises if press.at <= at < until]
            if len(moved) != 1:
                raise Lost(f"alert {press.alert} moved the pin {len(moved)} times instead of once.")
            press.pin = moved[0]
        centre = self._moments(
            CENTRE, {"alert.issued": "issued", "delivery.sent": "sent", "delivery.energised": "energised"}
        )
        station = self._moments(STATION, {"order.accepted": "accepted"})
        in_both = 0
        for press in presses:
            said = centre.get(press.alert, {}) | station.get(press.alert, {})
            in_both += {"issued", "sent", "accepted", "energised"} <= said.keys()
            for moment, at in said.items():
                setattr(press, moment, at)
        return in_both

    def _moments(self, node: str, kinds: dict[str, str]) -> dict[str, dict[str, float]]:
        """By alert: the first moment of each kind of row. Raises Lost when the journal's chain is broken."""
        entries = list(self._entries(node))
        if wrong := follow_chain(entries):
            raise Lost(f"the journal of {node}: {wrong}")
        found: dict[str, dict[str, float]] = {}
        for entry in entries:
            if entry.kind in kinds and _body(entry).get("action", "start") == "start":
                found.setdefault(_body(entry)["alert"], {}).setdefault(kinds[entry.kind], entry.mono)
        return found


def _body(entry: Entry) -> dict[str, Any]:
    body = msgspec.json.decode(entry.body)
    assert isinstance(body, dict)
    return body
