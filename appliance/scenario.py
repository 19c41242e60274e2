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
    """`site` is what is simulated: `demo` is all of it, `lines` a centre with nothing but two modems, `calls` one with
    its desk too (page, sound, a supervisor), `sound` one with sound that is listened to, and people who talk there,
    `headset` that with a USB headset at the box, `power` a centre with its building and one line, `alert` a centre
    and two stations.

    `speed` is set where the story hangs on what is never scaled (the broker's expiry, disks, sound). `rest` is within
    how many seconds of its end the site must be as the story found it; a modem that was restarted last
    boots, searches and is read within one minute. Steps of `round` are played `rounds` times, before those of `step`.
    """

    title: str
    step: tuple[Step, ...]
    round: tuple[Step, ...] = ()
    rounds: int = 1
    site: str = "demo"
    speed: float | None = None
    rest: float = 120.0


class StoryError(Exception):
    """The file is no story; the text says where and why."""


VERBS = {"sim", "command", "post", "siaga"}
SIGHTS = {"event", "alarm", "view", "pin", "mqtt", "knob", "journal", "get", "heard", "recording"}
HEARD = frozenset({"heard", "recording"})
SITES = {  # and the words that mean nothing there
    "demo": HEARD,
    "lines": HEARD | {"post", "get", "mqtt"},
    "calls": HEARD | {"mqtt"},
    "sound": frozenset({"post", "get", "mqtt"}),
    "headset": frozenset({"post", "get", "mqtt"}),
    "power": HEARD | {"post", "get", "mqtt"},
    "alert": HEARD | {"post", "get", "mqtt"},
}
SHARED = {"demo", "lines", "calls", "sound", "power", "alert"}  # sites that are played at by one story after another
MOST_ROUNDS = 999  # {round} has three digits


def load_story(file: Path) -> Story:
    """Read a scenario file. Raises StoryError that names the step."""
    try:
        story = msgspec.toml.decode(file.read_bytes(), type=Story)
    except OSError as e:
        raise StoryError(f"{file}: cannot be read ({e.strerror}).") from e
    except (msgspec.DecodeError, UnicodeDecodeError) as e:
        raise StoryError(f"{file}: {e}") from e
    if story.site in ("sound", "headset") and story.speed is None:
        story = msgspec.structs.replace(story, speed=1.0)  # sound keeps real time; what is faster is not heard
    if story.site not in SITES:
        raise StoryError(f"{file}: site {story.site!r} is not known; there is {' and '.join(map(repr, SITES))}.")
    if not 1 <= story.rounds <= MOST_ROUNDS:
        raise StoryError(f"{file}: rounds are 1 to {MOST_ROUNDS}.")
    for number, step in enumerate((*story.round, *story.step), 1):
        parts = [p for p in (step.do, step.expect, step.never) if p is not None]
        if len(parts) != 1:
            raise StoryError(f"{file}: step {number} needs exactly one of do, expect, never.")
        known = (VERBS if step.do is not None else SIGHTS) - SITES[story.site]
        if "sim" not in parts[0] and len(known & parts[0].keys()) != 1:  # a knob's arguments may be called anything
            raise StoryError(f"{file}: step {number} needs exactly one of {', '.join(sorted(known))} in its table.")
    return story


def shortened(story: Story, rounds: int) -> Story:
    """The story with at most so many rounds."""
    return msgspec.structs.replace(story, rounds=max(1, min(story.rounds, rounds)))
