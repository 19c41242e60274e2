"""What a panel is drawn from: a view, the moment, the language, and whether the viewer may read numbers and texts.

A figure is shown only while its quality is good and it is young enough; else `---` and why. When core has stopped
speaking (`live` is false) states are no longer known either: what is left is history, with its time of day.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from appliance.config import Site
from appliance.figure import Figure
from appliance.model import CallPhase
from appliance.stamp import Stamp
from appliance.view import View
from web.words import UNKNOWN, Words

NUMBER_SHOWN = 3  # last digits of a number that a viewer without login sees


class Shown(NamedTuple):
    """A figure for a template. `why` says what is wrong with one that is not known."""

    text: str
    unit: str = ""
    known: bool = False
    why: str = ""


class Mark(NamedTuple):
    """A shape, a word and a tone: no state is told by colour alone. Tones: "", "p1", "p2", "p3", "dim"."""

    shape: str
    word: str
    tone: str = ""


@dataclass(frozen=True)
class Scene:
    """`now` and `wall` are the moment of drawing; `live`: core spoke just now; `known`: the viewer has a login.

    `here`: the viewer is at the box's own screen.
    """

    site: Site
    view: View
    words: Words
    now: float
    wall: float
    boot: str
    live: bool
    history: bool
    known: bool
    here: bool = False

    def since(self, stamp: Stamp) -> float:
        """Seconds since a stamp."""
        return stamp.elapsed(self.now, self.wall, self.boot)

    def span(self, stamp: Stamp) -> str:
        return self.words.span(self.since(stamp))

    def clock(self, stamp: Stamp) -> str:
        return self.words.clock(stamp.wall, self.wall)

    @property
    def silent_s(self) -> float:
        """How long ago core last spoke; a journal may be of an earlier boot, whose monotonic times do not compare."""
        return max(0.0, self.wall - self.view.wall if self.history else self.now - self.view.at)

    def figure(self, figure: Figure | None, digits: int = 0, scale: float = 1.0) -> Shown:
        """A figure's text, or `---` with its age or its fault."""
        if figure is None:
            return Shown(UNKNOWN, why=self.words("quality.absent"))
        if not figure.known(self.now):
            if figure.quality == "good" and figure.value is not None:
                return Shown(UNKNOWN, why=self.words.ago(self.now - figure.at))
            return Shown(UNKNOWN, why=self.words.code("quality", figure.quality))
        if isinstance(figure.value, bool) or not isinstance(figure.value, (int, float)):
            return Shown(str(figure.value), "", True)
        return Shown(self.words.number(figure.value * scale, digits), figure.unit, True)

    def number(self, number: str | None) -> str:
        """A caller's number, grouped to be read aloud; without login only that there is one."""
        if number is None:
            return self.words("call.no_number")
        if not self.known:
            return self.words("call.hidden_number", end=number[-NUMBER_SHOWN:])
        return grouped(number)

    @cached_property
    def names(self) -> dict[str, str]:
        """Names of what the site file knows by an id: stations, lines, what makes and measures power, agencies."""
        site = self.site
        groups = (site.agency, site.station, site.line, site.genset, site.ups, site.meter, site.ats)
        return {x.id: x.name for group in groups for x in group}

    def kind(self, id: str) -> str:
        """A generator or UPS by its kind, which is short, where the site has but one; else by its name."""
        for word, devices in (("genset", self.site.genset), ("ups", self.site.ups)):
            if [d.id for d in devices] == [id.rpartition("/")[2]]:
                return self.words(f"power.box.{word}")
        return self.name(id)

    def name(self, id: str) -> str:
        """The name for an id, for "line/l1", or for a link such as "broker"; else the id itself."""
        trunk = self.site.trunk
        if trunk and id == f"{trunk.host}:{trunk.port}":
            return self.words("link.trunk")
        if id in self.names:
            return self.names[id]
        return self.names.get(id.rpartition("/")[2]) or self.words.code("link", id)

    @property
    def ringing(self) -> bool:
        return any(x.call is not None and x.call.phase is CallPhase.RINGING for x in self.view.lines)


def grouped(number: str) -> str:
    """+6281255504471 -> "+62 812 5550 4471": country, the network's three digits, then fours."""
    if not number.lstrip("+").isdigit() or len(number) < 9:
        return number
    country, rest = (number[:3], number[3:]) if number.startswith("+62") else ("", number)
    groups = [rest[:3], *(rest[i : i + 4] for i in range(3, len(rest), 4))]
    return " ".join(filter(None, [country, *groups]))


def actor_words(scene: Scene, actor: str) -> str:
    """ "budi" -> "budi", "console:root" -> "konsol root", "button:red" -> "tombol red"."""
    kind, colon, name = actor.partition(":")
    return f"{scene.words.code('actor', kind)} {name}".strip() if colon else actor
