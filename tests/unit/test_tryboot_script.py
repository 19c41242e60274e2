"""RAUC's script for a Pi 5, run against a folder: which slot starts, which is tried, what a power cut leaves."""

import contextlib
import functools
import importlib.util
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from siaga_image import profile, tryboot, trymodule

from appliance.mark_good import Verdict, judge, run

ROOT = Path(__file__).resolve().parents[2]
BACKEND = ROOT / "image-build/tryboot/root" / tryboot.BACKEND.lstrip("/")
PI5 = profile.load("pi5")


def backend() -> ModuleType:
    spec = importlib.util.spec_from_file_location("siaga_tryboot_backend", BACKEND)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def started(text: str, *, trial: bool = False) -> int:
    """The partition that the firmware takes, by its own rules: 512 octets, sections, what comes last counts."""
    assert len(text.encode("ascii")) <= 512
    section, chosen, whole = "all", 0, False
    for line in text.splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        elif section == "all" or (section == "tryboot" and trial):
            name, _, value = line.partition("=")
            chosen = int(value) if name == "boot_partition" else chosen
            whole = whole or (name, value) == ("tryboot_a_b", "1")
    assert whole, "without it the firmware wants a tryboot.txt"
    return chosen


class Box:
    """A box's files in a folder, with an insmod and a rmmod that only do what the script can see of theirs."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.file = root / "boot/firmware/autoboot.txt"
        for name in ("boot/firmware", "proc", "sys/module", "bin"):
            (root / name).mkdir(parents=True)
        self.file.write_text(tryboot.autoboot("A"))
        self.runs("A")
        loaded = root / "sys/module/siaga_tryboot"
        self.program("insmod", f'case "$1" in */siaga/siaga_tryboot.ko) mkdir "{loaded}" ;; *) exit 1 ;; esac')
        self.program("rmmod", f'[ "$1" = siaga_tryboot ] && rmdir "{loaded}"')

    def program(self, name: str, text: str) -> None:
        file = self.root / "bin" / name
        file.write_text(f"#!/bin/sh\n{text}\n")
        file.chmod(0o755)

    def runs(self, slot: str) -> None:
        (self.root / "proc/cmdline").write_text(tryboot.cmdline(PI5, slot))

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-I", str(BACKEND), "--root", str(self.root), *words]
        path = f"{self.root / 'bin'}:/usr/bin:/bin"
        return subprocess.run(command, capture_output=True, text=True, env={"PATH": path}, timeout=20, check=False)

    def ok(self, *words: str) -> str:
        done = self.run(*words)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def restart(self) -> str:
        """The slot that the firmware starts now. The flag is its own and is gone afterwards."""
        trial = (self.root / "sys/module/siaga_tryboot").exists()
        if trial:
            (self.root / "sys/module/siaga_tryboot").rmdir()
        number = started(self.file.read_text(), trial=trial)
        slot = next(slot for slot, at in zip("AB", tryboot.SLOT_BOOTS, strict=True) if tryboot.number(at) == number)
        self.runs(slot)
        return slot

    def install(self) -> None:
        """What RAUC asks of the script in an installation into the slot that does not run."""
        slot = "B" if self.ok("get-current") == "A" else "A"
        self.ok("set-state", slot, "bad")
        self.ok("set-primary", slot)


@pytest.fixture
def box(tmp_path: Path) -> Box:
    return Box(tmp_path)


def test_the_script_writes_what_the_image_ships_and_knows_its_partitions() -> None:
    script = backend()
    for slot, part in zip("AB", tryboot.SLOT_BOOTS, strict=True):
        assert script.autoboot(slot) == tryboot.autoboot(slot)
        assert script.PARTITIONS[slot] == tryboot.number(part) == started(tryboot.autoboot(slot))
    assert started(tryboot.autoboot("A"), trial=True) == started(tryboot.autoboot("B"))
    assert f"{script.MODULE}.ko" == trymodule.NAME


def test_a_good_update_is_tried_once_and_then_stays(box: Box) -> None:
    assert (box.ok("get-primary"), box.ok("get-state", "A"), box.ok("get-state", "B")) == ("A", "good", "bad")
    box.install()
    assert (box.ok("get-primary"), box.ok("get-state", "B")) == ("B", "good")
    assert box.restart() == "B"
    assert box.ok("get-current") == "B"
    assert box.ok("get-primary") == "A", "on trial: the next start is the old one's"
    box.ok("set-state", "B", "good")
    assert box.ok("get-primary") == "B"
    assert [box.restart(), box.restart()] == ["B", "B"]


def test_a_trial_that_ends_without_a_mark_goes_back(box: Box) -> None:
    box.install()
    assert [box.restart(), box.restart(), box.restart()] == ["B", "A", "A"]
    box.ok("set-state", "A", "good")
    assert box.ok("get-primary") == "A"


@pytest.mark.parametrize(("health", "stays", "starts"), [("true", Verdict.GOOD, "B"), ("false", Verdict.RESTART, "A")])
def test_the_health_of_the_system_decides_which_slot_starts(
    box: Box, tmp_path: Path, health: str, stays: Verdict, starts: str
) -> None:
    """`siaga mark-good`, with RAUC's call of the script in RAUC's place."""
    mark = [sys.executable, "-I", str(BACKEND), "--root", str(box.root), "set-state"]
    kept = tmp_path / "good.json"
    assert judge(("true",), [*mark, "A", "good"], kept, "A", "1", 0.0, run) is Verdict.GOOD
    box.install()
    assert box.restart() == "B"
    assert judge((health,), [*mark, "B", "good"], kept, "B", "2", 0.0, run) is stays
    assert box.restart() == starts


def test_the_way_back_is_the_same_way(box: Box) -> None:
    for slot in "BAB":
        box.install()
        assert box.restart() == slot
        box.ok("set-state", slot, "good")
    assert started(box.file.read_text()) == 3


def test_an_installation_that_breaks_off_is_never_tried(box: Box) -> None:
    box.install()
    box.ok("set-state", "B", "bad")  # the next one begins to write the slot that is to be tried
    assert box.ok("get-primary") == "A"
    assert box.restart() == "A"


def test_nothing_is_written_over_the_slot_that_starts_after_a_power_cut(box: Box) -> None:
    box.install()
    box.restart()  # B on trial, A is what autoboot.txt names
    refused = box.run("set-state", "A", "bad")
    assert refused.returncode == 1
    assert "siaga-mark-good" in refused.stderr


def test_a_slot_that_is_given_up_leaves_the_next_start_to_the_other_for_a_trial(box: Box) -> None:
    box.ok("set-state", "A", "bad")
    assert started(box.file.read_text()) == 2, "there may be nothing in the other"
    assert box.restart() == "B"
    box.ok("set-state", "B", "bad")  # it is none either
    assert box.restart() == "A"


def test_a_person_may_go_back_and_change_their_mind(box: Box) -> None:
    box.ok("set-primary", "B")
    box.ok("set-primary", "B")
    box.ok("set-primary", "A")
    assert box.ok("get-primary") == "A"


def test_a_kernel_that_cannot_ask_is_an_error_and_not_an_update_that_never_comes(box: Box) -> None:
    box.program("insmod", "echo 'No such device' >&2; exit 1")
    refused = box.run("set-primary", "B")
    assert refused.returncode == 1
    assert "No such device" in refused.stderr
    assert "cannot be tried" in refused.stderr


def test_what_does_not_run_is_not_marked_good(box: Box) -> None:
    refused = box.run("set-state", "B", "good")
    assert refused.returncode == 1
    assert started(box.file.read_text()) == 2


@pytest.mark.parametrize("damage", [b"", b"[all]\ntryboot_a_b=1\nboot_part", b"\xff\xfe", b"[all]\nboot_partition=7\n"])
def test_a_damaged_file_is_said_and_written_anew_by_the_slot_that_works(box: Box, damage: bytes) -> None:
    box.file.write_bytes(damage)
    for words in (("get-primary",), ("set-primary", "B"), ("set-state", "B", "bad"), ("set-state", "A", "bad")):
        refused = box.run(*words)
        assert refused.returncode == 1, "nobody knows what starts: nothing is written over, nothing tried"
        assert "mark-good" in refused.stderr
    box.ok("set-state", "A", "good")
    assert box.file.read_text() == tryboot.autoboot("A")


def test_a_card_that_was_not_mounted_at_the_start_is_mounted_when_it_is_wanted(box: Box) -> None:
    box.file.rename(box.root / "card")
    refused = box.run("set-state", "A", "good")
    assert refused.returncode == 1
    assert "is not mounted" in refused.stderr
    assert not box.file.exists(), "nothing is written below a place that is not the card"
    box.program("mount", f'[ "$1" = "{box.file.parent}" ] && mv "{box.root}/card" "{box.file}"')
    assert box.ok("get-primary") == "A"


def test_the_old_file_is_let_go_last_and_the_new_name_is_synced_by_the_files_own_handle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The order that FAT wants: docs/decisions/0078."""
    script, file, said = backend(), tmp_path / "autoboot.txt", []
    file.write_text(tryboot.autoboot("A"))
    for name in ("open", "fsync", "close", "replace"):
        real = getattr(os, name)

        def call(*words: Any, name: str = name, real: Callable[..., Any] = real) -> Any:
            found = real(*words)
            said.append((name, Path(words[0]).name if name == "open" else "", found if name == "open" else words[0]))
            return found

        monkeypatch.setattr(script.os, name, call)
    script.replace(file, tryboot.autoboot("B"))
    monkeypatch.undo()
    old, new = (next(handle for what, name, handle in said if name == wanted) for wanted in (file.name, "autoboot.new"))
    renamed = next(at for at, row in enumerate(said) if row[0] == "replace")
    assert ("fsync", "", new) in said[:renamed]
    assert ("fsync", "", new) in said[renamed:]
    assert said[-1] == ("close", "", old)


class PowerCut(Exception):
    pass


class Power:
    """The system's own calls that change a disk; the power goes at one of them, before it or half through it."""

    def __init__(self, patch: pytest.MonkeyPatch, script: ModuleType, cut_at: int, *, half: bool) -> None:
        self.cut_at, self.half, self.calls = cut_at, half, 0
        self.write = os.write
        for name in ("open", "write", "fsync", "close", "replace"):
            patch.setattr(script.os, name, functools.partial(self.call, getattr(os, name)))

    def call(self, real: Callable[..., Any], *words: Any) -> Any:
        self.calls += 1
        if self.calls != self.cut_at:
            return real(*words)
        if self.half and real is self.write:
            real(words[0], words[1][:20])
        raise PowerCut


@pytest.mark.parametrize("half", [False, True], ids=["before", "half"])
def test_a_power_cut_at_any_call_leaves_one_slot_that_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, half: bool
) -> None:
    script, file = backend(), tmp_path / "autoboot.txt"
    found = []
    for cut_at in range(1, 100):
        file.write_text(tryboot.autoboot("A"))
        with monkeypatch.context() as patch:
            power = Power(patch, script, cut_at, half=half)
            with contextlib.suppress(PowerCut):
                script.replace(file, tryboot.autoboot("B"))
        found.append(started(file.read_text()))
        if power.calls < cut_at:
            break
    assert len(found) > 8, "not one call was cut"
    assert found == sorted(found), "once the new file counts it stays"
    assert set(found) == {2, 3}
