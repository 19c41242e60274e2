"""`siaga scenario FILE...`: plays stories one after the other, those of lines and of calls at one site each.

Exit 1 when one was missed, 2 when a file is wrong.
"""

import argparse
from pathlib import Path

from appliance.cli import say_no
from appliance.scenario import MOST_ROUNDS, SHARED, Story, StoryError, load_story, shortened
from drivers.clock import Clock


def add_arguments(_name: str, parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, nargs="+")
    parser.add_argument("--speed", type=float, help="how fast time passes where the story leaves it open (default 1)")
    parser.add_argument("--rounds", type=int, default=MOST_ROUNDS, help="at most so many where the story has rounds")
    parser.add_argument("--keep", action="store_true", help="keep the site's files")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    stories: list[Story] = []
    try:
        stories = [shortened(load_story(file), options.rounds) for file in options.file]
        clocks = [Clock(story.speed or options.speed or 1.0) for story in stories]
    except StoryError as e:
        return say_no(str(e), code=2)
    except ValueError as e:
        return say_no(f"{e}.", code=2)
    from appliance.scenario_stage import Stage

    played: dict[int, tuple[bool, float]] = {}
    for group in _groups(stories, [clock.speed for clock in clocks]):
        stage = Stage(stories[group[0]].site, clocks[group[0]], keep=options.keep)
        played |= zip(group, clocks[group[0]].run(stage.play([stories[i] for i in group])), strict=True)
    missed = sum(1 for good, _ in played.values() if not good)
    if len(stories) > 1:
        for i, file in enumerate(options.file):
            good, seconds = played[i]
            print(f"{'held  ' if good else 'MISSED'} {seconds:6.1f} s  {file.stem}: {stories[i].title}")
        print(f"{len(stories) - missed} of {len(stories)} stories held.")
    return 1 if missed else 0


def _groups(stories: list[Story], speeds: list[float]) -> list[list[int]]:
    """Which stories are played at one site: all of a small one at the same speed; each other has its own."""
    groups: dict[object, list[int]] = {}
    for i, (story, speed) in enumerate(zip(stories, speeds, strict=True)):
        groups.setdefault((story.site, speed) if story.site in SHARED else (story.site, i), []).append(i)
    return list(groups.values())
