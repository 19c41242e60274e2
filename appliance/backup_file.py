"""A backup: one .tar.gz with a manifest, the journal's copy, the site file, and the secrets under a seal.

Written beside and renamed, so that there is never half a one; read only after every hash in the manifest was right.
"""

import gzip
import hashlib
import io
import os
import tarfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import IO

import msgspec

from appliance.keys import sync_directory

FORMAT = 1
MANIFEST, JOURNAL, SITE, SEALED = "manifest.json", "journal.db", "site.toml", "sealed"
KNOWN = {MANIFEST, JOURNAL, SITE, SEALED}
MOST_OF_MANIFEST = 100_000  # octets
MOST_OF_SECRETS = 64_000_000  # octets; 1,000 stations' keys and certificates are some 2,000,000
CHUNK = 1 << 20
LEVEL = 6  # of gzip; a journal becomes a fifth


class BadBackup(Exception):
    """The file is no whole backup; the text says what is wrong and what to do next."""


class Part(msgspec.Struct, frozen=True):
    octets: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True):
    """`rows` and `head`: of the journal. `made` in unix seconds, with the `quality` that the clock had."""

    format: int
    site: str
    id: str
    version: str
    made: float
    rows: int
    head: str
    parts: dict[str, Part]


def digest(file: Path) -> Part:
    with file.open("rb") as opened:
        return Part(file.stat().st_size, hashlib.file_digest(opened, "sha256").hexdigest())


def pack(file: Path, manifest: Manifest, parts: Mapping[str, Path]) -> None:
    """Durable on return. Raises OSError."""
    new = file.with_name(f".{file.name}.new")
    try:
        with new.open("wb") as opened:
            os.fchmod(opened.fileno(), 0o600)
            with tarfile.open(fileobj=opened, mode="w:gz", compresslevel=LEVEL, format=tarfile.USTAR_FORMAT) as tar:
                _add(tar, MANIFEST, io.BytesIO(said := msgspec.json.encode(manifest)), len(said))
                for name, part in parts.items():
                    with part.open("rb") as read:
                        _add(tar, name, read, manifest.parts[name].octets)
            opened.flush()
            os.fsync(opened.fileno())
        new.replace(file)
    finally:
        new.unlink(missing_ok=True)
    sync_directory(file.parent)


def _add(tar: tarfile.TarFile, name: str, octets: IO[bytes], length: int) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.mode = length, 0o600
    tar.addfile(member, octets)


def unpack(file: Path, to: Path | None = None) -> Manifest:
    """Check every part against the manifest, and put them into `to` if it is given. Raises BadBackup, OSError."""
    try:
        with tarfile.open(file, "r:gz") as tar:
            return _parts(file, tar, to)
    except (tarfile.TarError, gzip.BadGzipFile, EOFError, zlib.error, msgspec.MsgspecError) as e:
        raise BadBackup(f"{file} is no whole backup ({e}). Take the one of the night before.") from e


def _parts(file: Path, tar: tarfile.TarFile, to: Path | None) -> Manifest:
    manifest: Manifest | None = None
    seen: set[str] = set()
    for member in tar:
        content = tar.extractfile(member) if member.isreg() else None
        if content is None or member.name not in KNOWN or member.name in seen:
            raise BadBackup(f"{file} has a part {member.name!r} that no backup has. Do not use it.")
        seen.add(member.name)
        if manifest is None:
            if member.name != MANIFEST or member.size > MOST_OF_MANIFEST:
                raise BadBackup(f"{file} does not begin with a manifest: it is not one of this program's backups.")
            manifest = msgspec.json.decode(content.read(), type=Manifest)
            if manifest.format != FORMAT:
                raise BadBackup(f"{file} was made by a later release ({manifest.version}); install that one.")
            continue
        _check(file, member.name, manifest.parts.get(member.name), content, to)
    if manifest is None:
        raise BadBackup(f"{file} is empty.")
    if missing := (set(manifest.parts) | {JOURNAL, SITE}) - seen:
        raise BadBackup(f"{file} lacks {', '.join(sorted(missing))}. Take the one of the night before.")
    return manifest


def _check(file: Path, name: str, part: Part | None, content: IO[bytes], to: Path | None) -> None:
    hashed, octets = hashlib.sha256(), 0
    with Path(os.devnull if to is None else to / name).open("wb") as written:
        while chunk := content.read(CHUNK):
            hashed.update(chunk)
            octets += len(chunk)
            written.write(chunk)
        if to is not None:
            written.flush()
            os.fsync(written.fileno())
    if part is None or (octets, hashed.hexdigest()) != (part.octets, part.sha256):
        raise BadBackup(f"{file}: {name} is not as it was written. Take the one of the night before.")


def pack_secrets(files: Mapping[str, Path]) -> bytes:
    """One tar in RAM, of what there is. Raises OSError."""
    octets = io.BytesIO()
    with tarfile.open(fileobj=octets, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name, file in files.items():
            content = file.read_bytes()
            _add(tar, name, io.BytesIO(content), len(content))
    if octets.tell() > MOST_OF_SECRETS:
        raise OSError(27, f"keys of {octets.tell()} octets are more than a backup takes")
    return octets.getvalue()


def unpack_secrets(octets: bytes) -> dict[str, bytes]:
    """By name, as they were packed. Raises BadBackup."""
    try:
        with tarfile.open(fileobj=io.BytesIO(octets), mode="r:") as tar:
            files = {m.name: content.read() for m in tar if m.isreg() and (content := tar.extractfile(m))}
    except tarfile.TarError as e:
        raise BadBackup(f"What was sealed cannot be read: {e}.") from e
    if outside := [name for name in files if name.startswith("/") or ".." in Path(name).parts]:
        raise BadBackup(f"What was sealed has a file {outside[0]!r} that leads elsewhere. Do not use it.")
    return files
