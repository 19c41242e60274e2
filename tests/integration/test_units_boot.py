"""The units under a real systemd, from its start on. One container for all stories, which run in their order."""

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.units_box import UnitsBox, booted, wait_for, why_not

FOUR = tuple(f"siaga-{name}.service" for name in ("annunciator", "audio", "core", "web"))
ANNUNCIATOR, AUDIO, CORE, WEB = FOUR
SLOW = re.compile(
    r"network|basic\.target|sysinit|time-s|tmpfiles|local-fs\.target|remote|dbus|mosquitto|nss-|first-boot|siaga-(audio|core|web)"
)

pytestmark = [
    pytest.mark.skipif(bool(why_not()), reason=why_not()),
    pytest.mark.xdist_group("units box"),
]


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[UnitsBox]:
    with booted(tmp_path_factory.mktemp("units"), ("siaga.target", ANNUNCIATOR)) as box:
        wait_for(lambda: active(box, *FOUR), within=60, why=lambda: box.run("journalctl", "-n", "60").stdout)
        yield box


def active(box: UnitsBox, *units: str) -> bool:
    return box.run("systemctl", "is-active", *units).stdout.split() == ["active"] * len(units)


def restarted(box: UnitsBox, unit: str, before: int) -> bool:
    """Ready again, as another process than `before`."""
    now = box.show(unit)
    return now["ActiveState"] == "active" and int(now["MainPID"]) not in (0, before)


def since_boot(box: UnitsBox, unit: str, what: str) -> int:
    """Microseconds."""
    return int(box.show(unit)[f"{what}TimestampMonotonic"])


def before_it(box: UnitsBox, unit: str) -> set[str]:
    """All that systemd lets `unit` wait for, through however many others."""
    seen: set[str] = set()
    left = [unit]
    while left:
        after = set(box.show(left.pop())["After"].split()) - seen
        seen |= after
        left += [name for name in after if not name.endswith((".mount", ".slice"))]
    return seen


def test_all_four_become_ready_and_each_runs_as_its_own_user(box: UnitsBox) -> None:
    users = {unit: box.show(unit)["User"] for unit in FOUR}
    assert users == {ANNUNCIATOR: "siaga-annunciator", AUDIO: "siaga-core", CORE: "siaga-core", WEB: "siaga-web"}
    assert {unit: box.show(unit)["NRestarts"] for unit in FOUR} == dict.fromkeys(FOUR, "0")


def test_the_sirens_way_is_ready_before_anything_slow_begins(box: UnitsBox) -> None:
    slow = {unit for unit in before_it(box, ANNUNCIATOR) if SLOW.search(unit)}
    assert slow == set()
    ready = since_boot(box, ANNUNCIATOR, "ActiveEnter")
    for other in (AUDIO, CORE, WEB, "mosquitto.service"):
        assert not (begun := since_boot(box, other, "InactiveExit")) or begun >= ready, other
    chain = box.run("systemd-analyze", "critical-chain", ANNUNCIATOR, "--no-pager").stdout
    assert "siaga-annunciator" in chain
    assert not SLOW.search(chain), chain


def test_each_reads_its_own_secrets_and_no_others(box: UnitsBox) -> None:
    def read(user: str, file: str) -> bool:
        ids = ("--reuid", user, "--regid", "siaga", "--clear-groups")
        return box.run("setpriv", *ids, "cat", file).returncode == 0

    key = "/var/lib/siaga/own.key"
    assert read("siaga-core", key)
    assert not read("siaga-web", key)
    assert not read("siaga-annunciator", key)
    assert read("siaga-web", "/var/lib/siaga/tls/authority.pem")
    assert not read("siaga-core", "/var/lib/siaga/tls/authority.pem")


def order(box: UnitsBox, seconds: int) -> str:
    """An order to the box's own siren; its id."""
    done = box.run("/opt/siaga/.venv/bin/siaga", "alert", "sound", "pusat", "--seconds", str(seconds))
    assert done.returncode == 0, done
    (alert,) = wait_for(lambda: box.standing()["outputs"]["siren"]["order_ids"], within=10, why=lambda: done)
    return str(alert)


def test_journalctl_follows_one_order_through_the_processes(box: UnitsBox) -> None:
    alert = order(box, 2)
    wait_for(lambda: not box.standing()["outputs"]["siren"]["on"], within=10)

    def said() -> list[dict[str, Any]] | None:
        rows = box.journal(f"SIAGA_ALERT={alert}")
        return rows if any(row.get("SIAGA_KIND") == "alert.ended" for row in rows) else None

    rows = wait_for(said, within=10, why=lambda: box.journal(f"SIAGA_ALERT={alert}"))
    kinds = [row["SIAGA_KIND"] for row in rows if "SIAGA_KIND" in row]
    assert kinds[0] == "alert.issued"
    assert {"delivery.energised", "delivery.ended"} <= set(kinds)
    assert {row["_SYSTEMD_UNIT"] for row in rows} == {CORE, ANNUNCIATOR}
    assert [row for row in rows if row["_SYSTEMD_UNIT"] == CORE] == box.journal(
        f"SIAGA_ALERT={alert}", "SYSLOG_IDENTIFIER=siaga-core"
    )
    assert len(box.journal("SIAGA_STATION=pusat")) >= len([row for row in rows if "SIAGA_STATION" in row]) > 0


def test_a_journald_that_hangs_holds_up_no_process_of_ours(box: UnitsBox) -> None:
    pid = box.pid("systemd-journald.service")
    program = (
        "import logging, time; from appliance import logs; logs.set_up('siaga-try'); log = logging.getLogger('try')\n"
        "begun = time.monotonic()\n"
        "for number in range(3000): log.warning('line %d', number)\n"
        "open('/run/siaga-try', 'w').write(f'{time.monotonic() - begun}')\n"
    )
    box.run("kill", "-STOP", str(pid))
    try:
        unit = ("systemd-run", "--wait", "--quiet", "--setenv=PYTHONPATH=/opt/siaga")
        done = box.run(*unit, "/opt/siaga/.venv/bin/python", "-c", program)
        alert = order(box, 5)
    finally:
        box.run("kill", "-CONT", str(pid))
    assert done.returncode == 0, done
    assert float(box.run("cat", "/run/siaga-try").stdout) < 5.0
    assert alert
    assert active(box, *FOUR)


def test_a_core_that_stands_still_is_killed_and_comes_back_while_the_siren_sounds_on(box: UnitsBox) -> None:
    box.drop_in(CORE, "[Service]\nWatchdogSec=2\n")
    box.systemctl("restart", CORE)
    alert = order(box, 60)
    sounding = box.pid(ANNUNCIATOR)
    frozen = box.pid(CORE)
    box.run("kill", "-STOP", str(frozen))
    wait_for(lambda: restarted(box, CORE, frozen), within=40, why=lambda: box.show(CORE))
    assert box.show(CORE)["NRestarts"] == "1"
    said = [row["MESSAGE"] for row in box.journal("-u", CORE, "_PID=1")]
    assert any("Watchdog timeout" in str(line) for line in said), said
    standing = box.standing()
    assert (standing["outputs"]["siren"]["on"], standing["outputs"]["siren"]["order_ids"]) == (True, [alert])
    assert box.pid(ANNUNCIATOR) == sounding
    assert box.run("/opt/siaga/.venv/bin/siaga", "alert", "stop").returncode == 0
    wait_for(lambda: not box.standing()["outputs"]["siren"]["on"], within=10)
    box.take_back(CORE)


def test_a_core_that_keeps_failing_takes_nothing_with_it_and_the_lamp_says_local_only(box: UnitsBox) -> None:
    sounding, heard = box.pid(ANNUNCIATOR), box.pid(AUDIO)
    box.drop_in(CORE, "[Service]\nExecStart=\nExecStart=/bin/false\nRestartSec=20ms\n")
    box.run("systemctl", "restart", CORE)
    wait_for(lambda: int(box.show(CORE)["NRestarts"]) > 20, within=30, why=lambda: box.show(CORE))
    assert (box.pid(ANNUNCIATOR), box.pid(AUDIO)) == (sounding, heard)
    standing = box.standing()
    assert standing["local_only"]
    assert standing["outputs"]["local_only"]["on"]
    assert active(box, "multi-user.target", "siaga.target")
    # The hourly timer's work: the backoff, where systemd has one, begins anew.
    box.systemctl("start", "siaga-steady.service")
    assert int(box.show(CORE)["NRestarts"]) < 20
    box.take_back(CORE)
    box.run("systemctl", "restart", CORE)
    wait_for(lambda: not box.standing()["local_only"], within=30)


def test_an_annunciator_that_is_killed_is_back_within_two_seconds_and_core_finds_it(box: UnitsBox) -> None:
    before = box.pid(ANNUNCIATOR)
    begun = time.monotonic()
    box.run("kill", "-KILL", str(before))
    wait_for(lambda: restarted(box, ANNUNCIATOR, before), within=20)
    assert time.monotonic() - begun < 10  # some 1.5 s where nothing else runs
    wait_for(lambda: not box.standing()["local_only"], within=20)


def test_the_nightly_backup_reads_what_it_needs_and_is_whole(box: UnitsBox) -> None:
    siaga = "/opt/siaga/.venv/bin/siaga"
    assert box.run(siaga, "backup", "code").returncode == 0
    box.systemctl("start", "siaga-backup.service")
    (file,) = box.run("sh", "-c", "ls /var/lib/siaga/backup/*").stdout.split()
    checked = box.run(siaga, "backup", "check", file)
    assert (checked.returncode, "keys sealed, unbroken" in checked.stdout) == (0, True), checked
    assert box.run("stat", "-c", "%U %a", file).stdout.split() == ["siaga-core", "600"]
    said = [str(row["MESSAGE"]) for row in box.journal("-u", "siaga-backup.service")]
    assert any("No stick" in line for line in said), said


def test_the_time_is_saved_and_the_timers_wait(box: UnitsBox) -> None:
    box.systemctl("start", "siaga-time-save.service")
    assert abs(int(box.run("cat", "/var/lib/siaga-time/time").stdout) - time.time()) < 60
    for timer in ("backup", "self-test", "time-save", "kiosk-reload", "steady"):
        box.systemctl("start", f"siaga-{timer}.timer")
        assert box.show(f"siaga-{timer}.timer")["ActiveState"] == "active"


def test_stopping_the_appliance_leaves_the_annunciator(box: UnitsBox) -> None:
    sounding = box.pid(ANNUNCIATOR)
    box.systemctl("stop", "siaga.target")
    wait_for(lambda: not any(active(box, unit) for unit in (AUDIO, CORE, WEB)), within=30)
    assert box.pid(ANNUNCIATOR) == sounding
    box.systemctl("start", "siaga.target")
    wait_for(lambda: active(box, *FOUR), within=60)


@pytest.mark.parametrize("target", ["siaga-alone.target", "emergency.target"])
def test_the_annunciator_outlives_everything_that_ends_the_rest(box: UnitsBox, target: str) -> None:
    sounding = box.pid(ANNUNCIATOR)
    box.drop_in("emergency.service", "[Service]\nExecStartPre=\nExecStart=\nExecStart=/bin/sleep infinity\n")
    box.run("systemctl", "isolate", "--no-block", target)
    wait_for(lambda: active(box, target) and not active(box, CORE), within=40, why=lambda: box.show(target))
    assert not active(box, WEB)
    assert box.pid(ANNUNCIATOR) == sounding
    assert box.standing()["local_only"]
    box.run("systemctl", "isolate", "--no-block", "multi-user.target")
    wait_for(lambda: active(box, *FOUR), within=60)
    assert box.pid(ANNUNCIATOR) == sounding


def test_nothing_of_the_boxs_folders_was_made_outside_of_it(box: UnitsBox) -> None:
    assert not Path("/run/siaga").exists() or Path("/run/siaga").stat().st_ino != int(
        box.run("stat", "-c", "%i", "/run/siaga").stdout
    )
