"""One run of a test: which stations are asked by which way next, what came of it, when it is over.

Pure, from the folded run and the alerts that it made, so that a restart of core in the middle asks nobody twice.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

import msgspec

from appliance.alert_state import StationTest
from appliance.model import AlertKind, DeliveryState, Path
from appliance.stamp import Stamp
from appliance.state import CERTAINTY, Alert, Delivery

SIREN = "siren"  # what a sounding test is of, in place of a path
WAYS = {"silent": ("gpio", "mqtt", "sms"), "sms_probe": ("sms",), "voice": ("voice",), "sounding": (SIREN,)}
# Stations asked at once. A text takes a modem 2 s and is in the way of nothing more urgent; a call takes a line.
BATCH = {"gpio": 1, "mqtt": 2000, "sms": 10, "voice": 1, SIREN: 2000}
NEXT_AFTER = {
    "gpio": 60.0,
    "mqtt": 60.0,
    "sms": 120.0,
    "voice": 240.0,
    SIREN: 0.0,
}  # s; then who has not answered holds up nobody
ANSWER_WITHIN = {
    "gpio": 30.0,
    "mqtt": 60.0,
    "sms": 420.0,
    "voice": 300.0,
}  # s; an order by SMS is believed for 300 s, and an answer
LONGEST = 10 * 3600.0  # s of a run; the night and its morning
FINAL = ("not_allowed", "locked_out")  # refusals by which a station says that its siren stays silent: rules
SOUND_GRACE = 120.0  # s behind a siren's last second for the alert's end
MOST_CALLS = 60  # stations of one voice test: an hour or two by day; who waits longest comes first

Since = Callable[[Stamp], float]


class Ask(msgspec.Struct, frozen=True):
    """Give an order of the run to these stations, `way` as in WAYS; `number` counts the run's orders of that way."""

    way: str
    stations: tuple[str, ...]
    number: int


class Result(msgspec.Struct, frozen=True):
    station: str
    way: str
    good: bool
    reason: str = ""
    seconds: float = 0.0
    skipped: bool = False  # not tested, by a rule


class Quit(msgspec.Struct, frozen=True):
    """A siren's test gives way to a real alert: stop it."""

    alert: str


class Over(msgspec.Struct, frozen=True):
    good: int
    bad: int
    skipped: int = 0


Step = Ask | Result | Quit | Over


def chosen(
    what: str, stations: Sequence[str], ways: Mapping[str, Collection[str]], proven: Callable[[str], float]
) -> tuple[str, ...]:
    """Those of the stations that the test can ask. `proven`: when one last answered a call; 0: never."""
    able = [s for s in stations if any(way in ways.get(s, ()) for way in WAYS[what])]
    return tuple(sorted(able, key=proven)[:MOST_CALLS] if what == "voice" else able)


def steps(
    run: StationTest,
    alerts: Sequence[Alert],
    ways: Mapping[str, Collection[str]],
    locked: Collection[str],
    since: Since,
    boot: str,
    *,
    urgent: bool,
    sms_each_s: float = 0.0,
) -> list[Step]:
    """What to do now. `alerts`: those of the run, oldest first. `ways`: what each station of the site file has.

    `sms_each_s`: so many for a text on average, or the network takes the box for one that sends advertisements.
    `locked`: stations whose siren a person took out of service. `urgent`: a real alert is open, nothing begins.
    """
    if run.ended is not None:
        return []
    done = {(line.station, line.path) for line in run.lines}
    found: list[Step] = []
    # A station that never had this way has nothing to fail there.
    left = [(s, way) for way in run.paths for s in run.stations if (s, way) not in done and way in ways.get(s, (way,))]
    too_long = since(run.begun) > LONGEST
    for way in run.paths:
        asked = _asked(way, alerts, boot)
        waiting: list[str] = []
        begun = 0
        for station in [s for s, w in left if w == way]:
            alert = asked.get(station)
            result = (
                _result(station, way, alert, locked, since) if way in ways.get(station, ()) else _gone(station, way)
            )
            if result is None and too_long:
                result = Result(station, way, False, "not_finished")
            if result is not None:
                found.append(result)
            elif alert is None:
                waiting.append(station)
            elif since(alert.issued) < NEXT_AFTER[way]:
                begun += 1
        last = next((a for a in reversed(alerts) if _way(a) == way), None)
        paced = way != Path.SMS or last is None or since(last.issued) >= sms_each_s * len(last.deliveries)
        if waiting and not begun and not urgent and paced:
            number = sum(1 for alert in alerts if _way(alert) == way)
            found.append(Ask(way, tuple(waiting[: BATCH[way]]), number))
    if urgent:
        found += [Quit(a.id) for a in alerts if _way(a) == SIREN and a.stopped is None and a.ended is None]
    results = [step for step in found if isinstance(step, Result)]
    if len(results) == len(left):
        good, skipped = sum(r.good for r in results), sum(r.skipped for r in results)
        found.append(Over(run.good + good, run.bad + len(results) - good - skipped, run.skipped + skipped))
    return found


def _asked(way: str, alerts: Sequence[Alert], boot: str) -> dict[str, Alert]:
    """By station its newest order of this way. What a reboot cut off is asked anew, but for what sounds."""
    counts = [a for a in alerts if _way(a) == way and (way == SIREN or a.issued.boot == boot or _answered(a, way))]
    return {station: alert for alert in counts for station in alert.deliveries}


def _way(alert: Alert) -> str:
    return SIREN if alert.kind is AlertKind.SOUNDING_TEST else str(alert.paths[0]) if alert.paths else ""


def _answered(alert: Alert, way: str) -> bool:
    return all(_passed(delivery, way) for delivery in alert.deliveries.values())


def _gone(station: str, way: str) -> Result:
    return Result(station, way, False, "not_in_site")


def _result(station: str, way: str, alert: Alert | None, locked: Collection[str], since: Since) -> Result | None:
    """None: not known yet."""
    if way == SIREN:
        return _sounded(station, alert, locked, since)
    if alert is None:
        return None
    delivery = alert.deliveries[station]
    if (stamp := _passed(delivery, way)) is not None:
        return Result(station, way, True, seconds=_between(alert, stamp))
    if delivery.over or since(alert.issued) > ANSWER_WITHIN[way]:
        return Result(station, way, False, _why(delivery))
    return None


def _passed(delivery: Delivery, way: str) -> Stamp | None:
    """When the station answered by this very way. A refusal because of a lockout is a signed answer too."""
    if way == Path.VOICE:
        return delivery.acknowledged if delivery.by == Path.VOICE else None
    locked = delivery.state is DeliveryState.REFUSED and delivery.reason == "locked_out"
    heard = delivery.state is DeliveryState.ENDED or (
        CERTAINTY[DeliveryState.RECEIVED] <= CERTAINTY[delivery.state] <= CERTAINTY[DeliveryState.PROVEN]
    )
    return delivery.since if delivery.path == way and (heard or locked) else None


def _sounded(station: str, alert: Alert | None, locked: Collection[str], since: Since) -> Result | None:
    """Known at the end, with the strongest proof that there was."""
    if alert is None:
        return Result(station, SIREN, False, "locked_out", skipped=True) if station in locked else None
    delivery = alert.deliveries[station]
    late = since(alert.issued) > alert.lifetime_s + alert.seconds + SOUND_GRACE
    refused = delivery.state in (DeliveryState.REFUSED, DeliveryState.FAILED) and delivery.reason in FINAL
    if not (delivery.over or alert.ended or late or refused):
        return None
    if delivery.energised is None:
        # A test that gave way to a real alert says nothing of this siren either.
        why = "alert_open" if alert.stopped else _why(delivery)
        return Result(station, SIREN, False, why, skipped=refused or alert.stopped is not None)
    proof = "heard" if delivery.heard else "proven" if delivery.proven else "energised"
    return Result(station, SIREN, True, proof, _between(alert, delivery.energised))


def _why(delivery: Delivery) -> str:
    if delivery.reason:
        return delivery.reason
    if delivery.attempts and delivery.attempts[-1].path is Path.VOICE and delivery.attempts[-1].failed:
        return delivery.attempts[-1].failed
    return "no_answer" if any(not attempt.failed for attempt in delivery.attempts) else "not_sent"


def _between(alert: Alert, stamp: Stamp) -> float:
    same = stamp.boot == alert.issued.boot
    return round(max(0.0, stamp.mono - alert.issued.mono if same else stamp.wall - alert.issued.wall), 1)


def of_run(alerts: Mapping[str, Alert], run: str) -> Iterator[Alert]:
    """The alerts that a run made, oldest first."""
    yield from (alert for alert in alerts.values() if alert.test == run)
