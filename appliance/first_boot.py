"""What a box does with `appliance.toml` at each boot: check it whole, take it over, blank its secrets.

A power cut at any step leaves the old state or the new one, and the next boot goes on from there.
"""

import hashlib
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import msgspec
import tomli_w

from appliance.annunciator_config import ConfigRefused
from appliance.boot_config import CONFIG, config_file, fitted, needs_of, remember_start, what_changes
from appliance.boot_pins import PinsRefused
from appliance.first_boot_disk import Disk, Item
from appliance.first_boot_file import MOST_OCTETS, SECRETS, Appliance, Refused, decoded, read
from appliance.first_boot_mount import writable
from appliance.first_boot_once import make_once
from appliance.first_boot_secrets import OF_SITE, blanked, filled, masked, without_pins
from appliance.first_boot_site import NewSite, new_site, office_of, take_grant
from appliance.first_boot_system import wifi_key
from appliance.first_boot_words import FILE, Fault, fault
from appliance.people import people_octets, read_people, with_password
from appliance.toml_lines import Where, look_up, spots

KEPT, SITE, TAKEN, WIFI = "etc/appliance.toml", "etc/site.toml", "etc/taken.json", "etc/wifi.key"
SECRET = "etc/secrets.toml"  # root's; systemd hands it to core alone
PEOPLE = "siaga/people.json"
REQUEST = "request.txt"
LONGEST_SITE = 1_000_000


class Print(msgspec.Struct, frozen=True):
    """SHA-256 of one file of the FAT partition, with its secrets and without; `before` is empty once it is blanked."""

    name: str
    before: str
    after: str


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """`what`: "taken" anew, "unchanged", "old" stands for the new file is wrong, "none": nothing to work with."""

    what: Literal["taken", "unchanged", "old", "none"]
    told: Appliance | None = None
    faults: tuple[Fault, ...] = ()
    made: tuple[str, ...] = ()  # what the box made of itself now
    firmware: tuple[
        str, ...
    ] = ()  # what config.txt says anew from the next start on: "pins", "wifi"; "slot": not reached
    lamp: int | None = None  # pin of a fault lamp, where nothing else of the wiring is known


class FirstBoot:
    """`boot`: the FAT partition, `data`: the data partition, `scratch`: a folder in RAM."""

    def __init__(
        self, boot: Path, data: Path, scratch: Path, *, board: str = "", core: int | None = None,
        step: Callable[[str], None] = lambda _: None,
    ) -> None:  # fmt: skip
        self._boot, self._data, self._scratch = boot, data, scratch
        self._board, self._core = board, core
        self._disk = Disk(data, step)
        self._left: list[Fault] = []  # what could not be done on the card; the box works all the same

    def run(self) -> Outcome:
        """Raises OSError where the data partition cannot be written."""
        outcome = self._taken_over()
        firmware = self._fit() if outcome.told else ()
        return msgspec.structs.replace(outcome, firmware=firmware, faults=(*outcome.faults, *self._left))

    def _taken_over(self) -> Outcome:
        self._disk.finish()
        made = tuple(make_once(self._disk))
        known = self._known()
        if known and self._is(known):
            return Outcome(what="unchanged", told=self._kept(), made=made)
        try:
            if told := self._give_back():
                return Outcome(what="unchanged", told=told, made=made)
            return Outcome(what="taken", told=self._take(), made=made)
        except Refused as e:
            faults = tuple(self._shown(one) for one in e.faults)
            old = self._kept() if (self._data / KEPT).exists() else None
            return Outcome(what="old" if old else "none", told=old, faults=faults, made=made, lamp=e.lamp)

    def _fit(self) -> tuple[str, ...]:
        """The card's config.txt, for the box as it is now."""
        file = config_file(self._boot)
        try:
            if (needs := needs_of(self._data)) is None:
                return ()
            if needs.board == "pi5" and not file.exists():
                return ("slot",)
            remember_start(file, self._scratch.parent)
            old = file.read_bytes().decode("latin-1").replace("\r\n", "\n")
            new = fitted(old, needs)
        except (ConfigRefused, PinsRefused, OSError) as e:
            self._left.append(fault("not_fitted", "", file=CONFIG, why=e))
            return ()
        if new == old or not self._put(CONFIG, "not_written", self._disk.write, new.encode("latin-1"), file.parent):
            return ()
        return what_changes(old, new)

    def _known(self) -> list[Print]:
        """The files as they were taken over last; none on a new box."""
        try:
            return msgspec.json.decode((self._data / TAKEN).read_bytes(), type=list[Print])
        except FileNotFoundError:
            return []

    def _kept(self) -> Appliance:
        return read((self._data / KEPT).read_bytes())

    def _is(self, known: list[Print]) -> bool:
        """Whether the FAT holds what was taken over last; blanks what a power cut left."""
        for one in known:
            try:
                found = _hash((self._boot / one.name).read_bytes())
            except OSError:
                return False
            if found not in (one.before, one.after):
                return False
            if found != one.after:
                self._blank(one.name)
        return True

    def _give_back(self) -> Appliance | None:
        """A new card in a box that was restored from its backup: the card gets the box's own files, without secrets."""
        if (self._boot / FILE).exists() or not ((self._data / KEPT).exists() and (self._data / SITE).exists()):
            return None
        told = self._kept()
        octets = (self._data / SITE).read_bytes()
        text, stuck = blanked(octets.decode(), decoded(octets, SITE)[1], OF_SITE, told.site)
        if stuck:
            raise Refused(stuck)
        files = {told.site: text.encode(), FILE: (self._data / KEPT).read_bytes()}
        for name, content in files.items():  # appliance.toml last: without it this begins again
            self._put(name, "not_written", self._disk.write, content)
        if self._left:
            return told
        prints = [Print(name, _hash(content), _hash(content)) for name, content in files.items()]
        self._disk.change([Item(TAKEN, msgspec.json.encode(prints))])
        return told

    def _take(self) -> Appliance:
        octets = self._octets(FILE, MOST_OCTETS)
        told = read(octets)
        text, data = decoded(octets, FILE)
        faults = self._against_the_box(told, data, text)
        files = {FILE: text, **self._others(told, faults)}
        site: NewSite | None = None
        clean: dict[str, str] = {}
        if told.site in files:
            site = self._site(told, files[told.site], faults)
        for name, content in files.items():
            clean[name], stuck = self._without_secrets(name, content, told)
            faults += stuck
        if faults or site is None:
            raise Refused(faults, told.fault_lamp)
        if told.code:
            faults += take_grant(site.site, self._data, files[told.grant], told.code, only_try=False)
            if faults:
                raise Refused(faults, told.fault_lamp)
        kept, pins = without_pins(site.text, decoded(site.text.encode(), SITE)[1])
        # PINs that were given at the box stay, as long as there is the line.
        pins = {line.id: pin for line in site.site.line if (pin := pins.get(line.id) or self._pins().get(line.id))}
        items = [
            Item(KEPT, clean[FILE].encode(), 0o640),
            Item(SITE, kept.encode(), 0o640, group=True),
            Item(SECRET, tomli_w.dumps({"pin": pins}).encode()),
            *self._people(told), *self._wifi(told),
            Item(TAKEN, msgspec.json.encode([
                Print(name, _hash(self._octets(name, LONGEST_SITE)), _hash(clean[name].encode())) for name in files
            ])),
        ]  # fmt: skip
        if told.role == "station":  # for the centre, by the card; everybody may read it
            request = office_of(site.site, self._data).request()
            self._put(REQUEST, "not_written", self._disk.write, f"{request}\n".encode())
        self._disk.change(items)
        for name in files:
            self._blank(name)
        return told

    def _octets(self, name: str, most: int) -> bytes:
        try:
            with (self._boot / name).open("rb") as opened:
                octets = opened.read(most + 1)
        except FileNotFoundError as e:
            raise Refused([fault("no_file", "", file=name)]) from e
        except OSError as e:
            raise Refused([fault("unreadable", "", file=name, why=e.strerror)]) from e
        if len(octets) > most:
            raise Refused([fault("too_long", "", file=name, most=most)])
        return octets

    def _others(self, told: Appliance, faults: list[Fault]) -> dict[str, str]:
        """The files beside it that it names."""
        found = {}
        for name in (told.site, *([told.grant] if told.code else [])):
            try:
                octets = self._octets(name, LONGEST_SITE)
                found[name] = decoded(octets, name)[0] if name == told.site else octets.decode("utf-8", "replace")
            except Refused as e:
                faults += e.faults
        return found

    def _site(self, told: Appliance, text: str, faults: list[Fault]) -> NewSite | None:
        """The site file as the box is to have it."""
        data = decoded(text.encode(), told.site)[1]
        text, missing = filled(text, data, OF_SITE, self._old_pin(data))
        where = spots(text)
        for path in missing:
            line = where[path].line if path in where else 0
            faults.append(fault("nothing_kept", ".".join(map(str, path)), file=told.site, line=line))
        if missing:
            return None
        found, wrong = new_site(told, text, self._scratch, self._core)
        faults += wrong
        if found and told.code and (self._boot / told.grant).exists():
            faults += take_grant(
                found.site, self._data, (self._boot / told.grant).read_text(), told.code, only_try=True
            )
        return found

    def _old_pin(self, data: dict[str, Any]) -> Callable[[Where], str]:
        """By the line's id: its number in the file may have changed."""
        pins = self._pins()
        return lambda path: pins.get(str(look_up(data, (*path[:-1], "id"))), "")

    def _pins(self) -> dict[str, str]:
        """Of the box's SIMs, by line."""
        try:
            pins: dict[str, str] = tomllib.loads((self._data / SECRET).read_text()).get("pin", {})
        except FileNotFoundError:
            return {}
        return pins

    def _against_the_box(self, told: Appliance, data: dict[str, Any], text: str) -> list[Fault]:
        """Blank where nothing is kept, and another board."""
        where, faults = spots(text), []

        def say(code: str, path: Where, **fields: Any) -> None:
            spot = where.get(path)
            faults.append(fault(code, ".".join(map(str, path)), line=spot.line if spot else 0, **fields))

        people = read_people(self._data / PEOPLE)
        for n, person in enumerate(told.people):
            if not person.password and person.name not in people:
                say("nothing_kept", ("person", n, "password"))
        if told.wifi and not told.wifi.password and not (self._data / WIFI).exists():
            say("nothing_kept", ("network", "wifi", "password"))
        if told.grant and not told.code and not (self._data / TAKEN).exists():
            say("nothing_kept", ("keys", "code"))
        if self._board and told.profile != "virt" and self._board != told.profile:
            say("board_differs", ("box", "profile"), board=self._board)
        return faults

    def _without_secrets(self, name: str, text: str, told: Appliance) -> tuple[str, list[Fault]]:
        if name == told.grant and name != told.site:
            return text, []  # it may be read by anybody
        return blanked(text, decoded(text.encode(), name)[1], SECRETS if name == FILE else OF_SITE, name)

    def _people(self, told: Appliance) -> list[Item]:
        people = read_people(self._data / PEOPLE)
        given = [person for person in told.people if person.password]
        for person in given:
            people = with_password(people, person.name, person.role, person.password)
        return [Item(PEOPLE, people_octets(people))] if given else []

    def _wifi(self, told: Appliance) -> list[Item]:
        if told.wifi is None or not told.wifi.password:
            return []
        return [Item(WIFI, wifi_key(told.wifi).encode())]

    def _blank(self, name: str) -> None:
        """Once the box has them; each boot tries again where the partition does not let it."""
        octets = (self._boot / name).read_bytes()
        text = octets.decode("utf-8-sig")
        clean, _ = (
            (text, []) if name not in self._secretive() else
            blanked(text, decoded(octets, name)[1], SECRETS if name == FILE else OF_SITE, name)
        )  # fmt: skip
        if clean.encode() != octets:
            self._put(name, "not_blanked", self._disk.overwrite, clean.encode())

    def _put(
        self, name: str, code: str, write: Callable[[Path, bytes], None], octets: bytes, folder: Path | None = None
    ) -> bool:
        """Onto the card. One that cannot be written is told, and stops nothing: a box is no less on duty."""
        try:
            with writable(folder or self._boot):
                write((folder or self._boot) / name, octets)
        except OSError as e:
            self._left.append(fault(code, "", file=name, why=e.strerror or e))
            return False
        return True

    def _secretive(self) -> set[str]:
        return {FILE, self._kept().site}

    def _shown(self, one: Fault) -> Fault:
        """With the line it speaks of, without secrets."""
        secrets = SECRETS if one.file == FILE else OF_SITE
        try:
            octets = self._octets(one.file, LONGEST_SITE)
            text = octets.decode("utf-8-sig", "replace")
            data = decoded(octets, one.file)[1]
        except Refused:
            data = None
            try:
                text = (self._boot / one.file).read_bytes()[:LONGEST_SITE].decode("utf-8", "replace")
            except OSError:
                return one
        return msgspec.structs.replace(
            one, shown=masked(text, one.line, data, secrets, strange=one.code == "unknown_key")
        )


def _hash(octets: bytes) -> str:
    return hashlib.sha256(octets).hexdigest()
