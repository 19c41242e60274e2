"""A kind of box: profiles/NAME.toml, and the lists of packages that it takes."""

import dataclasses
import tomllib
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent.parent
ROOT = HERE.parent

MACHINES = {"arm64": "aarch64", "amd64": "x86_64"}  # as Debian says it, and as Python's wheels do
BOOTS = ("u-boot", "tryboot", "direct")


@dataclasses.dataclass(frozen=True)
class Profile:
    """`kernel` is a pattern of versions; `modules` are loaded at start; `firmware` and `device_trees` are what a Pi's
    first stage loads."""

    name: str
    arch: str
    kernel: str
    boot: str
    console: str
    modules: tuple[str, ...] = ()
    firmware: tuple[str, ...] = ()
    device_trees: tuple[str, ...] = ()

    @property
    def machine(self) -> str:
        return MACHINES[self.arch]

    @property
    def compatible(self) -> str:
        """What RAUC compares: a bundle of another kind of box is refused."""
        return f"siaga-{self.name}-{self.arch}"

    @property
    def packages(self) -> list[str]:
        return [*names(HERE / "packages" / "base.list"), f"linux-image-{self.arch}"]


def load(name: str) -> Profile:
    """Raises FileNotFoundError, TypeError for a key that does not exist, ValueError for a value."""
    path = HERE / "profiles" / f"{name}.toml"
    read = tomllib.loads(path.read_text())
    values: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in read.items()}
    profile = Profile(name=name, **values)
    if profile.arch not in MACHINES:
        raise ValueError(f"{path}: arch {profile.arch!r}; there are {', '.join(MACHINES)}.")
    if profile.boot not in BOOTS:
        raise ValueError(f"{path}: boot {profile.boot!r}; there are {', '.join(BOOTS)}.")
    return profile


def all_names() -> list[str]:
    return sorted(path.stem for path in (HERE / "profiles").glob("*.toml"))


def names(path: Path) -> list[str]:
    """The lines of a .list file without remarks."""
    lines = (line.split("#")[0].strip() for line in path.read_text().splitlines())
    return [line for line in lines if line]
