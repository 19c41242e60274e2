"""What `siaga alert list` prints: each alert with its times, each station with when it sounded and was acknowledged."""

from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec

from appliance.cli_alert_tell import contact_lines
from appliance.model import AlertKind
from appliance.stamp import Stamp
from appliance.state import Alert, Delivery
from appliance.view import View

PROOFS = ("energised", "proven", "heard", "acknowledged", "silenced")


def alert_rows(view: View, zone: ZoneInfo, *, only: str = "") -> list[str]:
    """Those that wait for somebody first, then the newest. `only`: one id."""
    alerts = [a for a in view.alerts if only in ("", a.id)]
    return [row for alert in alerts for row in _alert(alert, view, zone)] or ["No orders."]


def _alert(alert: Alert, view: View, zone: ZoneInfo) -> Iterator[str]:
    state = "open"
    if alert.ended is not None:
        state = f"ended {_at(alert.ended, view, zone)}"
    elif alert.stopped is not None:
        state = f"stop ordered {_at(alert.stopped, view, zone)}"
    by = f" by {alert.issued.actor}" if alert.issued.actor else ""
    yield f"{alert.id} {_at(alert.issued, view, zone)}{by} {alert.kind} {alert.pattern} {alert.seconds} s, {state}"
    for delivery in alert.deliveries.values():
        yield _delivery(alert, delivery, view, zone)
    yield from contact_lines(msgspec.to_builtins(alert))
    for told in alert.told:
        yield f"  {_at(told.at, view, zone)} {told.about.replace('_', ' ')}: {told.text}".rstrip(": ")


def _delivery(alert: Alert, d: Delivery, view: View, zone: ZoneInfo) -> str:
    path = f" by {d.path}" if d.path else ""
    told = [f"{d.state}{path} {_at(d.since, view, zone)} {d.reason}".rstrip()]
    told += [f"{name} {_at(at, view, zone)}" for name in PROOFS if (at := getattr(d, name)) and name != d.state]
    if d.handled is not None:
        who = f" by {d.handled.actor}" if d.handled.actor else ""
        told.append(f"card: {d.outcome.replace('_', ' ')}{who} {_at(d.handled, view, zone)} {d.outcome_text}".rstrip())
    elif d.card is not None and alert.kind is not AlertKind.ACTUAL:
        told.append(f"the TEST failed ({d.card_reason})")
    elif d.card is not None:
        what = "PHONE this station" if d.unhandled else "card, nobody said what came of it"
        told.append(f"{what} ({d.card_reason}, since {_at(d.card, view, zone)})")
    return f"  {d.station:<20} {', '.join(told)}"


def _at(stamp: Stamp, view: View, zone: ZoneInfo) -> str:
    """The time of day, and the day where it is not today."""
    when, now = datetime.fromtimestamp(stamp.wall, zone), datetime.fromtimestamp(view.wall, zone)
    return f"{when:%H:%M:%S}" if when.date() == now.date() else f"{when:%Y-%m-%d %H:%M:%S}"
