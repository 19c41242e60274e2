"""The units under a real systemd, from its start on. One container for all stories, which run in their order."""

import re
import time
from collections.abc import Iterator
from typing import Any

import pytest

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

SLOW = re.compile(
    r"network|basic\.target|sysinit|time-s|tmpfiles-setup\.service|local-fs\.target|remote|dbus|mosquitto|nss-|first-boot|siaga-(audio|core|web)"
)

pytestmark = pytest.mark.skipif(bool(why_not()), reason=why_not())


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[UnitsBox]:
    with all_four(tmp_path_factory.mktemp("units")) as box:
        yield box


def since_boot(box: UnitsBox, unit: str, what: str) -> int:
    """Microseconds."""
    return int(box.show(unit)[f"{what}TimestampMonotonic"])


def before_it(box: UnitsBox, unit: str) -> set[str]:
    """All that systemd lets `unit` wait for, through however many others."""
    seen: set[str] = set()
    left = [unit]
    while left:
        after = set(box.show(left.pop()).get("After", "").split()) - seen
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
    assert not read("siaga-core", "/etc/siaga/secrets.toml")
    handed = f"/run/credentials/{CORE}/secrets.toml"
    assert read("siaga-core", handed)
    assert not read("siaga-web", handed)
    assert box.run("cat", handed).stdout == "[pin]\n"


def test_journalctl_follows_one_order_through_the_processes(box: UnitsBox) -> None:
    alert = order(box, 4)
    calm = ("/opt/siaga/.venv/bin/siaga", "status", "--calm")
    assert box.run(*calm).returncode == 1  # the box's own screen is not begun anew now
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
    box.signal("STOP", pid)
    try:
        unit = ("systemd-run", "--wait", "--quiet", "--setenv=PYTHONPATH=/opt/siaga")
        done = box.run(*unit, "/opt/siaga/.venv/bin/python", "-c", program)
        alert = order(box, 5)
    finally:
        box.signal("CONT", pid)
    assert done.returncode == 0, done
    assert float(box.run("cat", "/run/siaga-try").stdout) < 5.0
    assert alert
    assert active(box, *FOUR)


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
    assert abs(int(box.run("cat", "/var/lib/siaga/saved-time").stdout) - time.time()) < 60
    for timer in ("backup", "self-test", "time-save", "kiosk-reload", "steady"):
        box.systemctl("start", f"siaga-{timer}.timer")
        assert box.show(f"siaga-{timer}.timer")["ActiveState"] == "active"
