"""Who looks at a page: the cookies that carry core's token, the language and the theme, and where a POST comes from.

Core knows people; web only carries the token. Without one it sends an empty one, never none: a request without a
token is the box's own console.
"""

from collections.abc import Callable
from typing import NamedTuple

from starlette.requests import HTTPConnection
from starlette.responses import Response

from drivers.jsonsocket import Gone, Refusal
from web.corelink import CoreLink
from web.words import LANGUAGES

TOKEN, LANGUAGE, THEME = "siaga", "siaga_language", "siaga_theme"
TOKEN_LIFE, CHOICE_LIFE = 12 * 3600, 365 * 86400  # s; core ends a token after a shift
ASK_AGAIN = 10.0  # s that core's word about a token is believed
OWN_SCREEN = ("127.0.0.1", "::1")
MOST_TOKENS = 200  # as many as core keeps


class Who(NamedTuple):
    """`known`: core has said that the token is good. `ended`: it has said that it is not. `role` only words a page."""

    name: str = ""
    known: bool = False
    ended: bool = False
    role: str = ""


class Sessions:
    """Core's word about tokens, remembered for a moment. `now` is in seconds of a person's clock."""

    def __init__(self, core: CoreLink, now: Callable[[], float]) -> None:
        self._core, self._now = core, now
        self._said: dict[str, tuple[float, Who]] = {}

    async def who(self, token: str) -> Who:
        """Who holds the token. While core does not answer, what it said last; else nobody."""
        if not token:
            return Who()
        at, said = self._said.get(token, (float("-inf"), Who()))
        if self._now() - at < ASK_AGAIN:
            return said
        try:
            told = await self._core.ask({"do": "whoami", "token": token})
            said = Who(str(told["actor"]), known=True, role=str(told.get("role", "")))
        except Refusal:
            said = Who(ended=True)
        except Gone:
            return said
        if len(self._said) >= MOST_TOKENS:
            self._said.clear()
        self._said[token] = (self._now(), said)
        return said

    def forget(self, token: str) -> None:
        self._said.pop(token, None)


def at_the_box(request: HTTPConnection) -> bool:
    """Whether the viewer is at the box's own screen, from where a station's order is acknowledged without a login."""
    return request.client is not None and request.client.host in OWN_SCREEN


def may_order(token: str, who: Who) -> bool:
    """Whether orders may be asked of who sends this token: core decides of each; without core's word they may try."""
    return bool(token) and not who.ended


def token_of(request: HTTPConnection) -> str:
    return request.cookies.get(TOKEN, "")[:200]


def language_of(request: HTTPConnection, default: str) -> str:
    chosen = request.cookies.get(LANGUAGE, "")
    return chosen if chosen in LANGUAGES else default


def theme_of(request: HTTPConnection) -> str:
    """ "light", "dark", or "" for what the screen prefers."""
    chosen = request.cookies.get(THEME, "")
    return chosen if chosen in ("light", "dark") else ""


def set_choice(response: Response, name: str, value: str) -> None:
    response.set_cookie(name, value, max_age=CHOICE_LIFE, samesite="strict", httponly=name != THEME)


def set_token(response: Response, token: str, *, secure: bool) -> None:
    response.set_cookie(TOKEN, token, max_age=TOKEN_LIFE, samesite="strict", httponly=True, secure=secure)


def from_our_own_page(request: HTTPConnection) -> bool:
    """Whether a POST or a WebSocket comes from a page of this box. Programs send no Origin; browsers always do.

    A page in the clear is not ours where we serve TLS: somebody on the way may have written it.
    """
    origin = request.headers.get("origin")
    if origin is None:
        return request.headers.get("sec-fetch-site", "same-origin") in ("same-origin", "none")
    scheme = "https" if request.url.scheme in ("https", "wss") else "http"
    return origin == f"{scheme}://{request.headers.get('host', '')}"
