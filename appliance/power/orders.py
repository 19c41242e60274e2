"""Orders to the plant: let through by the interlocks, written down, sent once, and watched until proven or failed.

After a restart of core an open order is never sent again; it is proven if its proof is seen, else it has failed.
"""

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from appliance.config import Site
from appliance.event import Event
from appliance.journal import Appended
from appliance.power import order_refusals
from appliance.power.order_machine import (
    CONSOLE,
    CONTACT,
    ROLES,
    Device,
    Goal,
    Seen,
    hindrance,
    instead,
    proof,
    relay_goals,
    relay_within_s,
    said,
)
from appliance.power.order_sight import current, plant_seen, stale
from appliance.power.orderable import Orderable, Terms
from appliance.power.start_relays import StartRelays
from appliance.power_commands import OrderPlant, PlantCommand
from appliance.power_order_events import (
    PlantOrderAccepted,
    PlantOrderFailed,
    PlantOrderProven,
    PlantOrderRefused,
    PlantOrderRequested,
    PlantOrderSent,
)
from appliance.power_order_state import PlantOrder
from appliance.power_view import DeviceView, Offer, PowerView
from appliance.sparing import Sparing
from appliance.state import State
from drivers.clock import Clock
from drivers.jsonsocket import Gone, Refusal
from drivers.modbus.errors import BusError, CommandError, DeviceRefused, NotAccepted, NotObserved
from drivers.modbus.poller import Step
from drivers.nut.errors import UpsdRefused

TICK_S = 0.25  # s between looks at what is watched
DURABLE_WITHIN = 0.5  # s that the disk gets before an order goes out anyway
RESUME_S = 10.0  # s that the devices get after a restart to show what became of an order
REFUSED_AGAIN = 10.0  # s between rows about the same refusal
SHOWN = 20  # orders in the view
TAKES_BACK = {
    PlantCommand.CANCEL_START: (PlantCommand.START, PlantCommand.START_RELAY),
    PlantCommand.AUTO: (PlantCommand.TEST_ON_LOAD,),
}
RELAYED = (PlantCommand.START_RELAY, PlantCommand.CANCEL_START)

log = logging.getLogger("siaga.power.orders")


class Watch(msgspec.Struct, frozen=True):
    """An order whose proof is looked for here: the relay's, and what a restart left open."""

    order: PlantOrder
    goals: tuple[Goal, ...]
    since: float
    due: float
    late: str  # why it has failed at `due`


class Orders:
    """`order` obeys; `run` watches. `view` is the plant as it is now, `orderable` a device that takes commands."""

    def __init__(
        self, *, site: Site, state: State, clock: Clock, append: Callable[..., Appended],
        view: Callable[[], PowerView], orderable: Callable[[str], Orderable | None], role_of: Callable[[str], str],
        hold: Callable[[str, bool], Awaitable[bool]], on_changed: Callable[[], None] = lambda: None,
        boot: str,
    ) -> None:  # fmt: skip
        self._site, self._orders, self._clock = site, state.plant_orders, clock
        self._append, self._view, self._orderable, self._role_of = append, view, orderable, role_of
        self._on_changed, self._boot = on_changed, boot
        self._names = {f"genset/{d.id}": d.name for d in site.genset} | {f"ups/{d.id}": d.name for d in site.ups}
        self._watches: dict[str, Watch] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._refused = Sparing(again_s=REFUSED_AGAIN)
        self._began = False
        self.relays = StartRelays(site=site, orders=self._orders, clock=clock, append=append, hold=hold)

    async def run(self) -> None:
        """Watch for as long as the task lives."""
        if not self._began:
            self._began = True
            self.relays.forget("core_left")  # the annunciator let them go when the core before this one left
            self._resume()
        while True:
            self._step()
            await asyncio.sleep(TICK_S)

    async def order(self, command: OrderPlant, actor: str) -> dict[str, Any]:
        """Take an order of a person; the answer says its id. Raises Refusal, and nothing was sent then."""
        if known := self._known(command):
            return {"order": known.id, "state": known.state, "durable": True, "repeated": True}
        self._check_person(command, actor)
        if why := self._why_not(command.device, command.command, self._view()):
            raise self._refusal(command, why, actor)
        if cancelled := self._orders.open_on(command.device):
            self._end(cancelled, "cancelled")
        id = secrets.token_hex(4)
        words = {"order": id, "device": command.device, "command": command.command.value}
        written = self._append(PlantOrderRequested(**words, key=command.key), actor=actor)
        task = asyncio.create_task(self._carry_out(self._orders.orders[id], command.command, written))
        self._tasks[id] = task
        task.add_done_callback(lambda done: self._carried_out(id, done))
        return {"order": id, "state": "requested", "durable": await written.durable(DURABLE_WITHIN), "repeated": False}

    def onto(self, view: PowerView) -> PowerView:
        """The same view with what may be ordered now, and what was."""
        view.orders = list(reversed(self._orders.orders.values()))[:SHOWN]
        view.offers = [
            Offer(device, command, ROLES[command], self._why_not(device, command, view))
            for device in self._names
            for command in PlantCommand
            if self._takes(device, command)
        ]
        return view

    # What may be ordered

    def _known(self, command: OrderPlant) -> PlantOrder | None:
        same = (o for o in self._orders.orders.values() if command.key and o.key == command.key)
        return next((o for o in same if (o.device, o.command) == (command.device, command.command)), None)

    def _check_person(self, command: OrderPlant, actor: str) -> None:
        name = self._names.get(command.device)
        if name is None:
            raise order_refusals.no_device(command.device, self._names)
        role = self._role_of(actor)
        if role != CONSOLE and role not in ROLES[command.command]:
            raise self._refusal(command, "role", actor)
        if not command.confirm or command.name != name:
            raise self._refusal(command, "not_confirmed", actor)

    def _refusal(self, command: OrderPlant, why: str, actor: str) -> Refusal:
        words = {"device": command.device, "command": command.command.value, "why": why}
        if self._refused.says(" ".join(words.values()), self._clock.now()):
            self._append(PlantOrderRefused(**words), actor=actor)
        return order_refusals.refusal(command.command, self._names[command.device], why)

    def _terms(self, device: str, command: str) -> Terms | None:
        orderable = self._orderable(device)
        return orderable.terms.get(command) if orderable else None

    def _takes(self, device: str, command: PlantCommand) -> bool:
        relayed = command in RELAYED and bool(self._relay(device))
        return relayed or self._terms(device, command) is not None

    def _relay(self, device: str) -> str:
        kind, _, id = device.partition("/")
        return self.relays.relay(id) if kind == "genset" else ""

    def _why_not(self, device: str, command: PlantCommand, view: PowerView) -> str:
        """An order that is under way is in the way of any other, but not of the one that takes it back."""
        under_way = self._orders.open_on(device)
        if under_way and under_way.command not in TAKES_BACK.get(command, ()):
            return "busy"
        return hindrance(command, self._device(device, command, view), plant_seen(view))

    def _device(self, device: str, command: PlantCommand, view: PowerView) -> Device:
        id, now = device.partition("/")[2], self._clock.now()
        shown = _device_view(view, device)
        terms = self._terms(device, command)
        contact = self.relays.contact(id)
        return Device(
            values={name: seen.value for name, seen in current(shown, now).items()},
            commands=terms is not None,
            needs=terms.needs if terms else {},
            stale=stale(shown, terms.rests_on, terms.max_age_s, now) if terms else (),
            relay=self._relay(device),
            relay_up=self.relays.up,
            held=bool(self._relay(device)) and self.relays.held(id),
            contact=bool(contact.value) if contact else None,
        )

    # Carrying out

    async def _carry_out(self, order: PlantOrder, command: PlantCommand, written: Appended) -> None:
        await written.durable(DURABLE_WITHIN)  # no order goes out that a restart would not know of
        if why := hindrance(command, self._device(order.device, command, self._view()), plant_seen(self._view())):
            return self._end(order, "not_ready", why)
        id = order.device.partition("/")[2]
        if command is PlantCommand.START_RELAY:
            return await self._by_relay(order, command, self.relays.energise(id, order.id))
        released = command is PlantCommand.CANCEL_START and self.relays.held(id)
        if released:
            await self._by_relay(order, command, self.relays.release(id))
            plant = plant_seen(self._view())
            if order.over or hindrance(command, self._device(order.device, command, self._view()), plant):
                return None  # the controller is not heard, or has no such command: what is measured will show
        return await self._by_wire(order, command, told=not released)

    async def _by_relay(self, order: PlantOrder, command: PlantCommand, switched: Awaitable[None]) -> None:
        now = self._clock.now()
        measured = "engine_state" in current(_device_view(self._view(), order.device), now)
        rules = self._site.power
        within_s = relay_within_s(command, measured, rules.start_s, rules.cooldown_min * 60)
        self._tell_sent(order, "relay", within_s)
        try:
            await switched
        except (Refusal, Gone) as e:
            log.error("%s of %s: %s", order.command, order.device, e)
            return self._end(order, "relay_refused")
        word = said("relay", command is PlantCommand.START_RELAY)
        self._tell(order, PlantOrderAccepted(**_about(order), word=word))
        self._watches[order.id] = Watch(order, relay_goals(command), now, now + within_s, "not_observed")

    async def _by_wire(self, order: PlantOrder, command: PlantCommand, *, told: bool) -> None:
        """`told`: this is the order's way, and its outcome is the order's; else it only goes along."""
        orderable = self._orderable(order.device)
        terms = orderable.terms.get(command) if orderable else None
        if orderable is None or terms is None:
            return self._end(order, "not_sent") if told else None

        def on_step(step: Step) -> None:
            if told and step == "sent":
                self._tell_sent(order, orderable.way, terms.within_s)
            elif told:
                self._tell(order, PlantOrderAccepted(**_about(order), word="device"))

        try:
            seen = await orderable.command(command, on_step=on_step)
        except (BusError, CommandError) as e:
            log.error("%s of %s: %s", order.command, order.device, e)
            if told:
                self._end(order, _why(e), self._instead(order, (terms.goal,)))
            return None
        return self._prove(order, said(seen.point, seen.value))

    def _carried_out(self, id: str, done: asyncio.Task[None]) -> None:
        del self._tasks[id]
        if not done.cancelled() and (error := done.exception()):
            log.error("order %s died", id, exc_info=error)
            self._end(self._orders.orders[id], "died")

    def _tell_sent(self, order: PlantOrder, way: str, within_s: float) -> None:
        self._tell(order, PlantOrderSent(**_about(order), way=way, within_s=within_s))

    def _prove(self, order: PlantOrder, seen: str) -> None:
        self._tell(order, PlantOrderProven(**_about(order), proof=seen))

    def _end(self, order: PlantOrder, why: str, seen: str = "") -> None:
        self._tell(order, PlantOrderFailed(**_about(order), why=why, seen=seen))

    def _tell(self, order: PlantOrder, event: Event) -> None:
        if not order.over:
            self._append(event)
        if order.over:
            self._watches.pop(order.id, None)
        self._on_changed()

    # Watching

    def _resume(self) -> None:
        now = self._clock.now()
        for order in [o for o in self._orders.orders.values() if not o.over]:
            terms = self._terms(order.device, order.command)
            if terms is None or order.way == "relay" or order.requested.boot != self._boot:
                self._end(order, "restarted")
                continue
            due = max(order.due or order.requested.mono + terms.within_s, now + RESUME_S)
            self._watches[order.id] = Watch(order, (terms.goal,), order.requested.mono, due, "restarted")

    def _step(self) -> None:
        if not self._watches:
            return
        now = self._clock.now()
        for watch in list(self._watches.values()):
            order, seen = watch.order, self._seen(watch.order.device)
            if found := proof(watch.goals, seen, watch.since):
                self._prove(order, found)
            elif (
                order.command == PlantCommand.START_RELAY and order.device.partition("/")[2] not in self._orders.relays
            ):
                self._end(order, "relay_released", instead(watch.goals, seen))
            elif now >= watch.due:
                self._end(order, watch.late, instead(watch.goals, seen))

    def _seen(self, device: str) -> dict[str, Seen]:
        seen = current(_device_view(self._view(), device), self._clock.now())
        contact = self.relays.contact(device.partition("/")[2]) if device.startswith("genset/") else None
        return seen | ({CONTACT: contact} if contact else {})

    def _instead(self, order: PlantOrder, goals: tuple[Goal, ...]) -> str:
        return instead(goals, self._seen(order.device))


def _device_view(view: PowerView, device: str) -> DeviceView | None:
    kind, _, id = device.partition("/")
    among = view.genset_devices if kind == "genset" else view.ups_devices
    return next((d for d in among if d.id == id), None)


def _about(order: PlantOrder) -> dict[str, str]:
    return {"order": order.id, "device": order.device, "command": order.command}


def _why(error: BusError | CommandError) -> str:
    match error:
        case NotObserved():
            return "not_observed"
        case DeviceRefused() | NotAccepted() | UpsdRefused():
            return "refused"
        case CommandError():
            return "not_ready"
    return "not_sent"
