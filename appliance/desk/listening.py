"""Who may hear a call's recording, and whether its file is still what the journal says it was.

Each listening is written in the journal; the parts that a player asks for one after the other are one listening.
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, NamedTuple

from appliance.call_commands import OpenRecording
from appliance.call_events import RecordingOpened, RecordingWrong
from appliance.desk_view import CallRow
from appliance.journal import Appended
from drivers.clock import Clock
from drivers.jsonsocket import Refusal

ALL, OWN = "all", "own"
HEARS = {"console": ALL, "supervisor": ALL, "operator": OWN}  # by role; a technician mends lines and hears nobody
HOUR = 3600.0
ONE_LISTENING = 600.0  # s in which the same person's next question for the same file is the same listening
MOST_KNOWN = 100  # listenings, and files whose hash is known
READ_AT_ONCE = 1 << 20


class _Seen(NamedTuple):
    """A file as it was when it was hashed: one that was written to since has another time or size."""

    inode: int
    octets: int
    changed_ns: int
    sha256: str


class Listening:
    """`folder` is the state folder; `row` reads a call's row of the log; `role_of` knows an actor's role."""

    def __init__(
        self, *, folder: Path, own_hours: int, clock: Clock, append: Callable[..., Appended],
        row: Callable[[str], Awaitable[CallRow | None]], role_of: Callable[[str], str],
    ) -> None:  # fmt: skip
        self._folder, self._own_s, self._clock, self._append = folder, own_hours * HOUR, clock, append
        self._row, self._role_of = row, role_of
        self._opened: dict[tuple[str, str], float] = {}
        self._hashed: dict[str, _Seen] = {}
        self._hashing = asyncio.Lock()

    async def open(self, command: OpenRecording, actor: str) -> dict[str, Any]:
        """Where the file lies. Raises Refusal: `no_call`, `role`, `no_recording`, `changed`."""
        row = await self._row(command.call)
        if row is None:
            raise Refusal("no_call", f"There is no call {command.call!r}.", "siaga call list shows them.")
        self._may(row, actor)
        if not 0 < command.part <= len(row.recordings):
            raise Refusal("no_recording", f"Call {row.call} has {len(row.recordings)} recordings.", "None was played.")
        told = row.recordings[command.part - 1]
        is_now = await self._sha256(told.file)
        if is_now is None:
            self._once(actor, RecordingWrong(call=row.call, file=told.file, why="gone"))
            raise Refusal("no_recording", f"{told.file} is not on the disk.", "The journal does not know why.")
        right = is_now == told.sha256
        if not right:
            self._once(actor, RecordingWrong(call=row.call, file=told.file, why="changed"))
        if not right and not command.anyway:
            raise Refusal("changed", f"{told.file} is not what was recorded.", "Ask with `anyway` to hear it as it is.")
        self._once(actor, RecordingOpened(call=row.call, file=told.file))
        return {
            "file": told.file, "seconds": told.seconds, "octets": told.octets, "sha256": told.sha256, "right": right,
            "parts": len(row.recordings),
        }  # fmt: skip

    def _may(self, row: CallRow, actor: str) -> None:
        hears = HEARS.get(self._role_of(actor))
        if hears == ALL:
            return
        age = self._clock.wall() - (row.ended or row.wall)
        own = actor in row.persons or not row.persons  # whom nobody took is everybody's to call back
        if hears != OWN or not own or age > self._own_s:
            hours = f"{self._own_s / HOUR:.0f} h"
            raise Refusal(
                "role",
                f"Operators hear their own calls, and those that nobody took, of the last {hours}.",
                "A supervisor hears all.",
            )

    def _once(self, actor: str, event: RecordingOpened | RecordingWrong) -> None:
        key, now = (actor, f"{type(event).__name__} {event.file}"), self._clock.now()
        last = self._opened.pop(key, None)
        self._opened[key] = now
        if len(self._opened) > MOST_KNOWN:
            del self._opened[next(iter(self._opened))]
        if last is None or now - last > ONE_LISTENING:
            self._append(event, actor=actor)

    async def _sha256(self, file: str) -> str | None:
        """In hex, by the file's own octets; None when it is not there."""
        async with self._hashing:
            seen = await asyncio.to_thread(_look, self._folder / file, self._hashed.pop(file, None))
        if seen is None:
            return None
        self._hashed[file] = seen
        if len(self._hashed) > MOST_KNOWN:
            del self._hashed[next(iter(self._hashed))]
        return seen.sha256


def _look(path: Path, before: _Seen | None) -> _Seen | None:
    """Blocks for the disk: for a thread."""
    try:
        with path.open("rb") as f:
            there = path.stat()
            if before and before[:3] == (there.st_ino, there.st_size, there.st_mtime_ns):
                return before
            digest = hashlib.sha256()
            while octets := f.read(READ_AT_ONCE):
                digest.update(octets)
    except OSError:
        return None
    return _Seen(there.st_ino, there.st_size, there.st_mtime_ns, digest.hexdigest())
