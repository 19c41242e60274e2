"""The knobs that break a simulated modem, its SIM or its line to the host, and heal them."""

from collections.abc import Mapping
from typing import Any

from drivers.sim.knobs import Knob
from drivers.sim.mobile_arguments import a_number, a_switch, a_whole, find_modem, one_of
from drivers.sim.modem import SimModem
from drivers.sim.modem_calls import SOURCES
from drivers.sim.modem_faults import MIDDLE
from drivers.sim.modem_registration import OWN, STYLES
from drivers.sim.modem_sim_card import PIN_TRIES
from drivers.sim.modem_ussd import STYLES as USSD_STYLES
from drivers.sim.modem_wire import GARBAGE_MOST

LOG_MOST = 200  # lines; a modem remembers no more
SLOW_MOST = 1000.0  # ms a byte; a line takes half a minute then
LATE_MOST = 3600.0  # s; no driver waits longer


class ModemKnobs:
    """`name` is a modem's name or number."""

    def __init__(self, modems: Mapping[str, SimModem]) -> None:
        self._modems = modems

    def knobs(self) -> dict[str, Knob]:
        return {
            "modem.mute": lambda name, on=True: self._modem(name).mute(a_switch(on)),
            "modem.deny": lambda name, on=True: self._modem(name).deny(a_switch(on)),
            "modem.undervoltage": lambda name, on=True: self._modem(name).undervoltage(a_switch(on)),
            "modem.unplug": lambda name: self._modem(name).unplug(),
            "modem.plug": lambda name: self._modem(name).plug(),
            "modem.move": lambda name: self._modem(name).terminal.port.move(),
            "modem.reset": lambda name: self._modem(name).reset(),
            "modem.log": lambda name, last=50: self._modem(name).log(a_whole("last", last, 1, LOG_MOST)),
            "modem.slow": self.slow,
            "modem.split": self.split,
            "modem.garbage": self.garbage,
            "modem.chatter": self.chatter,
            "modem.untold": self.untold,
            "modem.late": self.late,
            "modem.reset_in": self.reset_in,
            "modem.fill": self.fill,
            "modem.creg_style": self.creg_style,
            "modem.ims": self.ims,
            "modem.reference": self.reference,
            "sim.pull": lambda name: self._modem(name).pull_sim(),
            "sim.insert": lambda name: self._modem(name).insert_sim(),
            "sim.lock": self.lock,
            "ussd.style": self.ussd_style,
        }

    def slow(self, name: str, ms_per_byte: float) -> None:
        """Each byte takes so long on its way to the host; 0 is fast again."""
        self._modem(name).terminal.wire.s_per_byte = a_number("ms_per_byte", ms_per_byte, 0.0, SLOW_MOST) / 1000.0

    def split(self, name: str, on: bool = True) -> None:
        """What is said comes in small chunks with gaps between."""
        self._modem(name).terminal.wire.torn = a_switch(on)

    def garbage(self, name: str, count: int = 64) -> None:
        """So many random bytes, now."""
        self._modem(name).terminal.wire.garbage(a_whole("count", count, 1, GARBAGE_MOST))

    def chatter(self, name: str, on: bool = True) -> None:
        """Unasked lines between the lines of every answer and behind its final result."""
        self._modem(name).terminal.faults.chatter = a_switch(on)

    def untold(self, name: str, sources: list[str]) -> None:
        """What it says of calls by itself no more: ring, clip, ccwa, report, words. An empty list heals it."""
        self._modem(name).calls.untold = {one_of("source", source, SOURCES) for source in sources}

    def late(self, name: str, command: str, seconds: float) -> None:
        """The final result of the next such command comes late; for a message all of its answer does."""
        self._modem(name).terminal.faults.late(str(command), a_number("seconds", seconds, 0.0, LATE_MOST))

    def reset_in(self, name: str, command: str, at: str = MIDDLE) -> None:
        """Reset when half of the answer of the next such command is out, or right behind its prompt."""
        self._modem(name).terminal.faults.reset_in(str(command), at)

    def fill(self, name: str) -> dict[str, int]:
        """Old messages fill the memory that incoming ones go to."""
        return {"added": self._modem(name).messages.fill()}

    def creg_style(self, name: str, style: str) -> None:
        """How it writes +CREG, +CGREG and +CEREG; `own` as its maker does."""
        self._modem(name).radio.style = one_of("style", style, (OWN, *STYLES))

    def ims(self, name: str, on: bool = True) -> None:
        """Whether voice over LTE is up. If not, it stays registered, and no call gets through unless it is on 2G."""
        self._modem(name).radio.ims = a_switch(on)

    def reference(self, name: str, last: int) -> None:
        """The reference of the last message: after 255 comes 0."""
        self._modem(name).messages.reference = a_whole("last", last, 0, 255)

    def lock(self, name: str, pin: str, tries: int = PIN_TRIES) -> dict[str, Any]:
        """The SIM wants a PIN from its next power-up on; without tries left, the PUK. An empty PIN: no more."""
        sim = self._modem(name).sim
        sim.lock(str(pin), a_whole("tries", tries, 0, PIN_TRIES))
        return {"state": sim.state, "tries": sim.tries}

    def ussd_style(self, name: str, style: str) -> None:
        """How the answers to USSD codes come: coded in some way, refused, or not at all."""
        self._modem(name).ussd.style = one_of("style", style, USSD_STYLES)

    def _modem(self, name: str) -> SimModem:
        return find_modem(self._modems, name)
