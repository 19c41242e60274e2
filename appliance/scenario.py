"""Scenarios: plain-text stories played against a running simulated site, each step done or expected, on a timeline.

Expectations look only at what a person or a stranger could see: journals, the view, pins, MQTT, pages, modems.
"""

from pathlib import Path
from typing import Any

import msgspec


class Step(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`do` happens at once, or `at` so many seconds into the story. `expect` must come true `within` so many seconds
    of the last `do`. `never` must stay untrue for `during` seconds."""

    do: dict[str, Any] | None = None
    at: float | None = None
    expect: dict[str, Any] | None = None
    within: float = 1.0
    never: dict[str, Any] | None = None
    during: float = 0.0


class Story(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`site` is what is simulated: `demo` is all of it, `lines` a centre with nothing but two modems, `sound` one with
    the audio process and people who talk there too.

    `speed` is set where the story hangs on what is never scaled (the broker's expiry, disks, sound). `rest` is within
    how many seconds of its end a `lines` site must be as the story found it; a modem that was restarted last boots,
    searches and is read within one minute.
    """

    title: str
    step: tuple[Step, ...]
    site: str = "demo"
    speed: float | None = None
    rest: float = 120.0


class StoryError(Exception):
    """The file is no story; the text says where and why."""


VERBS = {"sim", "command", "post", "siaga"}
SIGHTS = {"event", "alarm", "view", "pin", "mqtt", "knob", "journal", "get", "heard", "recording"}
SOUND = frozenset({"heard", "recording"})
SITES = {  # and the words that mean nothing there
    "demo": SOUND,
    "lines": SOUND | {"post", "get", "mqtt"},
    "sound": frozenset({"post", "get", "mqtt"}),
}
SHARED = {"lines", "sound"}  # sites that are small and are played at by many stories


def load_story(file: Path) -> Story:
    """Read a scenario file. Raises StoryError that names the step."""
    try:
        story = msgspec.toml.decode(file.read_bytes(), type=Story)
    except OSError as e:
        raise StoryError(f"{file}: cannot be read ({e.strerror}).") from e
    except (msgspec.DecodeError, UnicodeDecodeError) as e:
        raise StoryError(f"{file}: {e}") from e
    if story.site == "sound" and story.speed is None:
        story = msgspec.structs.replace(story, speed=1.0)  # sound keeps real time; what is faster is not heard
    if story.site not in SITES:
        raise StoryError(f"{file}: site {story.site!r} is not known; there is {' and '.join(map(repr, SITES))}.")
    for number, step in enumerate(story.step, 1):
        parts = [p for p in (step.do, step.expect, step.never) if p is not None]
        if len(parts) != 1:
            raise StoryError(f"{file}: step {number} needs exactly one of do, expect, never.")
        known = (VERBS if step.do is not None else SIGHTS) - SITES[story.site]
        if "sim" not in parts[0] and len(known & parts[0].keys()) != 1:  # a knob's arguments may be called anything
            raise StoryError(f"{file}: step {number} needs exactly one of {', '.join(sorted(known))} in its table.")
    return story
