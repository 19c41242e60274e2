"""Watches the 112 trunk by its witnesses, and journals when it is lost, by whose fault, and when it is back."""

import asyncio
from collections.abc import Callable, Sequence

from appliance.config import Site
from appliance.journal import Appended
from appliance.model import Layer, Standing
from appliance.trunk.verdict_machine import Seen, VerdictMachine, verdict
from appliance.trunk.witness_machine import LossMachine, WitnessMachine
from appliance.trunk.witnesses import Witness, witnesses
from appliance.trunk_view import WITNESSES, WitnessView, unwatched

DOUBT_S = 1.0  # between probes of all while one's last answer speaks against what is believed of it
NO_TRUNK = "internet"  # what events are about where no gateway is named


class TrunkWatch:
    """`on_changed` is called when a figure changed without an event. Give it `asked` to watch by other witnesses."""

    def __init__(
        self, site: Site, append: Callable[..., Appended], on_changed: Callable[[], None] = lambda: None,
        asked: Sequence[Witness] | None = None,
    ) -> None:  # fmt: skip
        self._append, self._on_changed = append, on_changed
        self._needs = site.trunk.needs if site.trunk else ()
        limit = site.trunk.loss_percent if site.trunk else 0.0
        self._watched = {
            w.layer: Watched(w) for w in (witnesses(site.trunk, site.internet) if asked is None else asked)
        }
        self._losses = {name: LossMachine(limit) for name in self._watched if site.trunk}
        self._verdict = VerdictMachine(f"{site.trunk.host}:{site.trunk.port}" if site.trunk else NO_TRUNK)

    @property
    def watches(self) -> bool:
        """Whether the site names anything to watch."""
        return bool(self._watched)

    async def run(self) -> None:
        """Ask for ever, each witness one probe at a time."""
        async with asyncio.TaskGroup() as group:
            for watched in self._watched.values():
                group.create_task(self._hold(watched))
            await asyncio.get_running_loop().create_future()

    async def _hold(self, watched: "Watched") -> None:
        loop = asyncio.get_running_loop()
        while True:
            watched.hurry.clear()
            began = loop.time()
            look = await watched.witness.look()
            now = loop.time()
            watched.took(look.miss, now, (now - began) * 1000)
            if look.sent and (loss := self._losses.get(watched.witness.layer)):
                loss.counted(look.sent, look.lost, now)
                if watched.machine.standing is Standing.LOST:
                    loss.forget()
            if watched.machine.doubtful:
                for other in self._watched.values():
                    other.hurry.set()
            for event in self._verdict.judged(verdict(self._seen(), self._lossy(), self._needs)):
                self._append(event)
            self._on_changed()
            await self._pause(watched, began)

    async def _pause(self, watched: "Watched", began: float) -> None:
        """Until its next turn. Where one witness doubts, all are asked sooner: the layer at fault is found at once."""
        loop = asyncio.get_running_loop()
        poll_s = watched.witness.poll_s
        try:
            async with asyncio.timeout_at(began + poll_s):
                await watched.hurry.wait()
        except TimeoutError:
            return
        await asyncio.sleep(max(0.0, began + min(DOUBT_S, poll_s) - loop.time()))

    def _seen(self) -> dict[str, Seen]:
        return {layer: Seen(w.machine.standing, w.machine.why) for layer, w in self._watched.items()}

    def _lossy(self) -> bool:
        return any(loss.lossy for loss in self._losses.values())

    def views(self) -> list[WitnessView]:
        """All kinds of witnesses, in their order, those that are not watched too."""
        views = {view.id: view for view in unwatched()}
        views |= {layer: watched.view() for layer, watched in self._watched.items()}
        if (worst := self._worst_loss()) is not None:
            standing = Standing.UNKNOWN if worst.percent is None else Standing.LOST if worst.lossy else Standing.UP
            newest = max((w.at for w in self._watched.values() if w.at is not None), default=None)
            views[Layer.LOSS] = WitnessView(Layer.LOSS, standing, since=worst.since, value=worst.percent, at=newest)
        return [views[name] for name in WITNESSES]

    def _worst_loss(self) -> LossMachine | None:
        counting = [loss for name, loss in self._losses.items() if name in (Layer.TRUNK, Layer.CARRIER)]
        return max(counting, key=lambda loss: (loss.lossy, loss.percent or -1.0), default=None)


class Watched:
    """One witness with its machine and its last figures."""

    def __init__(self, witness: Witness) -> None:
        self.witness = witness
        self.machine = WitnessMachine()
        self.hurry = asyncio.Event()
        self.at: float | None = None
        self._ms: float | None = None

    def took(self, miss: str, now: float, ms: float) -> None:
        self.machine.probed(miss, now)
        self.at, self._ms = now, None if miss else ms

    def view(self) -> WitnessView:
        m, w = self.machine, self.witness
        value = None if self._ms is None else round(self._ms, 1)
        return WitnessView(w.layer, m.standing, w.asks, m.why, m.since, value, self.at)
