"""The built image from power on: the siren's way, the header's pins, sound, a modem, a generator, the watchdogs.

Not in `make test`: it takes minutes, and an image. The tests of one board are one story, in this order.
"""

import re
from collections.abc import Iterator

import pytest

from tests.image.boards import missing
from tests.image.box import BUTTON, SIREN, SLOW, Box
from tests.image.card import Image
from tests.image.outside import NUMBER

CALLER = "+6281155500011"
HEARD = "/run/heard.raw"
LOUDEST = (
    'python3 -c \'import array, sys; a = array.array("h"); d = open(sys.argv[1], "rb").read();'
    ' a.frombytes(d[: len(d) // 2 * 2]); print("loudest", max(map(abs, a), default=0))\''
)


@pytest.fixture(scope="module", params=["virt-amd64", "virt"])
def box(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    image = Image.newest(request.param)
    if why := missing(image):
        pytest.skip(f"{request.param}: {why}")
    assert image
    with Box(f"boots-{request.param}", image, tmp_path_factory.mktemp("card")).running() as made:
        yield made


def told(box: Box, when: str) -> None:
    times = box.times()
    box.note(f"seconds to readiness, {when}", times)
    box.note(f"siren of page, {when}", round(times["annunciator"] / times["web"], 2))
    box.machine.run("systemd-analyze --no-pager critical-chain siaga-annunciator.service")  # for the log
    assert 0 < times["annunciator"] < times["core"] < times["web"], times


def test_a_new_card_takes_over_appliance_toml_and_the_sirens_way_is_ready_first(box: Box) -> None:
    box.ready()
    told(box, "first boot")
    assert b"<html" in box.page()
    assert not box.machine.run("systemctl --failed --no-legend --plain").strip()
    assert 'password = ""' in box.machine.run("cat /boot/firmware/appliance.toml"), "the password is not on the card"


def test_the_root_is_read_only_and_data_has_the_whole_card(box: Box) -> None:
    run = box.machine.run
    assert " ro," in run("grep ' / ext4' /proc/mounts")
    assert int(run("df --output=size -B1 /data | tail -n 1")) > 1_000_000_000
    assert run("cat /etc/machine-id") == run("cat /data/etc/machine-id")
    assert " ro," in run("grep ' /boot/firmware ' /proc/mounts")


def test_nobody_has_told_it_the_time_and_it_says_so(box: Box) -> None:
    assert "clock unknown" in box.machine.run("siaga status")
    assert "Not synchronised" in box.machine.run("chronyc tracking")


def test_an_order_raises_the_relays_line_and_is_in_the_journal(box: Box) -> None:
    assert box.level(SIREN) == 0
    alert = box.order()
    box.until_level(SIREN, 1)
    box.machine.run("siaga alert stop", code=0)
    box.until_level(SIREN, 0)
    rows = box.journal(alert)
    said = " ".join(rows)
    assert all(word in said for word in ("alert.issued", "siren.energised", "delivery.energised", "alert.stopped")), (
        rows
    )
    assert alert in box.machine.run(f"journalctl --no-pager -b SIAGA_ALERT={alert}")


def test_the_red_button_sounds_and_is_in_the_journal(box: Box) -> None:
    box.press(BUTTON, down=True)
    box.until_level(SIREN, 1)
    box.press(BUTTON, down=False)
    assert box.journal("button.pressed")
    box.machine.run("siaga alert stop", code=0)
    box.until_level(SIREN, 0)


def test_a_modem_outside_takes_texts_and_the_generator_outside_is_read(box: Box) -> None:
    box.machine.until("siaga status", r"line +l1 (?!no)", 180)
    box.outside.mobile("sms.from", number=CALLER, text="api di pasar Mardika", to=NUMBER)
    box.machine.until("siaga sms list", "api di pasar Mardika", 120)
    box.machine.until("siaga status", r"device +\S+ genset: (?!no_answer)", 120)
    box.outside.building("mains.cut")
    box.machine.until("siaga power status", r"(?i)genset.*(running|starting|on load|cranking)", 180)
    box.outside.building("mains.return")


def test_a_caller_hears_the_boxs_greeting_through_a_real_sound_device(box: Box) -> None:
    run = box.machine.run
    assert "RR" in run("ps -eLo cls,comm | grep siaga-audio || ps -eLo cls,args | grep 'siaga audio'")
    run(f"arecord -q -D plughw:0,1,0 -t raw -f S16_LE -r 8000 -c 1 {HEARD} & sleep 1")
    box.outside.mobile("call.from", number=CALLER, to=NUMBER, ring_s=90)
    box.machine.until("siaga call queue; siaga call list", re.escape(CALLER), 120)
    try:
        box.machine.until(f"{LOUDEST} {HEARD}", r"loudest ([1-9]\d{3,})", 180)
    finally:
        run("kill %1; wait")
        box.outside.mobile("call.drop", to=NUMBER)


def test_a_core_that_stands_still_is_bitten_and_the_siren_sounds_on(box: Box) -> None:
    box.order()
    box.until_level(SIREN, 1)
    run = box.machine.run
    frozen = run("systemctl show --property MainPID --value siaga-core").strip()
    run(f"kill -STOP {frozen}", code=0)
    box.machine.until("journalctl --no-pager -b -u siaga-core -n 30", "Watchdog timeout", 180)
    assert box.level(SIREN) == 1
    box.machine.until("systemctl is-active siaga-core", r"^active", SLOW)
    assert run("systemctl show --property MainPID --value siaga-core").strip() != frozen
    box.machine.until("siaga journal verify", r"(?i)whole|verified|rows", 120)
    run("siaga alert stop", code=0)
    box.until_level(SIREN, 0)


def test_a_kernel_that_stands_still_is_bitten_and_the_second_boot_is_timed(box: Box) -> None:
    machine = box.machine
    # Without panic=10 of the command line, so that nothing but the watchdog's own clock ends it.
    machine.run("sync; echo 0 > /proc/sys/kernel/panic")
    machine.say("echo c > /proc/sysrq-trigger")
    box.ready()
    told(box, "second boot")
    machine.run("siaga journal verify", code=0)
