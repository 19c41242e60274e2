"""When an alert's words go out to a station: pure. Never before its order, and never instead of one.

A station that has said that it has the order gets the announcement by the path that brought it. All clear and false
alarm go to every station that an order went out to.
"""

from collections.abc import Callable, Iterator

import msgspec

from appliance import alert_events as al
from appliance.event import Event
from appliance.model import About, DeliveryState, Path
from appliance.stamp import Stamp
from appliance.state import Alert, Delivery

Since = Callable[[Stamp], float]

HAS_IT = (DeliveryState.RECEIVED, DeliveryState.ENERGISED, DeliveryState.PROVEN)
UNTOLD_AFTER = 300.0  # s in which all clear must go out, else a person says it


class Open(msgspec.Struct, frozen=True):
    """By what a station can be told now; `local`: it is this box."""

    local: bool = False
    mqtt: bool = False
    sms: bool = False


class SendText(msgspec.Struct, frozen=True):
    """Sign and send."""

    about: About
    path: Path


def due(alert: Alert, delivery: Delivery, paths: Open, since: Since) -> Iterator[SendText | Event]:
    """What goes out to one station now."""
    if paths.local:
        return  # its own page and speaker have the alert's words already
    if alert.text and _announces(alert, delivery):
        path = Path.MQTT if delivery.path == Path.MQTT and paths.mqtt else Path.SMS
        if path is Path.MQTT or paths.sms:
            yield SendText(About.ANNOUNCE, path)
    if not _ordered(delivery):
        return
    for told in alert.told:
        if told.about in delivery.told or told.about in delivery.untold:
            continue
        if since(told.at) > UNTOLD_AFTER:
            yield al.DeliveryUntold(alert=alert.id, station=delivery.station, about=told.about, reason="no_path")
        elif paths.mqtt:
            yield SendText(told.about, Path.MQTT)
        elif paths.sms:
            yield SendText(told.about, Path.SMS)


def open_(alert: Alert) -> bool:
    """Whether anything may have to be said for it yet."""
    if alert.told:
        return any(
            _ordered(d) and t.about not in d.told and t.about not in d.untold
            for t in alert.told
            for d in alert.deliveries.values()
        )
    return bool(alert.text) and any(_announces(alert, d) for d in alert.deliveries.values())


def _announces(alert: Alert, delivery: Delivery) -> bool:
    # A locked siren is silent, and people there read the order all the same.
    reads = delivery.state is DeliveryState.REFUSED and delivery.reason == "locked_out"
    waits = About.ANNOUNCE not in delivery.told and (delivery.state in HAS_IT or reads)
    return waits and alert.stopped is None and not alert.told


def _ordered(delivery: Delivery) -> bool:
    """Whether an order went out. One that failed stands there twice: sent, and failed."""
    starts = [a for a in delivery.attempts if a.action == "start" and a.path is not Path.GPIO]
    return sum(-1 if a.failed else 1 for a in starts) > 0 or delivery.energised is not None
