"""What a person is told of a modem that takes no word while it sets up a call."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from appliance.config import Line
from appliance.entry import Entry
from appliance.fold import apply
from appliance.journal import Journal
from appliance.lines.telephone import HANGS_UP_WITHIN, Telephone
from appliance.state import State
from drivers.clock import VirtualClock
from drivers.jsonsocket import Refusal

SETS_UP_S = 20.0


class Deaf:
    """A modem that hears nothing for 20 s behind ATD."""

    def __init__(self) -> None:
        self._free = asyncio.Lock()
        self.hung_up = False

    async def dial(self, number: str) -> None:
        async with self._free:
            await asyncio.sleep(SETS_UP_S)

    async def hang_up(self) -> None:
        async with self._free:
            self.hung_up = True


def test_who_hangs_up_while_a_deaf_modem_dials_is_told_so_in_time_and_the_hang_up_is_not_forgotten(
    tmp_path: Path,
) -> None:
    async def main() -> None:
        state, modem = State(), Deaf()

        def folded(entry: Entry) -> None:
            apply(state, entry)

        journal = Journal(tmp_path / "journal.db", clock, "boot", lambda: "ntp", folded)
        journal.open()
        clock.busy = lambda: journal.writing
        line = Line(id="l1", name="l1", port="/dev/l1", number="+62000000001")
        given: Any = modem
        telephone = Telephone(line, given, state, clock, journal.append, lambda: None)
        dialling = asyncio.create_task(telephone.dial("+62000000100", "sari", "person"))
        await asyncio.sleep(1.0)
        began = clock.now()
        with pytest.raises(Refusal, match="still setting up"):
            await telephone.hang_up("", "sari")
        assert clock.now() - began == pytest.approx(HANGS_UP_WITHIN, abs=0.1)
        assert not modem.hung_up
        await asyncio.sleep(SETS_UP_S)
        assert modem.hung_up
        dialling.cancel()
        await asyncio.wait({dialling})
        telephone.watch.stop()
        journal.close()

    clock = VirtualClock()
    clock.run(main())
