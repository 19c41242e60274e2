"""What stands before every route: the security headers, the refusal of other sites' POSTs, bounded bodies."""

from typing import Any
from urllib.parse import parse_qs

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from web.session import from_our_own_page

MOST_FIELDS = 2200  # of a form; each station of a thousand is one, and so may a zone of it be
MOST_BODY = 131_072  # bytes of a form; the names of a thousand stations are the longest thing in one

SECURITY = [
    (
        b"content-security-policy",
        b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        b"media-src 'self'; "
        b"form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    ),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),  # with "no-referrer" our own forms would come without their origin
    (b"cross-origin-opener-policy", b"same-origin"),
]


class Secured:
    """Puts the security headers on every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def secured(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", []), *SECURITY]
            await send(message)

        await self._app(scope, receive, secured)


class OwnPages:
    """Refuses a POST or a WebSocket that another site's page made."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket" and not from_our_own_page(HTTPConnection(scope)):
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["type"] == "http" and scope["method"] == "POST" and not from_our_own_page(HTTPConnection(scope)):
            told = {"ok": False, "code": "other_site", "text": "This came from another site's page; nothing was done."}
            await JSONResponse(told, 403)(scope, receive, send)
            return
        await self._app(scope, receive, send)


async def read_fields(request: Request) -> dict[str, Any]:
    """A form's or JSON object's fields; a form's field that stands there more than once is a list.

    Raises HTTPException for what cannot be read: a stop order that lost its fields would stop everything.
    """
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BODY:
            raise HTTPException(413, "Too much was sent; nothing was done.")
    try:
        if request.headers.get("content-type", "").startswith("application/json"):
            return msgspec.json.decode(body or b"{}", type=dict[str, Any])
        fields = parse_qs(body.decode(), keep_blank_values=True, max_num_fields=MOST_FIELDS)
    except ValueError as e:  # msgspec's and Unicode's errors are of this kind
        raise HTTPException(400, f"This is no form and no JSON object ({e}); nothing was done.") from e
    return {key: values[0] if len(values) == 1 else values for key, values in fields.items()}
