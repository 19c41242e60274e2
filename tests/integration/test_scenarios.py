"""Every story in tests/scenarios, played by `siaga scenario` against its own simulated site."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

STORIES = sorted((Path(__file__).parents[1] / "scenarios").glob("*.toml"))
SPEED = "4"  # where the story leaves it open: minutes become seconds, and two cores keep up
PATIENCE = 170  # s; the longest story takes some 25 on a quiet machine


@pytest.mark.parametrize("story", STORIES, ids=lambda path: path.stem)
def test_the_story_holds(story: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "appliance.cli", "scenario", str(story), "--speed", SPEED],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_story_says_what_it_is_about() -> None:
    assert STORIES
    for story in STORIES:
        assert len(tomllib.loads(story.read_text())["title"]) > 10


def test_a_story_that_is_not_so_exits_1_and_shows_why(tmp_path: Path) -> None:
    story = tmp_path / "wrong.toml"
    story.write_text(
        'title = "The siren sounds by itself"\n[[step]]\nwithin = 0.5\n'
        'expect = { pin = "siren", node = "pusat", is = 1 }\n'
    )
    done = subprocess.run(
        [sys.executable, "-m", "appliance.cli", "scenario", str(story)], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 1
    assert "not seen in time: pin=siren" in done.stdout
    assert "MISSED" in done.stdout


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('title = "x"\nsteps = []', "unknown field `steps`"),
        ('title = "x"\n[[step]]\ndo = { dance = 1 }', "step 1 needs exactly one of"),
        ('title = "x"\n[[step]]\nexpect = { event = "a", alarm = "b" }', "step 1 needs exactly one of"),
        ('title = "x"\nsite = "mars"\nstep = []', "site 'mars' is not known"),
    ],
)
def test_a_file_that_is_no_story_exits_2(tmp_path: Path, text: str, said: str) -> None:
    story = tmp_path / "bad.toml"
    story.write_text(text)
    done = subprocess.run(
        [sys.executable, "-m", "appliance.cli", "scenario", str(story)], capture_output=True, text=True, timeout=30
    )
    assert done.returncode == 2
    assert said in done.stderr
