"""What the doctor finds at a box: one thing a finding, with what to do next. It changes nothing and sounds nothing."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import msgspec

from appliance.config import Places, Site
from appliance.view import View

WITHIN = 10.0  # s for one check; a disk that hangs must not hang the doctor
WITHIN_WHOLE = 300.0  # s, where a journal of years is read from its first row

Health = Literal["good", "warn", "bad"]


class Finding(msgspec.Struct, frozen=True):
    """`what`: the thing; `told`: how it is; `next`: what to do, empty where it is good."""

    what: str
    health: Health
    told: str
    next: str = ""


@dataclass
class Patient:
    """The box. `root` is /, or a folder that stands for it; `whole`: nothing is only sampled."""

    site: Site
    file: Path
    where: Places
    root: Path = Path("/")
    whole: bool = False
    view: View | None = field(default=None)

    @property
    def annunciator(self) -> Path:
        return self.file.resolve().parent / self.site.annunciator.socket


Check = Callable[[Patient], Awaitable[Iterable[Finding]]]


def good(what: str, told: str) -> Finding:
    return Finding(what, "good", told)


def warn(what: str, told: str, next: str) -> Finding:
    return Finding(what, "warn", told, next)


def bad(what: str, told: str, next: str) -> Finding:
    return Finding(what, "bad", told, next)


async def examine(patient: Patient, checks: Iterable[tuple[str, Check]]) -> list[Finding]:
    """All findings in the order of the checks. One that hangs or fails is a finding of its own."""
    within = WITHIN_WHOLE if patient.whole else WITHIN
    found: list[Finding] = []
    for name, check in checks:
        try:
            async with asyncio.timeout(within):
                found += await check(patient)
        except TimeoutError:
            found.append(bad(name, f"no answer within {within:g} s", "Look at dmesg: a disk or a port may hang."))
        except (OSError, ValueError) as e:
            found.append(bad(name, f"cannot be examined: {e}", "Run the doctor as root."))
    return found


def in_thread(check: Callable[[Patient], Iterable[Finding]]) -> Check:
    """A check that reads files: away from the loop, so that its deadline holds."""

    async def checked(patient: Patient) -> Iterable[Finding]:
        return await asyncio.to_thread(lambda: list(check(patient)))

    return checked
