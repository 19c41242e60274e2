"""Sirens that core said are out of service, each until its time by the annunciator's own clock. Kept in RAM only."""

import asyncio
from collections.abc import Iterable

from drivers.jsonsocket import Refusal


class Locks:
    """By output. Behind a restart nothing is locked until core, which has it in its journal, has told it again."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._until: dict[str, float] = {}

    def set(self, outputs: Iterable[str], seconds: float) -> None:
        """Lock them for so long from now; 0 gives them back. The last word counts."""
        for output in outputs:
            self._until[output] = self._loop.time() + seconds

    def left(self, output: str) -> float:
        """Seconds; 0: it may sound."""
        return max(0.0, self._until.get(output, 0.0) - self._loop.time())

    def check(self, output: str) -> None:
        """Raises Refusal while it is locked."""
        if self.left(output):
            raise Refusal("locked_out", f"Output {output} is out of service.", "Somebody may be at the siren.")
