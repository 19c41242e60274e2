"""When the fallback is declared and when it is over, and who must be told by SMS: pure, from the folded state.

Nothing is remembered here, so a restart goes on where the journal says.
"""

from collections.abc import Callable, Iterable
from typing import NamedTuple

from appliance.call_events import FallbackDeclared, FallbackOver
from appliance.model import Layer, Trunk
from appliance.stamp import Stamp
from appliance.state import State
from appliance.trunk_events import BY_PERSON, RESTORED

NOTICE_LIFETIME = 1800  # s; who could not be reached by SMS for so long was told by the page, or is asleep
DECLARED, OVER = "declared", "over"

Since = Callable[[Stamp], float]


class Plan(NamedTuple):
    """`after_s` of a lost trunk it is declared, if `automatic`; after `steady_s` of a good one it is over."""

    automatic: bool
    after_s: float
    steady_s: float


class Notice(NamedTuple):
    """A text that must go out to a person on duty. The same `key` is never two texts."""

    duty: str
    what: str  # DECLARED, OVER
    key: str


def due(state: State, plan: Plan, since: Since) -> FallbackDeclared | FallbackOver | None:
    """What the trunk's standing makes of the fallback now."""
    verdict, now = state.trunk_verdict, state.fallback
    if verdict is None:
        return None  # nothing is known yet: that neither declares it nor ends it
    stands = now is not None and now.stands
    if verdict.standing == Trunk.DOWN:
        if stands or state.fallback_refused or not plan.automatic or since(verdict.since) < plan.after_s:
            return None
        return FallbackDeclared(why=verdict.layer)
    if now is None or not stands or now.why == BY_PERSON or verdict.layer == Layer.LOSS:
        return None
    steady = verdict.since if verdict.standing == Trunk.UP or state.trunk is None else state.trunk.since
    return FallbackOver(why=RESTORED) if since(steady) >= plan.steady_s else None


def notices(state: State, duty: Iterable[str], since: Since) -> list[Notice]:
    """Texts that were not given yet: to all on duty when it is declared, and to those who had that when it is over."""
    now = state.fallback
    if now is None:
        return []
    if now.over is None:
        what = DECLARED
        names = [name for name in duty if f"{DECLARED}/{name}" not in now.notices]
    else:
        what = OVER
        known = [name for name in duty if now.notices.get(f"{DECLARED}/{name}")]
        late = since(now.over) >= NOTICE_LIFETIME
        names = [name for name in known if f"{OVER}/{name}" not in now.notices and not late]
    return [Notice(name, what, f"fallback {now.id} {what}/{name}") for name in names]
