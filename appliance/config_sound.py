"""Sound in the site file: where each line's is, the headset at the box, recordings, phrases, proofs of voice."""

from typing import Annotated, Literal

import msgspec

Rate = Literal[8000, 16000, 44100, 48000]
Device = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class Struct(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of the site file."""


class SerialSound(Struct, tag="serial", tag_field="kind", frozen=True, kw_only=True):
    """A modem that carries its calls' sound on a serial port of its own: SIM7600, EG25-G."""

    port: Device
    rate: Literal[8000, 16000] = 8000


class UsbSound(Struct, tag="usb", tag_field="kind", frozen=True, kw_only=True):
    """A modem that is a sound card too; `device` is (part of) PortAudio's name for it."""

    device: Device
    output: str = ""  # where its speaker's side has another name
    rate: Rate = 8000


LineSound = SerialSound | UsbSound


class Headset(Struct, frozen=True, kw_only=True):
    """The one at the box, by PortAudio's name."""

    device: Device
    output: str = ""
    rate: Rate = 48000


class RecordingRules(Struct, frozen=True, kw_only=True):
    record: bool = True
    keep_days: Annotated[int, msgspec.Meta(ge=1, le=3650)] = 365
    most_mb: Annotated[int, msgspec.Meta(ge=10, le=10_000_000)] = 20_000  # of all recordings; some 3,000 hours
    own_hours: Annotated[int, msgspec.Meta(ge=0, le=8760)] = 24  # that operators hear their own calls; 0: never
    free_mb: Annotated[int, msgspec.Meta(ge=0, le=1_000_000)] = 1_000  # that the disk keeps for the journal


class ProofRules(Struct, frozen=True, kw_only=True):
    """Drills of voice between the box's own lines."""

    at: Annotated[str, msgspec.Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")] = "03:30"  # the site's time
    every_days: Annotated[int, msgspec.Meta(ge=0, le=60)] = 1  # 0: only when a person asks
    good_days: Annotated[int, msgspec.Meta(ge=1, le=60)] = 7  # so long a proof counts


class SoundRules(Struct, frozen=True, kw_only=True):
    """`run`: folder of the audio process's sockets, where it is not "audio" beside core's; `phrases`: of WAV files."""

    run: str = ""
    phrases: str = ""
    headset: Headset | None = None
    recording: RecordingRules = RecordingRules()
    proof: ProofRules = ProofRules()
