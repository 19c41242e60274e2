"""The knobs of a simulated bus: devices that are mute, late, answer as another unit, or say what is not theirs."""

from collections.abc import Mapping

from drivers.sim.knobs import Knob
from drivers.sim.modbus_slave import Slave
from drivers.sim.plant import switch

LATEST_MS = 60_000
MOST_UNIT = 255


class BusKnobs:
    """`slaves` by what they are: genset, ups, meter."""

    def __init__(self, slaves: Mapping[str, Slave]) -> None:
        self._slaves = slaves

    def knobs(self) -> dict[str, Knob]:
        return {"bus.mute": self.mute, "bus.late": self.late, "bus.unit": self.unit, "bus.word": self.word}

    def mute(self, device: str, on: bool = True) -> None:
        """It answers nothing."""
        self._slave(device).muted = switch(on)

    def late(self, device: str, ms: float) -> None:
        """Each answer comes so much later."""
        if isinstance(ms, bool) or not isinstance(ms, int | float) or not 0 <= ms <= LATEST_MS:
            raise ValueError(f"{ms!r} is not a delay from 0 to {LATEST_MS} ms")
        self._slave(device).late_s = ms / 1000.0

    def unit(self, device: str, says: int | None = None) -> None:
        """Its answers name another unit than the one that was asked; without `says` the right one again."""
        self._slave(device).says_unit = None if says is None else _whole("says", says, MOST_UNIT)

    def word(self, device: str, address: int, says: int | None = None) -> None:
        """One register says this whatever is so; without `says` its own again."""
        slave, address = self._slave(device), _whole("address", address, 0xFFFF)
        if says is None:
            slave.stuck.pop(address, None)
        else:
            slave.stuck[address] = _whole("says", says, 0xFFFF)

    def status(self) -> dict[str, object]:
        return {
            name: {"muted": s.muted, "late_ms": s.late_s * 1000.0, "says_unit": s.says_unit, "stuck": len(s.stuck)}
            for name, s in self._slaves.items()
        }

    def _slave(self, device: str) -> Slave:
        if device not in self._slaves:
            raise ValueError(f"there is no device {device!r}; devices: {', '.join(sorted(self._slaves))}")
        return self._slaves[device]


def _whole(name: str, value: int, most: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= most:
        raise ValueError(f"{name} {value!r} is not a whole number from 0 to {most}")
    return value
