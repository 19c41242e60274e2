"""What the centre knows of one station at this moment: its session, when it was last heard, what it asked for."""

from appliance.alerting.answers import AnswerWindow
from appliance.config import Station
from appliance.model import Path
from appliance.state import StationContact

HELLO_REST = {Path.MQTT: 1.0, Path.SMS: 60.0}  # s between hellos to one station: an asking loop must not feed itself
HELLO_AGAIN = 300.0  # s; both clocks drift, and a hello bounds how far


class Contact:
    """`session` is the proven one, or after a restart of core the one that the journal last knew."""

    def __init__(self, station: Station, known: StationContact | None, now: float) -> None:
        self.station = station
        self.window = AnswerWindow()
        self.heard_at = now if known and known.online else None  # a restart is no reason to call it offline
        self._remembered = bytes.fromhex(known.session) if known and known.session else None
        self._hello_at: dict[Path, float] = {}
        self.sounding: bool | None = None

    @property
    def session(self) -> bytes | None:
        return self.window.session or self._remembered

    def may_hello(self, path: Path, now: float) -> bool:
        """Whether an asking station gets its hello now."""
        return now - self._hello_at.get(path, -HELLO_AGAIN) >= HELLO_REST[path]

    def wants_hello(self, now: float) -> bool:
        """Whether its knowledge of our time should be refreshed."""
        return now - self._hello_at.get(Path.MQTT, -HELLO_AGAIN) >= HELLO_AGAIN

    def hello_sent(self, path: Path, now: float) -> None:
        self._hello_at[path] = now
