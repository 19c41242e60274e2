"""Wires TLS beside the plain port: who keeps the certificate, who serves with it, and what stays plain."""

import socket
import ssl
from collections.abc import Callable

from starlette.routing import Route

from appliance.config import ZONES, Places, Site
from drivers.clock import Clock
from web.app import Pages, make_app
from web.board import Board
from web.certificate_page import CertificatePage
from web.listener import Server, listen
from web.panels import Drawer
from web.plain import PlainDoor
from web.tls import Settings, Tls
from web.words import LANGUAGES, Words, load_texts


def secured(
    site: Site, where: Places, clock: Clock, board: Board, drawer: Drawer, pages: Pages
) -> tuple[PlainDoor, Tls]:
    """What the plain port serves, and what has to be kept running for TLS."""

    def bind() -> socket.socket:
        return listen(site.web.host, site.web.tls_port, "tls_port")

    async def serve(listener: socket.socket, context: ssl.SSLContext) -> None:
        await Server(app, clock.speed, context).serve_until_cancelled(listener)

    settings = Settings(where.tls, site.name, site.web.host, site.web.tls_port, site.web.names)
    tls = Tls(settings, best_time(clock, board), clock.speed, bind, serve)
    words = {name: Words(name, load_texts(name), ZONES[site.zone]) for name in LANGUAGES}
    offer = CertificatePage(tls, drawer, words, site.language)
    app = make_app(pages, [Route("/ca.crt", offer.download), Route("/certificate", offer.page)])
    return PlainDoor(app, tls), tls


def best_time(clock: Clock, board: Board) -> Callable[[], float]:
    """The box's wall time, put right by the mobile networks' where they tell one: a blackout can cost clock and NTP."""

    def wall() -> float:
        view = board.view
        offset = view.clock_offset
        trusted = view.clock_quality != "ntp" and offset is not None and offset.known(clock.now())
        return clock.wall() + (float(offset.value or 0.0) if trusted and offset is not None else 0.0)

    return wall
