"""Who may order: names, roles and password hashes in one file that only core reads."""

import asyncio
import hashlib
import hmac
import secrets
from collections import deque
from pathlib import Path

import msgspec

from appliance.key_file import replace_file
from appliance.logins import Login, Logins

SCRYPT = {"n": 1 << 14, "r": 8, "p": 1}  # 16 MB and some 50 ms a try on a Pi 4: slow to guess, quick to log in
MOST_NAMES = 1000  # whose wrong tries are counted; to have one forgotten costs as many tries of others
TRIES, TRIES_WITHIN = 5, 60.0  # wrong passwords for one name in so many seconds, then it has to wait


class Person(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    role: str  # "operator", "supervisor", "technician"
    salt: str
    hash: str


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


def read_people(file: Path) -> dict[str, Person]:
    """By name; none where there is no file. Raises OSError, msgspec.DecodeError."""
    try:
        return {p.name: p for p in msgspec.json.decode(file.read_bytes(), type=list[Person])}
    except FileNotFoundError:
        return {}


def with_password(people: dict[str, Person], name: str, role: str, password: str) -> dict[str, Person]:
    """With a person added, or with a new password."""
    salt = secrets.token_hex(16)
    return people | {name: Person(name, role, salt, _hash(password, salt))}


def people_octets(people: dict[str, Person]) -> bytes:
    """What the file holds."""
    return msgspec.json.encode(list(people.values()))


def set_password(file: Path, name: str, role: str, password: str) -> None:
    """Add a person or change the password. Replaces the file whole, readable by the folder's owner alone."""
    people = with_password(read_people(file), name, role, password)
    file.parent.mkdir(parents=True, exist_ok=True)
    replace_file(file, people_octets(people))


CONSOLE = "console:"  # begins the actor of an order that came without a login, from the box's own user or root


class People:
    """Reads the file at each login, so that a changed password counts at once."""

    def __init__(self, file: Path, logins: Logins) -> None:
        self._file, self.logins = file, logins
        self._tries: dict[str, deque[float]] = {}

    def read(self) -> dict[str, Person]:
        """As the file says now. Raises OSError, msgspec.DecodeError."""
        return read_people(self._file)

    def role(self, actor: str) -> str:
        """As the file says now; "console" at the box itself, "" of nobody that is known."""
        if actor.startswith(CONSOLE):
            return "console"
        try:
            person = self.read().get(actor)
        except (OSError, msgspec.DecodeError):
            return ""
        return person.role if person else ""

    async def login(self, name: str, password: str, now: float) -> tuple[str, Login]:
        """A token for the right password. Raises WrongPassword; OSError or msgspec's errors when the file is bad."""
        tries = self._tries.pop(name, None) or deque(maxlen=TRIES)
        self._tries[name] = tries  # the last one now
        if len(self._tries) > MOST_NAMES:
            del self._tries[next(iter(self._tries))]
        if len(tries) == TRIES and now - tries[0] < TRIES_WITHIN:
            raise WrongPassword("slow_down")
        tries.append(now)  # before the hash is known: a hundred at once are a hundred tries
        person = self.read().get(name) or Person(name, "", "00" * 16, "")  # the same work for an unknown name
        given = await asyncio.to_thread(_hash, password, person.salt)
        if not hmac.compare_digest(given, person.hash):
            raise WrongPassword("wrong")
        self._tries.pop(name, None)
        return self.logins.give(name, person.role, now)
