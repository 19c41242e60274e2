"""`siaga scenario FILE...`: plays stories one after the other; exit 1 when one was missed, 2 when a file is wrong."""

import argparse
from pathlib import Path

from appliance.cli import say_no
from appliance.scenario import Story, StoryError, load_story
from drivers.clock import Clock


def add_arguments(_name: str, parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, nargs="+")
    parser.add_argument("--speed", type=float, help="how fast time passes where the story leaves it open (default 1)")
    parser.add_argument("--keep", action="store_true", help="keep the site's files")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    stories: list[Story] = []
    try:
        stories = [load_story(file) for file in options.file]
        clocks = [Clock(story.speed or options.speed or 1.0) for story in stories]
    except StoryError as e:
        return say_no(str(e), code=2)
    except ValueError as e:
        return say_no(f"{e}.", code=2)
    from appliance.scenario_player import Player

    missed = 0
    for story, clock in zip(stories, clocks, strict=True):
        missed += not clock.run(Player(story, clock).play(options.keep))
    if len(stories) > 1:
        print(f"{len(stories) - missed} of {len(stories)} stories held.")
    return 1 if missed else 0
