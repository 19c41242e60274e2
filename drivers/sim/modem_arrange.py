"""Several calls at once in a simulated modem: AT+CHLD, as 3GPP TS 22.030 clause 6.5.5.1 has it."""

import re
from typing import Protocol

from drivers.sim.modem_dialect import Dialect, Leg
from drivers.sim.modem_line import CME, OPERATION_NOT_ALLOWED, Failed
from drivers.sim.network import MobileNetwork, Subscriber
from drivers.sim.network_calls import Phase

CONFERENCE_MOST = 5  # remote parties; TS 22.084 clause 1.1


class Holder(Protocol):
    """Whose calls they are."""

    legs: list[Leg]

    def report(self, leg: Leg, *, news: bool = False) -> None: ...
    def left(self, leg: Leg) -> None: ...


class Arrangement:
    """`make` does what stands behind AT+CHLD=, and raises Failed when the calls are not such that it can be done."""

    def __init__(self, holder: Holder, modem: Subscriber, network: MobileNetwork, dialect: Dialect) -> None:
        self._holder, self._modem, self._network, self._dialect = holder, modem, network, dialect

    def make(self, what: str) -> None:
        match = re.fullmatch(r"([0-4])(\d?)", what)
        if match is None:
            raise Failed(CME, OPERATION_NOT_ALLOWED)
        figure, named = match.groups()
        leg = next((leg for leg in self._holder.legs if str(leg.index) == named), None)
        if named and (leg is None or figure not in "12"):
            raise Failed(CME, OPERATION_NOT_ALLOWED)
        match figure:
            case "0":
                self._release(self._incoming() or self._held())
            case "1" if leg is not None:
                self._release([] if leg in self._incoming() else [leg])
            case "1":
                self._release_and_accept()
            case "2" if leg is not None:
                self._talk_alone_with(leg)
            case "2":
                self._swap()
            case "3":
                self._join()
            case _:
                self._connect_and_leave()

    def _incoming(self) -> list[Leg]:
        return [leg for leg in self._holder.legs if leg.call.phase is Phase.ALERTING and leg.incoming(self._modem)]

    def _held(self) -> list[Leg]:
        return [leg for leg in self._holder.legs if leg.held]

    def _active(self) -> list[Leg]:
        return [leg for leg in self._holder.legs if leg.active]

    def _need(self, *, so: bool) -> None:
        if not so:
            raise Failed(CME, OPERATION_NOT_ALLOWED)

    def _release(self, legs: list[Leg]) -> None:
        self._need(so=bool(legs))
        for leg in legs:
            self._network.calls.release(leg.call, self._modem)
        self.no_conference_of_one()

    def _release_and_accept(self) -> None:
        active, waiting, held = self._active(), self._incoming(), self._held()
        self._need(so=bool(active or waiting))
        if active:
            self._release(active)
        if waiting:
            self._network.calls.answer(waiting[0].call, self._modem)
        else:
            self._put(held, held=False)

    def _swap(self) -> None:
        active, waiting, held = self._active(), self._incoming(), self._held()
        settled = all(leg.call.phase is Phase.ACTIVE or leg in waiting for leg in self._holder.legs)
        self._need(so=settled and bool(active or held or waiting) and not (active and held and waiting))
        self._put(active, held=True)
        if waiting:
            self._network.calls.answer(waiting[0].call, self._modem)
        else:
            self._put(held, held=False)

    def _talk_alone_with(self, leg: Leg) -> None:
        others = [other for other in self._active() if other is not leg]
        self._need(so=leg.active and leg.joined and not [h for h in self._held() if not h.joined])
        leg.joined = False
        self._put(others, held=True)
        self.no_conference_of_one()
        self._holder.report(leg)

    def _join(self) -> None:
        both = [*self._active(), *self._held()]
        self._need(so=bool(self._active() and self._held()) and len(both) <= CONFERENCE_MOST)
        for leg in both:
            leg.joined = True
        self._put(both, held=False)

    def _connect_and_leave(self) -> None:
        active, held = self._active(), self._held()
        self._need(so=len(active) == len(held) == 1 and self._network.transfers)
        self._network.calls.connect(active[0].call, held[0].call, self._modem)
        for leg in (*active, *held):
            self._holder.left(leg)

    def _put(self, legs: list[Leg], *, held: bool) -> None:
        for leg in legs:
            leg.hold(self._modem, on=held)
            self._holder.report(leg)

    def no_conference_of_one(self) -> None:
        """After an end."""
        joined = [leg for leg in self._holder.legs if leg.joined]
        if len(joined) == 1:
            joined[0].joined = False
