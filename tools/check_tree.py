"""What may be in the repository: no address of a package registry, and no source file over 400 lines.

Lock files pin by hash and leave it to each machine where packages come from; a file longer than 400 lines
is more than one nameable thing.
"""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

MOST_LINES = 400
# Locks, vectors, dumps and recordings are made by programs; the license is not ours to cut.
ANY_LENGTH = (".lock", ".json", ".dump.toml", ".rec", "LICENSE")
REGISTRIES = re.compile(
    r"\b(pypi\.(org|io)|files\.pythonhosted\.(org|com)|piwheels\.(org|com)|registry\.(npmjs|yarnpkg)\.(org|com)"
    r"|(deb|security|archive|snapshot)\.debian\.(org|net)|archive\.raspberrypi\.(org|com))\b"
)


def files(root: Path) -> Iterator[Path]:
    """Everything that is committed or would be."""
    # A fresh clone may belong to another user than the one who checks it.
    command = ["git", "-c", f"safe.directory={root.resolve()}", "ls-files", "-z"]
    command += ["--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout
    yield from (root / name for name in sorted(filter(None, listed.split("\0"))) if (root / name).is_file())


def faults(root: Path) -> Iterator[str]:
    for file in files(root):
        try:
            lines = file.read_text().splitlines()
        except UnicodeDecodeError:
            continue  # a picture or a sound
        path = file.relative_to(root)
        for number, line in enumerate(lines, 1):
            if found := REGISTRIES.search(line):
                yield f"{path}:{number}: names the registry {found[0]}; leave that to the machine's configuration."
        if len(lines) > MOST_LINES and not path.name.endswith(ANY_LENGTH):
            yield f"{path}: {len(lines)} lines; over {MOST_LINES} it is more than one thing: divide it."


def main() -> int:
    found = list(faults(Path(sys.argv[1] if len(sys.argv) > 1 else ".")))
    print("\n".join(found) if found else "The tree is in order: no registry's address, no file too long.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
