"""The desk's part of the view, made from the fold: the queue, whose calls they are, and what waits for a person."""

from collections.abc import Callable

from appliance.desk import caller_machine, queue_machine
from appliance.desk.directory import Directory
from appliance.desk_state import DeskCall, DeskRecord
from appliance.desk_view import (
    BlockedView,
    BlockOffer,
    CallBackView,
    CallerView,
    DeskView,
    Figures,
    WaitingView,
)
from appliance.fold_desk import DRILL
from drivers.modem.numbers import telephone

MOST_SHOWN = 100  # call-backs, blocks and offers each; a page is no archive

QUIET_STILL = 2.0  # s since the caller's last word in which an offer of a ghost still stands


def desk_view(
    desk: DeskRecord, directory: Directory, rule: caller_machine.Rule, left_out: Callable[[DeskCall], bool],
    speaks: Callable[[str], bool],
    quiet_s: Callable[[str], float | None], greet_after_s: float, today: Figures | None,
) -> DeskView:  # fmt: skip
    """All of it. `speaks` tells of a line whether its caller hears the box."""
    calls = list(desk.open.values())
    calling = {telephone(c.number): c.id for c in calls if not c.incoming and c.number}
    backs = sorted(desk.callbacks.items(), key=lambda item: item[1].first.seq)
    own = directory.own
    return DeskView(
        queue=tuple(
            WaitingView(
                c.line,
                c.id,
                c.number,
                c.began,
                c.greeted,
                bool(c.greeted and speaks(c.line)),
                queue_machine.behind(c, calls),
            )
            for c in queue_machine.waiting(calls, left_out)
        ),
        callers={c.id: caller_view(desk, directory, c.number, c.id) for c in calls if c.why != DRILL},
        callbacks=tuple(
            CallBackView(
                b.calls[-1], b.number, b.line, b.times, b.first, b.last, directory.name(key)[0], calling.get(key, "")
            )
            for key, b in backs
            if key not in own
        )[:MOST_SHOWN],
        blocked=tuple(
            BlockedView(b.number, b.until, b.why, b.since.actor, b.since, b.refused) for b in desk.blocks.values()
        )[:MOST_SHOWN],
        block_offers=tuple(
            BlockOffer(c.number, len(c.pranks), c.past[-1].at if c.past else c.first)
            for _, c in caller_machine.offers(desk, rule, directory.may_block)
        )[:MOST_SHOWN],
        ghost_offers=tuple(c.id for c in calls if c.ghost and (quiet_s(c.id) or 0.0) >= QUIET_STILL),
        directory=directory.views(),
        overflowed=desk.overflowed,
        greet_after_s=greet_after_s,
        today=today,
    )


def caller_view(desk: DeskRecord, directory: Directory, number: str, but: str = "") -> CallerView:
    """What is remembered of a number, without the call `but` that goes on now."""
    key = telephone(number) if number else ""
    name, agency = directory.name(key)
    caller = desk.callers.get(key) if key else None
    if caller is None:
        return CallerView(number, name, agency)
    last = tuple(past for past in reversed(caller.past) if past.call != but)
    now = any(past.call == but for past in caller.past)
    return CallerView(
        number=number,
        name=name,
        agency=agency,
        calls=caller.calls - now,
        first=caller.first if caller.calls > now else None,
        last=last,
        pranks=len(caller.pranks),
        blocked=key in desk.blocks,
    )
