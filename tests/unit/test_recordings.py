"""Recordings on the disk: names, leftovers, and which have to go."""

import os
from pathlib import Path
from zoneinfo import ZoneInfo

from appliance.config_sound import RecordingRules
from appliance.sound.recordings import DAY, MB, Found, closed, look, name_of, too_many

WALL = 1_795_296_525.0  # 2026-11-21 21:28:45 UTC
RULES = RecordingRules(keep_days=30, most_mb=10, free_mb=5)


def found(name: str, age_days: float, mb: float = 1.0, part: bool = False) -> Found:
    return Found(Path(f"/r/{name}.flac{'.part' if part else ''}"), name, "l1", int(mb * MB), age_days * DAY)


def test_a_name_has_the_sites_time_the_line_and_the_call_and_is_never_taken_twice(tmp_path: Path) -> None:
    zone = ZoneInfo("Asia/Jayapura")
    first = name_of(tmp_path, WALL, zone, "l1", "1a2b3c4d")
    assert str(first.relative_to(tmp_path)) == "2026/11/22T062845-l1-1a2b3c4d.flac.part"
    first.parent.mkdir(parents=True)
    first.touch()
    second = name_of(tmp_path, WALL, zone, "l1", "1a2b3c4d")
    assert second.name == "22T062845-l1-1a2b3c4d-2.flac.part"
    first.rename(closed(first))
    assert name_of(tmp_path, WALL, zone, "l1", "1a2b3c4d") == second


def test_what_lies_there_is_read_back_with_line_and_call_oldest_first(tmp_path: Path) -> None:
    zone = ZoneInfo("Asia/Jayapura")
    for age, line in ((0.0, "l-2"), (100.0, "l1")):
        for _ in range(2):
            path = name_of(tmp_path, WALL, zone, line, "1a2b3c4d")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"1234")
            os.utime(path, (WALL - age, WALL - age))
    (tmp_path / "2026/11/notes.txt").touch()
    seen = look(tmp_path, WALL)
    assert [(f.line, f.call, f.octets, f.open) for f in seen] == [
        ("l1", "1a2b3c4d", 4, True),
        ("l1", "1a2b3c4d", 4, True),
        ("l-2", "1a2b3c4d", 4, True),
        ("l-2", "1a2b3c4d", 4, True),
    ]


def test_what_is_too_old_goes_and_then_the_oldest_until_there_is_room() -> None:
    lying = [found("a", 40), found("b", 20, 6), found("c", 10, 6), found("d", 1, 2)]
    gone = too_many(lying, RULES, 100 * MB, set())
    assert [(f.call, why) for f, why in gone] == [("a", "age"), ("b", "room")]


def test_while_the_time_is_not_known_none_goes_for_its_age() -> None:
    lying = [found("a", 4000), found("b", 20, 6), found("c", 10, 6)]
    gone = too_many(lying, RULES, 100 * MB, set(), time_known=False)
    assert [(f.call, why) for f, why in gone] == [("a", "room"), ("b", "room")]
    assert too_many(lying[:2], RULES, 100 * MB, set(), time_known=False) == []


def test_a_full_disk_takes_the_oldest_first_and_counts_what_is_gone() -> None:
    lying = [found("a", 3, 2), found("b", 2, 2), found("c", 1, 2)]
    assert [f.call for f, _ in too_many(lying, RULES, 2 * MB, set())] == ["a", "b"]


def test_a_disk_that_others_have_filled_costs_no_recording_of_the_last_day() -> None:
    lying = [found("a", 2, 2), found("b", 0.9, 2), found("c", 0.1, 2)]
    assert [f.call for f, _ in too_many(lying, RULES, 0, set())] == ["a"]
    assert [f.call for f, _ in too_many([found("b", 0.9, 8), found("c", 0.1, 8)], RULES, 0, set())] == ["b"]


def test_one_that_is_being_written_or_not_journaled_never_goes() -> None:
    lying = [found("a", 400, part=True), found("b", 400), found("c", 400)]
    assert [f.call for f, _ in too_many(lying, RULES, 0, {lying[1].path})] == ["c"]
