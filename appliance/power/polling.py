"""Who asks a device: a poller on its bus, or NUT's client. Both have one face: `run()` and `command(name)`."""

import logging
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Protocol

from appliance.config_power import Ups
from appliance.power.measured import Measured
from drivers.modbus.bus import Bus
from drivers.modbus.poller import Poller, Step
from drivers.nut.poller import NutPoller, place
from drivers.nut.upsd import Login, read_login
from drivers.reading import Reading

log = logging.getLogger("siaga.power")


class Asks(Protocol):
    """Polls one device for as long as `run` runs, and carries its orders out."""

    async def run(self) -> None: ...

    def hurry(self, points: Collection[str]) -> None: ...

    async def command(self, name: str, *, on_step: Callable[[Step], None]) -> Reading: ...


def poller_of(
    device: Measured, buses: Mapping[str, Bus], on_readings: Callable[[list[Reading]], None], share: float = 0.0
) -> Asks | None:
    """The device's poller, or None where nothing can be asked: the log says why. `share` of its interval it is late."""
    config = device.config
    try:
        if isinstance(config, Ups) and config.nut:
            ups, host, port = place(config.nut)
            return NutPoller(host, port, ups, on_readings, interval_s=config.poll_s, login=_login(device, config))
        if device.profile is None:
            return None
        return Poller(
            buses[config.bus], config.unit, device.profile, on_readings,
            interval_s=config.poll_s, timeout_s=config.timeout_s,
            offset_s=share * config.poll_s,
        )  # fmt: skip
    except ValueError as e:
        log.error("%s is not polled: %s", device.link, e)
        return None


def _login(device: Measured, config: Ups) -> Login | None:
    """Who orders at upsd; without one it is read all the same."""
    if not config.nut_login:
        return None
    try:
        return read_login(Path(config.nut_login))
    except (ValueError, OSError) as e:
        log.error("%s takes no orders: %s", device.link, e)
        return None
