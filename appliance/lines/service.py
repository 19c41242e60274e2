"""All lines of the box: each lives and fails alone; what must go out is shared among them by `outgoing`."""

import asyncio
import logging
import random
from collections.abc import Callable
from pathlib import Path

from appliance.config import ZONES, Site
from appliance.config import Line as LineConfig
from appliance.events import CallEnded, CallMissed, LineDown, TaskDied
from appliance.journal import Appended
from appliance.keeper import Keeper
from appliance.lines.bench import Bench
from appliance.lines.call_machine import Reason
from appliance.lines.line import Line
from appliance.lines.line_view import line_view
from appliance.lines.operator_plan import FOLDER as OPERATORS
from appliance.lines.operator_plan import OperatorPlan, PlanError, load_plans
from appliance.lines.outgoing import Outgoing
from appliance.lines.outgoing_machine import Cap
from appliance.lines.surroundings import Means
from appliance.lines.switchboard import Switchboard
from appliance.model import CallPhase
from appliance.state import Link, State
from appliance.view import LineView
from drivers.clock import Clock
from drivers.modem.pdu import StatusReport
from drivers.modem.profile import ProfileError, load_profiles
from drivers.modem.session import UNKNOWN

log = logging.getLogger("siaga.lines")


class Lines(Switchboard):
    """`on_data` gets number and octets of each binary message on ORDER_PORT; `recordings` is a folder for LINE.rec.

    With modem profiles that cannot be read there are no lines, and each says so; the box works on without them.
    """

    def __init__(
        self, *, site: Site, profiles: Path, state: State, clock: Clock, append: Callable[..., Appended],
        on_changed: Callable[[], None], on_data: Callable[[str, bytes], None], recordings: Path | None = None,
        on_time: Callable[[str, float], None] = lambda line, offset: None,
        uniform: Callable[[float, float], float] = random.uniform,
    ) -> None:  # fmt: skip
        self._site, self._clock, self._append = site, clock, append
        lines: dict[str, Line] = {}
        self._fault = ""
        self._on_changed = on_changed
        plans = self._plans(profiles)
        try:
            makes = load_profiles(profiles / "modems")
        except ProfileError as e:
            self._fault = str(e)
        else:
            means = Means(
                plans=plans, credit=site.credit, zone=ZONES[site.zone], on_time=on_time, stability=site.stability,
                uniform=uniform, urgent=self._urgent, others=self._another_registered,
            )  # fmt: skip
            lines = {
                c.id: Line(
                    c, makes, state, clock, append, self._changed, on_data,
                    recordings / f"{c.id}.rec" if recordings else None, means, self._report,
                )
                for c in site.line
            }  # fmt: skip
        super().__init__(lines, state, plans or (), site.calls.keep_free)
        self.outgoing = Outgoing(
            lines=lines, state=state, clock=clock, append=append, fault=self._fault,
            cap=Cap(site.sms.per_hour, site.sms.burst), operators=plans or (),
        )  # fmt: skip

    def _plans(self, profiles: Path) -> tuple[OperatorPlan, ...] | None:
        try:
            return load_plans(profiles / OPERATORS)
        except PlanError as e:
            log.error("no credit is asked: %s", e)
            return None

    def _urgent(self) -> bool:
        """An order is open, or a siren sounds here."""
        return bool(self._state.open_alerts()) or any(siren.on for siren in self._state.sirens.values())

    def _another_registered(self, name: str) -> bool:
        narrowed = {other for other, record in self._state.lines.items() if record.narrowed}
        return any(line.registered for other, line in self._lines.items() if other not in narrowed | {name})

    async def run(self) -> None:
        """Hold all lines for as long as the process lives."""
        self._close_forgotten_calls()
        if self._fault:
            log.error("no line works: %s", self._fault)
            for config in self._site.line:
                self._append(LineDown(line=config.id, reason=self._fault[:200], code="bad_profile"))
        keeper = Keeper(self._died)
        keeper.keep("outgoing messages", self.outgoing.run)
        for name, line in self._lines.items():
            keeper.keep(f"line {name}", line.run)
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            await keeper.stop()

    def _died(self, task: str, reason: str) -> None:
        self._append(TaskDied(task=task, reason=reason[:300]))

    def _changed(self) -> None:
        self.outgoing.wake()
        self._on_changed()

    def _report(self, line: str, report: StatusReport) -> Appended | None:
        return self.outgoing.report(line, report)

    def _close_forgotten_calls(self) -> None:
        """Calls that the journal has as going on, and that no line follows: their line is gone from the site file."""
        followed = {name for line in self._lines.values() for name in line.telephone.calls}
        for call in [c for c in self._state.calls.values() if c.live and c.id not in followed]:
            if call.phase in (CallPhase.RINGING, CallPhase.WAITING):
                self._append(CallMissed(line=call.line, call=call.id))
            else:
                self._append(CallEnded(line=call.line, call=call.id, seconds=0.0, reason=Reason.LINE_LOST))

    def up(self) -> bool:
        """Whether a message could be sent now."""
        return any(line.registered for line in self._lines.values())

    def registered(self) -> int:
        """How many lines could send a message now."""
        return sum(1 for line in self._lines.values() if line.registered)

    async def send_data(self, number: str, payload: bytes, purpose: str) -> None:
        """One binary message to ORDER_PORT, before all else. Raises OSError with all reasons when no line took it."""
        await self.outgoing.send_data(number, payload, purpose)

    def bench(self, line: str) -> Bench:
        """What a technician may ask of a line. Raises Refusal when there is none."""
        return self._line(line).bench

    def views(self) -> list[LineView]:
        if not self._fault:
            return [line.view() for line in self._lines.values()]
        now = self._clock.now()
        return [
            line_view(c, up=False, down="bad_profile", status=UNKNOWN, at=now, modem="", link=self._link(c), call=None)
            for c in self._site.line
        ]

    def _link(self, config: LineConfig) -> Link | None:
        return self._state.links.get(f"line/{config.id}")
