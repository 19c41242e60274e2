"""Who may order: names, roles and password hashes in one file that only core reads, and the tokens it gave out."""

import asyncio
import hashlib
import hmac
import os
import secrets
from collections import deque
from pathlib import Path

import msgspec

SCRYPT = {"n": 1 << 14, "r": 8, "p": 1}  # 16 MB and some 50 ms a try on a Pi 4: slow to guess, quick to log in
TOKEN_LIFE = 12 * 3600.0  # s; a shift
MOST_TOKENS = 200
MOST_NAMES = 1000  # whose wrong tries are counted; to have one forgotten costs as many tries of others
TRIES, TRIES_WITHIN = 5, 60.0  # wrong passwords for one name in so many seconds, then it has to wait


class Person(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    role: str  # "operator", "supervisor", "technician"
    salt: str
    hash: str


class Session(msgspec.Struct, frozen=True):
    name: str
    role: str
    ends: float  # mono


class WrongPassword(Exception):
    """`reason`: "wrong" or "slow_down"."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def _hash(password: str, salt: str) -> str:
    return hashlib.scrypt(password.encode(), salt=bytes.fromhex(salt), **SCRYPT).hex()


def new_password() -> str:
    """Twelve letters and digits that cannot be taken for another: some 58 bits."""
    return "-".join("".join(secrets.choice("abcdefghjkmnpqrstuvwxyz23456789") for _ in range(4)) for _ in range(3))


class People:
    """Reads the file at each login, so that a changed password counts at once."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._sessions: dict[str, Session] = {}
        self._tries: dict[str, deque[float]] = {}

    def _read(self) -> dict[str, Person]:
        try:
            return {p.name: p for p in msgspec.json.decode(self._file.read_bytes(), type=list[Person])}
        except FileNotFoundError:
            return {}

    def set_password(self, name: str, role: str, password: str) -> None:
        """Add a person or change the password. Replaces the file whole, readable by its owner alone."""
        salt = secrets.token_hex(16)
        people = self._read() | {name: Person(name, role, salt, _hash(password, salt))}
        self._file.parent.mkdir(parents=True, exist_ok=True)
        new = self._file.with_suffix(".new")
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as f:
            f.write(msgspec.json.encode(list(people.values())))
            f.flush()
            os.fsync(f.fileno())
        new.replace(self._file)

    async def login(self, name: str, password: str, now: float) -> tuple[str, Session]:
        """A token for the right password. Raises WrongPassword; OSError or msgspec's errors when the file is bad."""
        tries = self._tries.pop(name, None) or deque(maxlen=TRIES)
        self._tries[name] = tries  # the last one now
        if len(self._tries) > MOST_NAMES:
            del self._tries[next(iter(self._tries))]
        if len(tries) == TRIES and now - tries[0] < TRIES_WITHIN:
            raise WrongPassword("slow_down")
        tries.append(now)  # before the hash is known: a hundred at once are a hundred tries
        person = self._read().get(name) or Person(name, "", "00" * 16, "")  # the same work for an unknown name
        given = await asyncio.to_thread(_hash, password, person.salt)
        if not hmac.compare_digest(given, person.hash):
            raise WrongPassword("wrong")
        self._tries.pop(name, None)
        self._sessions = {t: s for t, s in self._sessions.items() if s.ends > now}
        if len(self._sessions) >= MOST_TOKENS:
            self._sessions.pop(next(iter(self._sessions)))
        token = secrets.token_urlsafe(24)
        self._sessions[token] = Session(name, person.role, now + TOKEN_LIFE)
        return token, self._sessions[token]

    def holder(self, token: str, now: float) -> Session | None:
        """Who holds this token, if it is still good."""
        session = self._sessions.get(token)
        return session if session and session.ends > now else None

    def logout(self, token: str) -> None:
        self._sessions.pop(token, None)
