"""A small simulated site with sound: as LinesDemo, with the audio process and people who talk there by keys.

It runs in real time, for sound is never scaled; a story that listens to nothing may be faster.
"""

import tomllib
from pathlib import Path

import tomli_w

from appliance.config import Site, load_site, places
from appliance.demo_lines import LinesDemo
from appliance.demo_processes import Processes
from appliance.demo_site import CENTRE, DemoSite
from drivers.clock import Clock
from drivers.sim.headset import EAR, MOUTH
from drivers.sim.sound_cards import SoundCards

# A station that nothing but its telephone reaches; its key is nobody's.
BY_PHONE = {"id": "pos-hative", "number": 20, "name": "Pos Hative", "key": "ab" * 32, "phone": "+628115550620"}
GREET_AFTER = 2.5  # s; a story has no time for ten


class SoundSite(DemoSite):
    """Both lines have sound on ports of their own, and a station has a telephone. No drill begins by itself."""

    def write_lines(self, web: int | None = None) -> Site:
        super().write_lines(web)
        text = tomllib.loads(self.file(CENTRE).read_text())
        for line in text["line"]:
            line["sound"] = {"kind": "serial", "port": str(self._pcm(CENTRE, line["id"]))}
        text["desk"] = {"greet_after_s": GREET_AFTER}
        text["sound"] = {"proof": {"every_days": 0}}
        text["station"] = [BY_PHONE]
        self.file(CENTRE).write_text(tomli_w.dumps(text))
        return load_site(self.file(CENTRE))


class HeadsetSite(SoundSite):
    """A USB headset at the box, too."""

    def write_lines(self, web: int | None = None) -> Site:
        super().write_lines(web)
        text = tomllib.loads(self.file(CENTRE).read_text())
        text["sound"]["headset"] = {"device": f"{MOUTH}_mic", "output": EAR, "rate": 16000}
        self.file(CENTRE).write_text(tomli_w.dumps(text))
        return load_site(self.file(CENTRE))


class SoundDemo(LinesDemo):
    """Use `start`, then `stop`. `headset`: with one, which needs PulseAudio."""

    def __init__(self, folder: Path, clock: Clock, *, headset: bool = False) -> None:
        super().__init__(folder, clock)
        self._site = (HeadsetSite if headset else SoundSite)(folder, (CENTRE,))
        self._processes = Processes(self._site, clock)
        self._cards = self._site.sim / "cards" if headset else None

    async def start(self) -> None:
        await super().start()
        stream = places(load_site(self._site.file(CENTRE)), self._site.file(CENTRE)).audio_stream
        environment = {}
        if self._cards is not None:
            self._cards.mkdir(exist_ok=True)
            environment = SoundCards(self._cards).environment
            headset = self._processes.add_simulator("headset", "drivers.sim.headset", "--folder", self._cards)
            await headset.start(ready_line=True)
        await self._processes.add_siaga(CENTRE, "audio", environment).start()
        people = self._processes.add_simulator("person", "drivers.sim.person", "--stream", stream)
        await people.start(ready_line=True)
