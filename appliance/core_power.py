"""Wires the plant's room: what is measured, what persons order of it, and the annunciator's contacts and relay."""

from collections.abc import Callable

from appliance.annunciator_client import AnnunciatorLink
from appliance.annunciator_protocol import InputChange, OutputChange, Standing
from appliance.config import Places, Site
from appliance.journal import Appended
from appliance.keeper import Keeper
from appliance.power.orders import Orders
from appliance.power.service import Power
from appliance.power_view import PowerView
from appliance.state import State
from drivers.clock import Clock


class PlantRoom:
    """`measured` is what is known now; `view` has what was ordered too, and is None where the site has no plant."""

    def __init__(
        self, *, site: Site, places: Places, state: State, clock: Clock, append: Callable[..., Appended],
        annunciator: AnnunciatorLink, role_of: Callable[[str], str], on_changed: Callable[[], None], boot: str,
    ) -> None:  # fmt: skip
        self._power = Power(
            site=site, profiles=places.profiles, state=state, clock=clock, append=append, on_changed=on_changed
        )
        self.orders = Orders(
            site=site, state=state, clock=clock, append=append, view=self._power.view,
            orderable=self._power.orderable, role_of=role_of, hold=annunciator.hold, on_changed=on_changed, boot=boot,
        )  # fmt: skip
        self.measured: Callable[[], PowerView] = self._power.view
        self.view: Callable[[], PowerView] | None = self._with_orders if site.has_plant else None

    def _with_orders(self) -> PowerView:
        return self.orders.onto(self._power.view())

    def keep(self, keeper: Keeper) -> None:
        """Start its tasks."""
        keeper.keep("power", self._power.run)
        keeper.keep("plant orders", self.orders.run)

    def leave(self) -> None:
        """Core goes: no relay of ours is held any more."""
        self.orders.relays.forget("core_left")

    def on_up(self, standing: Standing) -> None:
        self._power.on_inputs(standing.inputs)
        self.orders.relays.on_standing(standing)

    def on_down(self) -> None:
        self._power.on_inputs(None)
        self.orders.relays.on_down()

    def on_output(self, change: OutputChange) -> None:
        self.orders.relays.on_output(change)

    def on_input(self, change: InputChange) -> None:
        self._power.on_input(change.input, change.active)
        self.orders.relays.on_input(change)
