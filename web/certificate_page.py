"""The authority's certificate for download, and the page that says how to install it and what to compare."""

from cryptography.hazmat.primitives import hashes
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response

from appliance.fingerprint import in_hex, in_words
from web.panels import Drawer
from web.plain import own_screen, tls_address
from web.session import language_of, theme_of
from web.tls import Tls
from web.words import LANGUAGES, Words

KIND = "application/x-x509-ca-cert"  # browsers on telephones offer to install it
STEPS = ("windows", "firefox", "android", "linux")


class CertificatePage:
    """`words` gives a language's; `own` is the language of the box."""

    def __init__(self, tls: Tls, drawer: Drawer, words: dict[str, Words], own: str) -> None:
        self._tls, self._drawer, self._words, self._own = tls, drawer, words, own

    async def download(self, request: Request) -> Response:
        authority = self._tls.authority
        if authority is None:
            return PlainTextResponse("There is no certificate: see /certificate on the box's own screen.\n", 503)
        headers = {"Content-Disposition": 'attachment; filename="siaga-ca.crt"', "Cache-Control": "no-store"}
        return Response(authority.public_pem(), headers=headers, media_type=KIND)

    async def page(self, request: Request) -> Response:
        authority = self._tls.authority
        asked = request.query_params.get("language", "")
        words = self._words[asked if asked in LANGUAGES else language_of(request, self._own)]
        html = self._drawer.environment.get_template("certificate.html").render(
            t=words,
            languages=LANGUAGES,
            theme=theme_of(request),
            steps=STEPS,
            why=self._tls.why if own_screen(request) else "",
            address=tls_address(request, self._tls.port),
            words="" if authority is None else in_words(authority.digest()),
            sha256="" if authority is None else in_hex(authority.digest()),
            sha1="" if authority is None else in_hex(authority.certificate.fingerprint(hashes.SHA1())),
        )
        return HTMLResponse(html, headers={"Cache-Control": "no-store", "Vary": "Cookie"})
