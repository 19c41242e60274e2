"""The relays that start sets, as core sees them: which are energised by whose order, and what the running contacts say.

A relay that let go is never pulled again without a person: what was running may have people at it by now.
"""

from collections.abc import Awaitable, Callable

from appliance.annunciator_protocol import InputChange, OutputChange, Standing
from appliance.config import Site
from appliance.config_power import Genset
from appliance.journal import Appended
from appliance.power.order_machine import Seen
from appliance.power_order_events import StartRelayHeld, StartRelayReleased
from appliance.power_order_state import PlantOrders
from drivers.clock import Clock

WHYS = {"ordered": "cancelled", "left": "core_left", "limit": "limit"}


class StartRelays:
    """`hold(output, on)` switches at the annunciator, and raises Refusal or Gone. `up`: the annunciator is there."""

    def __init__(
        self, *, site: Site, orders: PlantOrders, clock: Clock, append: Callable[..., Appended],
        hold: Callable[[str, bool], Awaitable[bool]],
    ) -> None:  # fmt: skip
        self._orders, self._clock, self._append, self._hold = orders, clock, append, hold
        self._sets: dict[str, Genset] = {g.id: g for g in site.genset if g.relay}
        self._contacts: dict[str, Seen] = {}  # of inputs
        self.up = False

    def relay(self, genset: str) -> str:
        """The output that starts it, "" for none."""
        return self._sets[genset].relay if genset in self._sets else ""

    def held(self, genset: str) -> bool:
        return genset in self._orders.relays

    def contact(self, genset: str) -> Seen | None:
        """Whether the set's running contact is closed, and since when; None where there is none or it is not known."""
        return self._contacts.get(self._sets[genset].relay_running) if genset in self._sets else None

    async def energise(self, genset: str, order: str) -> None:
        """Close the contact. Raises Refusal, Gone."""
        output = self._sets[genset].relay
        await self._hold(output, True)
        self._append(StartRelayHeld(genset=genset, output=output, order=order))

    async def release(self, genset: str) -> None:
        """Open the contact. Raises Refusal, Gone."""
        await self._hold(self._sets[genset].relay, False)
        self._released(genset, "cancelled")

    def forget(self, why: str) -> None:
        """None of them is energised any more."""
        for genset in list(self._orders.relays):
            self._released(genset, why)

    def on_standing(self, standing: Standing) -> None:
        """The annunciator is there. It let every relay go when the core before left it, or when it was started."""
        self.up = True
        self.forget("annunciator_lost")
        for name, active in standing.inputs.items():
            self._see(name, active)

    def on_down(self) -> None:
        """It has let every relay go, or is about to."""
        self.up = False
        self._contacts = {}
        self.forget("annunciator_lost")

    def on_output(self, change: OutputChange) -> None:
        """A relay opened; that it closed tells `energise`."""
        for genset, config in self._sets.items():
            if config.relay == change.output and not change.on:
                self._released(genset, WHYS.get(change.why, "failed"))

    def on_input(self, change: InputChange) -> None:
        self._see(change.input, change.active)

    def _see(self, name: str, active: bool) -> None:
        known = self._contacts.get(name)
        if known is None or known.value != active:
            self._contacts[name] = Seen(active, self._clock.now())

    def _released(self, genset: str, why: str) -> None:
        if held := self._orders.relays.get(genset):
            self._append(StartRelayReleased(genset=genset, output=held.output, why=why))
