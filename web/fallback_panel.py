"""The fallback: a banner on every page while it stands, and the card that says who uses which number now."""

from typing import Any, NamedTuple

from appliance.stamp import Stamp
from appliance.trunk_view import AgencyView, DutyView, FallbackView, WitnessView
from appliance.view import View
from web.scene import Mark, Scene, grouped

OVER_SHOWN = 1800.0  # s that the banner says that it is over: whoever was told must be told again
MARKS = {
    "up": ("ok", ""), "lost": ("bad", "p2"), "unknown": ("unknown", "dim"), "unwatched": ("none", "dim"),
}  # fmt: skip


class AgencyRow(NamedTuple):
    """`told` is empty while nobody has told it; `again`: it must hear now that the fallback is over."""

    id: str
    name: str
    phone: str
    uses: str
    told: str
    again: bool


class WitnessRow(NamedTuple):
    name: str
    asks: str
    mark: Mark
    detail: str


class DutyRow(NamedTuple):
    name: str
    told: str
    bad: bool


def fallback_panel(scene: Scene) -> dict[str, Any]:
    """`state`: "stands", "over" for a while, or empty."""
    now = scene.view.fallback
    state = _state(scene, now)
    if now is None or not state:
        return {"state": "", "fallback": None}
    return {
        "state": state,
        "fallback": now,
        "said": _said(scene, now, state),
        "citizens": [grouped(number) for number in now.citizens],
        "told": sum(1 for agency in now.agencies if agency.told),
    }


def _state(scene: Scene, now: FallbackView | None) -> str:
    if now is None or now.declared is None:
        return ""
    if now.stands:
        return "stands"
    return "over" if now.over and scene.since(now.over) < OVER_SHOWN else ""


def _said(scene: Scene, now: FallbackView, state: str) -> str:
    words = scene.words
    stamp: Stamp | None = now.declared if state == "stands" else now.over
    why = now.why if state == "stands" else now.over_why
    who = f" · {stamp.actor}" if stamp and stamp.actor and why == "person" else ""
    clock = scene.clock(stamp) if stamp else ""
    return words(f"fallback.{state}_since", clock=clock, why=words.code("fallback.why", why)) + who


def card_inputs(view: View) -> object:
    """Without the moments of each probe: they pass by themselves."""
    witnesses = [(w.id, w.standing, w.why, w.since, _percent(w)) for w in view.witnesses]
    return view.fallback, witnesses, view.trunk_verdict


def card_panel(scene: Scene) -> dict[str, Any]:
    """All of it, for the page and for paper."""
    now, words = scene.view.fallback, scene.words
    if now is None:
        return {"fallback": None}
    ever = "" if now.declared is None else "stands" if now.stands else "over"
    return {
        "fallback": now,
        "said": _said(scene, now, ever) if ever else words("fallback.never"),
        "citizens": [grouped(number) for number in now.citizens],
        "agencies": [_agency(scene, now, a) for a in now.agencies],
        "duty": [_duty(scene, d) for d in now.duty] if scene.known else [],
        "on_duty": len(now.duty),
        "trunk": _trunk(scene),
        "witnesses": [_witness(scene, w) for w in scene.view.witnesses],
    }


def _agency(scene: Scene, now: FallbackView, agency: AgencyView) -> AgencyRow:
    told = ""
    if agency.told:
        told = scene.words("fallback.told", clock=scene.clock(agency.told), who=agency.told.actor)
    return AgencyRow(
        agency.id, agency.name, scene.number(agency.phone), " · ".join(grouped(n) for n in agency.uses), told,
        bool(agency.told) and not now.stands,
    )  # fmt: skip


def _duty(scene: Scene, person: DutyView) -> DutyRow:
    words = scene.words
    if person.why:
        return DutyRow(person.name, words("fallback.no_text", why=words.code("reason", person.why)), True)
    told = [
        f"{words('fallback.what.' + what)}: {words('outgoing.' + state)}"
        for what, state in (("declared", person.declared), ("over", person.over))
        if state
    ]
    bad = "undelivered" in (person.declared, person.over)
    return DutyRow(person.name, " · ".join(told) or words("fallback.no_text_yet"), bad)


def _trunk(scene: Scene) -> Mark:
    words, verdict = scene.words, scene.view.trunk_verdict
    if verdict is None or not scene.live:
        return Mark("unknown", words("trunk.unknown"), "dim")
    shape, tone = {"up": ("ok", ""), "degraded": ("half", "p3")}.get(verdict.standing, ("bad", "p2"))
    clock = scene.clock(verdict.since)
    if verdict.standing == "up":
        return Mark(shape, words("fallback.trunk.up", clock=clock), tone)
    layer, why = words.code("layer", verdict.layer), words.code("reason", verdict.reason)
    return Mark(shape, words(f"fallback.trunk.{verdict.standing}", clock=clock, layer=layer, why=why), tone)


def _witness(scene: Scene, w: WitnessView) -> WitnessRow:
    words = scene.words
    shape, tone = MARKS[w.standing] if scene.live or w.standing == "unwatched" else MARKS["unknown"]
    parts = []
    if scene.live:
        if w.why:
            parts.append(words.code("reason", w.why))
        if (percent := _percent(w)) is not None:
            parts.append(words("fallback.lost_percent", percent=words.number(percent)))
        if w.since is not None:
            parts.append(words("fallback.since", clock=words.clock(scene.wall - (scene.now - w.since), scene.wall)))
    word = words(f"witness.standing.{w.standing if scene.live or w.standing == 'unwatched' else 'unknown'}")
    return WitnessRow(words(f"witness.{w.id}"), w.asks, Mark(shape, word, tone), " · ".join(parts))


def _percent(w: WitnessView) -> int | None:
    return round(w.value) if w.id == "loss" and w.value is not None else None
