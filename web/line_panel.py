"""The lines panel: each line and whether it can take a call, and why not."""

from typing import Any, NamedTuple

import msgspec

from appliance.figure import Figure
from appliance.model import CallPhase
from appliance.view import LineView, View
from web.scene import Mark, Scene, Shown
from web.sparkline import Spark, sparkline
from web.words import UNKNOWN

MISSED_SHOWN = 3600.0  # s that a missed call is told of


class LineRow(NamedTuple):
    """`carrier`: operator and what carries a voice; `credit` only while something is wrong with it."""

    id: str
    name: str
    mark: Mark
    carrier: str
    signal: str
    spark: Spark | None
    proof: str
    credit: str


class Detail(NamedTuple):
    """`told` are pairs of what and how it is."""

    id: str
    name: str
    mark: Mark
    spark: Spark | None
    told: list[tuple[str, str]]


def line_panel(scene: Scene) -> dict[str, Any]:
    view = scene.view
    return {
        "lines": [_line(scene, line) for line in view.lines],
        "trunk": _trunk(scene) if view.trunk_watched or view.trunk else None,
        "missed": _missed(scene),
    }


def line_inputs(view: View) -> list[list[object]]:
    """What lines are drawn from, without the moments at which figures were taken: those pass by themselves."""
    return [
        [(f.value, f.quality) if isinstance(f, Figure) else f for f in msgspec.structs.astuple(line)]
        for line in view.lines
    ]


def _line(scene: Scene, line: LineView) -> LineRow:
    signal = scene.figure(line.signal_dbm)
    return LineRow(
        line.id, line.name, _verdict(scene, line), _carrier(scene, line), f"{signal.text} dBm" if signal.known else "",
        sparkline(line.trend) if scene.live and signal.known else None, _proof(scene, line), _credit_fault(scene, line),
    )  # fmt: skip


def line_details(scene: Scene) -> dict[str, Any]:
    """All that is known of each line. Times of day instead of ages, so that it is drawn anew only when it changed."""
    return {"details": [_detail(scene, line) for line in scene.view.lines]}


def _detail(scene: Scene, line: LineView) -> Detail:
    words = scene.words
    operator, bearer, technology = (scene.figure(f) for f in (line.operator, line.bearer, line.technology))
    cell, signal = scene.figure(line.cell), scene.figure(line.signal_dbm)
    spark = sparkline(line.trend) if scene.live and signal.known else None
    strength = f"{signal.text} dBm" if signal.known else _unknown(signal)
    if spark and spark.low != spark.high:
        strength += " · " + words("detail.range", low=words.number(spark.low), high=words.number(spark.high))
    proof = line.proof
    told = [
        ("number", scene.number(line.number)),
        ("operator", operator.text if operator.known else _unknown(operator)),
        ("bearer", words.code("bearer", bearer.text) if bearer.known else words("bearer.unknown")),
        ("technology", words.code("technology", technology.text) if technology.known else _unknown(technology)),
        ("signal", strength),
        ("proof", f"{words.code('proof_long', proof.kind)} {scene.clock(proof.at)}" if proof else words("proof.none")),
        ("credit", _credit(scene, line)),
        ("until", words.day(line.credit_until) if line.credit_until else words("quality.absent")),
        ("forecast", words.day(line.credit_forecast) if line.credit_forecast else words("detail.far")),
        ("cell", cell.text if cell.known else _unknown(cell)),
        ("modem", line.modem or words("line.unknown")),
    ]
    if line.credit_why == "postpaid" or line.credit is None:
        told = [pair for pair in told if pair[0] not in ("until", "forecast")]
    return Detail(line.id, line.name, _verdict(scene, line), spark, [(words(f"detail.{k}"), v) for k, v in told])


def _unknown(shown: Shown) -> str:
    return f"{shown.text} {shown.why}".strip()


def _verdict(scene: Scene, line: LineView) -> Mark:
    """In words whether the line can take a call. Registered is not proven: a ring half full, never a full one."""
    words = scene.words
    if not scene.live:
        return Mark("unknown", words("line.unknown_now"), "dim")
    if line.call is not None and line.call.live:
        heard = line.call.greeted is not None and line.call.taken is None
        return Mark("sound", words("wall.greeted") if heard else words.code("call.phase", line.call.phase))
    if line.link is not None and not line.link.up:
        return Mark("bad", words("line.no_modem", span=scene.span(line.link.since)), "p2")
    match line.can_take_call:
        case "proven" if line.voice is not None:
            return Mark("ok", words("line.proven", span=scene.span(line.voice.at)))
        case "registered":
            return Mark("half", words("line.registered"))
        case "no":
            return Mark("bad", words("line.no", why=words.code("line.why", line.why)), "p2")
    why = words.code("line.why", line.why) if line.why else ""
    return Mark("unknown", words("line.unknown_because", why=why) if why else words("line.unknown"), "dim")


def _carrier(scene: Scene, line: LineView) -> str:
    """Operator, and what would carry a voice; where that is not said, the technology."""
    words = scene.words
    operator, bearer, technology = (scene.figure(f) for f in (line.operator, line.bearer, line.technology))
    by = technology if not bearer.known or (bearer.text, technology.text) == ("2g", "3g") else bearer
    group = "technology" if by is technology else "bearer"
    parts = [operator.text if operator.known else "", words.code(group, by.text) if by.known else ""]
    return " · ".join(filter(None, parts)) or _unknown(scene.figure(line.signal_dbm))


def _proof(scene: Scene, line: LineView) -> str:
    """When the network last carried something for this line; of one that is not live a time of day."""
    words, proof = scene.words, line.proof
    if proof is None:
        return words("proof.none")
    when = words.about(scene.since(proof.at)) if scene.live else scene.clock(proof.at)
    return f"{words.code('proof', proof.kind)} {when}"


def _credit(scene: Scene, line: LineView) -> str:
    words = scene.words
    if line.credit_why == "postpaid" or line.credit is None:
        return words("credit.postpaid")
    if line.credit_why == "not_asked":
        return words("credit.not_asked")
    figure = line.credit
    amount = words.rupiah(float(figure.value)) if figure.known(scene.now) and figure.value is not None else UNKNOWN
    return words("credit.last", credit=amount, why=words.code("reason", line.credit_why)) if line.credit_why else amount


def _credit_fault(scene: Scene, line: LineView) -> str:
    """What is wrong with the credit, while an alarm says that something is."""
    words = scene.words
    wrong = {a.alarm for a in scene.view.alarms if a.about == line.id and a.cleared is None}
    if "line.credit_low" in wrong:
        parts = [words("credit.is", credit=_credit(scene, line))]
        if line.credit_forecast:
            parts.append(words("credit.forecast", day=words.day(line.credit_forecast, scene.wall)))
        if line.credit_until:
            parts.append(words("credit.until", day=words.day(line.credit_until, scene.wall)))
        return " · ".join(parts)
    if "line.credit_unknown" in wrong:
        return words("credit.unknown", why=words.code("reason", line.credit_why or "not_understood"))
    return ""


def _trunk(scene: Scene) -> Mark:
    words, trunk = scene.words, scene.view.trunk
    if trunk is None or not scene.live:
        return Mark("unknown", words("trunk.unknown"), "dim")
    if trunk.up:
        return Mark("ok", words("trunk.answers", span=scene.span(trunk.since)))
    return Mark("bad", words("trunk.lost", clock=scene.clock(trunk.since), span=scene.span(trunk.since)), "p2")


def _missed(scene: Scene) -> str:
    recent = [
        c
        for c in scene.view.calls
        if c.phase is CallPhase.MISSED and c.why != "proof" and scene.since(c.since) < MISSED_SHOWN
    ]
    if not recent:
        return ""
    newest = max(recent, key=lambda c: c.since.seq)
    return scene.words("call.missed", count=len(recent), clock=scene.clock(newest.since))
