"""What the centre knows of one station at this moment: its session, when it was last heard, what it asked for."""

from appliance.alerting.answers import AnswerWindow
from appliance.alerting.wire import Answer
from appliance.config import Station
from appliance.model import Path
from appliance.state import StationContact

HELLO_REST = {Path.MQTT: 1.0, Path.SMS: 60.0}  # s between hellos to one station: an asking loop must not feed itself
HELLO_AGAIN = 300.0  # s; both clocks drift, and a hello bounds how far


class Contact:
    """`lost_s`: silent for longer, it is lost.

    `session` is the proven one, or after a restart of core the one that the journal last knew.
    """

    def __init__(self, station: Station, known: StationContact | None, now: float, lost_s: float = 9.0) -> None:
        self.station, self.lost_s = station, lost_s
        self.window = AnswerWindow()
        # A restart is no reason to call it offline; by SMS alone nobody is online.
        self.heard_at = now if known and known.online and known.path == Path.MQTT else None
        self._remembered = bytes.fromhex(known.session) if known and known.session else None
        self._hello_at: dict[Path, float] = {}
        self.sounding: bool | None = None
        self._clocks: tuple[bytes, float] | None = None  # session, the least that our time was ahead of its uptime

    @property
    def session(self) -> bytes | None:
        return self.window.session or self._remembered

    def lateness(self, answer: Answer, now: float) -> float:
        """Seconds that this answer took longer than the quickest one of its session; an uptime is rounded down."""
        ahead = now - answer.uptime_s
        known = self._clocks[1] if self._clocks and self._clocks[0] == answer.session else ahead
        self._clocks = answer.session, min(known, ahead)
        return max(0.0, ahead - known)

    def may_hello(self, path: Path, now: float) -> bool:
        """Whether an asking station gets its hello now."""
        return now - self._hello_at.get(path, -HELLO_AGAIN) >= HELLO_REST[path]

    def wants_hello(self, now: float) -> bool:
        """Whether its knowledge of our time should be refreshed."""
        return now - self._hello_at.get(Path.MQTT, -HELLO_AGAIN) >= HELLO_AGAIN

    def hello_sent(self, path: Path, now: float) -> None:
        self._hello_at[path] = now
