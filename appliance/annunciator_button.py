"""The red button: a press is offered to core, and what core does not take in time sounds here, at once and by itself.

A press is never kept for later: taken within the time, or sounded locally, and then a late take is refused. While the
siren is locked out it sounds nothing: somebody may stand before the horn. Then the lamp flashes, and core is told.
"""

import asyncio
import logging
from collections.abc import Callable

from appliance.annunciator_config import ButtonConfig
from appliance.annunciator_followers import Followers
from appliance.annunciator_locks import Locks
from appliance.annunciator_protocol import Barred, Pressed
from appliance.annunciator_siren import Siren
from appliance.model import AlertKind
from drivers.gpio.errors import NotDriven
from drivers.gpio.outputs import Output
from drivers.gpio.patterns import PATTERNS
from drivers.jsonsocket import Refusal

log = logging.getLogger(__name__)

BARRED_SHOWN = 60.0  # s that the lamp flashes behind a press that sounds nothing
PROMISE = 2.0  # s after a take in which core's death makes the press ours again: its order may not have gone out
SAME_PRESS = 2.0  # s after a local siren began in which a press is an impatient repeat; later it stops the siren


class RedButton:
    """`siren` and `lamp` are None when the line could not be claimed, `lamp` also when there is none.

    `before`: the one that it takes the place of, when the wiring was changed.
    """

    def __init__(
        self, config: ButtonConfig, siren: Siren | None, followers: Followers, lamp: Output | None,
        push: Callable[[Pressed | Barred], None], locks: Locks,
        before: "RedButton | None" = None,
    ) -> None:  # fmt: skip
        self._config, self._siren, self._followers, self._lamp, self._push = config, siren, followers, lamp, push
        self._locks = locks
        self._barred_at: float | None = None
        self._flash: asyncio.TimerHandle | None = None
        self._loop = asyncio.get_running_loop()
        self._core: bool = before is not None and before._core
        self._untaken: bool = before is not None and before._untaken
        self._count: int = before._count if before else 0  # a press has a number of its own, whatever is wired anew
        self._offer: asyncio.TimerHandle | None = None
        self._local_since = 0.0
        self._promised_until = float("-inf")
        self._show()

    @property
    def local_only(self) -> bool:
        """No core is there, or the last press was not taken by it."""
        return self._untaken or not self._core

    @property
    def asking(self) -> bool:
        """A press is on offer, or was only just taken."""
        return self._offer is not None or self._loop.time() < self._promised_until

    @property
    def barred_s(self) -> float | None:
        """Seconds since a press sounded nothing because of a lockout; None: none did."""
        return None if self._barred_at is None else self._loop.time() - self._barred_at

    def core_came(self) -> None:
        self._core, self._untaken = True, False
        self._show()

    def core_left(self) -> None:
        """The last core is gone; a press on offer sounds now, and so does one that it had only just taken."""
        self._core = False
        self._show()
        if self._offer or self._loop.time() < self._promised_until:
            self._sound_here()

    def pressed(self) -> None:
        if self._siren and self._order in self._siren.orders.sounding:
            if self._loop.time() - self._local_since > SAME_PRESS:
                self._siren.end((self._order,), "silenced")
                self._followers.end((self._order,))
            return
        if self._offer:  # the same person again, while core is asked
            return
        self._count += 1
        if not self._core:
            self._sound_here()
            return
        self._offer = self._loop.call_later(self._config.take_within_s, self._sound_here)
        self._push(Pressed(self._count, self._config.input, self._loop.time()))

    def take(self, press: int) -> None:
        """Core takes the press upon itself. Raises Refusal when it is too late."""
        if self._offer is None or press != self._count:
            raise Refusal("too_late", f"Press {press} is not on offer any more.", "It sounded here, or was taken.")
        self._withdraw()
        self._promised_until = self._loop.time() + PROMISE
        self._untaken = False
        self._show()

    def close(self) -> None:
        self._withdraw()
        if self._flash:
            self._flash.cancel()

    @property
    def _order(self) -> str:
        return f"local-{self._count}"

    def _withdraw(self) -> None:
        if self._offer:
            self._offer.cancel()
        self._offer = None

    def _sound_here(self) -> None:
        self._withdraw()
        self._promised_until = float("-inf")
        self._untaken = True
        self._show()
        # Lights still go on: who slept beside a siren under repair wakes by them.
        self._followers.begin(self._config.output, self._order, AlertKind.ACTUAL, self._config.seconds)
        if self._locks.left(self._config.output):
            self._bar()
            return
        self._local_since = self._loop.time()
        try:
            if self._siren is None:
                raise Refusal("not_driven", f"output.{self._config.output} could not be claimed.")
            self._siren.sound(self._order, self._config.pattern, self._config.seconds, "local")
        except Refusal as e:
            log.critical("The button %s was pressed and nothing sounds: %s", self._config.input, e)

    def _bar(self) -> None:
        """Nothing sounds, and whoever pressed sees that, and so does core."""
        log.critical("The button %s was pressed and nothing sounds: its siren is locked out.", self._config.input)
        self._barred_at = self._loop.time()
        self._push(Barred(self._count, self._config.input, self._barred_at))
        if self._lamp is None:
            return
        if self._flash:
            self._flash.cancel()
        try:
            self._lamp.sound(PATTERNS["pulse"], self._barred_at + BARRED_SHOWN + 1)
        except NotDriven as e:
            log.error("%s", e)
        self._flash = self._loop.call_later(BARRED_SHOWN, self._flashed)

    def _flashed(self) -> None:
        self._flash = None
        if self._lamp:
            self._lamp.off()
        self._show()

    def _show(self) -> None:
        if self._lamp is None or self._flash or self._lamp.on == self.local_only:
            return
        try:
            if self.local_only:
                self._lamp.switch_on()
            else:
                self._lamp.off()
        except NotDriven as e:
            log.error("%s", e)
