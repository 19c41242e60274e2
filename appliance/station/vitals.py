"""What core knows of its own box for the station's health. The disk is asked apart: a dead one holds nobody up."""

import asyncio
import logging
import shutil
from collections.abc import Callable
from pathlib import Path

import msgspec

from appliance.alerting.wire import Supply
from appliance.alerting.wire_health import DAYS_UNKNOWN, PERCENT_UNKNOWN

LOOK = 60.0  # s

log = logging.getLogger("siaga.station")


class Vitals(msgspec.Struct, frozen=True):
    """Unknown figures as on the wire."""

    clock_quality: str = "unknown"
    disk_failed: bool = False
    disk_free_percent: int = PERCENT_UNKNOWN
    can_send_sms: bool | None = None  # None: there is no modem
    cert_days: int = DAYS_UNKNOWN  # both since it was made
    key_days: int = DAYS_UNKNOWN
    supply: Supply = Supply.UNKNOWN  # as the box's own power room has it
    battery: int = PERCENT_UNKNOWN
    battery_low: bool = False
    supply_mv: int = 0


class DiskShare:
    """Percent of a file system that is free, as last seen. `run` it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.percent = PERCENT_UNKNOWN

    async def run(self) -> None:
        while True:
            try:
                usage = await asyncio.to_thread(shutil.disk_usage, self._folder)
                self.percent = round(100 * usage.free / usage.total)
            except OSError as e:
                self.percent = PERCENT_UNKNOWN
                log.error("the disk does not say what is free: %s", e)
            await asyncio.sleep(LOOK)


def nothing_known() -> Vitals:
    return Vitals()


Look = Callable[[], Vitals]
