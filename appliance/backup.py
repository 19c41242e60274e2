"""A backup of one box: made while core writes, checked after it was written, kept N times, and put back.

Not in it: the history of figures, recordings of calls, modems' flight recordings. They are large, and nothing waits for
them.
"""

import os
import pwd
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import msgspec

from appliance.backup_file import (
    FORMAT,
    JOURNAL,
    SEALED,
    SITE,
    BadBackup,
    Manifest,
    digest,
    pack,
    pack_secrets,
    unpack,
    unpack_secrets,
)
from appliance.backup_seal import Seal, close, open_sealed
from appliance.config import Places, Site, SiteError, load_site, places
from appliance.entry import FIRST_HASH
from appliance.journal import follow_chain
from appliance.journal_file import read_entries
from appliance.keys import sync_directory

KEEP = 14  # nights; a fault that nobody saw for two weeks
NAME = "siaga-{id}-{stamp}.tar.gz"
STAMP = "%Y%m%dT%H%M%SZ"
SPARE = 50_000_000  # octets that stay free for core
WAIT_MS = 30_000  # ms for a reader's turn; core's own transactions last milliseconds
OF_WEB = "siaga-web"  # whose alone the pages' authority is
SEAL = "backup-seal.json"  # in the state folder
ASIDE = "before-restore-{stamp}"  # folder in the state folder with what was there


class NoBackup(Exception):
    """It was not made or not put back; the text says what to do next."""


class Made(msgspec.Struct, frozen=True):
    """`broken`: what is wrong with the journal's own chain, of which this is a true copy."""

    file: Path
    manifest: Manifest
    octets: int
    broken: str | None


def secret_files(where: Places, config: Path) -> dict[str, Path]:
    """What goes under the seal, by its name in there; only what there is."""
    one = {
        "own.key": where.key,
        "state/people.json": where.people,
        "state/keys.json": where.keys,
        f"state/{SEAL}": where.state / SEAL,
        "config/secrets.toml": config.parent / "secrets.toml",
        "config/appliance.toml": config.parent / "appliance.toml",
    }
    files = {name: file for name, file in one.items() if file.is_file()}
    for name, folder in (("state/broker", where.broker), ("state/tls", where.tls)):
        if folder.is_dir():
            files |= {f"{name}/{file.name}": file for file in sorted(folder.iterdir()) if file.is_file()}
    return files


def make(
    site: Site, config: Path, folder: Path, *, seal: Seal | None, version: str, wall: float, keep: int = KEEP
) -> Made:
    """Write, check and keep one. Raises NoBackup, OSError, sqlite3.Error."""
    where = places(site, config)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    needed = 2 * _size(where.journal) + SPARE
    drop_oldest(folder, site.id, keep - 1)
    if (free := shutil.disk_usage(folder).free) < needed:
        raise NoBackup(f"{folder} has {free // 10**6} MB free and {needed // 10**6} are needed: make room there.")
    with tempfile.TemporaryDirectory(dir=folder, prefix=".making-") as name:
        parts = {JOURNAL: Path(name) / JOURNAL, SITE: Path(name) / SITE}
        _copy_journal(where.journal, parts[JOURNAL])
        shutil.copyfile(config, parts[SITE])
        if seal is not None:
            parts[SEALED] = Path(name) / SEALED
            parts[SEALED].write_bytes(close(seal, pack_secrets(secret_files(where, config))))
        rows, head = _head(parts[JOURNAL])
        manifest = Manifest(
            FORMAT, site.site, site.id, version, wall, rows, head, {part: digest(f) for part, f in parts.items()}
        )
        stamp = time.strftime(STAMP, time.gmtime(wall))
        file = folder / NAME.format(id=site.id, stamp=stamp)
        broken = follow_chain(read_entries(parts[JOURNAL], stopped=True))
        pack(file, manifest, parts)
    if unpack(file) != manifest:  # read back from where it lies
        raise NoBackup(f"{file} does not read back as it was written: try another medium.")
    return Made(file, manifest, file.stat().st_size, broken)


def copy_to(made: Made, folder: Path, *, keep: int = KEEP) -> Path:
    """The same onto a stick, read back from there. Raises NoBackup, BadBackup, OSError."""
    drop_oldest(folder, made.manifest.id, keep - 1)
    if (free := shutil.disk_usage(folder).free) < made.octets:
        raise NoBackup(f"{folder} has {free // 10**6} MB free, less than the backup has: take an empty stick.")
    new = folder / f".{made.file.name}.new"
    try:
        with made.file.open("rb") as read, new.open("wb") as written:
            shutil.copyfileobj(read, written)
            written.flush()
            os.fsync(written.fileno())
        file = new.replace(folder / made.file.name)
    finally:
        new.unlink(missing_ok=True)
    sync_directory(folder)
    if unpack(file) != made.manifest:
        raise NoBackup(f"{file} does not read back as it was written: take another stick.")
    return file


def broken_chain(file: Path) -> tuple[Manifest, str | None]:
    """Read all of it, and follow its journal's chain. Raises BadBackup, OSError."""
    with tempfile.TemporaryDirectory(prefix="siaga-backup-") as name:
        manifest = unpack(file, Path(name))
        return manifest, follow_chain(read_entries(Path(name) / JOURNAL, stopped=True))


def kept(folder: Path, node: str = "*") -> list[Path]:
    """The backups of a folder, the oldest first."""
    return sorted(folder.glob(NAME.format(id=node, stamp="*")), key=lambda file: file.name.rsplit("-", 1)[-1])


def drop_oldest(folder: Path, node: str, keep: int) -> None:
    """Also what a power cut left unfinished."""
    for left in (*folder.glob(".making-*"), *folder.glob(".siaga-*.new")):
        shutil.rmtree(left) if left.is_dir() else left.unlink()
    files = kept(folder, node)
    for file in files[: max(0, len(files) - keep)]:
        file.unlink()


def restore(file: Path, config: Path, *, code: str | None, alive: Callable[[Places], bool], wall: float) -> Manifest:
    """Put it back, and what was there aside. Raises NoBackup, BadBackup, WrongCode, OSError, sqlite3.Error.

    Nothing is touched before all of it was read and found right.
    """
    config.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=config.parent, prefix=".restoring-") as first:
        unpack(file, Path(first))
        shutil.copyfile(Path(first) / SITE, trial := config.parent / ".restored-site.toml")
        try:
            where = places(load_site(trial), config)
        except SiteError as e:
            raise NoBackup(f"The site file in {file} is refused: {e}") from e
        finally:
            trial.unlink()
    if alive(where):
        raise NoBackup("Core runs on this box. Stop it first: systemctl stop siaga.target")
    where.state.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=where.state, prefix=".restoring-") as name:
        new = Path(name)
        manifest = unpack(file, new)
        if (rows_head := _head(new / JOURNAL)) != (manifest.rows, manifest.head):
            raise BadBackup(f"The journal in {file} ends at row {rows_head[0]}, its manifest says {manifest.rows}.")
        secrets: Mapping[str, bytes] = {}
        if code is not None:
            if SEALED not in manifest.parts:
                raise NoBackup(f"{file} was made before there was a code: it holds no keys. Restore without a code.")
            secrets = unpack_secrets(open_sealed(code, (new / SEALED).read_bytes()))
        aside = where.state / ASIDE.format(stamp=time.strftime(STAMP, time.gmtime(wall)))
        for target, source, mode in _targets(new, secrets, where, config):
            _put(target, source, mode, aside)
    return manifest


def _targets(
    new: Path, secrets: Mapping[str, bytes], where: Places, config: Path
) -> Iterator[tuple[Path, Path | bytes, int]]:
    """Target, what goes there, and its mode. The site file is the last: without it nothing starts."""
    for suffix in ("-wal", "-shm"):  # of another journal they would be poison
        yield where.journal.with_name(where.journal.name + suffix), b"", 0
    yield where.journal, new / JOURNAL, 0o640
    roots = {"state": where.state, "config": config.parent}
    for name, octets in secrets.items():
        first, _, rest = name.partition("/")
        if target := where.key if name == "own.key" else roots[first] / rest if rest and first in roots else None:
            yield target, octets, 0o600
    yield config, new / SITE, 0o640


def _put(target: Path, source: Path | bytes, mode: int, aside: Path) -> None:
    """`mode` 0: only take away what is there."""
    if target.exists():
        aside.mkdir(exist_ok=True, mode=0o700)
        shutil.copy2(target, aside / target.name)
        if not mode:
            target.unlink()
    if not mode:
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    new = target.with_name(f".{target.name}.restored")
    if isinstance(source, Path):
        shutil.copyfile(source, new)
    else:
        new.write_bytes(source)
    new.chmod(mode)
    _own(new, target)
    with new.open("rb") as written:
        os.fsync(written.fileno())
    new.replace(target)
    sync_directory(target.parent)


def _own(new: Path, target: Path) -> None:
    """When root restores: as the folder it lies in, and web's own to web."""
    if os.geteuid() != 0:
        return
    folder = target.parent.stat()
    owner, group = folder.st_uid, folder.st_gid
    if target.parent.name == "tls":
        try:
            owner = pwd.getpwnam(OF_WEB).pw_uid
        except KeyError:  # not a box
            return
        os.chown(target.parent, owner, group)
        target.parent.chmod(0o700)
    os.chown(new, owner, group)


def _copy_journal(source: Path, target: Path) -> None:
    """One reader's transaction: what core writes meanwhile is in the next night's."""
    if not source.is_file():
        raise NoBackup(f"There is no journal {source}: start core once.")
    try:
        _copy(source, "ro", target)
    except sqlite3.OperationalError:  # core is dead and has left a WAL, which only a writer may take up
        _copy(source, "rw", target)


def _copy(source: Path, mode: str, target: Path) -> None:
    with (
        closing(sqlite3.connect(f"file:{quote(str(source))}?mode={mode}", uri=True, timeout=WAIT_MS / 1000)) as db,
        closing(sqlite3.connect(target, isolation_level=None)) as copy,
    ):
        db.backup(copy, pages=-1)
        copy.execute("PRAGMA journal_mode=DELETE")  # one file, that a reader without rights to write opens


def _head(file: Path) -> tuple[int, str]:
    last = list(read_entries(file, last=1, stopped=True))
    return (last[0].seq, last[0].hash) if last else (0, FIRST_HASH)


def _size(file: Path) -> int:
    return sum(f.stat().st_size for s in ("", "-wal") if (f := file.with_name(file.name + s)).is_file())
