"""Every story in tests/scenarios, played by `siaga scenario`, several at one simulated site: starting that costs more
than most stories. Two hundred calls are twelve of them here."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

STORIES = sorted((Path(__file__).parents[1] / "scenarios").glob("*.toml"))
OF_LINES = [story for story in STORIES if 'site = "lines"' in story.read_text()]
OF_CALLS = [story for story in STORIES if 'site = "calls"' in story.read_text()]
OF_POWER = [story for story in STORIES if 'site = "power"' in story.read_text()]
LONG = {  # whose minutes only `make scenarios` waits for; machines and room are tested in virtual time elsewhere
    "alert_phone_core_killed", "alert_sms_late", "alert_voice_by_calendar",
    "power_3190_volts", "power_fuel_at_night", "power_fuel_falling", "power_late_answers", "power_link_lost",
    "power_breaker_stays_open", "power_start_ordered", "power_orders", "power_start_by_relay",
    "power_start_unproven", "power_three_cranks", "power_one_witness_lies", "power_wrong_unit",
    "genset_refuses", "power_restart",  # tests/integration/test_power_service.py, test_power_campaign.py
    "restart",  # tests/faults/test_broken_world.py
    "call_greeted",  # tests/browser/test_page_voices.py
    "alert_by_phone",  # tests/integration/test_orders_by_phone.py
    "call_trunk_lost",  # tests/integration/test_trunk.py, test_trunk_witnesses.py
}  # fmt: skip
OF_SOUND = [s for s in STORIES if 'site = "sound"' in s.read_text() and s.stem not in LONG]
OF_ALERT = [story for story in STORIES if 'site = "alert"' in story.read_text()]
LONG_OF_ALERT = {  # minutes that only `make scenarios` waits for
    "alert_broker_down",  # alarms that come and go rest for a minute; tests/integration/test_orders_over_bad_paths.py
    "alert_core_frozen",  # its two minutes; tests/integration/test_orders_and_set_clocks.py
    "alert_deaf_card",  # a minute until the card; tests/unit/test_delivery_machine.py
    "alert_power_cut_again",  # five starts of processes; tests/integration/test_orders_between_nodes.py
    "alert_sms_late",  # ten minutes; tests/unit/test_freshness.py
    "alert_sounding_test",  # its sixty seconds; tests/integration/test_supervision.py
    "alert_stop_lost",  # half a minute until the card, and a modem that boots; tests/unit/test_delivery_machine.py
    "alert_tests_by_each_path",  # two minutes of texts; tests/integration/test_supervision.py
}
SHORT_OF_ALERT = [  # one for each kind of trouble; `make scenarios` plays all
    story
    for story in OF_ALERT
    if story.stem.removeprefix("alert_")
    in (
        "acknowledgement_lost",
        "disk_taken_out",
        "relay_stuck",
        "silent_test",
        "lockout",
        "replayed",
        "site_reloaded",
    )
]
SHORT_OF_POWER = [story for story in OF_POWER if story.stem not in LONG]
ALONE = [story for story in STORIES if 'site = "headset"' in story.read_text()]
OF_DEMO = [story for story in STORIES if "site = " not in story.read_text() and story.stem not in LONG]
ROUNDS = "3"  # where a story has rounds: a person plays all of them
LINES_SPEED = "6"  # modems answer within seconds, and 1.5 s of a driver's patience are a quarter of a real one
ALERT_SPEED = "5"  # modems again, and processes that are killed and start: theirs is real time
POWER_SPEED = "6"  # minutes of starting and cooling; a bus's second of patience is a sixth of a real one
SPEED = "4"  # where the story leaves it open: minutes become seconds, and two cores keep up
PATIENCE = 170  # s, within the test's own; stories of one site take some 30 together on a quiet machine


def played(*words: str, within: float = PATIENCE) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "appliance.cli", "scenario", *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=within)


@pytest.mark.parametrize("story", ALONE, ids=lambda path: path.stem)
def test_the_story_holds(story: Path) -> None:
    done = played(str(story), "--speed", SPEED)
    assert done.returncode == 0, done.stdout + done.stderr


SITES = {  # divided, so that workers share them and none lasts as long as a test may
    "lines-even": (OF_LINES[::2], LINES_SPEED),
    "lines-odd": (OF_LINES[1::2], LINES_SPEED),
    "calls-even": (OF_CALLS[::2], LINES_SPEED),
    "calls-odd": (OF_CALLS[1::2], LINES_SPEED),
    **{f"sound-{n}": (OF_SOUND[n::5], LINES_SPEED) for n in range(5)},
    **{f"alert-{n}": (SHORT_OF_ALERT[n::3], ALERT_SPEED) for n in range(3)},
    **{f"demo-{n}": (OF_DEMO[n::5], SPEED) for n in range(5)},
    "power-first": (SHORT_OF_POWER[::2], POWER_SPEED),
    "power-second": (SHORT_OF_POWER[1::2], POWER_SPEED),
}


@pytest.mark.parametrize(("stories", "speed"), SITES.values(), ids=SITES)
def test_stories_of_one_site_hold_one_after_another(stories: list[Path], speed: str) -> None:
    done = played(*map(str, stories), "--speed", speed, "--rounds", ROUNDS)
    assert done.returncode == 0, done.stdout + done.stderr
    if len(stories) > 1:  # one alone is not counted
        assert f"{len(stories)} of {len(stories)} stories held." in done.stdout


def test_every_story_says_what_it_is_about() -> None:
    assert STORIES
    assert {story.stem for story in STORIES} >= LONG
    assert {story.stem for story in OF_ALERT} >= LONG_OF_ALERT
    for story in STORIES:
        assert len(tomllib.loads(story.read_text())["title"]) > 10


def test_a_story_that_is_not_so_exits_1_and_shows_why(tmp_path: Path) -> None:
    story = tmp_path / "wrong.toml"
    story.write_text(
        'title = "The siren sounds by itself"\n[[step]]\nwithin = 0.5\n'
        'expect = { pin = "siren", node = "pusat", is = 1 }\n'
    )
    done = played(str(story))
    assert done.returncode == 1
    assert "not seen in time: pin=siren" in done.stdout
    assert "MISSED" in done.stdout


def test_a_story_that_leaves_a_line_ill_is_missed_and_the_next_has_a_site_anew(tmp_path: Path) -> None:
    left, after = tmp_path / "left.toml", tmp_path / "after.toml"
    left.write_text(
        'title = "A cable is pulled and stays so"\nsite = "lines"\nrest = 8\n'
        '[[step]]\ndo = { sim = "modem.unplug", name = "pusat-l1" }\n'
        '[[step]]\nwithin = 10\nexpect = { alarm = "line.down", about = "l1" }\n'
    )
    after.write_text(
        'title = "The line is there"\nsite = "lines"\n[[step]]\nexpect = { view = "lines.l1.why", is = "" }\n'
        '[[step]]\nexpect = { event = "line.up", line = "l1", since = "start", count = 0 }\n'
    )
    done = played(str(left), str(after), "--speed", LINES_SPEED)
    assert done.returncode == 1
    assert "in the end: lines not registered: ['l1']" in done.stdout, done.stdout + done.stderr
    assert [line.split()[0] for line in done.stdout.splitlines()[-3:-1]] == ["MISSED", "held"]
    assert "1 of 2 stories held." in done.stdout


REFUSED = """
title = "What an operator may not do is refused, and what the view does not have is missed"
site = "calls"
rounds = 9
[[round]]
do = { post = "/caller/block", number = "+62811555{round}", refused = "role" }
[[step]]
do = { post = "/caller/block", as = "supervisor", number = "+628115550999", refused = "no_caller" }
[[step]]
do = { command = "sms.send", number = "+628115550998", text = "{desk.nothing.here}" }
"""


def test_a_story_of_calls_has_people_rounds_and_what_the_view_says_and_misses_what_is_not_there(tmp_path: Path) -> None:
    story = tmp_path / "refused.toml"
    story.write_text(REFUSED)
    done = played(str(story), "--speed", LINES_SPEED, "--rounds", "2")
    assert done.returncode == 1
    assert "post=/caller/block number=+62811555002 refused=role" in done.stdout, done.stdout + done.stderr
    assert "+62811555003" not in done.stdout
    assert "✗ the view has nothing at desk.nothing.here" in done.stdout


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('title = "x"\nrounds = 0\nstep = []', "rounds are 1 to 999"),
        ('title = "x"\nsteps = []', "unknown field `steps`"),
        ('title = "x"\n[[step]]\ndo = { dance = 1 }', "step 1 needs exactly one of"),
        ('title = "x"\n[[step]]\nexpect = { event = "a", alarm = "b" }', "step 1 needs exactly one of"),
        ('title = "x"\nsite = "mars"\nstep = []', "site 'mars' is not known"),
        (
            'title = "x"\nsite = "lines"\n[[step]]\ndo = { post = "/alert" }',
            "step 1 needs exactly one of command, siaga",
        ),
    ],
)
def test_a_file_that_is_no_story_exits_2(tmp_path: Path, text: str, said: str) -> None:
    story = tmp_path / "bad.toml"
    story.write_text(text)
    done = played(str(story), within=30)
    assert done.returncode == 2
    assert said in done.stderr
