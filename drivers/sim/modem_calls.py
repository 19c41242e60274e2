"""The voice side of a simulated modem: dialling, ringing, answering, hanging up, keys."""

import asyncio
from collections.abc import Callable

from drivers.sim.modem_dialect import CallView, Dialect, view_of
from drivers.sim.modem_line import CME, INVALID_TEXT, OPERATION_NOT_ALLOWED, Answer, Command, Failed, Handler
from drivers.sim.modem_settings import Settings
from drivers.sim.network import MobileNetwork, Subscriber
from drivers.sim.network_calls import Call, Phase

RING_EVERY_S = 5.0  # s; 3GPP networks' ring cadence as modems report it
DIALABLE = set("0123456789*#+")
NO_NETWORK = 30  # +CME ERROR


class Calls:
    """One call at a time. `say` sends an unsolicited line, `clock` gives the time of day as 11:53AM."""

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
        self.call: Call | None = None

    def changed(self, call: Call) -> None:
        """The network says that a call of ours is in another phase."""
        if call.phase is Phase.ENDED:
            self.call = None
        elif self.call is None:
            self.call = call
        view = self._view(call)
        if self._ring:
            self._ring.cancel()
        if view.incoming and call.phase is Phase.ALERTING:
            self._ringing(call)
        self._report(self._dialect.reports(view, self._settings.flags))

    def key_heard(self, key: str) -> None:
        if self._settings["keys"]:
            self._say(self._dialect.key(key))

    def reset(self) -> None:
        """Power off: nothing is reported any more, and nothing rings."""
        if self._ring:
            self._ring.cancel()
        self.call = None

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

    def _view(self, call: Call) -> CallView:
        number = call.dialled if call.caller is self._modem else call.caller.number
        return view_of(call, self._modem, self._clock(), number)

    def _ringing(self, call: Call) -> None:
        for line in self._dialect.rings(self._view(call), self._settings.flags):
            self._say(line)
        self._ring = asyncio.get_running_loop().call_later(RING_EVERY_S, self._ringing, call)

    def _report(self, lines: list[str]) -> None:
        if self._held_back is not None:
            self._held_back += lines
            return
        for line in lines:
            self._say(line)

    def _caused(self, act: Callable[[], object]) -> list[str]:
        """Do it, and give the reports it causes instead of sending them."""
        self._held_back = []
        act()
        caused, self._held_back = self._held_back, None
        return caused

    def _dial(self, command: Command) -> Answer:
        number = command.args.rstrip(";").replace(" ", "").replace("-", "")
        if not command.args.endswith(";") or not number or not set(number) <= DIALABLE:
            return Answer(final="NO CARRIER")  # a data call, or no number: the network does not know it
        if not self._modem.reachable:
            raise Failed(CME, NO_NETWORK)
        if self.call is not None:
            raise Failed(CME, OPERATION_NOT_ALLOWED)
        call = self._network.calls.dial(self._modem, number)
        self.call = call
        return Answer(behind=tuple(self._dialect.reports(self._view(call), self._settings.flags)))

    def _answer(self, command: Command) -> Answer:
        call = self.call
        if call is None or call.phase is not Phase.ALERTING or call.callee is not self._modem:
            return Answer(final="NO CARRIER")
        lines = self._caused(lambda: self._network.calls.answer(call, self._modem))
        before = self._dialect.answered_before_ok
        return Answer(tuple(lines[:before]), behind=tuple(lines[before:]))

    def _hang_up(self, command: Command) -> Answer:
        call = self.call
        if call is None:
            return Answer()
        lines = self._caused(lambda: self._network.calls.release(call, self._modem))
        before = self._dialect.released_before_ok
        return Answer(tuple(lines[:before]), behind=tuple(lines[before:]))

    def _hold(self, command: Command) -> Answer:
        """With one call, 0 refuses a ringing one, 1 and 1x end the active one; holding is not simulated."""
        if command.op == "=?":
            return Answer(("+CHLD: (0,1,1x,2,2x,3)",))
        if self.call is None or command.args not in ("0", "1", f"1{self._dialect.call_index}"):
            raise Failed(CME, OPERATION_NOT_ALLOWED)
        return self._hang_up(command)

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
        if self.call is None:
            return Answer(self._dialect.busy_lines)
        return Answer((*self._dialect.busy_lines, self._dialect.listed(self._view(self.call))))

    def _press(self, command: Command) -> Answer:
        """AT+VTS="5"; Huawei's AT^DTMF=1,5 names the call first."""
        keys = command.listed[-1]
        if command.op == "=?":
            return Answer(("+VTS: (0-9,*,#,A,B,C,D)",))
        if self.call is None:
            raise Failed(CME, OPERATION_NOT_ALLOWED)
        try:
            self._network.calls.press(self.call, self._modem, keys)
        except ValueError as e:
            raise Failed(CME, OPERATION_NOT_ALLOWED) from e
        return Answer()

    def _activity(self, command: Command) -> Answer:
        if self.call is None:
            return Answer(("+CPAS: 0",))
        ringing = self.call.phase is Phase.ALERTING and self.call.callee is self._modem
        return Answer((f"+CPAS: {3 if ringing else 4}",))
