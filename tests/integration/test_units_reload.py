"""`systemctl reload` under a real systemd: it is `siaga reload`, it tells a refusal, and nothing is started anew."""

import time
from collections.abc import Iterator

import pytest

from appliance.config import load_site
from appliance.events import SiteTaken
from appliance.journal_file import read_entries
from appliance.site_print import prints
from tests.units_box import (
    ANNUNCIATOR,
    AUDIO,
    CORE,
    FOUR,
    WEB,
    UnitsBox,
    active,
    all_four,
    order,
    wait_for,
    why_not,
)

pytestmark = pytest.mark.skipif(bool(why_not()), reason=why_not())

SIAGA = "/opt/siaga/.venv/bin/siaga"
STATION = '\n[[station]]\nid = "{}"\nnumber = {}\nname = "{}"\nphone = "+620000000{}"\n'
PAGE = "import urllib.request as u; print(u.urlopen('http://127.0.0.1:8112/stations', timeout=5).read().decode())"
WITHIN = 40.0  # s for a reload on a busy machine; some 2 on a quiet one


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[UnitsBox, str]]:
    """The box, and its site file as it was first."""
    with all_four(tmp_path_factory.mktemp("reload")) as box:
        yield box, (box.root / "etc/siaga/site.toml").read_text()


@pytest.fixture
def box(whole: tuple[UnitsBox, str]) -> Iterator[UnitsBox]:
    box, text = whole
    yield box
    site(box, text)
    assert box.run("systemctl", "reload", ANNUNCIATOR, CORE, within=WITHIN).returncode == 0


def site(box: UnitsBox, text: str) -> None:
    (box.root / "etc/siaga/site.toml").write_text(text)


def change(box: UnitsBox, old: str, new: str) -> None:
    text = (box.root / "etc/siaga/site.toml").read_text()
    assert old in text
    site(box, text.replace(old, new))


def page_names(box: UnitsBox, name: str) -> bool:
    return name in box.run("/opt/siaga/.venv/bin/python", "-c", PAGE).stdout


def taken(box: UnitsBox) -> list[SiteTaken]:
    """As the journal has it."""
    rows = read_entries(box.root / "var/lib/siaga/journal.db")
    return [row.event for row in rows if isinstance(row.event, SiteTaken)]


def pids(box: UnitsBox) -> dict[str, int]:
    return {unit: box.pid(unit) for unit in FOUR}


def test_a_changed_file_is_in_force_when_systemctl_is_back_and_the_page_follows_by_itself(box: UnitsBox) -> None:
    before = pids(box)
    text = (box.root / "etc/siaga/site.toml").read_text()
    site(box, text + STATION.format("damkar", 7, "Damkar Baru", 7))
    done = box.run("systemctl", "reload", CORE, within=WITHIN)
    assert done.returncode == 0, (done, box.journal("-u", CORE)[-5:])
    assert box.run(SIAGA, "alert", "sound", "nobody").returncode == 1, "core is back and answers"
    said = [str(row["MESSAGE"]) for row in box.journal("-u", CORE)]
    assert any(line.startswith("In force: station") for line in said), said[-8:]
    wait_for(lambda: page_names(box, "Damkar Baru"), within=20)
    assert pids(box) == before, "no process was started"
    # Core tells what it took; these two have nothing to be told.
    assert {unit: box.show(unit)["CanReload"] for unit in FOUR} == {
        ANNUNCIATOR: "yes", CORE: "yes", AUDIO: "no", WEB: "no",
    }  # fmt: skip


@pytest.mark.parametrize("unit", [CORE, ANNUNCIATOR])
def test_a_wrong_file_makes_systemctl_fail_as_siaga_reload_does_and_all_is_as_it_was(box: UnitsBox, unit: str) -> None:
    before = pids(box)
    change(box, "pin = 17", "pin = 99")
    since = box.journal("-u", unit)[-1]["__CURSOR"]
    done = box.run("systemctl", "reload", unit, within=WITHIN)
    assert done.returncode != 0
    by_hand = box.run(SIAGA, "reload", "--config", "/etc/siaga/site.toml")
    assert by_hand.returncode == 2
    assert "annunciator.output.siren.pin" in by_hand.stderr
    told = [str(row["MESSAGE"]) for row in box.journal("-u", unit, f"--after-cursor={since}")]
    assert by_hand.stderr.strip() in told, told
    assert pids(box) == before
    assert active(box, *FOUR)


def test_what_would_take_a_restart_is_refused_by_both(box: UnitsBox) -> None:
    change(box, 'site = "ambon"', 'site = "tual"')
    assert box.run("systemctl", "reload", CORE, within=WITHIN).returncode != 0
    assert box.run(SIAGA, "reload").returncode == 1
    assert active(box, *FOUR)


def test_the_annunciator_takes_its_wiring_without_core_and_what_sounds_sounds_on(box: UnitsBox) -> None:
    alert = order(box, 20)
    box.systemctl("stop", CORE)
    try:
        change(box, "max_s = 600", "max_s = 900")
        change(
            box, "[annunciator.output.local_only]",
            '[annunciator.output.beacon]\npin = 22\nkind = "light"\n\n[annunciator.output.local_only]',
        )  # fmt: skip
        done = box.run("systemctl", "reload", ANNUNCIATOR, within=WITHIN)
        assert done.returncode == 0, done
        standing = box.standing()
        assert "beacon" in standing["outputs"]
        assert standing["outputs"]["siren"]["on"]
        assert standing["outputs"]["siren"]["order_ids"] == [alert]
        said = [str(row["MESSAGE"]) for row in box.journal("-u", ANNUNCIATOR)]
        assert "Waits until it is off: siren." in said, said[-8:]
    finally:
        box.systemctl("start", CORE)
        wait_for(lambda: box.run(SIAGA, "alert", "stop").returncode == 0, within=20)
        wait_for(lambda: not box.standing()["outputs"]["siren"]["on"], within=30)


def test_both_at_once_and_signals_in_any_number_end_nobody(box: UnitsBox) -> None:
    before = pids(box)
    change(box, "max_s = 600", "max_s = 700")
    assert box.run("systemctl", "reload", ANNUNCIATOR, CORE, within=WITHIN).returncode == 0
    for number in range(8):  # into whatever moment of being made anew
        change(box, f"max_s = {700 + number}", f"max_s = {701 + number}")
        box.systemctl("kill", "--signal=HUP", "--kill-whom=main", CORE)
        time.sleep(0.1)
    wanted = prints(load_site(box.root / "etc/siaga/site.toml"))
    wait_for(lambda: taken(box)[-1].site == wanted, within=WITHIN, why=lambda: (wanted, taken(box)[-1]))
    assert pids(box) == before
