"""Twenty times the power goes while orders run. What the box had said it took is in its journal afterwards."""

import base64
import os
import random
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.image.boards import missing
from tests.image.box import Box
from tests.image.card import Image

CUTS = int(os.environ.get("SIAGA_CUTS", "20"))
SEED = 112
# At core's control socket, as fast as core answers; what it answered is on the console before the power goes.
ORDERS = """
import json, socket
core = socket.socket(socket.AF_UNIX)
core.connect("/run/siaga/core/control.sock")
lines = core.makefile("rw")
for n in range(100000):
    order = {"do": "alert.issue", "stations": ["pusat"], "seconds": 60, "via": "command"}
    for ask in (order, {"do": "alert.stop", "via": "command"}):
        print(json.dumps({"id": n, **ask}), file=lines, flush=True)
        answer = {}
        while answer.get("re") != n:
            answer = json.loads(lines.readline())
        if answer.get("ok", {}).get("alert"):
            print("durable" if answer["ok"]["durable"] else "not durable", answer["ok"]["alert"], flush=True)
"""


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    image = Image.newest("virt-amd64")
    if why := missing(image):
        pytest.skip(why)
    assert image
    with Box("power-cuts", image, tmp_path).running() as made:
        yield made


def test_the_journal_is_whole_after_each_cut_and_has_every_order_that_was_answered(box: Box) -> None:
    chance, machine = random.Random(SEED), box.machine
    answered: set[str] = set()
    for cut in range(CUTS):
        box.core_ready()
        machine.run("siaga journal verify", code=0)
        rows = machine.run("siaga journal export | grep -a -o 'alert.issued.*' | grep -a -o '[0-9a-f]\\{16\\}'")
        assert (lost := answered - set(re.findall(r"[0-9a-f]{16}", rows))) == set(), f"lost at cut {cut}: {lost}"
        began = len(machine.text)
        machine.run(f"echo {base64.b64encode(ORDERS.encode()).decode()} | base64 -d > /run/orders.py", code=0)
        machine.run("python3 /run/orders.py &")
        machine.listen(chance.uniform(3.0, 12.0))
        machine.cut()
        answered |= set(re.findall(r"durable ([0-9a-f]{16})\n", machine.text[began:]))
        if cut + 1 < CUTS:
            machine.start()
    box.note("orders that were answered before a cut, and are all in the journal", len(answered))
    assert len(answered) >= CUTS // 2
    machine.start()
    box.core_ready()
    machine.run("siaga journal verify", code=0)
