"""A station's own page: what, where, since when, what proves that it sounds, and whether somebody here has seen it.

It is read from five metres. What is no real order has another frame and the huge word, and nothing of it is red.
"""

from typing import Any, NamedTuple

from appliance.alert_state import OwnLockout, OwnOrder
from appliance.alert_view import OwnView
from appliance.fold_stations import BARRED
from appliance.incident_codes import incident
from appliance.model import AlertKind
from appliance.stamp import Stamp
from appliance.view import View
from web.scene import Mark, Scene, actor_words

KEPT_S = 1800.0  # a real order stays on the screen after its siren has ended: its address is still being driven to
TEST_KEPT_S = 90.0  # a test that has ended need only be seen to have been one
LENGTHS = ((20, "xl"), (44, "l"), (90, "m"))  # letters of a place, and how large it can stand
LISTED = 12  # orders in the list of the last ones; the journal has them all


class ProofRow(NamedTuple):
    name: str
    mark: Mark
    when: str


class Order(NamedTuple):
    """`test`: not the real thing. `from_mono` and `seconds`: of the timer that runs, None when it does not."""

    alert: str
    code: str
    test: bool
    kind: str
    what: str
    where: str
    size: str
    zones: str
    clock: str
    span: str
    path: str
    from_mono: float | None
    seconds: int
    turnout: str  # once it is known
    late: bool
    target: int
    acknowledged: str
    may_acknowledge: bool
    told: str  # all clear, false alarm
    barred: bool  # a lockout keeps it silent
    ended: str
    proofs: tuple[ProofRow, ...]


class LastOrder(NamedTuple):
    when: str
    test: bool
    kind: str
    what: str
    path: str
    proofs: str
    turnout: str
    ended: str


class Centre(NamedTuple):
    name: str
    mark: Mark


def own_panel(scene: Scene) -> dict[str, Any]:
    own = scene.view.own
    if own is None:
        return {"own": None, "first": None}
    cards = [_card(scene, own, order) for order in shown(scene, own)]
    return {
        "own": own,
        "first": cards[0] if cards else None,
        "others": cards[1:],
        "lockout": _lockout(scene, own.lockout),
        "faults": faults(scene, own.faults) if scene.live else [],
        "centres": [_centre(scene, own, name, heard) for name, heard in own.centres],
        "may": (scene.known or scene.here) and scene.live,
        "last": own.orders and _last_told(scene, own),
    }


def own_orders_panel(scene: Scene) -> dict[str, Any]:
    """The last orders, newest first, as a station's log book has them."""
    own = scene.view.own
    orders = sorted(own.orders, key=lambda o: -o.accepted.seq)[:LISTED] if own else []
    return {"orders": [_last(scene, own, order) for order in orders if own]}


def own_inputs(view: View) -> object:
    return view.own


def shown(scene: Scene, own: OwnView) -> list[OwnOrder]:
    """What stands on the screen: the real before the rest, what nobody has acknowledged first, then the newest.

    An order that ended unseen before the one they now drive to keeps its button below: it takes nobody's address away.
    """
    kept = [o for o in own.orders if o.ended is None or scene.since(o.accepted) < _kept(o)]
    driven = max((o.accepted.seq for o in kept if not _test(o) and not o.about and o.acknowledged), default=-1)

    def waits(order: OwnOrder) -> bool:
        return order.acknowledged is None and (order.ended is None or order.accepted.seq > driven)

    return sorted(kept, key=lambda o: (_test(o), o.about != "", not waits(o), -o.accepted.seq))


def _kept(order: OwnOrder) -> float:
    return order.seconds + TEST_KEPT_S if _test(order) else KEPT_S


def _test(order: OwnOrder) -> bool:
    return order.kind != AlertKind.ACTUAL


def faults(scene: Scene, codes: tuple[str, ...]) -> list[str]:
    """ "siren/stuck" -> the fault in words, with the output's name where there is one."""
    told = []
    for code in codes:
        about, _, fault = code.rpartition("/")
        told.append(" · ".join(filter(None, [scene.words.code("fault", fault), about])))
    return told


def what_of(scene: Scene, code: int) -> str:
    """An incident code in words; without one it is a siren order."""
    name = incident(code)
    return scene.words.code("incident", name) if name else scene.words("own.no_incident")


def _card(scene: Scene, own: OwnView, order: OwnOrder) -> Order:
    words, test = scene.words, _test(order)
    names = dict(own.zones)
    runs = not test and order.acknowledged is None and not order.about
    since = scene.since(order.accepted)
    taken = order.turnout_s
    return Order(
        order.alert, order.alert[:4].upper(), test, words.code("kind", order.kind), _what(scene, order),
        order.text, next((size for most, size in LENGTHS if len(order.text) <= most), "s"),
        ", ".join(names.get(z, z) for z in order.zones) or words("own.whole"),
        scene.clock(order.accepted), words.span(since), words.code("path", order.path),
        scene.now - since if runs else None, int(since),
        _minutes(taken) if taken is not None and not test else "", taken is not None and taken > own.turnout_s,
        int(own.turnout_s),
        words("own.acknowledged", clock=scene.clock(order.acknowledged)) if order.acknowledged else "",
        order.acknowledged is None and order.kind != AlertKind.SILENT_TEST and not order.about,
        words.code("own.told", order.about) if order.about else "", order.why == BARRED,
        words.code("own.why", order.why) if order.why == BARRED else
        words("own.ended", clock=scene.clock(order.ended), why=words.code("own.why", order.why)) if order.ended else "",
        proofs(scene, order),
    )  # fmt: skip


def _what(scene: Scene, order: OwnOrder) -> str:
    """A test of nothing in particular is called by its kind: it is no siren order."""
    if _test(order) and not order.incident:
        return scene.words.code("kind", order.kind)
    return what_of(scene, order.incident)


def _minutes(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


def proofs(scene: Scene, order: OwnOrder) -> tuple[ProofRow, ...]:
    """What this station can prove by what is fitted here: a proof that cannot come is not waited for."""
    if order.kind in (AlertKind.SILENT_TEST, AlertKind.DRILL) or order.why == BARRED:
        return ()
    site = scene.site.own
    fitted = [("energised", order.energised, True)]
    if site is not None:
        measured = bool(site.watch.current or site.feedback)
        fitted += [("current", order.current, measured), ("heard", order.heard, site.watch.microphone)]
    patience = site.watch.proof_s if site is not None else 0.0
    return tuple(_proof(scene, order, name, at, patience) for name, at, has in fitted if has or at is not None)


def _proof(scene: Scene, order: OwnOrder, name: str, at: Stamp | None, patience: float) -> ProofRow:
    words = scene.words
    title = words(f"own.proof.{name}")
    if at is not None:
        after = max(0.0, at.wall - order.accepted.wall)
        told = f"{scene.clock(at)} · +{words.number(after, 1)} {words('unit.second')}"
        if name == "heard" and order.heard_dbfs is not None:
            told += f" · {words.number(order.heard_dbfs)} dB"
        shape = {"energised": "relay", "current": "ok", "heard": "sound"}[name]
        return ProofRow(title, Mark(shape, words(f"own.proven.{name}")), told)
    if order.ended is None and scene.since(order.accepted) <= patience:
        return ProofRow(title, Mark("none", words("own.waits")), "")
    tone = "" if _test(order) else "p1"
    return ProofRow(title, Mark("bad", words(f"own.unproven.{name}"), tone), "")


def _lockout(scene: Scene, lockout: OwnLockout | None) -> str:
    if lockout is None:
        return ""
    words = scene.words
    who = words("own.centre") if lockout.who == "centre" else actor_words(scene, lockout.who)
    left = words.span(lockout.until - scene.wall)
    reason = words.code("lockout.reason", lockout.reason)
    return words("own.lockout", who=who, reason=reason, until=words.clock(lockout.until, scene.wall)[:-3], left=left)


def _centre(scene: Scene, own: OwnView, name: str, heard: float | None) -> Centre:
    words = scene.words
    if not scene.live:
        return Centre(name, Mark("unknown", words("station.unknown_now"), "dim"))
    if heard is None:
        return Centre(name, Mark("warn", words("own.centre_never"), "p2"))
    since = scene.now - heard
    if since > own.silent_s:
        return Centre(name, Mark("warn", words("own.centre_silent", span=words.span(since)), "p2"))
    return Centre(name, Mark("ok", words("own.centre_heard", ago=words.about(since))))


def _last_told(scene: Scene, own: OwnView) -> str:
    order = max(own.orders, key=lambda o: o.accepted.seq)
    kind = scene.words.code("kind", order.kind)
    told = dict.fromkeys((scene.clock(order.accepted), kind, _what(scene, order), order.text))
    return scene.words("own.last", told=" · ".join(filter(None, told)))


def _last(scene: Scene, own: OwnView, order: OwnOrder) -> LastOrder:
    words = scene.words
    told = [words(f"own.proof.{n}") for n in ("energised", "current", "heard") if getattr(order, n) is not None]
    turnout = _minutes(order.turnout_s) if order.turnout_s is not None else ""
    ended = words.code("own.why", order.why) if order.ended else words("own.open")
    if order.about:
        ended = f"{words.code('own.told', order.about)} · {ended}"
    what = " · ".join(filter(None, [what_of(scene, order.incident) if order.incident else "", order.text]))
    return LastOrder(
        scene.clock(order.accepted), _test(order), words.code("kind", order.kind), what, words.code("path", order.path),
        " · ".join(told), turnout, ended,
    )  # fmt: skip
