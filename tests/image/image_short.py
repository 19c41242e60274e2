"""The short form of the image's tests, `make image-short`: a PC's image is built, starts in QEMU, and a siren sounds.

Where this machine cannot do that the test is skipped and says why. The long form is `make image-test`.
"""

import os
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from siaga_image import mirror
from siaga_image.steps import BuildFailed

from tests.image.boards import missing
from tests.image.box import BUTTON, SIREN, Box
from tests.image.card import IMAGES, ROOT, Image

PROFILE = "virt-amd64"
SPACE = 8 * 1000**3  # octets: tools, base, tree, disk, card


def why_not() -> str:
    """What this machine lacks for a build; empty where it has all."""
    if os.geteuid() != 0:
        return "an image is built as root"
    if os.uname().machine != "x86_64":
        return f"this image is a PC's, and this is {os.uname().machine}"
    for program, package in {"mmdebstrap": "mmdebstrap", "qemu-system-x86_64": "qemu-system-x86"}.items():
        if not shutil.which(program):
            return f"{program} is missing. Next: apt-get install {package}"
    if (
        subprocess.run(["unshare", "--mount", "--propagation", "unchanged", "true"], capture_output=True).returncode
        != 0
    ):
        return "this place lets nobody mount, so Debian's scripts cannot run in a tree"
    if shutil.disk_usage(ROOT).free < SPACE:
        return f"less than {SPACE // 1000**3} GB are free"
    try:
        _, address, suite, _ = mirror.sources().splitlines()[2].split(maxsplit=3)
        urllib.request.urlopen(f"{address.rstrip('/')}/dists/{suite}/InRelease", timeout=30).close()
    except (BuildFailed, urllib.error.URLError, OSError) as e:
        return f"no mirror of Debian {mirror.SUITE} with backports can be reached: {e}"
    return ""


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    if why := why_not():
        pytest.skip(why)
    IMAGES.mkdir(parents=True, exist_ok=True)
    build = [sys.executable, "image-build/build.py", "--profile", PROFILE, "--no-compress"]
    subprocess.run(build, cwd=ROOT, check=True)
    image = Image.newest(PROFILE)
    assert image
    if why := missing(image):
        pytest.skip(why)
    with Box("short", image, tmp_path).running() as made:
        yield made


def test_the_image_is_built_and_starts_and_its_siren_sounds(box: Box) -> None:
    box.core_ready()
    box.note("seconds to readiness", {unit: seconds for unit, seconds in box.times().items() if seconds})
    assert box.level(SIREN) == 0
    alert = box.order()
    box.until_level(SIREN, 1)
    box.machine.run("siaga alert stop", code=0)
    box.until_level(SIREN, 0)
    assert alert in " ".join(box.journal("siren.energised"))
    box.press(BUTTON, down=True)
    box.until_level(SIREN, 1)
    box.machine.run("siaga journal verify", code=0)
