"""The voice side of a simulated modem: dialling, ringing, answering, hanging up, keys.

What it does with several calls at once stands in `modem_arrange`. Sound is joined at `Calls.talked`.
"""

import asyncio
from collections.abc import Callable

from drivers.sim.modem_arrange import Arrangement
from drivers.sim.modem_dialect import CallView, Dialect, Leg, view_of
from drivers.sim.modem_line import CME, INVALID_TEXT, OPERATION_NOT_ALLOWED, Answer, Command, Failed, Handler
from drivers.sim.modem_settings import Settings
from drivers.sim.network import MobileNetwork, Subscriber
from drivers.sim.network_calls import Call, Phase

RING_EVERY_S = 5.0  # s; 3GPP networks' ring cadence as modems report it
DIALABLE = set("0123456789*#+")
NO_NETWORK = 30  # +CME ERROR
SOURCES = (
    "ring",
    "clip",
    "ccwa",
    "report",
    "words",
)  # what a modem says of calls by itself; words are NO CARRIER, VOICE CALL: BEGIN and the like


class Calls:
    """`say` sends an unsolicited line, `clock` gives the time of day as 11:53AM. `untold` sources are kept back."""

    def __init__(
        self,
        modem: Subscriber,
        network: MobileNetwork,
        dialect: Dialect,
        settings: Settings,
        say: Callable[[str], None],
        clock: Callable[[], str],
    ) -> None:
        self._modem, self._network, self._dialect, self._settings = modem, network, dialect, settings
        self._say, self._clock = say, clock
        self._held_back: list[str] | None = None  # reports caused by the command that is just running
        self._ring: asyncio.TimerHandle | None = None
        self.legs: list[Leg] = []  # the oldest first
        self.untold: set[str] = set()
        self._arrangement = Arrangement(self, modem, network, dialect)

    @property
    def call(self) -> Call | None:
        """The oldest, if there is any."""
        return self.legs[0].call if self.legs else None

    @property
    def talked(self) -> list[Call]:
        """Whose sound goes through the modem now: one call, or all of a conference."""
        return [leg.call for leg in self.legs if leg.active]

    @property
    def busy(self) -> bool:
        """Whether the network tells another caller so: one rings or is dialled, or the service is off."""
        setting_up = any(leg.call.phase is not Phase.ACTIVE for leg in self.legs)
        return setting_up or (bool(self.legs) and not self._network.call_waiting)

    def changed(self, call: Call) -> None:
        """The network says that a call of ours is in another phase."""
        leg = self._leg(call)
        if call.phase is Phase.ENDED:
            if leg in self.legs:
                self.legs.remove(leg)
            self._arrangement.no_conference_of_one()
        elif leg not in self.legs:
            leg.waiting = bool(self.legs) and leg.incoming(self._modem)
            self.legs.append(leg)
        if call.phase is not Phase.ALERTING:
            leg.waiting = False
        if self._ring and not any(self._rings(other) for other in self.legs):
            self._ring.cancel()
            self._ring = None
        if call.phase is Phase.ALERTING and leg.incoming(self._modem):
            if leg.waiting:
                self._tell(self._announced(leg))
            else:
                self._ringing(leg)
        self.report(leg, news=True)
        if call.phase is Phase.ENDED:
            self._let_ring()

    def replaced(self, old: Call, new: Call) -> None:
        """The other side connected us with somebody else: nothing is told of it."""
        for leg in self.legs:
            if leg.call is old:
                leg.call = new

    def left(self, leg: Leg) -> None:
        """We connected its other side with somebody, and are out of it."""
        self.legs.remove(leg)
        leg.left = True
        self.report(leg, news=True)

    def key_heard(self, call: Call, key: str) -> None:
        if self._settings["keys"] and call in self.talked:
            self._say(self._dialect.key(key))

    def reset(self) -> None:
        """Power off: nothing is reported any more, and nothing rings."""
        if self._ring:
            self._ring.cancel()
        self.legs.clear()

    def commands(self) -> dict[str, Handler]:
        return {
            "D": self._dial,
            "A": self._answer,
            "H": self._hang_up,
            "+CHUP": self._hang_up,
            "+CHLD": self._hold,
            "+CLCC": self._list,
            "^DTMF" if self._dialect.model == "huawei" else "+VTS": self._press,
            "+CPAS": self._activity,
        }

    def _leg(self, call: Call) -> Leg:
        """Ours of this call, else a new one under the lowest free name."""
        used = {leg.index for leg in self.legs}
        index = next(i for i in range(self._dialect.call_index, 1000) if i not in used)
        return next((leg for leg in self.legs if leg.call is call), Leg(call, index))

    def _view(self, leg: Leg, *, news: bool = False) -> CallView:
        call = leg.call
        number = call.dialled if call.caller is self._modem else "" if call.withheld else call.caller.number
        return view_of(leg, self._modem, self._clock(), number, news=news)

    # What it says by itself

    def _rings(self, leg: Leg) -> bool:
        return leg.incoming(self._modem) and leg.call.phase is Phase.ALERTING and not leg.waiting

    def _ringing(self, leg: Leg) -> None:
        for line in self._dialect.rings(self._view(leg), self._settings.flags):
            if ("clip" if line.startswith("+CLIP") else "ring") not in self.untold:
                self._say(line)
        self._ring = asyncio.get_running_loop().call_later(RING_EVERY_S, self._ringing, leg)

    def _announced(self, leg: Leg) -> list[str]:
        said = self._settings["ccwa"] and "ccwa" not in self.untold
        return [self._dialect.waits(self._view(leg))] if said else []

    def _let_ring(self) -> None:
        """Who waited is the only one now."""
        if len(self.legs) == 1 and self.legs[0].waiting:
            self.legs[0].waiting = False
            self._ringing(self.legs[0])
            self.report(self.legs[0])

    def report(self, leg: Leg, *, news: bool = False) -> None:
        """Say how the call is; `news`: the network changed it, not we."""
        lines = self._dialect.reports(self._view(leg, news=news), self._settings.flags)
        self._tell([line for line in lines if ("words" if line[0].isalpha() else "report") not in self.untold])

    def _tell(self, lines: list[str]) -> None:
        if self._held_back is not None:
            self._held_back += lines
            return
        for line in lines:
            self._say(line)

    def _caused(self, act: Callable[[], object]) -> list[str]:
        """Do it, and give the reports it causes instead of sending them."""
        self._held_back = []
        try:
            act()
        finally:
            caused, self._held_back = self._held_back, None
        return caused

    # What it is told

    def _dial(self, command: Command) -> Answer:
        """While a call is talked on it must be held first."""
        number = command.args.rstrip(";").replace(" ", "").replace("-", "")
        if not command.args.endswith(";") or not number or not set(number) <= DIALABLE:
            return Answer(final="NO CARRIER")  # a data call, or no number: the network does not know it
        if not self._modem.reachable:
            raise Failed(CME, NO_NETWORK)
        if any(not leg.held for leg in self.legs):
            raise Failed(CME, OPERATION_NOT_ALLOWED)
        leg = self._leg(self._network.calls.dial(self._modem, number))
        self.legs.append(leg)
        return Answer(behind=tuple(self._caused(lambda: self.report(leg, news=True))))

    def _answer(self, command: Command) -> Answer:
        """The one that rings; one that waits wants AT+CHLD."""
        leg = next((leg for leg in self.legs if self._rings(leg)), None)
        if leg is None:
            return Answer(final="NO CARRIER")
        lines = self._caused(lambda: self._network.calls.answer(leg.call, self._modem))
        before = self._dialect.answered_before_ok
        return Answer(tuple(lines[:before]), behind=tuple(lines[before:]))

    def _hang_up(self, command: Command) -> Answer:
        """All calls, whatever they are at."""

        def release_all() -> None:
            for leg in list(self.legs):
                self._network.calls.release(leg.call, self._modem)

        return self._released(self._caused(release_all))

    def _released(self, lines: list[str]) -> Answer:
        before = self._dialect.released_before_ok
        return Answer(tuple(lines[:before]), behind=tuple(lines[before:]))

    def _hold(self, command: Command) -> Answer:
        if command.op == "=?":
            return Answer((f"+CHLD: ({self._dialect.arrangements})",))
        return self._released(self._caused(lambda: self._arrangement.make(command.args)))

    def _list(self, command: Command) -> Answer:
        if command.op == "=?":
            return Answer(("+CLCC: (0,1)",) if self._dialect.reports_clcc else ())
        if command.op == "=" and self._dialect.reports_clcc:
            self._settings.flags["clcc"] = min(1, command.number(0))
            return Answer()
        if command.op == "=":
            raise Failed(CME, INVALID_TEXT)
        if command.op == "?" and self._dialect.reports_clcc:
            return Answer((f"+CLCC: {self._settings['clcc']}",))
        return Answer((*self._dialect.busy_lines, *(self._dialect.listed(self._view(leg)) for leg in self.legs)))

    def _press(self, command: Command) -> Answer:
        """AT+VTS="5"; Huawei's AT^DTMF=1,5 names the call first."""
        keys = command.listed[-1]
        if command.op == "=?":
            return Answer(("+VTS: (0-9,*,#,A,B,C,D)",))
        if not self.talked:
            raise Failed(CME, OPERATION_NOT_ALLOWED)
        try:
            for nth, call in enumerate(self.talked):
                self._network.calls.press(call, self._modem, keys, tones=nth == 0)  # one mouth for a conference
        except ValueError as e:
            raise Failed(CME, OPERATION_NOT_ALLOWED) from e
        return Answer()

    def _activity(self, command: Command) -> Answer:
        ringing = any(self._rings(leg) for leg in self.legs)
        return Answer((f"+CPAS: {0 if not self.legs else 3 if ringing else 4}",))
