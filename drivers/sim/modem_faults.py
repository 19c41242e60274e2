"""Misbehaviour that was ordered for a modem's next commands: late results, resets in the middle, unasked lines."""

import asyncio

from drivers.sim.modem_line import Failed, commands_in

MIDDLE, PROMPT = "middle", "prompt"
ENDURING_S = 0.05  # s between what was said last and the reset; else the kernel would throw it away with the port


class Faults:
    """A command is known by its name: `+CMGS` or `AT+CMGS=20`; `AT` alone is the empty name."""

    def __init__(self) -> None:
        self._late: dict[str, float] = {}
        self._resets: dict[str, str] = {}
        self.chatter = False

    def late(self, command: str, seconds: float) -> None:
        """The final result of the next such command comes so much later. Raises ValueError."""
        self._late[name_of(command)] = seconds

    def reset_in(self, command: str, when: str) -> None:
        """Reset in the next such command: `middle`, half of its answer is out; `prompt`, `> ` is. Raises ValueError."""
        if when not in (MIDDLE, PROMPT):
            raise ValueError(f"at is {when!r}; it can be {MIDDLE} or {PROMPT}")
        self._resets[name_of(command)] = when

    async def wait_late(self, names: list[str]) -> None:
        for name in names:
            if seconds := self._late.pop(name, 0.0):
                await asyncio.sleep(seconds)

    def takes_reset(self, names: list[str], when: str) -> bool:
        """Whether one of these is to reset now; once."""
        due = [name for name in names if self._resets.get(name) == when]
        for name in due:
            del self._resets[name]
        return bool(due)


def name_of(command: str) -> str:
    """Raises ValueError when it is no command."""
    try:
        found = commands_in(command.strip().upper().removeprefix("AT"))
    except Failed as e:
        raise ValueError(f"{command!r} is no command") from e
    return found[0].name if found else ""
