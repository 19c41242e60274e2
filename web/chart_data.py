"""What charts draw: the file of minute values, read-only, as JSON. It goes on while core is gone; it is history.

`GET /power/history.json?point=genset/g1/fuel_level&point=...&last=86400` in seconds, or `from` and `to` in unix
seconds; without them the last day. A browser's clock may be wrong: it asks for the last so many seconds.
"""

import asyncio
import logging
import re
import sqlite3
from collections.abc import Callable
from pathlib import Path

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from appliance.telemetry_reader import read_telemetry
from drivers.clock import Clock
from web.words import Words

DAY = 86_400  # s
MOST_POINTS = 12  # of one question; a chart of more is no chart
MOST_AT_ONCE = 2  # readings of the card beside each other; the others wait
WAIT_S = 5.0  # s of a person's clock for one's turn
# Between two readings with the same question a minute goes by: that is how often something new may stand there.
KEEP = "private, max-age=30"
WORDS = ("day", "month", "none", "span", "least", "most")
NAME = re.compile(r"[a-z0-9_-]{1,64}(/[a-z0-9_.-]{1,64}){1,2}")

log = logging.getLogger("siaga.web")


class Charts:
    """The handler. `words` gives the texts in the viewer's language."""

    def __init__(self, path: Path, zone: str, clock: Clock, words: Callable[[Request], Words]) -> None:
        self._path, self._zone, self._clock, self._words = path, zone, clock, words
        self._turns = asyncio.Semaphore(MOST_AT_ONCE)

    async def answer(self, request: Request) -> Response:
        names = list(dict.fromkeys(request.query_params.getlist("point")))
        now = self._clock.wall()
        try:
            end = float(request.query_params.get("to", now))
            begin = float(request.query_params.get("from", end - float(request.query_params.get("last", DAY))))
            if not 0 <= begin < end < 1e11:
                raise ValueError(f"{begin:g} to {end:g} is no span")
            if not 0 < len(names) <= MOST_POINTS or not all(NAME.fullmatch(name) for name in names):
                raise ValueError(f"1 to {MOST_POINTS} points are asked for, each as genset/g1/fuel_level")
        except ValueError as e:
            return JSONResponse({"ok": False, "code": "question", "text": f"{e}."}, 400)
        try:
            async with asyncio.timeout(WAIT_S * self._clock.speed):
                await self._turns.acquire()
        except TimeoutError:
            return JSONResponse({"ok": False, "code": "busy", "text": "Too many charts are being read."}, 503)
        try:
            found = await asyncio.to_thread(read_telemetry, self._path, names, begin, end, now)
        except sqlite3.Error as e:
            log.warning("charts cannot be read: %s", e)
            return JSONResponse(
                {"ok": False, "code": "unreadable", "text": self._words(request)("chart.unreadable")}, 503
            )
        finally:
            self._turns.release()
        words = self._words(request)
        named = {
            **msgspec.to_builtins(found),
            "names": {name: _name(words, name) for name in names},
            "words": {key: words(f"chart.{key}") for key in WORDS},
            "zone": self._zone,
        }
        return Response(
            msgspec.json.encode(named), headers={"Cache-Control": KEEP, "Vary": "Cookie"}, media_type="application/json"
        )


def _name(words: Words, name: str) -> str:
    """What a person calls it; a point without a word shows its own name."""
    kind, _, rest = name.partition("/")
    device, _, point = rest.rpartition("/")
    for key in (f"point.{kind}.{point}", f"point.{point}"):
        if words.has(key):
            return f"{words(key)} · {device}" if device else words(key)
    return name
