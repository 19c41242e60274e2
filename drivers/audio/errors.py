"""What goes wrong with a sound device: the codes that stand in an endpoint's `lost`, and what is beyond repair here."""

OPENING = "opening"  # it was asked for, and nothing is known yet
MISSING = "missing"  # no device of this name, or no such port: never plugged in, or its name is written wrong
BUSY = "busy"  # it is there, and another program has it
UNFIT = "unfit"  # it is there, and does not do this rate
UNPLUGGED = "unplugged"  # it was there, and its stream ended
STALLED = "stalled"  # its stream is there, and its clock has stopped
GONE = "gone"  # the browser's connection ended, or has not come yet
CLOSED = "closed"  # by us


class AudioError(Exception):
    """Any failure of sound; nothing else leaves this package's devices."""


class DeviceMissing(AudioError):
    """There is no such device, or it has no sound in the direction that is wanted."""


class DeviceRefused(AudioError):
    """The device cannot be opened; `why` is a code from above."""

    def __init__(self, why: str, text: str) -> None:
        super().__init__(text)
        self.why = why


class Stuck(AudioError):
    """PortAudio does not come back from a call. Nothing helps but another process: end this one."""
