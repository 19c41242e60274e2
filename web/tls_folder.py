"""Where the authority and the certificate lie: two files of web's user alone, each whole or not there.

A file that is damaged is set aside and made anew: a page with a browser's warning is better than none. A file that we
may not read is refused: somebody has to say whose it is.
"""

import contextlib
import logging
import os
import stat
import tempfile
from collections.abc import Iterable
from pathlib import Path

from web.authority import Pair, Unusable, allowed, ending, issue, make_authority, parse, why_new

AUTHORITY, SERVED = "authority.pem", "server.pem"
DAMAGED = ".damaged"  # behind the name of a file that was set aside; the one before it is overwritten
MOST_OCTETS = 20_000  # of a file; a key and a certificate have some 1,500

log = logging.getLogger("siaga.web.tls")


class TlsError(Exception):
    """TLS cannot be served; the text says where the fault is and what to do next."""


class TlsFolder:
    """`box` is the site's name: people see it in the list of authorities of their PC."""

    def __init__(self, folder: Path, box: str) -> None:
        self._folder, self._box = folder, box
        self._serving: Pair | None = None
        self._left_out: frozenset[str] = frozenset()

    def authority(self, wanted: Iterable[str], wall: float) -> Pair:
        """The box's authority; made at the first start, or when it is damaged or ends. Raises TlsError."""
        file = self._folder / AUTHORITY
        found, why = self._read(file)
        if found is not None and ending(found.certificate, wall):
            why = f"it ends on {found.certificate.not_valid_after_utc:%Y-%m-%d}"
        if found is not None and not why:
            return found
        if why:
            self._set_aside(file)
            log.error(
                "%s: %s. It was set aside and a new authority was made: PCs warn of the page until its certificate is "
                "installed on them (docs/tls.md).", file, why,
            )  # fmt: skip
        made = make_authority(self._box, wanted, wall)
        if not self._store(file, made):
            raise TlsError(f"{file} cannot be stored: see that {self._folder} is web's own and the disk has room.")
        log.info("%s: made this box's authority", file)
        return made

    def served(self, authority: Pair, wanted: Iterable[str], wall: float) -> tuple[Pair, bool]:
        """A certificate that does now, and whether it was made just now. Raises TlsError."""
        file = self._folder / SERVED
        names = allowed(authority.certificate, wanted)
        self._tell_left_out(frozenset(wanted) - set(names))
        # Read once: a file that is damaged under a running web costs nothing until web starts again.
        found, why = (self._serving, "") if self._serving else self._read(file)
        if found is not None and not (why := why_new(found.certificate, authority.certificate, names, wall)):
            self._serving = found
            return found, False
        made = issue(authority, names, wall)
        log.info("%s: a new certificate, %s", file, why or "the first")
        if not self._store(file, made):
            log.error("%s cannot be stored: this certificate serves until web ends; see to the disk.", file)
        self._serving = made
        return made, True

    def _read(self, file: Path) -> tuple[Pair | None, str]:
        """What is there, or why it is not usable. Raises TlsError when that is for a person to see to."""
        try:
            with file.open("rb") as opened:
                mode = stat.S_IMODE(os.fstat(opened.fileno()).st_mode)
                pem = opened.read(MOST_OCTETS)
        except FileNotFoundError:
            return None, ""
        except OSError as e:
            raise TlsError(f"{file} cannot be read ({e.strerror}): make it web's own user's, mode 600.") from e
        if mode & 0o077:
            raise TlsError(f"{file}: mode {mode:04o} lets others at the key; run: chmod 600 {file}")
        try:
            return parse(pem), ""
        except Unusable as e:
            return None, str(e)

    def _store(self, file: Path, pair: Pair) -> bool:
        """Put it in place whole and durable; mkstemp gives mode 0600. False, and said, when the disk does not."""
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=self._folder, prefix=f".{file.name}.")
            try:
                with os.fdopen(handle, "wb") as opened:
                    opened.write(pair.pem())
                    opened.flush()
                    os.fsync(opened.fileno())
                Path(name).replace(file)
            except OSError:
                with contextlib.suppress(OSError):
                    Path(name).unlink()
                raise
            _sync_folder(self._folder)
        except OSError as e:
            log.error("%s: %s", file, e.strerror)
            return False
        return True

    def _set_aside(self, file: Path) -> None:
        try:
            file.replace(file.with_name(file.name + DAMAGED))
        except OSError as e:
            raise TlsError(f"{file} is damaged and cannot be moved ({e.strerror}): move it away by hand.") from e

    def _tell_left_out(self, names: frozenset[str]) -> None:
        if names != self._left_out and names:
            log.warning(
                "no certificate for %s: the authority was made without. To have them, set names in [web], move "
                "%s away, start web again, and install the new certificate on every PC.",
                ", ".join(sorted(names)), self._folder / AUTHORITY,
            )  # fmt: skip
        self._left_out = names


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
