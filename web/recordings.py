"""A call's recording for those who may hear it: core says whose ears it is for and where the file lies.

Core writes in the journal who asked. The browser asks for parts of a file (Range), each time with the login.
"""

from pathlib import Path
from typing import Any, NamedTuple

from starlette.responses import FileResponse, JSONResponse, Response

from drivers.jsonsocket import Gone, Message, Refusal
from web.corelink import CoreLink
from web.words import Words

TYPES = {".flac": "audio/flac", ".opus": "audio/ogg", ".ogg": "audio/ogg", ".wav": "audio/wav"}
HASHED_WITHIN = 15.0  # s; an hour's recording is read once for its hash on a slow board
STATUS = {"login": 401, "role": 403, "no_recording": 404, "no_call": 404}


class Wanted(NamedTuple):
    """`part` as the address has it; `anyway`: also when the file is not what was recorded."""

    call: str
    part: str
    anyway: bool


async def recording(
    core: CoreLink, state: Path, words: Words, wanted: Wanted, token: str, own_hours: int
) -> Response:  # fmt: skip
    """The file, or in words why not. `state` is the folder that recordings lie below."""
    part = int(wanted.part) if wanted.part.isdecimal() and len(wanted.part) < 4 else 1
    ask: Message = {"do": "call.recording", "call": wanted.call, "part": max(1, part), "token": token}
    try:
        told = await core.ask(ask | ({"anyway": True} if wanted.anyway else {}), HASHED_WITHIN)
    except Refusal as e:
        key = f"refusal.call.recording.{e.code}"
        text = words(key if words.has(key) else "refusal.other", text=str(e), hours=own_hours)
        more = {"anyway": f"/recordings/{wanted.call}?part={part}&anyway=1"} if e.code == "changed" else {}
        return _no(text, STATUS.get(e.code, 409), more)
    except Gone:
        return _no(words("refusal.call.recording.gone"), 503)
    file = _below(state, told)
    if file is None:
        return _no(words("refusal.call.recording.no_recording"), 404)
    headers = {"Cache-Control": "no-store", "Content-Disposition": f'inline; filename="{wanted.call}{file.suffix}"'}
    return FileResponse(file, media_type=TYPES[file.suffix], headers=headers)


def _below(state: Path, told: Any) -> Path | None:
    """The file, if it is one of sound below the folder and there."""
    name = told.get("file") if isinstance(told, dict) else None
    if not isinstance(name, str) or not name:
        return None
    root = state.resolve()
    file = (root / name).resolve()
    return file if file.is_relative_to(root) and file.suffix in TYPES and file.is_file() else None


def _no(text: str, status: int, more: dict[str, str] | None = None) -> Response:
    return JSONResponse({"ok": False, "text": text, **(more or {})}, status)
