"""A whole box in QEMU: the image on a card of its own, set up by `appliance.toml` as a technician does it, with a modem
and a generator outside; and what tests see and touch of it from its console and its header."""

import contextlib
import json
import re
import ssl
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from tests.image.boards import board
from tests.image.card import ROOT, Card, Image
from tests.image.machine import Machine
from tests.image.outside import Outside

# Software emulation, perhaps on a busy machine: how long is a figure (docs/image.md), not a verdict.
SLOW = 900.0
REFERENCE = ROOT / "firmware-config/sites/reference/centre.toml"
APPLIANCE = """site = "site.toml"

[box]
role = "centre"
name = "uji"
profile = "virt"

[network]
dhcp = true

[[person]]
name = "uji"
role = "supervisor"
password = "gunung-nona"
"""
# QEMU's serial adapters are FTDI's, so the modem has such a name too. Its sound goes through a card that is two ends.
SOUND = 'sound = { kind = "usb", device = "Loopback: PCM (hw:0,0)" }'
CHANGES = {'port = "/dev/siaga/modem-1-at"': f'port = "/dev/siaga/rs485-1"\n{SOUND}'}
SIREN, BUTTON, ACKNOWLEDGE = 17, 24, 25  # pins of the reference site
UNITS = ("annunciator", "audio", "core", "web")


def site() -> str:
    """The reference centre, with what QEMU's board has in its places."""
    text = REFERENCE.read_text()
    for old, new in CHANGES.items():
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


class Box:
    """`machine` has its console. Power comes with `running`."""

    def __init__(self, name: str, image: Image, folder: Path, *, set_up: bool = True) -> None:
        """`set_up`: whether its card has the two files that say what it is."""
        self.card, self.outside = Card(image, folder / "card.img"), Outside(folder)
        if set_up:
            self.card.put("appliance.toml", APPLIANCE)
            self.card.put("site.toml", site())
        self.board = board(image, self.card, folder)
        self.machine = Machine(name, self.board, more=self.outside.usb)
        self.name = name

    @contextlib.contextmanager
    def running(self) -> Iterator["Box"]:
        """With power, until the end; whatever happens, nothing of it runs on."""
        with self.outside.running(), self.machine.running():
            yield self

    def core_ready(self) -> None:
        """Logged in, and core answers."""
        self.machine.log_in(SLOW)
        self.machine.until("systemctl is-active siaga-core; sleep 1", r"(?m)^active", SLOW)

    def ready(self) -> None:
        """Logged in, core and page running."""
        self.core_ready()
        self.machine.until("systemctl is-active siaga-web; sleep 1", r"(?m)^active", SLOW)

    def times(self) -> dict[str, float]:
        """Seconds from the kernel's start to each unit's readiness, by systemd in the box; 0 where it is not."""
        show = "systemctl show --property ActiveEnterTimestampMonotonic --value siaga-{}"
        said = self.machine.run("; ".join(show.format(unit) for unit in UNITS))
        return {unit: int(text) / 1e6 for unit, text in zip(UNITS, said.split(), strict=True)}

    def level(self, pin: int) -> int:
        """What the board's relay sees."""
        return int(self.machine.run(f"cat /sys/devices/platform/gpio-sim.0/gpiochip*/sim_gpio{pin}/value"))

    def press(self, pin: int, *, down: bool) -> None:
        """A contact to earth, as the buttons of the reference site are."""
        pull = "pull-down" if down else "pull-up"
        self.machine.run(f"echo {pull} > /sys/devices/platform/gpio-sim.0/gpiochip*/sim_gpio{pin}/pull", code=0)

    def until_level(self, pin: int, wanted: int, within: float = 60.0) -> None:
        """Raises NotSeen when it does not come."""
        value = f"/sys/devices/platform/gpio-sim.0/gpiochip*/sim_gpio{pin}/value"
        self.machine.run(f"timeout {within:.0f} sh -c 'until grep -qx {wanted} {value}; do sleep 0.2; done'", code=0)

    def order(self, seconds: int = 300) -> str:
        """An order by the console; its id."""
        said = self.machine.run(f"siaga alert sound pusat --seconds {seconds}", code=0)
        found = re.search(r"alert ([0-9a-f]{16}) ", said)
        assert found, said
        return found[1]

    def journal(self, what: str) -> list[str]:
        """Rows of the box's journal that name `what`, oldest first."""
        return [row for row in self.machine.run("siaga journal tail -n 400").splitlines() if what in row]

    def page(self, path: str = "/") -> bytes:
        """By the port that is forwarded. The certificate is the box's own."""
        trust = ssl.create_default_context()
        trust.check_hostname, trust.verify_mode = False, ssl.CERT_NONE
        url = f"https://127.0.0.1:{self.machine.page_port}{path}"
        with urllib.request.urlopen(url, timeout=120, context=trust) as answer:
            return bytes(answer.read())

    def note(self, what: str, value: object) -> None:
        """A figure for docs/image.md, on the screen and in build/image-test."""
        path = self.machine.log.with_suffix(".json")
        known = json.loads(path.read_text()) if path.exists() else {}
        path.write_text(json.dumps({**known, what: value}, indent=1) + "\n")
        print(f"\n{self.name}: {what}: {value}")
