"""The page of a box that cannot start: what is wrong with its files, in both languages. It needs no site file.

Asyncio and the standard library alone, so that it comes up where nothing else does. It shows no secret: there is none
in what the first boot wrote.
"""

import asyncio
import contextlib
import json
from html import escape
from pathlib import Path
from typing import Any

from appliance.first_boot_run import FAULT, LAMP
from appliance.first_boot_site import SOCKET
from drivers.jsonsocket import Client, Gone, Refusal
from drivers.notify import ready, stopping, watchdog

PORT = 80
MOST_REQUEST = 8192  # octets of a request's head; browsers send some 1,000
READ_WITHIN = 5.0  # s
MOST_AT_ONCE = 32  # connections; a room has some five screens
LAMP_AGAIN = 5.0  # s between attempts at the lamp: the annunciator may start later, or start again

TEXTS = {
    "id": {
        "title": "Kotak ini belum bisa bekerja",
        "old": "Berkas baru ditolak; kotak tetap memakai yang lama",
        "good": "Tidak ada kesalahan pada berkas",
        "next": "Matikan kotak, cabut kartunya, buka partisi SIAGA-BOOT di sebuah PC, perbaiki berkasnya, pasang lagi, "
        "nyalakan. Semua kesalahan ada di bawah ini.",
        "file": "Berkas", "line": "Baris", "key": "Kunci", "what": "Apa yang salah", "then": "Yang harus dilakukan",
        "box": "Kotak", "own": "Kunci kotak",
    },
    "en": {
        "title": "This box cannot work yet",
        "old": "The new file is refused; the box goes on with the old one",
        "good": "Nothing is wrong with the files",
        "next": "Switch the box off, take its card out, open the partition SIAGA-BOOT on a PC, repair the file, put "
        "the card back, switch on. Everything that is wrong stands below.",
        "file": "File", "line": "Line", "key": "Key", "what": "What is wrong", "then": "What to do",
        "box": "Box", "own": "The box's key",
    },
}  # fmt: skip
STYLE = """
body{font:18px/1.5 system-ui,sans-serif;margin:0 auto;max-width:70rem;padding:1rem;background:#fff;color:#111}
h1{border-left:.6rem solid #b00020;padding-left:.8rem}h1.good{border-color:#1b5e20}
table{border-collapse:collapse;width:100%}th,td{border:1px solid #888;padding:.4rem;text-align:left;vertical-align:top}
code{font-size:1rem;overflow-wrap:anywhere}.key{white-space:nowrap}hr{margin:2rem 0}
@media(prefers-color-scheme:dark){body{background:#111;color:#eee}}
"""


def page(report: dict[str, Any] | None) -> str:
    """HTML, Indonesian above English."""
    halves = "<hr>".join(_half(language, report) for language in TEXTS)
    return (
        '<!doctype html><html lang="id"><head><meta charset="utf-8"><meta http-equiv="refresh" content="10">'
        f'<meta name="viewport" content="width=device-width"><title>Siaga</title><style>{STYLE}</style></head>'
        f"<body>{halves}</body></html>"
    )


def _half(language: str, report: dict[str, Any] | None) -> str:
    text = TEXTS[language]
    if report is None:
        return f'<section lang="{language}"><h1 class="good">{text["good"]}</h1></section>'
    rows = "".join(
        f"<tr><td>{escape(row['file'])}</td><td>{row['line'] or ''}<br><code>{escape(row['shown'])}</code></td>"
        f"<td class='key'><code>{escape(row['key'])}</code></td><td>{escape(row[language][0])}</td>"
        f"<td>{escape(row[language][1])}</td></tr>"
        for row in report["faults"]
    )
    head = "".join(f"<th>{text[name]}</th>" for name in ("file", "line", "key", "what", "then"))
    title = text["old" if report["configured"] else "title"]
    about = f"{text['box']}: {escape(report['name'] or '?')} · {text['own']}: {escape(report['key'] or '?')}"
    return (
        f'<section lang="{language}"><h1>{title}</h1><p>{text["next"]}</p>'
        f"<table><tr>{head}</tr>{rows}</table><p>{about}</p></section>"
    )


class FaultPage:
    """`run`: /run/siaga. `lamp`: the annunciator's socket; the lamp is lit while there is a fault."""

    def __init__(self, run: Path, host: str, port: int, lamp: Path = Path(SOCKET)) -> None:
        self._run, self._host, self._port, self._lamp = run, host, port, lamp
        self._open = 0

    def report(self) -> dict[str, Any] | None:
        try:
            found: dict[str, Any] = json.loads((self._run / FAULT).read_bytes())
        except FileNotFoundError:
            return None
        return found

    async def serve(self, stop: asyncio.Event) -> None:
        """Until `stop`. Raises OSError where the port is taken."""
        server = await asyncio.start_server(self._answer, self._host, self._port, limit=MOST_REQUEST)
        async with server, asyncio.TaskGroup() as tasks:
            own = [tasks.create_task(self._keep_lamp()), tasks.create_task(watchdog())]
            ready(f"what is wrong stands on port {server.sockets[0].getsockname()[1]}")
            await stop.wait()
            stopping()
            for task in own:
                task.cancel()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open += 1
        try:
            if self._open <= MOST_AT_ONCE:
                async with asyncio.timeout(READ_WITHIN):
                    head = await reader.readuntil(b"\r\n\r\n")
                    writer.write(self._response(head))
                    await writer.drain()
        except (TimeoutError, OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # whoever asked left, was too slow or asked too much: nothing is owed
        finally:
            self._open -= 1
            writer.close()

    def _response(self, head: bytes) -> bytes:
        method, _, rest = head.partition(b" ")
        if method not in (b"GET", b"HEAD"):
            return b"HTTP/1.1 405 Method Not Allowed\r\nAllow: GET\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        report = self.report()
        if rest.split(b" ")[0] == b"/fault.json":
            kind, body = "application/json", json.dumps(report, ensure_ascii=False).encode()
        else:
            kind, body = "text/html; charset=utf-8", page(report).encode()
        lines = (
            "HTTP/1.1 200 OK", f"Content-Type: {kind}", f"Content-Length: {len(body)}", "Connection: close",
            "Cache-Control: no-store", "Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'",
            "X-Content-Type-Options: nosniff",
        )  # fmt: skip
        return "\r\n".join((*lines, "", "")).encode() + (body if method == b"GET" else b"")

    async def _keep_lamp(self) -> None:
        """Where there is one. The annunciator that owns it is one with a lamp and nothing else."""
        while True:
            if self.report() is not None and self._lamp.exists():
                with contextlib.suppress(Gone, Refusal, TimeoutError, OSError):  # tried again; the page says it anyway
                    await self._light()
            await asyncio.sleep(LAMP_AGAIN)

    async def _light(self) -> None:
        client = Client(self._lamp)
        await client.connect()
        try:
            await client.request({"do": "light", "output": LAMP, "on": True}, timeout=LAMP_AGAIN)
        finally:
            client.close()
