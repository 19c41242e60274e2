"""What a station's page shows of its orders, proofs, lockout and faults."""

from collections.abc import Iterable, Mapping

from appliance.alert_state import OwnState
from appliance.alert_view import OwnView
from appliance.config import Site

SHOWN = 12  # orders; the journal has them all


NOTICE_S, OVER_S = 8 * 86_400.0, 3600.0  # s that words about a test are shown: a week ahead of it; an hour behind


def own_view(
    site: Site, own: OwnState, *, wall: float = 0.0, faults: Iterable[str], centres: Mapping[str, float | None]
) -> OwnView:
    """`faults`: the box's own, by their names; those of outputs are in the journal's state."""
    assert site.own is not None
    notice = own.notice
    if notice is not None and wall - notice.at.wall > (OVER_S if notice.over else NOTICE_S):
        notice = None
    orders = sorted(own.orders.values(), key=lambda o: (o.ended is not None, -o.accepted.seq))
    return OwnView(
        name=site.name,
        zones=tuple((zone.id, zone.name) for zone in site.own.zone),
        orders=tuple(orders[:SHOWN]),
        lockout=own.lockout,
        faults=(*sorted(own.faults), *faults),
        turnout_s=site.own.watch.turnout_s,
        centres=tuple(centres.items()),
        silent_s=site.own.watch.centre_silent_s,
        notice=notice,
    )
