"""What units do when processes hang, die and fail for ever, under a real systemd: `make units-test`, two minutes."""

import time
from collections.abc import Iterator

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
    restarted,
    wait_for,
    why_not,
)

SIAGA = "/opt/siaga/.venv/bin/siaga"

pytestmark = pytest.mark.skipif(bool(why_not()), reason=why_not())


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[UnitsBox]:
    with all_four(tmp_path_factory.mktemp("units")) as box:
        yield box


def test_a_core_that_stands_still_is_killed_and_comes_back_while_the_siren_sounds_on(box: UnitsBox) -> None:
    box.drop_in(CORE, "[Service]\nWatchdogSec=2\n")
    box.systemctl("restart", CORE)
    alert = order(box, 60)
    sounding = box.pid(ANNUNCIATOR)
    frozen = box.pid(CORE)
    box.signal("STOP", frozen)
    wait_for(lambda: restarted(box, CORE, frozen), within=40, why=lambda: box.journal("-u", CORE)[-5:])
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
    box.drop_in(CORE, "[Service]\nExecStart=\nExecStart=/bin/false\nRestartSec=20ms\nRestartSteps=0\n")
    box.run("systemctl", "restart", CORE)
    wait_for(lambda: int(box.show(CORE)["NRestarts"]) > 20, within=30, why=lambda: box.journal("-u", CORE)[-5:])
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


def test_a_core_that_keeps_failing_is_started_less_often_and_soon_again_an_hour_later(box: UnitsBox) -> None:
    if box.version < 254:
        pytest.skip(f"systemd {box.version} has no backoff: it starts core twice a second for ever")
    box.drop_in(CORE, "[Service]\nExecStart=\nExecStart=/bin/false\n")
    box.run("systemctl", "restart", CORE)
    wait_for(lambda: box.show(CORE)["RestartUSecNext"] == "10s", within=60, why=lambda: box.journal("-u", CORE)[-5:])
    box.systemctl("start", "siaga-steady.service")
    assert box.show(CORE)["NRestarts"] == "0"
    box.take_back(CORE)
    box.run("systemctl", "restart", CORE)
    wait_for(lambda: not box.standing()["local_only"], within=30)


def test_an_annunciator_that_is_killed_is_back_by_itself_and_core_finds_it(box: UnitsBox) -> None:
    before = box.show(ANNUNCIATOR)
    box.signal("KILL", before["MainPID"])
    wait_for(lambda: restarted(box, ANNUNCIATOR, int(before["MainPID"])), within=20)
    now = box.show(ANNUNCIATOR)
    away_s = (int(now["ActiveEnterTimestampMonotonic"]) - int(now["ActiveExitTimestampMonotonic"])) / 1e6
    assert away_s < 5.0, away_s  # 1.1 s on a machine that does nothing else
    wait_for(lambda: not box.standing()["local_only"], within=20)


def test_a_dead_card_is_replaced_by_last_nights_backup(box: UnitsBox) -> None:
    code = box.run(SIAGA, "backup", "code").stdout.split()[0]
    box.systemctl("start", "siaga-backup.service")
    kept = "/root/stick.tar.gz"
    assert box.run("sh", "-c", f"cp /var/lib/siaga/backup/siaga-*.tar.gz {kept}").returncode == 0
    whole = box.run(SIAGA, "backup", "check", kept).stdout
    key, tls = (box.run("sha256sum", f"/var/lib/siaga/{f}").stdout for f in ("own.key", "tls/authority.pem"))
    box.systemctl("stop", "siaga.target", ANNUNCIATOR)
    wait_for(lambda: not any(active(box, unit) for unit in FOUR), within=30)
    card = "find /var/lib/siaga -mindepth 1 -delete; rm /etc/siaga/site.toml"
    assert box.run("sh", "-c", card).returncode == 0
    box.systemctl("start", "siaga.target")  # as it is from the factory: nothing starts, nothing fails
    assert not active(box, CORE)
    assert box.show(CORE)["Result"] == "success"

    begun = time.monotonic()
    refused = box.run(SIAGA, "backup", "restore", kept)
    assert (refused.returncode, "--code" in refused.stderr) == (2, True), refused
    restored = box.run(SIAGA, "backup", "restore", kept, "--code", "-", input=f"{code.upper()}\n")
    assert restored.returncode == 0, restored
    head = restored.stdout.partition("Head: ")[2].partition(":")[0]
    assert head
    assert head in whole  # what the book must say
    box.systemctl("start", ANNUNCIATOR, "siaga.target")
    wait_for(lambda: active(box, *FOUR), within=60, why=lambda: box.journal("-u", CORE)[-5:])
    assert time.monotonic() - begun < 120  # of the ten minutes that a person has
    assert "unbroken" in box.run(SIAGA, "journal", "verify").stdout
    assert box.run("sha256sum", "/var/lib/siaga/own.key").stdout == key
    assert box.run("sha256sum", "/var/lib/siaga/tls/authority.pem").stdout == tls
    again = box.run(SIAGA, "backup", "restore", kept, "--code", "-", input=f"{code}\n")
    assert (again.returncode, "Core runs" in again.stderr) == (1, True), again


def test_stopping_the_appliance_leaves_the_annunciator(box: UnitsBox) -> None:
    sounding = box.pid(ANNUNCIATOR)
    box.systemctl("stop", "siaga.target")
    wait_for(lambda: not any(active(box, unit) for unit in (AUDIO, CORE, WEB)), within=30)
    assert box.pid(ANNUNCIATOR) == sounding
    box.systemctl("start", "siaga.target")
    wait_for(lambda: active(box, *FOUR), within=60)


def test_the_annunciator_outlives_everything_that_ends_the_rest(box: UnitsBox) -> None:
    sounding = box.pid(ANNUNCIATOR)
    box.drop_in("emergency.service", "[Service]\nExecStartPre=\nExecStart=\nExecStart=/bin/sleep infinity\n")
    for target in ("siaga-alone.target", "emergency.target"):
        box.run("systemctl", "isolate", "--no-block", target)
        wait_for(lambda: active(box, target) and not active(box, CORE), within=40, why=lambda: box.show(target))  # noqa: B023
        assert not active(box, WEB)
        assert box.pid(ANNUNCIATOR) == sounding
        assert box.standing()["local_only"]
    box.run("systemctl", "isolate", "--no-block", "multi-user.target")
    wait_for(lambda: active(box, *FOUR), within=60)
    assert box.pid(ANNUNCIATOR) == sounding
