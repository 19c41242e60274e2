"""The control socket: where the page and the command line ask core, order it, and follow its journal without gaps.

Requests are `{"do": ..., fields, "token": ...}`. A command needs a token that core gave out at `login`, or comes from
the box's own console: a process of core's user or root that sends no `token` at all. `siaga web` has a user of its own.
"""

import asyncio
import os
import pwd
import sqlite3
from collections import deque
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec

from appliance.commands import NAMES, SCREEN, SUPERVISING, SUPERVISORS, TECHNICAL, TECHNICIANS, UNNAMED, AnyCommand
from appliance.entry import Entry
from appliance.events import LinkLost, LinkRestored, LoggedIn, LoginRefused
from appliance.journal import Journal
from appliance.journal_file import JournalUnreadable, read_entries
from appliance.people import CONSOLE, People, WrongPassword
from appliance.sparing import Sparing
from appliance.view import EntryView, View
from drivers.clock import Clock
from drivers.jsonsocket import Message, Peer, Refusal, Server

RING = 2000  # entries held in RAM for subscribers; older ones are read from the file
MOST_ROWS = 10_000  # rows in one answer
TLS = "tls"  # the link's name
TLS_CHANGES = 10.0  # s between rows about it at the least
MOST_WHY = 300  # characters
VIEW_AFTER = 0.015  # s from a change to its view: an order that was just given is signed and sent first
VIEW_QUIET = 0.04  # s that changes are gathered before a view goes out: fewer pages than events, still at once
VIEW_REST = 10.0  # times as long as it took to make one: with 1,000 stations pages cost orders a tenth of core
VIEW_IDLE = 1.0  # s between views when nothing changes: a page that hears nothing for longer knows core is gone

Obey = Callable[[AnyCommand, str], Awaitable[Any]]


def entry_view(entry: Entry) -> EntryView:
    """An entry as pages and readers get it."""
    body = msgspec.json.decode(entry.body)
    return EntryView(entry.seq, entry.wall, entry.kind, entry.subject, entry.actor, body)


class _Line(msgspec.Struct):
    """An EntryView whose body stays as the row has it: most readers only hand it on."""

    seq: int
    wall: float
    kind: str
    subject: str
    actor: str
    body: msgspec.Raw


def entry_line(entry: Entry) -> bytes:
    """JSON of `entry_view`."""
    line = _Line(entry.seq, entry.wall, entry.kind, entry.subject, entry.actor, msgspec.Raw(entry.body))
    return msgspec.json.encode(line)


class Control:
    """Serves one node's control socket. `obey` carries out a command for an actor; it may raise Refusal."""

    def __init__(
        self, socket: Path, journal_file: Path, journal: Journal, clock: Clock, people: People,
        make_view: Callable[[], View], obey: Obey,
    ) -> None:  # fmt: skip
        self._file, self._journal, self._clock, self._people = journal_file, journal, clock, people
        self._make_view, self._obey = make_view, obey
        self._server = Server(socket, self._handle, on_gone=self._gone)
        self._ring: deque[Entry] = deque(maxlen=RING)
        self._readers: dict[Peer, bool] = {}  # whether the peer wants views too
        self._changed = asyncio.Event()
        self._tls_told = float("-inf")
        self._flaws = Sparing(again_s=0.0)  # each wrong password counts, up to a flood of them

    async def start(self) -> None:
        await self._server.start()

    async def stop(self) -> None:
        await self._server.stop()

    def on_entry(self, entry: Entry) -> None:
        """A new row: to every subscriber now, and into the next view."""
        self._ring.append(entry)
        if self._readers:
            line = b'{"entry":' + entry_line(entry) + b"}\n"
            for peer in list(self._readers):
                peer.send_line(line)
        self._changed.set()

    def changed(self) -> None:
        """Something that is no event changed (a figure, a link)."""
        self._changed.set()

    async def run(self) -> None:
        """Send views while anybody wants them: soon after a change, else once a second."""
        while True:
            try:
                async with asyncio.timeout(VIEW_IDLE):
                    await self._changed.wait()
            except TimeoutError:
                pass
            await asyncio.sleep(VIEW_AFTER)
            self._changed.clear()
            watchers = [peer for peer, views in self._readers.items() if views]
            took = self._clock.unscaled()
            if watchers := [peer for peer in watchers if not peer.behind]:
                view = msgspec.json.encode({"view": self._make_view()}) + b"\n"
                for peer in watchers:
                    peer.send_line(view)
            took = self._clock.unscaled() - took
            await asyncio.sleep(max(VIEW_QUIET, min(VIEW_IDLE / 2, VIEW_REST * took)))

    def _gone(self, peer: Peer) -> None:
        self._readers.pop(peer, None)

    async def _handle(self, peer: Peer, message: Message) -> Any:
        do = message.get("do")
        fields = {k: v for k, v in message.items() if k not in ("id", "token")}
        if do in NAMES:
            actor = self._actor(peer, message)
            if do in TECHNICAL:
                self._must_be(TECHNICIANS, "Only a technician or supervisor may do that.", message)
            if do in SUPERVISING:
                self._must_be(SUPERVISORS, "Only a supervisor may do that.", message)
            try:
                command = msgspec.convert(fields, AnyCommand)
            except msgspec.ValidationError as e:
                raise Refusal("bad_command", f"{do}: {e}.", "Nothing was done.") from e
            return await self._obey(command, actor)
        match do:
            case "hello":
                return {"seq": self._journal.head.seq, "pid": os.getpid()}
            case "view":
                return msgspec.to_builtins(self._make_view())
            case "login":
                return await self._login(str(message.get("name", "")), str(message.get("password", "")))
            case "logout":
                self._people.logins.end(str(message.get("token", "")))
                return {}
            case "web.tls":
                return self._tls(str(message.get("why", ""))[:MOST_WHY])
            case "whoami":
                return {"actor": self._actor(peer, message), "role": self._role(message)}
            case "subscribe":
                return await self._subscribe(peer, message)
            case "journal":
                rows = await self._rows(_whole(message, "after", -1), _whole(message, "last", 50))
                return {"rows": [msgspec.to_builtins(entry_view(r)) for r in rows], "head": self._journal.head.hash}
        raise Refusal("unknown", f"There is no {do!r} here.", f"Commands: {', '.join(sorted(NAMES))}.")

    def _tls(self, why: str) -> Message:
        """Web says whether the page is there over TLS. A change is journaled, not more of them than a person reads."""
        link, now = self._make_view().links.get(TLS), self._clock.now()
        if (link is None or link.up) == bool(why) and now - self._tls_told >= TLS_CHANGES:
            self._tls_told = now
            self._journal.append(LinkLost(link=TLS, reason=why) if why else LinkRestored(link=TLS))
        return {}

    def _actor(self, peer: Peer, message: Message) -> str:
        if message.get("token") == "" and message.get("do") in UNNAMED:
            return SCREEN
        if "token" in message:
            session = self._people.logins.holder(str(message["token"]), self._clock.now())
            if session is None:
                raise Refusal("login", "This login has ended.", "Log in again.")
            return session.name
        if peer.uid not in (0, os.geteuid()):
            raise Refusal("login", "A command needs a login.", "Log in, or use the box's own console.")
        try:
            return CONSOLE + pwd.getpwuid(peer.uid).pw_name
        except KeyError:
            return f"{CONSOLE}{peer.uid}"

    def _role(self, message: Message) -> str:
        """Of who holds the token; the console has none and may do all."""
        session = self._people.logins.holder(str(message.get("token", "")), self._clock.now())
        return session.role if session else ""

    def _must_be(self, roles: frozenset[str], why_not: str, message: Message) -> None:
        session = self._people.logins.holder(str(message.get("token", "")), self._clock.now())
        if "token" in message and (session is None or session.role not in roles):
            raise Refusal("role", why_not, "Ask one, or use the box's console.")

    async def _login(self, name: str, password: str) -> Message:
        try:
            token, session = await self._people.login(name, password, self._clock.now())
        except WrongPassword as e:
            if self._flaws.says(f"{e.reason} {name[:40]}", self._clock.now()):
                self._journal.append(LoginRefused(name=name[:40], reason=e.reason))
            if e.reason == "slow_down":
                raise Refusal("slow_down", "Too many wrong passwords.", "Wait a minute and try again.") from e
            raise Refusal("wrong", "Name or password is wrong.", "Try again.") from e
        except (OSError, msgspec.DecodeError) as e:
            raise Refusal("people", f"The file of people cannot be read: {e}.", "Set a password at the console.") from e
        self._journal.append(LoggedIn(name=name), actor=name)
        return {"token": token, "name": session.name, "role": session.role}

    async def _subscribe(self, peer: Peer, message: Message) -> Message:
        after = _whole(message, "after", self._journal.head.seq)
        if self._journal.head.seq - after > RING:
            raise Refusal("too_old", f"More than {RING} rows have come since.", "Read them with `journal` first.")
        rows = await self._rows(after, MOST_ROWS)
        for row in rows:
            peer.send({"entry": msgspec.to_builtins(entry_view(row))})
        self._readers[peer] = bool(message.get("views"))
        self._changed.set()
        return {"seq": rows[-1].seq if rows else after}

    async def _rows(self, after: int, most: int) -> list[Entry]:
        """Entries behind `after` (or the last `most` when it is negative), oldest first, up to this moment."""
        most = max(1, min(most, MOST_ROWS))
        head = self._journal.head.seq
        wanted_after = max(0, head - most) if after < 0 else after
        old: list[Entry] = []
        if not self._ring or self._ring[0].seq > wanted_after + 1:
            old = await asyncio.to_thread(self._from_file, wanted_after, most)
        newest_old = old[-1].seq if old else wanted_after
        rows = old + [e for e in self._ring if e.seq > newest_old]
        return rows[:most]

    def _from_file(self, after: int, most: int) -> list[Entry]:
        rows = []
        try:
            for row in read_entries(self._file, after=after):
                rows.append(row)
                if len(rows) == most:
                    break
        except (sqlite3.Error, JournalUnreadable) as e:
            raise Refusal("journal", f"The journal cannot be read: {e}.", "The box acts on without it.") from e
        return rows


def _whole(message: Message, key: str, default: int) -> int:
    value = message.get(key, default)
    if not isinstance(value, int) or isinstance(value, bool):
        raise Refusal("bad_command", f"{key} must be a whole number, not {value!r}.")
    return value
