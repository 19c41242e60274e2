"""What `siaga power` prints: rows of text from the view."""

from collections.abc import Iterable
from datetime import datetime
from zoneinfo import ZoneInfo

from appliance.figure import Figure
from appliance.page_words import Words, load_page_words
from appliance.power_order_state import PlantOrder
from appliance.power_state import Run
from appliance.power_view import DeviceView, PowerView
from appliance.stamp import Stamp
from appliance.view import View

MARK = {True: "●", False: "✕", None: "?"}
STATES = {
    "requested": "asked for, NOT SENT yet",
    "sent": "sent, not proven yet",
    "accepted": "taken by the device, not proven yet",
    "proven": "PROVEN",
    "failed": "FAILED",
}
FIGURES = (
    "mode", "engine_state", "rpm", "generator_hz", "generator_v_l1", "generator_load", "mains_v_l1", "fuel_level",
    "battery_v", "on_battery", "charge", "runtime_s", "load", "self_test", "power_w", "mains_present", "genset_present",
    "on_mains", "on_genset",
)  # fmt: skip
LONG_MIN = 120  # from which on minutes are told as hours
DARK = {
    "mains_feeds": "nothing threatens: the mains feeds",
    "genset_feeds": "NOT KNOWN: the generator feeds, and how long its fuel lasts is not known",
    "unknown": "NOT KNOWN",
    "dark": "the load has no power",
    "ups_runtime": "by the UPS's own word",
    "ups_observed": "by the rate at which its battery falls",
    "fuel": "by the fuel at this load",
}


def status(power: PowerView, now: float, zone: ZoneInfo) -> list[str]:
    """State first; what is not known is ---, or says why."""
    words = load_page_words("en")
    rows = feeds(power, now, words)
    for part in power.dark.parts:
        why = _word(words, "power.part_why", part.why or "not_known")
        figure = why if part.minutes is None else _span(part.minutes)
        what = _word(words, "power.part", part.what)
        rows.append(f"        {'>' if part.counts else ' '} {what}, {part.about}: {figure}")
    rows += [device_row(device, now) for device in power.devices]
    for ready in power.readiness:
        figure = "" if ready.value is None else f" {number(ready.value)} {ready.unit}".rstrip()
        why = f": {_word(words, 'ready.why', ready.why)}" if ready.why else ""
        rows.append(f"ready   {MARK[ready.ok]} {ready.about} {_word(words, 'ready.item', ready.item)}{figure}{why}")
    for offer in power.offers:
        why = f": {_word(words, 'offer.why', offer.why)}" if offer.why else ""
        rows.append(f"order   {MARK[not offer.why]} {offer.device} {offer.command}{why}")
    return rows + [order_row(order, zone) for order in power.orders if not order.over]


def feeds(power: PowerView, now: float, words: Words) -> list[str]:
    """What feeds the building, how far an outage is, and how long it lasts."""
    dark = power.dark
    minutes = "" if dark.minutes is None else f"{_span(dark.minutes)} until dark, "
    until = f", due in {max(0.0, power.stage_until - now):.0f} s" if power.stage_until is not None else ""
    by = ", ".join(power.witnesses) or "no witness"
    return [
        f"fed by  {_word(words, 'power.source', power.source)}; {_word(words, 'power.mains', power.mains)} ({by})",
        f"stage   {_word(words, 'power.stage', power.stage)}{until}",
        f"dark    {minutes}{DARK.get(dark.reason, dark.reason)}",
    ]


def orders(given: Iterable[PlantOrder], zone: ZoneInfo) -> list[str]:
    """Newest first."""
    return [order_row(order, zone) for order in given] or ["Nothing was ordered yet."]


def order_row(order: PlantOrder, zone: ZoneInfo | None = None) -> str:
    """With a zone also when, and by whom."""
    why = _word(load_page_words("en"), "plant_order.why", order.why) if order.why else ""
    ends = " ".join(filter(None, (why, f"({order.proof})" if order.proof else "")))
    way = f" by {order.way}" if order.way else ""
    row = f"{order.id}  {order.device} {order.command}{way}: {STATES.get(order.state, order.state)} {ends}".rstrip()
    return f"{_when(order.requested, zone)}  {row}  [{order.actor}]" if zone else row


def record(view: View, power: PowerView, zone: ZoneInfo) -> list[str]:
    """To be printed and signed; the hash says which journal it was made from."""
    runs = [_run(run, zone) for run in power.runs] or ["No run is on record yet."]
    return [
        f"{view.name}: runs of generators, newest first",
        f"made {datetime.fromtimestamp(view.wall, zone):%Y-%m-%d %H:%M} {view.zone}, clock {view.clock_quality}",
        "",
        "began             set  for       min  loaded  mean  most  fuel       kWh  battery  crank  grade",
        *runs,
        "",
        f"journal row {view.seq}, {view.head}",
        "checked by ____________________  on ____________",
    ]


def _run(run: Run, zone: ZoneInfo) -> str:
    fuel = f"{_number(run.fuel_from)}-{_number(run.fuel_to)} %"
    return (
        f"{_when(run.began, zone)[:16]}  {run.genset:<4} {run.why:<9} {run.minutes:>3.0f}  {run.minutes_loaded:>6.0f}"
        f"  {_number(run.load_mean):>4}  {_number(run.load_most):>4}  {fuel:<9}  {_number(run.kwh):>4}"
        f"  {_number(run.dip_v, 1):>5} V  {_number(run.crank_s, 1):>3} s  {run.grade or '-'}"
    )


def device_row(device: DeviceView, now: float) -> str:
    """A device with the figures that count; the page has all of them."""
    if device.link and not device.link.up:
        return f"device  ✕ {device.id}: {device.link.reason}"
    shown = [f"{name} {_figure(device.figures[name], now)}" for name in FIGURES if name in device.figures]
    return f"device  {MARK[True if device.link else None]} {device.id}: {', '.join(shown) or 'nothing heard yet'}"


def _figure(figure: Figure, now: float) -> str:
    return f"{number(figure.value)} {figure.unit}".strip() if figure.known(now) else "---"


def number(value: float | int | str | bool | None) -> str:
    """A figure with one digit behind the point: 66.66796875 is how a register counts, not how a person reads."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.1f}" if isinstance(value, float) else str(value)


def _span(minutes: float) -> str:
    hours, rest = divmod(round(minutes), 60)
    return f"{hours} h {rest} min" if minutes > LONG_MIN else f"{minutes:.0f} min"


def _word(words: Words, table: str, code: str) -> str:
    return words.get(f"{table}.{code}", code)


def _number(value: float | None, digits: int = 0) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def _when(stamp: Stamp, zone: ZoneInfo) -> str:
    return datetime.fromtimestamp(stamp.wall, zone).strftime("%Y-%m-%d %H:%M:%S")
