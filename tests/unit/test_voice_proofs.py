"""What is told of a line's drills: proven for as long as the site file allows, by what carries the voice now."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from desk_story import Rows, rows, site

from appliance.call_events import VoiceProven
from appliance.config import Places
from appliance.core_sound import DAY, SoundRoom
from appliance.figure import Figure
from appliance.view import LineView

UNKNOWN = Figure(None, "", "absent", 0.0, 1.0)
GOOD_DAYS = 7


def room(there: Rows, folder: Path) -> SoundRoom:
    lines: Any = SimpleNamespace(views=list, free_lines=list)
    return SoundRoom(
        site=site(), places=Places(state=folder, run=folder, key=folder, profiles=folder, sound=folder),
        state=there.state, clock=there.clock, append=there.append, on_changed=lambda: None, lines=lines,
        urgent=lambda: False,
    )  # fmt: skip


def view(there: Rows, bearer: str = "volte", can: str = "registered") -> LineView:
    return LineView(
        id="l2", name="l2", number="", link=None, modem="", operator=UNKNOWN, technology=UNKNOWN, registration=UNKNOWN,
        signal_dbm=UNKNOWN, can_take_call=can, why="", call=None,
        bearer=Figure(bearer or None, "", "good" if bearer else "absent", there.clock.now(), 60.0),
    )  # fmt: skip


def told(there: Rows, folder: Path, **how: str) -> str:
    [shown] = room(there, folder).onto([view(there, **how)])
    return shown.can_take_call


def drill(there: Rows, line: str, other: str, why: str = "", bearer: str = "volte") -> None:
    there.append(VoiceProven(line=line, other=other, ok=not why, why=why, bearer=bearer))


def test_a_proof_counts_until_it_is_too_old_and_its_moment_is_told(tmp_path: Path) -> None:
    there = rows()
    assert told(there, tmp_path) == "registered"
    drill(there, "l1", "l2")
    there.clock.advance(GOOD_DAYS * DAY - 60.0)
    [shown] = room(there, tmp_path).onto([view(there)])
    assert shown.can_take_call == "proven"
    assert shown.voice is not None
    assert shown.voice.at.seq == there.head.seq
    there.clock.advance(120.0)
    assert told(there, tmp_path) == "registered"


def test_a_proof_is_of_what_carried_the_voice_then(tmp_path: Path) -> None:
    there = rows()
    drill(there, "l1", "l2", bearer="volte")
    assert told(there, tmp_path, bearer="2g") == "registered"
    assert told(there, tmp_path, bearer="") == "registered"
    drill(there, "l1", "l2", bearer="2g")
    assert (told(there, tmp_path, bearer="2g"), told(there, tmp_path)) == ("proven", "proven")


def test_to_have_called_another_line_neither_proves_nor_takes_back(tmp_path: Path) -> None:
    there = rows()
    drill(there, "l2", "l1")
    assert told(there, tmp_path) == "registered"
    drill(there, "l1", "l2")
    drill(there, "l2", "l1")
    assert told(there, tmp_path) == "proven"


def test_a_failure_speaks_against_both_lines_until_each_was_called_again(tmp_path: Path) -> None:
    there = rows()
    drill(there, "l1", "l2")
    drill(there, "l2", "l1", why="mute")
    assert told(there, tmp_path) == "registered"
    drill(there, "l1", "l2", why="box_busy")
    assert told(there, tmp_path) == "registered"
    drill(there, "l1", "l2")
    assert told(there, tmp_path) == "proven"


def test_no_proof_makes_a_line_without_network_one_that_takes_calls(tmp_path: Path) -> None:
    there = rows()
    drill(there, "l1", "l2")
    assert told(there, tmp_path, can="no") == "no"
