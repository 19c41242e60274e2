"""The message memories of a simulated modem: few places, each with a status, as +CPMS, +CMGL and +CMGD see them."""

from dataclasses import dataclass, field

UNREAD, READ, UNSENT, SENT = 0, 1, 2, 3  # message status in PDU mode
PLACES = 50  # a SIM's usual size


@dataclass
class Stored:
    status: int
    tpdu: bytes


@dataclass
class Memory:
    """Messages by index from 1 on; the lowest free place is taken."""

    name: str
    places: int = PLACES
    messages: dict[int, Stored] = field(default_factory=dict)

    @property
    def full(self) -> bool:
        return len(self.messages) >= self.places

    def put(self, message: Stored) -> int | None:
        """Its index, None when full."""
        if self.full:
            return None
        index = next(i for i in range(1, self.places + 1) if i not in self.messages)
        self.messages[index] = message
        return index

    def listed(self, status: int) -> list[tuple[int, Stored]]:
        """By index; 4 is all."""
        return [(i, m) for i, m in sorted(self.messages.items()) if status in (4, m.status)]

    def delete(self, flag: int) -> None:
        """AT+CMGD=<any>,<flag>: 1 read, 2 and sent, 3 and unsent, 4 all."""
        gone = {1: {READ}, 2: {READ, SENT}, 3: {READ, SENT, UNSENT}, 4: {READ, SENT, UNSENT, UNREAD}}[flag]
        self.messages = {i: m for i, m in self.messages.items() if m.status not in gone}
