"""What a campaign gives the network to deliver, and whether the journal has each of it once. Pure."""

from collections import Counter
from dataclasses import dataclass, field
from random import Random

from appliance.entry import Entry
from appliance.events import SmsReceived, SmsUnreadable

SENDERS = ("+6281234567890", "+6285299990000", "+628111111112", "112233")
WORDS = ("air", "naik", "api", "pasar", "jalan", "ditutup", "korban", "dua", "unit", "berangkat", "lewat", "utara")
RARE = ("é", "€", "→", "▲", "🔥", "[x]", "~")  # other alphabets, escape pairs, surrogates


def text(random: Random, number: int) -> str:
    """None is like another. Most are of one part, some of two to four, some not in seven bits."""
    length = random.choice((20, 60, 90, 120, 150, 150, 150, 300, 450))
    words = [f"{number:06d}"]
    while sum(map(len, words)) < length:
        words.append(random.choice(RARE if random.random() < 0.005 else WORDS))
    return " ".join(words)


@dataclass
class Account:
    """`given` is (line, sender, text); what the journal told is added as it is read."""

    given: list[tuple[str, str, str]] = field(default_factory=list)
    told: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    unreadable: int = 0

    def read(self, entry: Entry) -> None:
        """Take in a row of the journal."""
        match entry.event:
            case SmsReceived(line=line, number=number, text=what):
                self.told[line, number, what] += 1
            case SmsUnreadable():
                self.unreadable += 1

    @property
    def missing(self) -> list[tuple[str, str, str]]:
        return [one for one in self.given if one not in self.told]

    def faults(self) -> list[str]:
        """What is not as it must be, empty when all is."""
        given = Counter(self.given)
        found = [f"given {number} times: {one}" for one, number in given.items() if number > 1]
        found += [f"lost: {one}" for one in given if one not in self.told]
        found += [f"never given: {one}" for one in self.told if one not in given]
        return found + [f"told {number} times: {one}" for one, number in self.told.items() if number > 1]
