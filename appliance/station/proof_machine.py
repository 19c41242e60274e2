"""What shows that an output sounds: current that flows, and a microphone that hears it. Pure; time is an argument.

Energised is not sounding: a cut cable, a blown driver and a bird's nest all read back as "on".
"""

from collections import deque
from collections.abc import Collection
from statistics import median

import msgspec

QUIET_LEVELS = 20  # of the microphone, twice a second: the last 10 s are "the quiet before"
ABOVE_QUIET = 6.0  # dB; twice the amplitude of what was there before
LOUD_ENOUGH = 2  # levels, so that a door that slams is no siren
HEARD_SOMETHING = 4  # levels without which nothing can be said of the siren: the microphone was away
SILENCE = -90.0  # dBFS that stand for no sound at all


class Found(msgspec.Struct, frozen=True):
    """`what`: "current" and "heard" are proofs of `alert`; "no_current" and "not_heard" are faults of `output`.

    `on` False: the fault is over.
    """

    what: str
    output: str
    alert: str
    dbfs: float | None = None
    on: bool = True


class _Output(msgspec.Struct):
    since: float = 0.0
    flowed: bool = False
    alerts: dict[str, set[str]] = {}  # those that sound, with their proofs


class Proving:
    """One station. `currents`: outputs with an input that tells their current; `hears`: there is a microphone.

    `faults`: (output, fault) that stood before the start. A fault stands until the output was proven again.
    """

    def __init__(
        self, currents: Collection[str], *, hears: bool, heard_dbfs: float, proof_s: float,
        faults: Collection[tuple[str, str]] = (),
    ) -> None:  # fmt: skip
        self._currents, self._hears, self._heard_dbfs, self._proof_s = currents, hears, heard_dbfs, proof_s
        self._outputs: dict[str, _Output] = {}
        self._closed: set[str] = set()
        self._quiet: deque[float] = deque(maxlen=QUIET_LEVELS)
        self._listened = self._loud = 0
        self._loudest = SILENCE
        self.faults = set(faults)

    @property
    def undecided(self) -> bool:
        """Whether something sounds whose proof is still awaited."""
        return any(
            (name in self._currents and not output.flowed) or (self._hears and self._loud < LOUD_ENOUGH)
            for name, output in self._outputs.items()
        )

    def began(self, output: str, alert: str, now: float) -> None:
        """An order sounds on the output."""
        if not self._outputs:
            self._listened = self._loud = 0
            self._loudest = SILENCE
        at = self._outputs.setdefault(output, _Output(since=now, flowed=output in self._closed))
        at.alerts.setdefault(alert, set())

    def ended(self, output: str, alert: str) -> None:
        at = self._outputs.get(output)
        if at is not None:
            at.alerts.pop(alert, None)
            if not at.alerts:
                del self._outputs[output]

    def current(self, output: str, closed: bool) -> None:
        """The input that tells the output's current."""
        (self._closed.add if closed else self._closed.discard)(output)
        if closed:
            self.flowed(output)

    def flowed(self, output: str) -> None:
        """A contact told for a moment that the siren runs."""
        if at := self._outputs.get(output):
            at.flowed = True

    def level(self, dbfs: float | None) -> None:
        """What the microphone hears; None for no sound at all. Not to be told while the station itself speaks."""
        heard = SILENCE if dbfs is None else dbfs
        if not self._outputs:
            self._quiet.append(heard)
            return
        self._listened += 1
        if heard >= max(self._heard_dbfs, (median(self._quiet) if self._quiet else SILENCE) + ABOVE_QUIET):
            self._loud += 1
            self._loudest = max(self._loudest, heard)

    def look(self, now: float) -> list[Found]:
        """What is so now and was not told yet."""
        found: list[Found] = []
        heard = self._loud >= LOUD_ENOUGH
        for name, output in self._outputs.items():
            alert = next(iter(output.alerts))
            late = now - output.since >= self._proof_s
            for id, proofs in output.alerts.items():
                if output.flowed and "current" not in proofs:
                    proofs.add("current")
                    found.append(Found("current", name, id))
                if heard and "heard" not in proofs:
                    proofs.add("heard")
                    found.append(Found("heard", name, id, self._loudest))
            if name in self._currents:
                self._fault(found, name, "no_current", alert, right=output.flowed, late=late)
            if self._hears:
                deaf = self._listened < HEARD_SOMETHING
                self._fault(found, name, "not_heard", alert, right=heard, late=late and not deaf)
        return found

    def _fault(self, found: list[Found], output: str, fault: str, alert: str, *, right: bool, late: bool) -> None:
        stands = (output, fault) in self.faults
        if right and stands:
            self.faults.discard((output, fault))
            found.append(Found(fault, output, alert, on=False))
        elif late and not right and not stands:
            self.faults.add((output, fault))
            found.append(Found(fault, output, alert))
