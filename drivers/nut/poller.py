"""One UPS that upsd serves: polled and ordered with the same face as drivers/modbus/poller.py.

upsd answers from memory at once; how old that memory is decides its driver (`pollinterval`, 2 s by default), and
after `MAXAGE` (15 s) without a word from the driver upsd says DATA-STALE, which is no_link here.
"""

import asyncio
import logging
from collections.abc import Callable, Collection

import msgspec

from drivers.dial import Dialer
from drivers.modbus.errors import BusError, NotObserved, NotReady, UnknownCommand
from drivers.modbus.poller import Step, say_nothing
from drivers.nut.errors import UpsdRefused
from drivers.nut.points import lost, readings
from drivers.nut.upsd import PORT, Login, Upsd
from drivers.quality import Quality
from drivers.reading import Reading, Value

LOG = logging.getLogger(__name__)

LOST_AFTER = 2  # missed polls, as on a bus; but upsd's own word that it has lost the UPS counts at once
TIMEOUT_S = 2.0  # upsd answers within ms; it is slow while it reads its files again
RETRY_MOST_S = 5.0  # between dials of an upsd that is gone
MAX_AGE_S = 5.0  # of what an order rests on


class Order(msgspec.Struct, frozen=True):
    """One of our commands: what NUT calls it, first choice first; what it needs; what proves it, and by when."""

    commands: tuple[str, ...]
    needs: dict[str, Value]
    point: str
    values: tuple[Value, ...]
    within_s: float
    result: bool = False  # or a new result of the same point, since a short test may be over between two polls


ORDERS = {
    "self_test": Order(
        ("test.battery.start.quick", "test.battery.start"),
        {"online": True, "on_battery": False},
        "self_test",
        ("pending", "running"),
        45.0,  # usbhid-ups reads the result every `pollfreq`, 30 s
        result=True,
    ),
    "mute": Order(("beeper.mute",), {}, "beeper_muted", (True,), 45.0),
}
DONE = ("passed", "failed", "aborted")


def place(name: str) -> tuple[str, str, int]:
    """The UPS, host and port of "ups@host" or "ups@host:port". Raises ValueError for another form."""
    ups, at, where = name.partition("@")
    host, port = where, str(PORT)
    if where.count(":") == 1 or "]:" in where:  # more colons are an IPv6 address
        host, _, port = where.rpartition(":")
    host = host.strip("[]")
    if not ups or not at or not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise ValueError(f'{name!r} is not "ups@host" or "ups@host:port".')
    return ups, host, int(port)


class NutPoller:
    """Asks upsd every `interval_s`; each poll's readings go to `on_readings` in one call. Orders need a `login`."""

    def __init__(
        self, host: str, port: int, ups: str, on_readings: Callable[[list[Reading]], None],
        *, interval_s: float = 1.0, login: Login | None = None, timeout_s: float = TIMEOUT_S,
    ) -> None:  # fmt: skip
        self._dialer, self._ups, self._login, self._timeout_s = Dialer(host, port), ups, login, timeout_s
        self._on_readings, self._interval_s = on_readings, interval_s
        self._upsd = Upsd(self._dialer, ups, timeout_s=timeout_s)
        self._name = self._upsd.name
        self._latest: dict[str, Reading] = {}
        self._tested = ""  # the driver's own words about its last test: they change even when the result is the same
        self._news = asyncio.Condition()
        self._missed = 0
        self._lost = False

    async def run(self) -> None:
        """Poll for as long as the task lives."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        try:
            while True:
                if found := await self._poll():
                    self._latest |= {reading.point: reading for reading in found}
                    self._on_readings(found)
                    async with self._news:
                        self._news.notify_all()
                wait = min(self._interval_s * 2 ** min(self._missed, 10), max(RETRY_MOST_S, self._interval_s))
                due = max(due + wait, loop.time())
                await asyncio.sleep(due - loop.time())
        finally:
            self._upsd.close()
            self._dialer.close()

    def hurry(self, _points: Collection[str]) -> None:
        """upsd answers from what its driver read in its own time: asked sooner, it would say the same."""

    async def command(self, name: str, *, on_step: Callable[[Step], None] = say_nothing) -> Reading:
        """Order something once, and return the reading that proves it. Needs `run()` to be running.

        `on_step` hears "sent": that its driver has got it is all that upsd can say. Raises UnknownCommand, NotReady,
        NotObserved, UpsdRefused, or another BusError when nothing was sent.
        """
        order = ORDERS.get(name)
        if order is None:
            raise UnknownCommand(f"{self._name}: no command {name!r}; there are {', '.join(sorted(ORDERS))}.")
        self._check_needs(name, order)
        if self._login is None:
            raise NotReady(f"{self._name}: {name} needs a user of upsd.users; say one in the site file (nut_login).")
        before, doubt = self._tested, None
        upsd = Upsd(self._dialer, self._ups, timeout_s=self._timeout_s)  # its own: what is logged in only orders
        try:
            await upsd.log_in(self._login)
            offered = await upsd.commands()
            chosen = next((command for command in order.commands if command in offered), None)
            if chosen is None:
                raise UnknownCommand(f"{self._name}: its driver has none of {', '.join(order.commands)}.")
            try:
                await upsd.order(chosen)
            except UpsdRefused:
                raise
            except BusError as e:
                doubt = e  # it may have arrived: the UPS will show, and a second order could be one too many
        finally:
            upsd.close()
        on_step("sent")
        return await self._observed(name, order, asyncio.get_running_loop().time(), before, doubt)

    def _check_needs(self, name: str, order: Order) -> None:
        now = asyncio.get_running_loop().time()
        for point, value in {order.point: None, **order.needs}.items():
            reading = self._latest.get(point)
            if reading is None or reading.quality is not Quality.GOOD:
                quality = Quality.NO_LINK if reading is None else reading.quality
                raise NotReady(f"{self._name}: {name} needs {point}, which is {quality}. Check the UPS first.")
            if now - reading.at > MAX_AGE_S:
                raise NotReady(f"{self._name}: {name} needs {point} not older than {MAX_AGE_S:g} s.")
            if value is not None and reading.value != value:
                raise NotReady(f"{self._name}: {name} needs {point} to be {value}; it is {reading.value}.")

    async def _observed(
        self, name: str, order: Order, since: float, before: str, doubt: BusError | None
    ) -> Reading:  # fmt: skip
        def seen() -> Reading | None:
            reading = self._latest[order.point]
            fresh = order.result and self._tested != before and reading.value in DONE
            return reading if reading.at > since and (reading.value in order.values or fresh) else None

        try:
            async with asyncio.timeout(order.within_s), self._news:
                while (proof := seen()) is None:
                    await self._news.wait()
        except TimeoutError:
            last = self._latest[order.point]
            raise NotObserved(
                f"{self._name}: {name} was sent, but {order.point} was not {' or '.join(map(str, order.values))} "
                f"within {order.within_s:g} s; it is {last.value if last.quality is Quality.GOOD else last.quality}. "
                "Go and look at the UPS."
            ) from doubt
        return proof

    async def _poll(self) -> list[Reading]:
        loop = asyncio.get_running_loop()
        try:
            variables = await self._upsd.variables()
        except BusError as e:
            self._missed += 1
            told = isinstance(e, UpsdRefused)
            if (told and not self._lost) or self._missed == LOST_AFTER:
                self._tell(e)
                return lost(loop.time())
            return []
        self._missed = 0
        self._tested = f"{variables.get('ups.test.result', '')} {variables.get('ups.test.date', '')}"
        found = readings(variables, loop.time())
        self._tell(None if found[0].quality is not Quality.NO_LINK else "its driver has no UPS to ask")
        return found

    def _tell(self, failure: BusError | str | None) -> None:
        """Lost is logged once, back is logged once."""
        if failure and not self._lost:
            LOG.warning("%s is lost: %s", self._name, failure)
        elif self._lost and not failure:
            LOG.info("%s is back.", self._name)
        self._lost = failure is not None
