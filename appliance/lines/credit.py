"""The credit of one line's SIM: asked by USSD once a day, journaled, and warned of before it ends.

Never in a call, never while an order is open, never on a postpaid line. What was not understood is unknown, never 0.
"""

import asyncio
import contextlib
import logging
import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from appliance.clock import boot_id
from appliance.config import CreditConfig
from appliance.events import (
    CreditEnough,
    CreditLow,
    CreditPostpaid,
    CreditSeen,
    CreditUnknown,
    LineNarrowed,
)
from appliance.figure import Figure
from appliance.journal import Appended
from appliance.lines.credit_forecast import Limits, Outlook, Seen, low, runs_out
from appliance.lines.credit_schedule import Schedule
from appliance.lines.operator_plan import OperatorPlan, Reading, plan_of
from appliance.lines.ussd_talk import UssdBusy, UssdTalk
from appliance.logs import about
from appliance.state import LineRecord, State
from drivers.clock import Clock
from drivers.modem.errors import CommandRefused, LinkLost, ModemError
from drivers.modem.modem import Modem
from drivers.modem.ussd import STATES, text_of
from drivers.quality import Quality

FRESH = 2 * 86400.0  # s; asked once a day, so one day may be missing
NETWORK_WITHIN = 60.0  # s from leaving LTE until 2G has the line
LOOK_AGAIN = 1.0  # s between looks whether it has
TEXT_KEPT = 120  # characters of an answer in the journal
MAY_PASS = frozenset({"no_answer", "refused", "network_busy"})  # may be otherwise in an hour
SANE = datetime(2025, 1, 1, tzinfo=UTC).timestamp()  # a box that lost its time counts from 1970: no day is judged then
ON_2G = ("2g",)
REGISTERED = ("home", "roaming")

log = logging.getLogger("siaga.lines")


class Interrupted(Exception):
    """A call or an order came, or the modem went: asked again as soon as the line is free."""


class Credit:
    """`look` is called every few seconds. `free`: no call, no order; `may_narrow`: another line stays registered.

    `plans` None: they cannot be read.
    """

    def __init__(
        self, line: str, modem: Modem, talk: UssdTalk, state: State, clock: Clock, append: Callable[..., Appended],
        *, postpaid: bool, plans: tuple[OperatorPlan, ...] | None, config: CreditConfig, zone: ZoneInfo,
        free: Callable[[], bool], may_narrow: Callable[[], bool], uniform: Callable[[float, float], float],
    ) -> None:  # fmt: skip
        self._line, self._modem, self._talk, self._state, self._clock = line, modem, talk, state, clock
        self._append, self._postpaid, self._config, self._zone = append, postpaid, config, zone
        self._plans, self._plans_bad = plans or (), plans is None
        self._free, self._may_narrow = free, may_narrow
        self._boot = boot_id()
        self._schedule = Schedule(uniform)
        self._was_registered = False

    @property
    def _record(self) -> LineRecord:
        return self._state.lines.get(self._line) or LineRecord()

    @property
    def _registered(self) -> bool:
        return self._modem.up and self._modem.status.registration in REGISTERED

    async def look(self) -> None:
        """Ask if it is time, and judge what is known."""
        if self._record.narrowed and self._modem.up and self._free():
            await self._widen()
        if self._postpaid:
            if self._record.credits or self._record.credit_unknown:
                self._append(CreditPostpaid(line=self._line))
            return
        now, registered = self._clock.now(), self._registered
        if registered and not self._was_registered:
            asked = self._record.credit_asked
            ago = asked.elapsed(now, self._clock.wall(), self._boot) if asked else None
            self._schedule.registered(now, ago)
        self._was_registered = registered
        if registered and self._schedule.is_due(now) and self._free() and not self._talk.busy:
            with contextlib.suppress(Interrupted):
                await self._ask()
        self._judge()

    async def _ask(self) -> None:
        operator = self._modem.status.operator
        if operator is None:
            return  # asked as soon as it says
        plan = plan_of(operator, self._plans)
        if plan is None:
            self._not_known("bad_plans" if self._plans_bad else "no_plan", "")
            return
        reading, text = await self._codes(plan)
        if reading.not_read == "refused" and self._can_narrow():
            reading, text = await self._codes_on_2g(plan, reading)
        if reading.not_read:
            self._not_known(reading.not_read, text)
            return
        self._schedule.told(self._clock.now())
        until = reading.until.isoformat() if reading.until else ""
        self._append(CreditSeen(line=self._line, rupiah=reading.rupiah, until=until, text=shortened(text)))

    def _not_known(self, reason: str, text: str) -> None:
        """Journaled once the day's tries are over, and once for each reason."""
        final = self._schedule.failed(self._clock.now(), may_pass=reason in MAY_PASS)
        if final and self._record.credit_unknown != reason:
            self._append(CreditUnknown(line=self._line, reason=reason, text=shortened(text)))

    async def _codes(self, plan: OperatorPlan) -> tuple[Reading, str]:
        """The first code's answer that is understood, else the last one that had a text."""
        found, said = Reading(not_read="no_answer"), ""
        for code in plan.codes:
            reading, text = await self._one(plan, code)
            if not reading.not_read:
                return reading, text
            if text or (not said and found.not_read != "refused"):
                found, said = reading, text
        return found, said

    async def _one(self, plan: OperatorPlan, code: str) -> tuple[Reading, str]:
        if not self._free():
            raise Interrupted
        try:
            said = await self._talk.ask(code)
            if said is not None and STATES.get(said.state) == "asks":
                with contextlib.suppress(CommandRefused):
                    await self._talk.give_up()
        except CommandRefused:
            return Reading(not_read="refused"), ""
        except (UssdBusy, LinkLost) as e:
            raise Interrupted from e
        except (ModemError, TimeoutError):
            return Reading(not_read="no_answer"), ""
        text = text_of(said) if said is not None else ""
        if text:
            return plan.read(text), text
        refused = said is not None and STATES.get(said.state) == "not_supported"
        return Reading(not_read="refused" if refused else "no_answer"), ""

    # The way round over 2G

    def _can_narrow(self) -> bool:
        on_2g = self._modem.status.technology in ON_2G
        return self._modem.can_narrow and not on_2g and self._free() and self._may_narrow()

    async def _codes_on_2g(self, plan: OperatorPlan, before: Reading) -> tuple[Reading, str]:
        """Ask once more on 2G. The journal knows of it first, so that a box that dies meanwhile comes back to LTE."""
        self._append(LineNarrowed(line=self._line, networks="2g"))
        found: tuple[Reading, str] = before, ""
        try:
            if not await self._modem.narrow():
                self._append(LineNarrowed(line=self._line, networks="all"))
                return found
            await self._until_on_2g()
            found = await self._codes(plan)
        except (ModemError, TimeoutError) as e:
            log.warning("%s: credit could not be asked on 2G: %s", self._line, e, extra=about(line=self._line))
        finally:
            if self._record.narrowed and self._free():
                await self._widen()
        return found

    async def _until_on_2g(self) -> None:
        async with asyncio.timeout(NETWORK_WITHIN):
            while not (self._registered and self._modem.status.technology in ON_2G):
                await asyncio.sleep(LOOK_AGAIN)
                if not self._free():
                    raise Interrupted

    async def _widen(self) -> None:
        try:
            await self._modem.widen()
        except ModemError as e:
            log.warning("%s: it is not back on all networks yet: %s", self._line, e, extra=about(line=self._line))
        else:
            self._append(LineNarrowed(line=self._line, networks="all"))

    # What follows from it

    def _today(self) -> date | None:
        wall = self._clock.wall()
        return datetime.fromtimestamp(wall, self._zone).date() if wall >= SANE else None

    def _runs_out(self, record: LineRecord, today: date | None) -> date | None:
        seen = [Seen(credit.at.wall, credit.rupiah) for credit in record.credits if credit.at.wall >= SANE]
        return runs_out(seen, today, self._clock.wall()) if today else None

    def _judge(self) -> None:
        record, today = self._record, self._today()
        if not record.credits or today is None:
            return
        last = record.credits[-1]
        until = date.fromisoformat(last.until) if last.until else None
        found = low(
            Outlook(last.rupiah, until, self._runs_out(record, today)), self._limits(), today,
            was_low=bool(record.credit_low),
        )  # fmt: skip
        if found and not record.credit_low:
            self._append(CreditLow(line=self._line, why=found.why, days=found.days))
        elif not found and record.credit_low:
            self._append(CreditEnough(line=self._line))

    def _limits(self) -> Limits:
        plan = plan_of(self._modem.status.operator or "", self._plans)
        usual = plan.low_rupiah if plan else 0
        return Limits(usual if self._config.low_rupiah is None else self._config.low_rupiah, self._config.days)

    def figure(self) -> Figure | None:
        """The credit; None on a line that is never asked. Not known when the last look told nothing."""
        if self._postpaid:
            return None
        now, record = self._clock.now(), self._record
        if not record.credits:
            return Figure(None, "Rp", Quality.UNIMPLEMENTED, now, FRESH)
        last = record.credits[-1]
        at = now - last.at.elapsed(now, self._clock.wall(), self._boot)
        return Figure(last.rupiah, "Rp", Quality.GOOD, at, FRESH)

    def why(self) -> str:
        """Code of why the last look told nothing, "" when it did; of a postpaid line `postpaid`."""
        record = self._record
        if self._postpaid:
            return "postpaid"
        return record.credit_unknown or ("" if record.credits else "not_asked")

    def until(self) -> str:
        return self._record.credits[-1].until if self._record.credits else ""

    def forecast(self) -> str:
        day = self._runs_out(self._record, self._today())
        return day.isoformat() if day else ""


def shortened(text: str) -> str:
    """An answer's beginning on one line, without numbers that may be a telephone's."""
    return re.sub(r"\+?\d{9,}", "…", " ".join(text.split()))[:TEXT_KEPT]
