"""What pages and commands are shown of the trunk and the fallback; part of the view."""

import msgspec

from appliance.config import Site
from appliance.model import Layer
from appliance.stamp import Stamp
from appliance.state import Fallback, State

WITNESSES = (Layer.TRUNK, Layer.ROUTE, Layer.CARRIER, Layer.DNS, Layer.LOSS)  # in this order they are shown


class WitnessView(msgspec.Struct, frozen=True):
    """One witness of the trunk. `since` and `at` are the box's monotonic seconds."""

    id: str
    standing: str  # "unwatched", "unknown", "up", "lost"
    asks: str = ""  # the address or name that is asked
    why: str = ""  # code of the last miss
    since: float | None = None
    value: float | None = None  # milliseconds of the last answer; percent of "loss"
    at: float | None = None  # of the last probe


class AgencyView(msgspec.Struct, frozen=True):
    id: str
    name: str
    phone: str
    uses: tuple[str, ...]
    told: Stamp | None


class DutyView(msgspec.Struct, frozen=True):
    """A person on duty. `declared` and `over`: the texts' states (model.OutgoingState), "" while there is none."""

    name: str
    declared: str = ""
    over: str = ""
    why: str = ""  # code of why no text could be taken on


class FallbackView(msgspec.Struct, frozen=True):
    """The fallback that stands or stood last. `stands` is false before the first."""

    stands: bool
    why: str
    declared: Stamp | None
    over: Stamp | None
    over_why: str
    citizens: tuple[str, ...]
    agencies: list[AgencyView]
    duty: list[DutyView]


def unwatched() -> list[WitnessView]:
    return [WitnessView(name, "unwatched") for name in WITNESSES]


def citizens_of(site: Site) -> tuple[str, ...]:
    return site.fallback.citizens or tuple(line.number for line in site.line)


def fallback_view(site: Site, state: State) -> FallbackView:
    """From what the journal says alone."""
    now = state.fallback
    citizens = citizens_of(site)
    told = now.told if now else {}  # when it is over, these must hear that too
    return FallbackView(
        stands=bool(now and now.stands),
        why=now.why if now else "",
        declared=now.declared if now else None,
        over=now.over if now else None,
        over_why=now.over_why if now else "",
        citizens=citizens,
        agencies=[
            AgencyView(a.id, a.name, a.phone[0], (a.uses,) if a.uses else citizens, told.get(a.id))
            for a in site.agency
            if a.id in site.fallback.agencies
        ],
        duty=[_duty(d.name, now, state) for d in site.duty],
    )


def _duty(name: str, now: Fallback | None, state: State) -> DutyView:
    if now is None:
        return DutyView(name)

    def sent(what: str) -> str:
        row = state.outgoing.get(now.notices.get(f"{what}/{name}", ""))
        return str(row.state) if row else ""

    return DutyView(name, sent("declared"), sent("over"), now.unsent.get(name, ""))
