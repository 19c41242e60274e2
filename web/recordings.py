"""A call's recording for those who may hear it: core says whose ears it is for and where the file lies.

Core writes in the journal who asked. The browser asks for parts of a file (Range), each time with the login.
"""

from pathlib import Path
from typing import Any

from starlette.responses import FileResponse, JSONResponse, Response

from drivers.jsonsocket import Gone, Refusal
from web.corelink import CoreLink
from web.words import Words

TYPES = {".flac": "audio/flac", ".opus": "audio/ogg", ".ogg": "audio/ogg", ".wav": "audio/wav"}
STATUS = {"login": 401, "role": 403, "no_recording": 404, "no_call": 404}


async def recording(core: CoreLink, state: Path, words: Words, call: str, token: str) -> Response:
    """The file, or in words why not. `state` is the folder that recordings lie below."""
    try:
        told = await core.ask({"do": "call.recording", "call": call[:64], "token": token})
    except Refusal as e:
        key = f"refusal.call.recording.{e.code}"
        return _no(words(key if words.has(key) else "refusal.other", text=str(e)), STATUS.get(e.code, 409))
    except Gone:
        return _no(words("refusal.call.recording.gone"), 503)
    file = _below(state, told)
    if file is None:
        return _no(words("refusal.call.recording.no_recording"), 404)
    headers = {"Cache-Control": "no-store", "Content-Disposition": f'inline; filename="{call[:64]}{file.suffix}"'}
    return FileResponse(file, media_type=TYPES[file.suffix], headers=headers)


def _below(state: Path, told: Any) -> Path | None:
    """The file, if it is one of sound below the folder and there."""
    name = told.get("file") if isinstance(told, dict) else None
    if not isinstance(name, str) or not name:
        return None
    root = state.resolve()
    file = (root / name).resolve()
    return file if file.is_relative_to(root) and file.suffix in TYPES and file.is_file() else None


def _no(text: str, status: int) -> Response:
    return JSONResponse({"ok": False, "text": text}, status)
