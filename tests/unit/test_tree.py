"""The tree checker looks at what is committed or would be, and at nothing that git ignores."""

import subprocess
import sys
from pathlib import Path

import pytest

CHECKER = Path(__file__).parents[2] / "tools" / "check_tree.py"
HOST = ".".join(["registry", "npmjs", "org"])


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True, timeout=20)
    (tmp_path / ".gitignore").write_text("/node_modules/\n")
    return tmp_path


def check(tree: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, CHECKER, tree], capture_output=True, text=True, check=False, timeout=20)


def test_a_registry_address_is_found_with_its_line(tree: Path) -> None:
    (tree / "package-lock.json").write_text(f'{{\n"from": "{HOST}"\n}}\n')
    done = check(tree)
    assert done.returncode == 1
    assert f"package-lock.json:2: names the registry {HOST}" in done.stdout


def test_a_source_file_over_400_lines_is_found_and_a_lock_file_is_not(tree: Path) -> None:
    (tree / "long.py").write_text("x = 1\n" * 401)
    (tree / "just.py").write_text("x = 1\n" * 400)
    (tree / "requirements.lock").write_text("a==1\n" * 1000)
    done = check(tree)
    assert done.returncode == 1
    assert done.stdout.count("\n") == 1
    assert done.stdout.startswith("long.py: 401 lines")


def test_pictures_and_what_git_ignores_are_passed_over(tree: Path) -> None:
    (tree / "siren.png").write_bytes(b"\x89PNG\xff" + HOST.encode())
    (tree / "node_modules").mkdir()
    (tree / "node_modules" / "package.json").write_text(HOST)
    assert check(tree).returncode == 0
