"""The plain port beside TLS: everything for the box's own screen, the certificate for everybody, else the way to TLS.

A password or a microphone never goes over the network in the clear.
"""

from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse, RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from web.addresses import is_loopback, is_name
from web.tls import Tls

FOR_ALL = ("/ca.crt", "/certificate")
FOLDER_FOR_ALL = "/static/"
NOT_SERVED = (
    "Halaman ini hanya lewat TLS, dan TLS tidak jalan: lihat /certificate di layar kotak ini sendiri.\n"
    "This page goes over TLS only, and TLS does not work: see /certificate on the box's own screen.\n"
)
ONLY_TLS = (
    "Tidak ada yang dilakukan: hanya lewat https. Lihat /certificate.\n"
    "Nothing was done: over https only. See /certificate.\n"
)


class PlainDoor:
    """Stands before the application on the plain port."""

    def __init__(self, app: ASGIApp, tls: Tls) -> None:
        self._app, self._tls = app, tls

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = HTTPConnection(scope)
        path = scope["path"]
        if own_screen(request) or path in FOR_ALL or path.startswith(FOLDER_FOR_ALL):
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        elif self._tls.why:
            await PlainTextResponse(NOT_SERVED, 503)(scope, receive, send)
        elif scope["method"] not in ("GET", "HEAD") or not is_name(_host(request)):
            await PlainTextResponse(ONLY_TLS, 403)(scope, receive, send)
        else:
            await RedirectResponse(tls_address(request, self._tls.port) + _target(scope), 307)(scope, receive, send)


def own_screen(request: HTTPConnection) -> bool:
    """Whether the box's own browser asks under a name that browsers hold for safe."""
    return request.client is not None and is_loopback(request.client.host) and is_loopback(_host(request))


def tls_address(request: HTTPConnection, port: int) -> str:
    """Where the page is over TLS, under the name by which the person came: no slash at the end."""
    host = _host(request)
    named = f"[{host}]" if ":" in host else host
    return f"https://{named}" + ("" if port == 443 else f":{port}")


def _host(request: HTTPConnection) -> str:
    return request.url.hostname or ""


def _target(scope: Scope) -> str:
    query = scope["query_string"].decode("latin-1")
    path: bytes = scope["raw_path"]
    return path.decode("latin-1") + (f"?{query}" if query else "")
