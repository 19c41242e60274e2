"""`make image-test`: the built image in QEMU, from power on. Not in `make test`: it takes minutes, and an image."""

import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.image.machine import LOGS, Image, Machine, missing

# Software emulation on a busy machine; what counts is the relation of the times, which is printed.
SLOW = 600.0
PROGRAMS = {"virt-amd64": "qemu-system-x86_64", "virt": "qemu-system-aarch64"}
SITE = Path(__file__).resolve().parent / "site.toml"


@pytest.fixture(params=sorted(PROGRAMS))
def machine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Machine]:
    image = Image.newest(request.param)
    if why := missing(image, PROGRAMS[request.param]):
        pytest.skip(f"{request.param}: {why}")
    assert image
    made = Machine(image, f"boots-{request.param}", tmp_path)
    core = next(line.split(":")[2] for line in image.file("/etc/passwd").splitlines() if line.startswith("siaga-core:"))
    made.give("etc/site.toml", SITE.read_text().replace("@CORE_UID@", core))
    made.start()
    try:
        yield made
    finally:
        made.cut()


def test_the_sirens_way_is_ready_first_then_core_then_the_page(machine: Machine) -> None:
    """Times are from power on; the aim is the siren's way in less than 60 % of the time to the page."""
    machine.wait(r"Started .{0,12}siaga-annunciator", SLOW)
    siren = machine.power()
    machine.wait(r"Started .{0,12}siaga-core", SLOW)
    core = machine.power()
    machine.wait(r"Started .{0,12}siaga-web", SLOW)
    assert b"<html" in page(machine)
    answered = machine.power()
    times = {"siren": siren, "core": core, "page": answered, "siren of page": siren / answered}
    print("\n" + ", ".join(f"{name} {value:.2f}" for name, value in times.items()))
    (LOGS / f"{machine.log.stem}.json").write_text(json.dumps(times))
    machine.wait(r"root@[\w-]+:\S*#", SLOW)
    machine.run("export TERM=dumb PAGER=cat SYSTEMD_COLORS=0")
    assert " ro," in machine.run("grep ' / ext4' /proc/mounts"), "the root file system is read-only"
    size = int(machine.run("df --output=size -B1 /data | tail -n 1").strip())
    assert size > 1_000_000_000, "/data has grown to the card"
    assert machine.run("cat /etc/machine-id") == machine.run("cat /data/etc/machine-id")


def page(machine: Machine) -> bytes:
    with urllib.request.urlopen(f"http://127.0.0.1:{machine.page_port}/", timeout=60) as answer:
        return bytes(answer.read())
