"""What the box says by itself: spoken by espeak-ng, or a recorded WAV of the same name in the site's folder.

`wait_id.wav` in that folder is played where `wait` would be spoken in Indonesian.
"""

from pathlib import Path

from appliance.audio_protocol import Speech
from appliance.model import Language

WAIT, HOLD, SPOKEN_TEXT, PRESS_KEY = "wait", "hold", "spoken_text", "press_key"
PRESS_YES_OR_NO = "press_yes_or_no"

PHRASES = {
    (WAIT, "id"): "Anda terhubung dengan layanan darurat 112. Mohon jangan menutup telepon. "
    "Panggilan Anda segera dijawab.",
    (WAIT, "en"): "You have reached the emergency service 112. Please do not hang up. "
    "Your call will be answered shortly.",
    (HOLD, "id"): "Mohon tunggu sebentar. Jangan menutup telepon.",
    (HOLD, "en"): "Please hold the line.",
    (SPOKEN_TEXT, "id"): "Ini pesan dari pusat komando 112.",
    (SPOKEN_TEXT, "en"): "This is a message from the 112 command centre.",
    (PRESS_KEY, "id"): "Tekan angka {key} jika pesan ini sudah dimengerti.",
    (PRESS_KEY, "en"): "Press {key} if you have understood this message.",
    (PRESS_YES_OR_NO, "id"): "Tekan angka {key} jika Anda menyanggupi. Tekan angka {decline} jika tidak.",
    (PRESS_YES_OR_NO, "en"): "Press {key} to accept. Press {decline} to decline.",
}

LANGUAGES: tuple[Language, ...] = ("id", "en")
REST_S = 4.0  # between repetitions: somebody who waits listens for a voice in it


def phrase(name: str, folder: Path | None, *, times: int = 0, rest_s: float = REST_S) -> Speech:
    """A phrase in both languages, `times` over (0: for ever). Looks for the WAV files now."""
    texts = tuple((language, PHRASES[name, language]) for language in LANGUAGES)
    return Speech(texts, tuple(_recorded(name, language, folder) for language in LANGUAGES), times, rest_s)


def message(
    texts: tuple[tuple[Language, str], ...], key: str, folder: Path | None, *, times: int, decline: str = ""
) -> Speech:
    """A message, with who speaks before it and the key to press behind it, in each language that it is given in."""
    press = PRESS_YES_OR_NO if decline else PRESS_KEY
    spoken: list[tuple[Language, str]] = []
    instead: list[str] = []
    for language, text in texts:
        spoken += [
            (language, PHRASES[SPOKEN_TEXT, language]),
            (language, text),
            (language, PHRASES[press, language].format(key=key, decline=decline)),
        ]
        instead += [
            _recorded(SPOKEN_TEXT, language, folder),
            "",
            _recorded("_".join(filter(None, (press, key, decline))), language, folder),
        ]
    return Speech(tuple(spoken), tuple(instead), times, REST_S)


def _recorded(name: str, language: str, folder: Path | None) -> str:
    file = folder / f"{name}_{language}.wav" if folder else None
    return str(file) if file is not None and file.is_file() else ""
