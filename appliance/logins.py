"""The tokens that core gave out, by their hash, in a file of the run folder: a restart of core logs nobody out.

The folder is in RAM and gone at a reboot, as is the monotonic time that the tokens end by.
"""

import contextlib
import hashlib
import os
import secrets
from pathlib import Path

import msgspec

TOKEN_LIFE = 12 * 3600.0  # s; a shift
MOST_TOKENS = 200


class Login(msgspec.Struct, frozen=True):
    name: str
    role: str
    ends: float  # mono


class Logins:
    """`file` None keeps them in this process alone."""

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._logins: dict[str, Login] = {}
        if file is not None:
            with contextlib.suppress(OSError, msgspec.DecodeError):  # not there, or not ours: nobody is logged in
                self._logins = msgspec.json.decode(file.read_bytes(), type=dict[str, Login])

    def give(self, name: str, role: str, now: float) -> tuple[str, Login]:
        """A new token for someone whose password was right."""
        self._logins = {h: login for h, login in self._logins.items() if login.ends > now}
        if len(self._logins) >= MOST_TOKENS:
            del self._logins[next(iter(self._logins))]
        token = secrets.token_urlsafe(24)
        login = self._logins[_hash(token)] = Login(name, role, now + TOKEN_LIFE)
        self._keep()
        return token, login

    def holder(self, token: str, now: float) -> Login | None:
        """Who holds this token, if it is still good."""
        login = self._logins.get(_hash(token))
        return login if login and login.ends > now else None

    def end(self, token: str) -> None:
        if self._logins.pop(_hash(token), None):
            self._keep()

    def end_of(self, name: str) -> None:
        """All of a person's: the password was changed, or the person is gone."""
        kept = {token: login for token, login in self._logins.items() if login.name != name}
        if len(kept) != len(self._logins):
            self._logins = kept
            self._keep()

    def _keep(self) -> None:
        if self._file is None:
            return
        new = self._file.with_suffix(".new")
        with contextlib.suppress(OSError):  # then they live as long as this process
            with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as f:
                f.write(msgspec.json.encode(self._logins))
            new.replace(self._file)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
