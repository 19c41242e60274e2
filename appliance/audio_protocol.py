"""What core and `siaga audio` say to each other over audio.sock: both ends' contract.

A bridge is a call's sound: its ends hear each other. Core names bridges and ends; audio keeps no decisions. When the
audio process comes back, core says again what bridges there are.
"""

from typing import Annotated, Literal

import msgspec

from appliance.model import Language

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
Level = Annotated[float, msgspec.Meta(ge=-40.0, le=12.0)]  # dB
RECORDING = "recording"
STATION_BRIDGE = "station"  # a station's own microphone and loudspeaker; no call has such an id
LONGEST_TEXT = 1000  # characters of one spoken text
MOST_BRIDGES, MOST_ENDS = 16, 8
QUIET_DBFS = -66.0  # an end below says nothing, as drivers/audio/levels.py has it

# What an end can be


class Usb(msgspec.Struct, tag="usb", tag_field="kind", forbid_unknown_fields=True, frozen=True):
    """A modem's or headset's USB audio: PortAudio devices by (part of) their name. `rate` in Hz."""

    device: str
    rate: Literal[8000, 16000, 44100, 48000] = 8000
    output: str = ""  # where the speaker has another name; empty: the same


class Serial(msgspec.Struct, tag="serial", tag_field="kind", forbid_unknown_fields=True, frozen=True):
    """A modem's PCM on a serial port (SIM7600, EG25-G on its NMEA port): s16le frames of 20 ms both ways."""

    port: str
    rate: Literal[8000, 16000] = 8000


class Stream(msgspec.Struct, tag="stream", tag_field="kind", forbid_unknown_fields=True, frozen=True):
    """An operator's browser: web connects to audio-stream.sock with this `key` and carries s16le at 16 kHz."""

    key: str


class Wav(msgspec.Struct, tag="wav", tag_field="kind", forbid_unknown_fields=True, frozen=True):
    """A file that is played, `times` over (0: for ever), `rest_s` of silence between."""

    file: str
    times: int = 1
    rest_s: float = 1.0


class Speech(msgspec.Struct, tag="speech", tag_field="kind", forbid_unknown_fields=True, frozen=True):
    """Texts that espeak-ng speaks one behind the other, as ("id", "Mohon tunggu"), all of it `times` (0: for ever).

    `instead`: for each text a WAV file that is played in its place, or an empty string.
    """

    texts: tuple[tuple[Language, Annotated[str, msgspec.Meta(max_length=LONGEST_TEXT)]], ...]
    instead: tuple[str, ...] = ()
    times: int = 1
    rest_s: float = 1.0


class Tone(msgspec.Struct, tag="tone", tag_field="kind", forbid_unknown_fields=True, frozen=True):
    """One or more sines together; `seconds` 0: for ever."""

    hz: tuple[float, ...]
    seconds: float = 1.0
    level_dbfs: float = -12.0


EndKind = Usb | Serial | Stream | Wav | Speech | Tone


class End(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """`keys`: tell telephone keys heard in its sound. `watched`: tell when it is silent for as long as 2 s.

    `side`: which channel of the recording it is on: "line" (left), "person" (right), "" on none.
    """

    end: Name
    what: EndKind
    side: Literal["line", "person", ""] = ""
    keys: bool = False
    watched: bool = False
    mute: bool = False
    gain_db: Level = 0.0


# Requests; the answer is {} but where a struct says so


class Hello(msgspec.Struct, tag="hello", tag_field="do", forbid_unknown_fields=True, frozen=True):
    """Answer: Standing."""


class Open(msgspec.Struct, tag="open", tag_field="do", forbid_unknown_fields=True, frozen=True):
    """Make a bridge, or make it what is said here when it is there. `record`: path of a file not yet there."""

    bridge: Name
    ends: tuple[End, ...] = ()
    record: str = ""


class Join(msgspec.Struct, tag="join", tag_field="do", forbid_unknown_fields=True, frozen=True):
    """Add an end, or change the one of this name: its mute, gain, keys. Another `what` opens it anew."""

    bridge: Name
    end: End


class Leave(msgspec.Struct, tag="leave", tag_field="do", forbid_unknown_fields=True, frozen=True):
    bridge: Name
    end: Name


class Close(msgspec.Struct, tag="close", tag_field="do", forbid_unknown_fields=True, frozen=True):
    """End it; answer: Recorded, with an empty file when there was no recording."""

    bridge: Name


class Measure(msgspec.Struct, tag="measure", tag_field="do", forbid_unknown_fields=True, frozen=True):
    """Send a known signal into one line's end and hear it at another's, then back; answer: Measured. For proofs."""

    one: EndKind
    other: EndKind


class Mend(msgspec.Struct, tag="mend", tag_field="do", forbid_unknown_fields=True, frozen=True):
    """Close a recording whose process was killed, and hash it; one that is whole is only hashed. Answer: Recorded."""

    file: str


Request = Hello | Open | Join | Leave | Close | Measure | Mend

# Answers


class EndStanding(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """`heard_dbfs`: what it said in the last half second; `given_dbfs`: what it was given. None: digital silence."""

    end: str
    lost: str = ""
    finished: bool = False
    mute: bool = False
    heard_dbfs: float | None = None
    given_dbfs: float | None = None
    delay_s: float = 0.0  # that the jitter buffer holds
    gaps: int = 0  # times it had nothing when the bridge wanted sound
    drift_ppm: float = 0.0


class BridgeStanding(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    bridge: str
    ends: tuple[EndStanding, ...]
    record: str = ""


class Standing(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """`devices`: PortAudio's names, as they were when it counted last."""

    bridges: tuple[BridgeStanding, ...] = ()
    devices: tuple[str, ...] = ()


class Recorded(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """`sha256` in hex of the whole file; `seconds` of sound in it."""

    file: str = ""
    seconds: float = 0.0
    octets: int = 0
    sha256: str = ""


class Way(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """One direction of a measured path."""

    heard: bool
    level_db: float = 0.0  # received against sent
    delay_ms: float = 0.0
    lost_percent: float = 0.0  # of 20 ms frames that came without the signal


class Measured(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """`late_percent`: of the box's own 20 ms ticks that were more than a tick late; a bad measure may be its fault."""

    there: Way
    back: Way
    late_percent: float = 0.0


# Pushes


class EndChanged(msgspec.Struct, tag="end", tag_field="said", forbid_unknown_fields=True, frozen=True):
    """`what`: lost and back (of a device), silent and heard (of a watched end), finished (of what plays).

    The end RECORDING is lost when the disk takes no more of it; the call goes on.
    """

    bridge: str
    end: str
    what: Literal["lost", "back", "silent", "heard", "finished"]
    why: str = ""


class KeyHeard(msgspec.Struct, tag="key", tag_field="said", forbid_unknown_fields=True, frozen=True):
    """A telephone key (DTMF) in the sound of an end."""

    bridge: str
    end: str
    key: str


class Levels(msgspec.Struct, tag="levels", tag_field="said", forbid_unknown_fields=True, frozen=True):
    """Twice a second while there is a bridge."""

    bridges: tuple[BridgeStanding, ...]


Push = EndChanged | KeyHeard | Levels
