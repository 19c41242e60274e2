"""`siaga call` against a desk behind a real control socket, with a journal on disk and lines on simulated modems."""

import asyncio
import contextlib
import hashlib
import io
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import tomli_w

from appliance import cli, cli_call
from appliance.call_events import CallRecorded
from appliance.cli_node import PASSWORD_VARIABLE
from appliance.config import load_site, places
from appliance.control import Control
from appliance.core_desk import DeskRoom
from appliance.entry import Entry
from appliance.events import CallAnswered, CallEnded, CallMissed, CallRinging
from appliance.fold import apply
from appliance.journal import Journal
from appliance.keeper import Keeper
from appliance.lines.service import Lines
from appliance.logins import Logins
from appliance.make_view import ViewMaker
from appliance.people import People, set_password
from appliance.state import State
from drivers.clock import Clock

ANI = "+6281100000001"
PASSWORD = "correct horse"
SITE: dict[str, Any] = {
    "role": "centre", "site": "kota", "id": "pusat", "name": "Pusat",
    "annunciator": {"socket": "a.sock", "factory": "mock"},
    "agency": [{"id": "rsud", "name": "RSUD", "kind": "hospital", "phone": ["+62000000901"]}],
    "line": [{"id": "l1", "name": "Saluran 1", "port": "/dev/not-there", "number": "+62000000001"}],
}  # fmt: skip


class Box:
    """Journal, desk and control socket as core wires them; its only line has no modem."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.file = folder, folder / "site.toml"
        self.file.write_text(tomli_w.dumps(SITE))
        site = load_site(self.file)
        self._places = places(site, self.file)
        self._places.run.mkdir()
        clock, self.state = Clock(), State()
        for name in ("operator", "supervisor"):
            set_password(self._places.people, name, name, PASSWORD)
        self.journal = Journal(self._places.journal, clock, "b", lambda: "ntp", self._on_entry)
        lines = Lines(
            site=site, profiles=self._places.profiles, state=self.state, clock=clock, append=self.journal.append,
            on_changed=lambda: None, on_data=lambda number, octets: None,
        )  # fmt: skip
        people = People(self._places.people, Logins(None))
        self.desk = DeskRoom(
            site=site, state=self.state, clock=clock, append=self.journal.append, journal=self._places.journal,
            kept=lambda: self.journal.kept, lines=lines, on_changed=lambda: None,
            role_of=people.role,
        )  # fmt: skip
        view = ViewMaker(
            site=site, state=self.state, journal=self.journal, clock=clock, quality=lambda: "ntp", power=None,
            lines=None, stations=list, desk=self.desk.view,
        )  # fmt: skip
        self._control = Control(
            self._places.control, self._places.journal, self.journal, clock, people, view, self.desk.obey
        )

    def _on_entry(self, entry: Entry) -> None:
        apply(self.state, entry)
        self.desk.on_entry(entry)
        self._control.on_entry(entry)

    async def call(self, name: str, number: str | None, *, taken: bool) -> None:
        append = self.journal.append
        append(CallRinging(line="l1", call=name, number=number))
        if taken:
            append(CallAnswered(line="l1", call=name), actor="operator")
            last = append(CallEnded(line="l1", call=name, seconds=20.0, reason="caller"))
        else:
            last = append(CallMissed(line="l1", call=name))
        assert await last.durable(5.0)

    async def start(self) -> None:
        self.journal.open()
        await self._control.start()
        self.keeper = Keeper(lambda task, reason: None)
        self.desk.keep(self.keeper)

    async def stop(self) -> None:
        await self.keeper.stop()
        await self._control.stop()
        self.journal.close()


@pytest.fixture
async def box(tmp_path: Path) -> AsyncIterator[Box]:
    box = Box(tmp_path)
    await box.start()
    yield box
    await box.stop()


async def siaga(box: Box, *words: str) -> tuple[int, str]:
    """What a person gets for `siaga call ...`: exit code and what was printed."""

    def command() -> tuple[int, str]:
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = cli.main(["call", *words, "--config", str(box.file)])
        return code, out.getvalue() + err.getvalue()

    return await asyncio.to_thread(command)


async def test_calls_are_listed_marked_noted_counted_and_called_back(box: Box) -> None:
    await box.call("0000000a", ANI, taken=True)
    await box.call("0000000b", ANI, taken=False)
    code, said = await siaga(box, "list")
    assert code == 0
    assert [row.split()[2] for row in said.splitlines()] == ["0000000b", "0000000a"]
    assert (await siaga(box, "mark", "0000000a", "prank"))[1] == "Done. 0000000a\n"
    assert (await siaga(box, "note", "0000000a", "anak-anak"))[0] == 0
    assert "anak-anak" in (await siaga(box, "show", "0000000a"))[1]
    assert "0000000a" in (await siaga(box, "list", "--mark", "prank", "--outcome", "answered"))[1]
    assert "No calls that fit" in (await siaga(box, "list", "--number", "0811999999999"))[1]
    assert "50.0%" in (await siaga(box, "figures"))[1]
    assert "0000000b  +6281100000001" in (await siaga(box, "callbacks"))[1]
    code, said = await siaga(box, "dial", "--call-back", "0000000b")
    assert code == 1
    assert "line" in said.lower()  # there is none that could dial
    assert (await siaga(box, "callbacks", "--drop", "0000000b"))[0] == 0
    assert "Nobody is to be called back" in (await siaga(box, "callbacks"))[1]


async def test_a_recording_is_copied_for_who_may_hear_it_and_a_changed_one_is_told(
    box: Box, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await box.call("0000000a", ANI, taken=True)
    file, copy = box.folder / "state" / "recordings" / "a.flac", tmp_path / "copy.flac"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"sound")
    told = {"seconds": 20.0, "octets": 5, "sha256": hashlib.sha256(b"sound").hexdigest()}
    row = CallRecorded(line="l1", call="0000000a", file="recordings/a.flac", **told)  # type: ignore[arg-type]
    assert await box.journal.append(row).durable(5.0)
    code, said = await siaga(box, "recording", "0000000a", "--save", str(copy))
    assert (code, copy.read_bytes()) == (0, b"sound"), said
    assert "as recorded" in said
    monkeypatch.setenv(PASSWORD_VARIABLE, PASSWORD)
    assert (await siaga(box, "recording", "0000000a", "--user", "operator"))[0] == 0
    file.write_bytes(b"other")
    code, said = await siaga(box, "recording", "0000000a")
    assert (code, "not what was recorded" in said) == (1, True)
    assert "NOT AS RECORDED" in (await siaga(box, "recording", "0000000a", "--anyway"))[1]


async def test_who_waits_is_shown_with_what_is_known_of_them(box: Box) -> None:
    await box.call("0000000a", ANI, taken=True)
    assert "Nobody waits" in (await siaga(box, "queue"))[1]
    box.journal.append(CallRinging(line="l1", call="0000000c", number=ANI))
    said = (await siaga(box, "queue"))[1]
    assert "0000000c" in said
    assert "1 calls before" in said
    assert "RSUD" in (await siaga(box, "directory"))[1]
    code, said = await siaga(box, "next")
    assert code == 1  # the line has no modem
    assert "siaga:" in said


async def test_only_a_supervisor_blocks_and_an_operator_undoes_it(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIAGA_PASSWORD", PASSWORD)
    await box.call("0000000a", ANI, taken=True)
    code, said = await siaga(box, "block", ANI, "--user", "operator")
    assert code == 1
    assert "Only a supervisor" in said
    assert box.state.desk.blocks == {}
    assert (await siaga(box, "block", ANI, "--user", "supervisor"))[0] == 0
    assert "blocked until" in (await siaga(box, "queue"))[1]
    assert (await siaga(box, "unblock", ANI, "--user", "operator"))[0] == 0
    assert box.state.desk.blocks == {}


async def test_json_is_the_answer_itself(box: Box, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    await box.call("0000000a", None, taken=False)
    assert await asyncio.to_thread(cli.main, ["call", "list", "--json", "--config", str(box.file)]) == 0
    [row] = json.loads(capfdbinary.readouterr().out)["calls"]
    assert (row["number"], row["outcome"]) == ("", "abandoned")


@pytest.mark.parametrize("verb", [v for v in cli_call.VERBS if v in cli_call.COMMANDS])
async def test_every_verb_asks_core_for_a_command_that_it_knows(verb: str, box: Box) -> None:
    given = {"to": "rsud", "keys": "12#", "state": "on", "call": "0000000a", "text": "x", "mark": "none", "number": ANI}
    words = [verb, *(["l1"] if verb in cli_call.LINE else []), *(given[name] for name in cli_call.VERBS[verb][1])]
    code, said = await siaga(box, *words)
    assert code in (0, 1)
    assert "Nothing was done" not in said  # what the control socket adds to a command that it cannot read
    assert "There is no '" not in said
