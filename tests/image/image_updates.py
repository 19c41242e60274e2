"""Updates by bundle, on the ARM board with U-Boot: each ends as it must. The tests are one story, in this order."""

from collections.abc import Iterator

import pytest

from tests.image import boards, bundles
from tests.image.box import SIREN, SLOW, Box
from tests.image.card import Image

MOUNTED = "mkdir -p /run/bundles && mount -o ro /dev/vdb /run/bundles"
WRITTEN = 60 * 1024 * 1024  # octets of the other slot that are new when the power is cut


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    image = Image.newest("virt")
    if why := boards.missing(image) or bundles.missing(image):
        pytest.skip(why)
    assert image
    folder = tmp_path_factory.mktemp("card")
    made = Box("updates", image, folder)
    made.machine.add_disk(bundles.disk(image, folder))
    with made.running():
        made.ready()
        settled(made, "A")
        yield made


def settled(box: Box, slot: str) -> None:
    """Started from `slot`, and it has been judged good."""
    box.machine.until("cat /proc/cmdline", f"rauc.slot={slot} ", 10)
    box.machine.until("systemctl show --property SubState --value siaga-mark-good", "exited", SLOW)
    box.machine.run(MOUNTED, code=0)


def install(box: Box, name: str, *, code: int) -> str:
    return box.machine.run(f"time rauc install /run/bundles/{name}.raucb 2>&1", SLOW, code=code)


def primary(box: Box) -> str:
    """The slot of the next start."""
    return box.machine.run("fw_printenv -n BOOT_ORDER").split()[0]


def test_a_bundle_of_another_signer_is_refused(box: Box) -> None:
    assert "verif" in install(box, "stranger", code=1)
    assert primary(box) == "A"


def test_a_bundle_that_was_changed_is_refused(box: Box) -> None:
    install(box, "tampered", code=1)
    assert primary(box) == "A"


def test_power_that_goes_in_the_middle_of_an_update_leaves_the_old_system(box: Box) -> None:
    run = box.machine.run
    run("cat /sys/block/vda/vda3/stat", code=0)
    run("rauc install /run/bundles/good.raucb > /run/install.log 2>&1 &")
    sectors = WRITTEN // 512
    run(f"until [ $(awk '{{print $7}}' /sys/block/vda/vda3/stat) -gt {sectors} ]; do sleep 0.2; done", SLOW, code=0)
    assert "Installing `/run/bundles/good.raucb` succeeded" not in run("cat /run/install.log")
    box.machine.cut()
    box.machine.start()
    box.ready()
    settled(box, "A")
    run("siaga journal verify", code=0)


def test_a_good_bundle_is_installed_started_and_kept(box: Box) -> None:
    said = install(box, "good", code=0)
    assert "succeeded" in said
    box.note("installation", said.split("real")[-1].split("\n")[0].strip())
    assert primary(box) == "B"
    box.machine.run("siaga alert sound pusat --seconds 20", code=0)
    box.machine.run("siaga alert stop", code=0)
    began = box.machine.power()
    box.machine.restart()
    box.ready()
    box.note("seconds from restart to the page of the new system", round(box.machine.power() - began, 1))
    settled(box, "B")
    assert "works" in box.machine.run("journalctl --no-pager -b -u siaga-mark-good")
    box.order(60)
    box.until_level(SIREN, 1)
    box.machine.run("siaga alert stop", code=0)
    box.machine.run("siaga journal verify", code=0)


def test_an_application_that_does_not_work_is_left_by_itself(box: Box) -> None:
    good = box.machine.until("cat /proc/cmdline", r"rauc.slot=([AB]) ", 10)[1]
    bad = "B" if good == "A" else "A"
    install(box, "unhealthy", code=0)
    assert primary(box) == bad
    began = box.machine.power()
    box.machine.restart()
    box.machine.wait(f"slot {bad}, tries left", SLOW)
    box.machine.wait(f"slot {good}, tries left", SLOW)
    box.ready()
    box.note("seconds from restart to the page of the old system again", round(box.machine.power() - began, 1))
    settled(box, good)
    assert "never worked" in box.machine.run("journalctl --no-pager -b -1 -u siaga-mark-good")
    box.machine.run("siaga journal verify", code=0)
