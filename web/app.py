"""The routes: pages, one stream, and the POSTs that carry a person's orders to core and its answer back in words."""

import hashlib
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from appliance.commands import TECHNICIANS
from appliance.config import ZONES, Places, Site
from appliance.model import Role
from drivers.clock import Clock
from drivers.jsonsocket import Gone, Refusal
from web.alarm_board import MINUTES
from web.alarm_page import alarm_history
from web.board import Board, Viewer
from web.calendar_page import KINDS as TEST_KINDS
from web.calendar_page import run_record
from web.call_orders import CALL_ORDERS
from web.call_page import call_figures, call_list
from web.chart_data import Charts
from web.corelink import CoreLink
from web.guard import OwnPages, Secured, read_fields
from web.message_page import counted, message_list
from web.metrics import MEDIA_TYPE, exposition
from web.order_form import order_form
from web.orders import ALARM_ORDERS, SCREEN_ORDERS, STATION_ORDERS, Orders
from web.orders_board import order_record
from web.panels import (
    ALARMS,
    CARD,
    ELSEWHERE,
    FRAME,
    ORDERS,
    OVERVIEW,
    OWN,
    PANELS,
    POWER,
    STATIONS,
    TESTS,
    WALLBOARD,
    Drawer,
)
from web.plant_page import charts_of, day_and_clock
from web.recordings import Wanted, recording
from web.scene import Scene
from web.session import (
    LANGUAGE,
    TOKEN,
    Sessions,
    Who,
    at_the_box,
    language_of,
    may_order,
    set_choice,
    set_token,
    theme_of,
    token_of,
)
from web.stations_page import station_list
from web.stream import Stream, start_from
from web.talk import Talks
from web.words import LANGUAGES

LOGIN_WITHIN = 10.0  # s; a password's hash takes half a second on a slow board
VIEW_FRESH = 1.0  # s of a person's clock; an older view is asked for anew when a page is made
PAGES = ("orders", "stations", "power", "alarms", "calls", "wallboard", "messages", "fallback")  # beside the overview
OF_LINES = ("calls", "wallboard")
OF_POWER = ("power",)
OF_CENTRE = ("fallback", "orders", "stations", "tests")

HERE = Path(__file__).parent
log = logging.getLogger("siaga.web")


class Pages:
    """The handlers. Status is for everybody in the room; orders, numbers and texts need a login."""

    def __init__(self, site: Site, clock: Clock, board: Board, core: CoreLink, drawer: Drawer, where: Places) -> None:
        self._site, self._clock, self._board, self._core, self._drawer = site, clock, board, core, drawer
        self._sessions = Sessions(core, lambda: clock.now() / clock.speed)
        self.talks = Talks(where.audio_stream, self._sessions, clock.speed)
        self._state = where.state
        self._print = _fingerprint(site)
        self.charts = Charts(
            where.telemetry, ZONES[site.zone].key, clock,
            lambda request: board.words(language_of(request, site.language)),
        )  # fmt: skip

    async def _viewer(self, request: Request) -> tuple[Viewer, bool]:
        """Who looks, and whether orders may be asked of them."""
        token = token_of(request)
        who = await self._sessions.who(token)
        return self._seen_by(request, who), may_order(token, who)

    def _seen_by(self, request: Request, who: Who) -> Viewer:
        return Viewer(language_of(request, self._site.language), who.known, at_the_box(request))

    async def page(self, request: Request) -> Response:
        """The first page: a centre's overview, a station's own orders."""
        if self._site.role is Role.STATION:
            scene, fields = await self._frame(request, "own", OWN)
            fields |= {"login": request.query_params.get("login", "")[:20]}
            return self._html("own.html", scene, fields)
        scene, fields = await self._frame(request, "overview", OVERVIEW)
        fields |= {
            "login": request.query_params.get("login", "")[:20],
            "directory": scene.view.desk.directory if scene.view.desk and scene.known else (),
        } | order_form(scene)
        return self._html("overview.html", scene, fields)

    async def orders(self, request: Request) -> Response:
        """The open orders and the last ones, with everybody they went to."""
        scene, fields = await self._frame(request, "orders", ORDERS)
        return self._html("orders.html", scene, fields)

    async def order(self, request: Request) -> Response:
        """One order with all its recipients, as they are at this moment."""
        scene, fields = await self._frame(request, "orders", FRAME)
        found = order_record(scene, request.path_params["alert"], request.query_params)
        return self._record("order_record.html", scene, fields, found, "/orders")

    async def stations(self, request: Request) -> Response:
        """What is wrong with stations now, and the list of all as it is at this moment."""
        scene, fields = await self._frame(request, "stations", STATIONS)
        return self._html("stations.html", scene, fields | station_list(scene, request.query_params))

    async def tests(self, request: Request) -> Response:
        scene, fields = await self._frame(request, "tests", TESTS)
        return self._html("tests.html", scene, fields | {"kinds": TEST_KINDS})

    async def test(self, request: Request) -> Response:
        """One run of a test, to be printed and signed."""
        scene, fields = await self._frame(request, "tests", FRAME)
        found = await run_record(self._core, scene, request.path_params["test"], token_of(request))
        return self._record("test_record.html", scene, fields, found, "/tests")

    def _record(
        self, template: str, scene: Scene, fields: dict[str, Any], found: dict[str, Any] | None, back: str
    ) -> Response:
        if found is None:  # older than what core shows; the journal has it
            return _back(back)
        return self._html(template, scene, fields | found | {"printed": day_and_clock(scene, scene.wall)})

    async def messages(self, request: Request) -> Response:
        """All texts, as they are at this moment."""
        scene, fields = await self._frame(request, "messages", FRAME)
        fields |= await message_list(self._core, scene, token_of(request))
        return self._html("messages.html", scene, fields)

    async def fallback(self, request: Request) -> Response:
        """The card: which numbers are used now, who has been told, and whose fault the trunk's is."""
        scene, fields = await self._frame(request, "fallback", CARD)
        return self._html("fallback.html", scene, fields)

    async def power(self, request: Request) -> Response:
        """What feeds what and until when, what is ready, the commands, the figures and the record of runs."""
        scene, fields = await self._frame(request, "power", POWER)
        return self._html("power.html", scene, fields | {"charts": charts_of(scene)})

    async def alarms(self, request: Request) -> Response:
        """What stands now, and the history as it is at this moment."""
        scene, fields = await self._frame(request, "alarms", ALARMS)
        fields |= await alarm_history(self._core, scene, token_of(request), request.query_params)
        fields |= {"minutes": MINUTES, "printed": day_and_clock(scene, scene.wall)}
        return self._html("alarms.html", scene, fields)

    async def calls(self, request: Request) -> Response:
        """The call log as it is at this moment."""
        scene, fields = await self._frame(request, "calls", FRAME)
        fields |= await call_list(self._core, scene, token_of(request), request.query_params)
        return self._html("calls.html", scene, fields)

    async def figures(self, request: Request) -> Response:
        """How fast calls were answered, by day and month."""
        scene, fields = await self._frame(request, "figures", FRAME)
        fields |= await call_figures(self._core, scene, token_of(request), request.query_params)
        return self._html("figures.html", scene, fields)

    async def recording(self, request: Request) -> Response:
        words = self._board.words(language_of(request, self._site.language))
        query = request.query_params
        wanted = Wanted(request.path_params["call"][:64], query.get("part", ""), query.get("anyway") == "1")
        hours = self._site.sound.recording.own_hours
        return await recording(self._core, self._state, words, wanted, token_of(request), hours)

    async def wallboard(self, request: Request) -> Response:
        scene, fields = await self._frame(request, "wallboard", WALLBOARD)
        return self._html("wallboard.html", scene, fields)

    async def _frame(self, request: Request, page: str, names: frozenset[str]) -> tuple[Scene, dict[str, Any]]:
        """What every page is drawn from; `names` are its live panels."""
        token = token_of(request)
        who = await self._sessions.who(token)
        await self._refresh()
        scene = self._board.scene(self._seen_by(request, who))
        shown = [panel for panel in PANELS if panel.name in names]
        return scene, {
            "page": page,
            "pages": [name for name in PAGES if self._has(name)],
            "lines": bool(self._site.line),
            "panels": {panel.name: self._drawer.panel(panel, scene) for panel in shown},
            "only": "" if names == OVERVIEW else ",".join(sorted(names)),
            "who": who,
            "may_order": may_order(token, who),
            "may_test": who.role in TECHNICIANS,
            "theme": theme_of(request),
            "languages": LANGUAGES,
            "print": self._print,
            "simulated": self._simulated(),
        }

    def _html(self, template: str, scene: Scene, fields: dict[str, Any]) -> Response:
        html = self._drawer.page(template, scene, fields)
        return HTMLResponse(html, headers={"Cache-Control": "no-store", "Vary": "Cookie"})

    def _has(self, page: str) -> bool:
        """Whether this box has anything to show on a page."""
        site = self._site
        if page in OF_CENTRE and site.role is not Role.CENTRE:
            return False
        return (page not in OF_LINES or bool(site.line)) and (page not in OF_POWER or site.has_plant)

    def _simulated(self) -> bool:
        return self._clock.speed != 1 or self._site.annunciator.factory == "mock"

    async def _refresh(self) -> None:
        """See that the view is of now when nobody's stream keeps it so."""
        if self._board.live and self._clock.now() - self._board.view.at <= VIEW_FRESH * self._clock.speed:
            return
        try:
            self._board.take(await self._core.view())
        except (Gone, Refusal) as e:
            log.info("the page is made without core: %s", e)

    async def events(self, request: Request) -> Response:
        if self._board.full():
            return Response("Too many pages are open.", 503)
        viewer, _ = await self._viewer(request)
        await self._refresh()
        asked = frozenset(request.query_params.get("panels", "").split(",")) & ELSEWHERE
        page = self._board.open(viewer, asked or OVERVIEW)
        start = start_from(request.headers.get("last-event-id"), request.query_params.get("seq", ""))
        outdated = request.query_params.get("print", self._print) != self._print
        made_to_order = request.query_params.get("may_order") == "1"
        return Stream(
            self._board, page, start, lambda: self._viewer(request), outdated=outdated, may_order=made_to_order
        ).response()

    async def metrics(self, request: Request) -> Response:
        """The same view as text for Prometheus."""
        await self._refresh()
        board = self._board
        return Response(exposition(board.view, self._clock.now(), live=board.live), media_type=MEDIA_TYPE)

    # A person

    async def login(self, request: Request) -> Response:
        fields = await read_fields(request)
        message = {"do": "login", "name": fields.get("name", ""), "password": fields.get("password", "")}
        try:
            told = await self._core.ask(message, LOGIN_WITHIN)
        except Refusal as e:
            return _back(f"/?login={e.code}")
        except Gone:
            return _back("/?login=gone")
        answer = _back("/")
        set_token(answer, told["token"], secure=request.url.scheme == "https")
        return answer

    async def logout(self, request: Request) -> Response:
        token = token_of(request)
        self._sessions.forget(token)
        await self.talks.leave(token)
        answer = _back("/")
        answer.delete_cookie(TOKEN, samesite="strict", httponly=True)
        try:
            await self._core.ask({"do": "logout", "token": token})
        except (Gone, Refusal) as e:
            log.warning("core did not take the logout: %s", e)
        return answer

    async def language(self, request: Request) -> Response:
        answer = _back("/")
        chosen = (await read_fields(request)).get("language", "")
        if chosen in LANGUAGES:
            set_choice(answer, LANGUAGE, chosen)
        return answer

    # Orders

    async def count(self, request: Request) -> Response:
        """In how many parts a text would go: while it is being written."""
        words = self._board.words(language_of(request, self._site.language))
        told, tone = counted(words, str((await read_fields(request)).get("text", "")))
        return JSONResponse({"text": told, "tone": tone})

    async def command(self, request: Request) -> Response:
        """Any command: core's answer and what it means in the viewer's words."""
        words = self._board.words(language_of(request, self._site.language))
        orders = Orders(self._core, words)
        token = token_of(request)
        if not token and request.url.path in SCREEN_ORDERS and not at_the_box(request):
            status, told = orders.refuse(request.url.path, "login")
            return JSONResponse(told, status)
        status, told = await orders.give(request.url.path, await read_fields(request), token)
        if told["code"] == "login":
            self._sessions.forget(token)  # the page's stream asks core about it, and hides what needs a login
        return JSONResponse(told, status)


def _back(to: str) -> RedirectResponse:
    return RedirectResponse(to, 303)


def _fingerprint(site: Site) -> str:
    """Changes when a page that is open no longer fits: another release's files, or other stations."""
    seen = hashlib.sha256(repr([(s.id, s.name) for s in site.station]).encode())
    for folder in ("static", "templates", "texts"):
        for file in sorted((HERE / folder).rglob("*")):
            if file.is_file():
                seen.update(file.read_bytes())
    return seen.hexdigest()[:12]


def make_app(pages: Pages, others: Sequence[Route] = ()) -> ASGIApp:
    """The application: plain routes, no interactive documentation (it loads scripts from elsewhere)."""
    post = ["POST"]
    app = FastAPI(
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        routes=[
            Route("/", pages.page),
            Route("/events", pages.events),
            Route("/login", pages.login, methods=post),
            Route("/logout", pages.logout, methods=post),
            Route("/language", pages.language, methods=post),
            Route("/alert", pages.command, methods=post),
            *(Route(path, pages.command, methods=post) for path in STATION_ORDERS),
            Route("/orders", pages.orders),
            Route("/orders/{alert}", pages.order),
            Route("/stations", pages.stations),
            Route("/tests", pages.tests),
            Route("/tests/{test}", pages.test),
            Route("/order/acknowledge", pages.command, methods=post),
            *(Route(path, pages.command, methods=post) for path in CALL_ORDERS),
            Route("/power", pages.power),
            Route("/power/order", pages.command, methods=post),
            Route("/alarms", pages.alarms),
            *(Route(path, pages.command, methods=post) for path in ALARM_ORDERS),
            Route("/calls", pages.calls),
            Route("/calls/figures", pages.figures),
            Route("/recordings/{call}", pages.recording),
            Route("/wallboard", pages.wallboard),
            Route("/messages", pages.messages),
            Route("/message", pages.command, methods=post),
            Route("/fallback", pages.fallback),
            Route("/fallback/declare", pages.command, methods=post),
            Route("/fallback/end", pages.command, methods=post),
            Route("/fallback/told", pages.command, methods=post),
            Route("/message/count", pages.count, methods=post),
            Route("/power/history.json", pages.charts.answer),
            Route("/metrics", pages.metrics),
            WebSocketRoute("/talk", pages.talks.serve),
            *others,
            Mount("/static", StaticFiles(directory=HERE / "static")),
        ],
    )
    return Secured(OwnPages(app))
