"""Sound cards for tests, seen by this process's PortAudio too; the daemon ends with this process, however that ends."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from drivers.sim.sound_cards import SoundCards as SoundBox
from drivers.sim.sound_cards import missing


@contextmanager
def sound_box(*plugged: str) -> Iterator[SoundBox]:
    """A running one, seen by this process's PortAudio too. Skips the test where it cannot be had."""
    if why := missing():
        pytest.skip(why)
    folder = Path(tempfile.mkdtemp(prefix="siaga-sound-"))
    box = SoundBox(folder)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in box.environment.items():
            if name != "HOME":
                patch.setenv(name, value)
        try:
            box.start()
            for name in plugged:
                box.plug(name)
            yield box
        finally:
            box.stop()
            shutil.rmtree(folder, ignore_errors=True)
