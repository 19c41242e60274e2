"""The live panels of the page: for each what it is drawn from, so that only what changed is drawn anew."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateError

from appliance.view import View
from web.alarm_board import board_panel
from web.alarm_panel import alarm_panel
from web.calendar_page import tests_panel
from web.callback_panel import callbacks_inputs, callbacks_panel
from web.event_panel import alerts_panel, events_panel
from web.fallback_panel import card_inputs, card_panel, fallback_panel
from web.line_panel import line_details, line_inputs, line_panel
from web.message_panel import message_inputs, messages_panel
from web.moment_panel import moment_panel
from web.orders_board import orders_panel as recipients_panel
from web.own_panel import own_inputs, own_orders_panel, own_panel
from web.phone_panel import levels_panel, phone_inputs, phone_panel
from web.plant_figures import figures_panel
from web.plant_orders import orders_panel
from web.plant_page import now_panel, ready_panel, runs_panel
from web.power_panel import power_panel
from web.scene import Scene
from web.station_panel import station_panel
from web.stations_page import stations_panel
from web.wall_panel import wall_inputs, wall_panel

# What a template or a panel raises on a view that nobody thought of.
DRAWING_ERRORS = (TemplateError, LookupError, TypeError, ValueError, AttributeError, ArithmeticError, AssertionError)

log = logging.getLogger("siaga.web")


class Panel(NamedTuple):
    """`name` is the element's id and the template; `inputs` what it shows of a view; `ticks`: it tells ages."""

    name: str
    inputs: Callable[[View], object]
    ticks: bool
    context: Callable[[Scene], dict[str, Any]]


def _seen(view: View) -> object:
    """What is proven of stations."""
    return view.supervision and view.supervision.stations


def _links(view: View) -> object:
    return [(name, link.up) for name, link in view.links.items()]


def _feeds(view: View) -> object:
    """An alarm's step is told by what feeds the load."""
    return view.power and view.power.source


PANELS = (
    Panel("moment", lambda v: (v.clock_quality, v.speed, v.clock_offset), True, moment_panel),
    Panel("alarms", lambda v: (v.alarms, _feeds(v), v.alarm_summary, v.disk_failed, v.disk_kept), True, alarm_panel),
    Panel("fallback", lambda v: v.fallback, True, fallback_panel),
    Panel("fallback-card", card_inputs, False, card_panel),
    Panel("power", lambda v: (v.power, v.alarms), True, power_panel),
    Panel("phone-calls", phone_inputs, False, phone_panel),
    Panel("levels", lambda v: v.sound and v.sound.levels, False, levels_panel),
    Panel("callbacks", callbacks_inputs, False, callbacks_panel),
    Panel("lines", lambda v: (line_inputs(v), v.calls, v.trunk, v.alarms), True, line_panel),
    Panel("line-details", line_inputs, True, line_details),
    Panel("stations", lambda v: (v.stations, v.alerts, _links(v), _seen(v)), True, station_panel),
    Panel("alerts", lambda v: v.alerts, True, alerts_panel),
    Panel("messages", message_inputs, False, messages_panel),
    Panel("events", lambda v: v.last, False, events_panel),
    Panel("order-state", lambda v: v.alerts, False, alerts_panel),
    Panel("wall", wall_inputs, True, wall_panel),
    Panel("alarm-board", lambda v: (v.alarms, _feeds(v), v.alarm_summary), True, board_panel),
    Panel("power-now", lambda v: v.power, True, now_panel),
    Panel("power-ready", lambda v: v.power and v.power.readiness, True, ready_panel),
    Panel("power-orders", lambda v: v.power and (v.power.offers, v.power.orders), True, orders_panel),
    Panel("power-figures", lambda v: v.power and [d.link for d in v.power.devices], True, figures_panel),
    Panel("orders-board", lambda v: (v.alerts, v.supervision and v.supervision.contacts), True, recipients_panel),
    Panel("stations-board", lambda v: (v.supervision, v.stations), True, stations_panel),
    Panel("tests-board", lambda v: v.supervision and v.supervision.tests, True, tests_panel),
    Panel("own", own_inputs, True, own_panel),
    Panel("own-orders", own_inputs, False, own_orders_panel),
    Panel("power-runs", lambda v: v.power and v.power.runs, False, runs_panel),
)
FRAME = frozenset(("moment", "alarms", "fallback"))  # live on every page
WALLBOARD = FRAME | {"wall"}
CARD = FRAME | {"fallback-card"}
POWER = FRAME | {"power-now", "power-ready", "power-orders", "power-figures", "power-runs"}
ALARMS = FRAME | {"alarm-board"}
OWN = FRAME | {"own", "own-orders", "events"}
ORDERS, STATIONS, TESTS = FRAME | {"orders-board"}, FRAME | {"stations-board"}, FRAME | {"tests-board"}
ELSEWHERE = (
    WALLBOARD | CARD | POWER | ALARMS | OWN | ORDERS | STATIONS | TESTS
)  # what other pages than the first may ask for
OVERVIEW = frozenset(panel.name for panel in PANELS) - (ELSEWHERE - FRAME) | {"events"}


class Drawer:
    """Templates to HTML. Everything is escaped: names, numbers and texts come from strangers."""

    def __init__(self) -> None:
        self.environment = Environment(
            loader=FileSystemLoader(Path(__file__).parent / "templates"),
            autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, auto_reload=False,
        )  # fmt: skip

    def panel(self, panel: Panel, scene: Scene) -> str:
        """One panel's element. One that cannot be drawn says so in its place and costs the others nothing."""
        try:
            fields = panel.context(scene)
            return self._render(f"panels/{panel.name}.html", scene, {**fields, "id": panel.name})
        except DRAWING_ERRORS:
            log.exception("the panel %s cannot be drawn", panel.name)
            return self._render("panels/broken.html", scene, {"id": panel.name})

    def page(self, template: str, scene: Scene, fields: dict[str, Any]) -> str:
        return self._render(template, scene, fields)

    def _render(self, template: str, scene: Scene, fields: dict[str, Any]) -> str:
        found = self.environment.get_template(template)
        return found.render(scene=scene, view=scene.view, t=scene.words, **fields)
